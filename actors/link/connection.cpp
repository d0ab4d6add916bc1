#include "kaiku/link/connection.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kaiku/core/limits.hpp"

namespace kaiku {

using boost::asio::ip::tcp;

void close_on_exec(int descriptor) {
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

void tune_for_link(tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(tcp::socket::keep_alive(true), ignored);
  auto set = [&](int name, int value) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, name, &value, sizeof value);
  };
  // For a link on which nothing is sent, the same bound: 2 s of silence, then three questions.
  set(TCP_KEEPIDLE, 2);
  set(TCP_KEEPINTVL, 1);
  set(TCP_KEEPCNT, 3);
  set(TCP_USER_TIMEOUT, static_cast<int>(limits::link_unacknowledged_ms));
  close_on_exec(socket.native_handle());
}

std::string text_of(const tcp::endpoint& x) {
  auto address = x.address().to_string();
  return (x.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(x.port());
}

connection_guard::connection_guard(int descriptor) : copy_(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) {}

connection_guard::~connection_guard() {
  if (copy_ < 0) return;
  ::shutdown(copy_, SHUT_RDWR);
  ::close(copy_);
}

}  // namespace kaiku
