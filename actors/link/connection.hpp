#pragma once

/// Purpose: what the link layer does to a connection below its bytes: options of the socket, and a hold on connections
/// that CAF has.
/// Thread: any.

#include <utility>

#include <string>

#include <boost/asio/ip/tcp.hpp>

namespace kaiku {

void close_on_exec(int descriptor);
/// Sends small messages at once, and notices within `limits::link_unacknowledged_ms` that nobody answers.
void tune_for_link(boost::asio::ip::tcp::socket& socket);
/// Address and port, as in a list of members.
std::string text_of(const boost::asio::ip::tcp::endpoint& x);

/// A second descriptor of a connection that CAF has: ends the connection, for CAF and for the peer, when it goes.
class connection_guard {
 public:
  explicit connection_guard(int descriptor);
  connection_guard(connection_guard&& other) noexcept : copy_(std::exchange(other.copy_, -1)) {}
  connection_guard& operator=(connection_guard&& other) noexcept {
    std::swap(copy_, other.copy_);
    return *this;
  }
  ~connection_guard();
  /// False when there was no descriptor to be had.
  bool holds() const { return copy_ >= 0; }

 private:
  int copy_;
};

}  // namespace kaiku
