#pragma once

/// Purpose: one connection between nodes while they find out who is at its other end: frames in and out, plain or over
/// TLS, under one deadline.
/// Owner: owns its socket until `release`.
/// Lifecycle: one per connection; when its deadline passes or `abort` is called, every operation on it fails.
/// Thread: the link layer's.

#include <utility>

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "kaiku/link/hello.hpp"
#include "kaiku/tls/session.hpp"

namespace kaiku {

/// A connection that has proved who is at its other end; its socket is the holder's to close.
struct proven_connection {
  int socket = -1;
  std::unique_ptr<tls_session> tls;  ///< empty: plain TCP
};

class link_session : public std::enable_shared_from_this<link_session> {
 public:
  using tcp = boost::asio::ip::tcp;
  template <class T>
  using awaitable = boost::asio::awaitable<T>;

  explicit link_session(tcp::socket socket);

  /// From now on all of the session must be done within `timeout`.
  void start_deadline(milliseconds timeout);
  void abort();
  bool aborted() const { return aborted_; }
  tcp::socket& socket() { return socket_; }
  /// Gives the connection away; the session is over.
  proven_connection release();

  /// Something has come that was not looked at yet.
  bool has_unread_bytes() const;
  /// Something has come behind the last frame that was read, and TLS holds it already.
  bool has_bytes_in_hand() const { return tls_ && tls_->pending() != 0; }

  /// Sleeps, at most until the deadline or `wake`.
  awaitable<void> pause(milliseconds time);
  void wake();

  awaitable<bool> connect(const std::vector<tcp::endpoint>& endpoints);
  /// From now on everything goes over TLS. Errors, for a person: `io_error`.
  awaitable<status> start_tls(tls_context with, tls_role role);
  /// Is the peer's certificate for this name or address? Without TLS for none.
  bool is_certified(const std::string& name) const { return tls_ && tls_->is_peer(name); }
  /// Whom it is for, for a person.
  std::string certified_names() const { return tls_ ? tls_->peer_names() : "nobody"; }
  /// One frame, and not a byte more. Errors: `body_incomplete` (cut off or late), `corrupt` (no legal length).
  awaitable<result<std::string>> read_payload();
  awaitable<bool> write(const std::string& bytes);
  /// Sends a refusal and gives the other side a moment to read it, since a reset would throw it away.
  awaitable<void> refuse(const refusal& why);
  /// Sends the last frame of this session, and gives the other side that moment.
  awaitable<void> say_last(const link_frame& frame);

  bool has_said_hello = false;  ///< the peer sent a hello that was not refused
  bool is_in_tls = false;       ///< it has said something that TLS could use
  bool is_secured = false;      ///< it has shown a certificate of the authority
  bool made_room = false;       ///< it was ended for others to have its place
  std::string remote;           ///< address and port, for the log

 private:
  using error_code = boost::system::error_code;
  /// All of `into`. False: it was cut off, or is late.
  awaitable<bool> read(boost::asio::mutable_buffer into);
  /// Waits for what a step of TLS wants. False: it was the last one.
  awaitable<bool> wait_for(tls_session::outcome step);
  awaitable<void> hear_out();
  /// Why nothing more can be read.
  error cut_off() const;

  tcp::socket socket_;
  std::unique_ptr<tls_session> tls_;  ///< none once the socket is closed
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer pause_;
  bool aborted_ = false;
};

}  // namespace kaiku
