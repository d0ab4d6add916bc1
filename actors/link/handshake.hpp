#pragma once

/// Purpose: the hello of `hello.hpp` over one TCP connection: who sends what when, the deadline, and how a refusal gets
/// through to the other side.
/// Owner: a session owns its socket until `release`.
/// Lifecycle: one session per connection; when its deadline passes or `abort` is called, every operation on it fails.
/// Thread: the link layer's.

#include <utility>

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "kaiku/link/hello.hpp"

namespace kaiku {

/// One connection that has not yet proved who is at its other end. TLS has its place here: everything reads and writes
/// through `read_payload` and `write`, and CAF takes any stream descriptor that `release` gives (for TLS, one end of a
/// relayed socket pair).
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
  /// Gives the connected descriptor away; the session is over.
  int release();

  /// Something has come that was not looked at yet.
  bool has_unread_bytes() const;

  /// Sleeps, at most until the deadline or `wake`.
  awaitable<void> pause(milliseconds time);
  void wake();

  awaitable<bool> connect(const std::vector<tcp::endpoint>& endpoints);
  /// One frame, and not a byte more. Errors: `body_incomplete` (cut off or late), `corrupt` (no legal length).
  awaitable<result<std::string>> read_payload();
  awaitable<bool> write(const std::string& bytes);
  /// Sends a refusal and gives the other side a moment to read it, since a reset would throw it away.
  awaitable<void> refuse(const refusal& why);
  /// Sends the last frame of this session, and gives the other side that moment.
  awaitable<void> say_last(const link_frame& frame);

  bool has_said_hello = false;  ///< the peer sent a hello that was not refused
  std::string remote;           ///< address and port, for the log

 private:
  tcp::socket socket_;
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer pause_;
  bool aborted_ = false;
};

/// How an exchange ended.
struct handshake_outcome {
  enum class kind : std::uint8_t {
    proven,       ///< on both sides; who came to ask was answered, or has its answer in `found`
    refused,      ///< by this node; the peer was told
    turned_away,  ///< by the peer
    broken,       ///< the connection ended or took too long
  };
  kind how = kind::broken;
  hello peer;  ///< as far as it came; legal but unproven unless `proven`
  bool said_hello = false;
  refusal why;    ///< unless `proven`
  welcome found;  ///< as a dialler that came to ask: the cluster
};

struct handshake_side {
  hello_rules rules;
  std::string secret;
  /// Asked when the peer's proof held (acceptor) or its hello was fine (dialler): true once no link to it is left.
  /// Not asked when the dialler has not come for a link.
  std::function<boost::asio::awaitable<bool>(const hello&)> old_link_gone;
};

/// The arguments must live until the outcome is there.
boost::asio::awaitable<handshake_outcome> accept_handshake(const std::shared_ptr<link_session>& session,
                                                           const handshake_side& side);
boost::asio::awaitable<handshake_outcome> dial_handshake(const std::shared_ptr<link_session>& session,
                                                         const handshake_side& side);

}  // namespace kaiku
