#pragma once

/// Purpose: bytes in and out of one client socket, plain or over TLS, with a deadline on every wait.
/// Owner: a session. Thread: the session's.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/http/server/worker.hpp"

#include <boost/asio/ip/tcp.hpp>

#include "kaiku/tls/session.hpp"

namespace kaiku {

using client_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, io_executor>;

/// Bytes that were read and not yet used.
class input_buffer {
 public:
  std::string_view view() const { return {bytes_.data() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t count);
  /// Room for at least `count` more bytes; `commit` says how many came.
  std::span<char> prepare(std::size_t count);
  void commit(std::size_t count) { end_ += count; }
  /// Gives memory back after a large body.
  void shrink();

 private:
  std::vector<char> bytes_;
  std::size_t begin_ = 0, end_ = 0;
};

/// How long a client may still keep a body waiting: a stall's worth, used up by waiting and earned back by bytes at the
/// least rate. One that stands still and one that is drip-fed end alike.
class patience {
 public:
  /// `rate` in bytes a second; 0: any byte earns all of it back.
  patience(milliseconds most, std::uint64_t rate) : most_(most), left_(most), rate_(rate) {}

  session_clock::duration left() const { return left_; }
  void waited(session_clock::duration how_long, std::size_t bytes);

 private:
  session_clock::duration most_, left_;
  std::uint64_t rate_;
};

class connection {
 public:
  enum class read_end { data, closed, timed_out, failed };

  /// With a context: over TLS, which begins with `shake_hands`.
  connection(client_socket socket, const tls_context& tls);

  /// False: it failed. Whoever is still there was told why, and is to be given a moment to read it (`linger`); who took
  /// too long is not.
  task<bool> shake_hands(session_clock::time_point deadline);
  /// Reads what comes into `to`; `got` bytes. `closed`: the client sends no more.
  task<read_end> read(std::span<char> to, session_clock::time_point deadline, std::size_t& got);
  task<read_end> read(std::span<char> to, patience& with, std::size_t& got);
  /// Why the handshake failed, for a log; empty: it took too long, or did not.
  const std::string& handshake_failure() const { return refusal_; }
  /// Sends both, in one system call when the socket takes it. False: it is broken, or the client took too long.
  task<bool> write(std::string_view head, std::string_view body, patience& with);
  /// Ends the sending side, then reads and drops until the client ends its own or `deadline`.
  task<void> linger(session_clock::time_point deadline);

  /// Something that was not read yet has come.
  bool has_input() const;
  /// Called by the worker's tick.
  void check_deadline(session_clock::time_point now);
  /// Whatever is awaited ends with an error.
  void close();

 private:
  void arm(session_clock::time_point deadline) {
    deadline_ = deadline;
    timed_out_ = false;
  }
  void disarm() { deadline_ = session_clock::time_point::max(); }
  using error_code = boost::system::error_code;
  task<std::size_t> read_tls(std::span<char> to, error_code& failed);
  /// One record, of what comes next of the two.
  task<std::size_t> write_tls(std::string_view head, std::string_view body, error_code& failed);
  /// Waits for what a step wants. False: it was the last one, and `failed` says how.
  task<bool> wait_for(tls_session::outcome step, error_code& failed);
  task<void> say_this_is_https();

  client_socket socket_;
  std::unique_ptr<tls_session> tls_;  ///< none once the socket is closed
  std::string record_;                ///< of two pieces; kept for its memory
  session_clock::time_point deadline_ = session_clock::time_point::max();
  std::string refusal_;
  bool timed_out_ = false;
  bool has_waited_ = false;  ///< since this thread's other work had its turn
};

}  // namespace kaiku
