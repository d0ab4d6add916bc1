#include "support/tcp.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace kaiku::test {

namespace {

using kind = network_failure::kind;
using step = tls_session::step;

sockaddr_in resolve(const endpoint& x) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(x.port);
  if (inet_pton(AF_INET, x.address.c_str(), &out.sin_addr) != 1)
    throw network_failure(kind::malformed, "not an IPv4 address: " + x.address);
  return out;
}

template <class Address>
const sockaddr* generic(const Address& x) {
  return reinterpret_cast<const sockaddr*>(&x);
}

/// The events that came, 0 when the time ran out.
short wait_for_events(int fd, short events, clock::time_point end) {
  for (;;) {
    auto left = std::chrono::ceil<milliseconds>(end - clock::now()).count();
    pollfd entry{fd, events, 0};
    int n = ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (n > 0) return entry.revents;
    if (n < 0 && errno != EINTR) throw network_failure(kind::cut_off, std::string("poll: ") + std::strerror(errno));
    if (clock::now() >= end) return 0;
  }
}

bool can_bind(std::uint16_t port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto address = resolve({"127.0.0.1", port});
  bool ok = ::bind(fd, generic(address), sizeof address) == 0;
  ::close(fd);
  return ok;
}

/// A name in the abstract socket name space: held while the descriptor lives, released with the process.
int claim(std::uint16_t port) {
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::string text = "kaiku-test-port-" + std::to_string(port);
  std::memcpy(name.sun_path + 1, text.data(), text.size());
  if (::bind(fd, generic(name), static_cast<socklen_t>(sizeof(sa_family_t) + 1 + text.size())) == 0) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

std::string to_string(const endpoint& x) {
  return x.address + ":" + std::to_string(x.port);
}

tcp_connection::tcp_connection(const endpoint& to, milliseconds deadline) {
  auto address = resolve(to);
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int failure = ::connect(fd_, generic(address), sizeof address) == 0 ? 0 : errno;
  if (failure == EINPROGRESS) {
    failure = ETIMEDOUT;
    if (wait_for_events(fd_, POLLOUT, clock::now() + deadline) != 0) {
      socklen_t size = sizeof failure;
      ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &failure, &size);
    }
  }
  if (failure != 0) {
    close();
    throw network_failure(kind::not_connected, "connect to " + to_string(to) + ": " + std::strerror(failure));
  }
  int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

tcp_connection::~tcp_connection() {
  close();
}

tcp_connection::tcp_connection(tcp_connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), tls_(std::move(other.tls_)), pulled_(std::move(other.pulled_)) {}

tcp_connection& tcp_connection::operator=(tcp_connection&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(tls_, other.tls_);
  std::swap(pulled_, other.pulled_);
  return *this;
}

void tcp_connection::start_tls(const tls_context& with, clock::time_point end) {
  tls_ = std::make_unique<tls_session>(with, tls_role::client, fd_);
  auto last = tls_->handshake().now;
  while (wait_for(last, end)) last = tls_->handshake().now;
  if (last != step::done) throw network_failure(kind::cut_off, "no TLS: " + tls_->failure());
}

bool tcp_connection::wait_for(step now, clock::time_point end) const {
  if (now != step::wants_read && now != step::wants_write) return false;
  if (wait_for_events(fd_, now == step::wants_read ? POLLIN : POLLOUT, end) == 0)
    throw network_failure(kind::timed_out, "TLS: timed out");
  return true;
}

bool tcp_connection::pull() {
  if (!pulled_.empty()) return true;
  char piece[tls_record_bytes];
  const auto got = tls_->read(piece, sizeof piece);
  pulled_.assign(piece, got.bytes);
  return got.now != step::wants_read && got.now != step::wants_write;
}

void tcp_connection::close() {
  if (tls_) tls_->finish();
  tls_.reset();
  pulled_.clear();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void tcp_connection::finish_sending() {
  if (tls_) tls_->finish();
  ::shutdown(fd_, SHUT_WR);
}

void tcp_connection::reset() {
  linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  tls_.reset();
  close();
}

std::size_t tcp_connection::send_some(std::string_view bytes, clock::time_point end) {
  while (tls_) {
    const auto sent = tls_->write(bytes.data(), bytes.size());
    if (sent.now == step::done) return sent.bytes;
    if (!wait_for(sent.now, end)) throw network_failure(kind::cut_off, "send over TLS: " + tls_->failure());
  }
  for (;;) {
    ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) return static_cast<std::size_t>(n);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
      throw network_failure(kind::cut_off, std::string("send: ") + std::strerror(errno));
    if (wait_for_events(fd_, POLLOUT, end) == 0) throw network_failure(kind::timed_out, "send: timed out");
  }
}

void tcp_connection::send_all(std::string_view bytes, clock::time_point end) {
  while (!bytes.empty()) bytes.remove_prefix(send_some(bytes, end));
}

bool tcp_connection::is_readable() {
  if (tls_) return pull();
  return wait_for_events(fd_, POLLIN, clock::now()) != 0;
}

bool tcp_connection::wait_readable_or_writable(clock::time_point end) {
  while (tls_) {
    if (pull()) return true;
    const short came = wait_for_events(fd_, POLLIN | POLLOUT, end);
    if (came == 0) throw network_failure(kind::timed_out, "send over TLS: timed out");
    if ((came & POLLOUT) != 0) return pull();
  }
  short events = wait_for_events(fd_, POLLIN | POLLOUT, end);
  if (events == 0) throw network_failure(kind::timed_out, "send: timed out");
  return (events & (POLLIN | POLLERR | POLLHUP)) != 0;
}

std::string tcp_connection::receive(std::size_t most, clock::time_point end) {
  if (!pulled_.empty()) {
    auto out = pulled_.substr(0, most);
    pulled_.erase(0, out.size());
    return out;
  }
  std::string out(most, '\0');
  while (tls_) {
    const auto got = tls_->read(out.data(), out.size());
    out.resize(got.bytes);
    if (got.now == step::done || got.now == step::ended) return out;
    if (!wait_for(got.now, end)) throw network_failure(kind::cut_off, "receive over TLS: " + tls_->failure());
    out.resize(most);
  }
  for (;;) {
    ssize_t n = ::recv(fd_, out.data(), out.size(), 0);
    if (n >= 0) {
      out.resize(static_cast<std::size_t>(n));
      return out;
    }
    if (errno != EAGAIN && errno != EINTR)
      throw network_failure(kind::cut_off, std::string("receive: ") + std::strerror(errno));
    if (wait_for_events(fd_, POLLIN, end) == 0) throw network_failure(kind::timed_out, "receive: timed out");
  }
}

bool tcp_connection::is_closed_within(milliseconds deadline) {
  const auto end = clock::now() + deadline;
  try {
    while (!receive(4096, end).empty()) {
    }
    return true;
  } catch (const network_failure& e) {
    return e.which() == kind::cut_off;
  }
}

reserved_port::reserved_port() {
  constexpr std::uint32_t lowest = 20'000;
  constexpr std::uint32_t count = 12'000;
  const std::uint32_t start = std::random_device{}();
  for (std::uint32_t i = 0; i < count; ++i) {
    number_ = static_cast<std::uint16_t>(lowest + (start + i) % count);
    claim_ = claim(number_);
    if (claim_ < 0) continue;
    if (can_bind(number_)) return;
    ::close(std::exchange(claim_, -1));
  }
  throw network_failure(kind::not_connected, "no free port between 20000 and 31999");
}

reserved_port::~reserved_port() {
  if (claim_ >= 0) ::close(claim_);
}

reserved_port::reserved_port(reserved_port&& other) noexcept
    : number_(other.number_), claim_(std::exchange(other.claim_, -1)) {}

tcp_listener::tcp_listener(std::uint16_t port) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto address = resolve({"127.0.0.1", port});
  if (::bind(fd_, generic(address), sizeof address) != 0 || ::listen(fd_, 16) != 0) {
    std::string reason = std::strerror(errno);
    ::close(fd_);
    throw network_failure(kind::not_connected, "listen on port " + std::to_string(port) + ": " + reason);
  }
}

tcp_listener::~tcp_listener() {
  ::close(fd_);
}

}  // namespace kaiku::test
