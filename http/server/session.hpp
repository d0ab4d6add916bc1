#pragma once

/// Purpose: one client connection: reads a request, has it answered, sends the answer, and again, in order.
/// Owner: its own coroutine, which ends with the connection. Owns the socket and the upload under way.
/// Lifecycle: made when a connection was accepted; `start` on the worker's thread; listed there until it ends.
/// Thread: the worker's.

#include <memory>
#include <optional>
#include <string>

#include "kaiku/http/server/connection.hpp"
#include "kaiku/http/server/parser.hpp"

namespace kaiku {

class session final : public request_body {
 public:
  /// `peer`: the other end; counted among its address's connections when `counted`.
  session(client_socket socket, const ip_address& peer, bool counted, std::shared_ptr<worker_state> worker);
  ~session() override;

  static void start(std::shared_ptr<session> self);

  void check_deadline(session_clock::time_point now) { connection_.check_deadline(now); }
  bool abandoned() const { return worker_->abandoned(); }
  /// Of one that waits for a request, and nothing of it has come. One that has never had any is left alone, unless
  /// `also_new`.
  void close_if_idle(bool also_new);
  /// Others need its place.
  void give_up() { connection_.close(); }
  void abandon();

  std::optional<std::uint64_t> length() const override;
  task<result<std::string>> read(std::size_t max) override;

 private:
  static task<void> run(std::shared_ptr<session> self);
  task<void> serve();
  /// False: there is no request to answer; when `refused_` is set, that goes out first.
  task<bool> read_header(session_clock::time_point first_deadline);
  /// Strips empty lines, looks for the header's end. True when it is complete or refused.
  bool scan_header(std::size_t& scanned, std::size_t& size);
  bool accept_header(std::size_t size);
  /// False: the connection ends.
  task<bool> answer();
  void add_strict_transport(response& what) const;
  void measure(session_clock::time_point began, unsigned code);
  task<bool> send(response& what, bool keep);
  /// `piece` is the first of the first part.
  task<bool> send_parts(const response& what, std::string piece);
  task<bool> send_stream(body_source& from);
  patience full_patience() const { return {worker_->settings.body_stall_timeout, worker_->settings.min_body_rate}; }
  task<void> refuse();
  /// Takes the rest of a small body that nobody read.
  task<bool> drain_body();
  task<errc> read_sized(std::string& into, std::size_t max);
  task<errc> read_chunks(std::string& into, std::size_t max);

  std::shared_ptr<worker_state> worker_;
  const ip_address peer_;
  const bool counted_;
  std::string client_;  ///< whom the request at hand is from
  connection connection_;
  input_buffer input_;
  message_parser parser_;
  request request_;
  std::optional<request_refusal> refused_;
  std::optional<exchange> exchange_;
  std::string head_;        ///< of the answer; kept for its memory
  std::uint64_t sent_ = 0;  ///< of the answer's body

  // The body of the request at hand.
  body_framing framing_;
  std::uint64_t left_ = 0;  ///< with a Content-Length
  std::uint64_t received_ = 0;
  bool body_done_ = true;
  errc body_failed_ = errc::none;  ///< what follows will not come
  bool owes_continue_ = false;
  patience receiving_ = full_patience();
  patience sending_ = full_patience();

  bool idle_ = true;  ///< waits for a request, and nothing of it has come
  bool first_ = true;
  bool lingers_ = false;  ///< the connection ends while the client may still send
};

}  // namespace kaiku
