#include "crowd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/bytes.hpp"

namespace kaiku::test {
namespace {

using step = tls_session::step;

/// Until it looks whether it is to end.
constexpr int turn_ms = 50;

}  // namespace

crowd::crowd(crowd_options options)
    : options_(std::move(options)),
      noise_(generated_bytes{7, 4096}.all()),
      poll_(::epoll_create1(EPOLL_CLOEXEC)),
      members_(options_.at_once) {
  thread_ = std::jthread([this](const std::stop_token& stopped) { run(stopped); });
}

crowd::~crowd() {
  thread_.request_stop();
  thread_.join();
  for (auto& x : members_)
    if (x.socket >= 0) ::close(x.socket);
  ::close(poll_);
}

void crowd::run(const std::stop_token& stopped) {
  for (std::size_t i = 0; i < members_.size(); ++i) come(i);
  std::deque<std::size_t> gone;
  auto next = clock::now();
  while (!stopped.stop_requested()) {
    for (auto now = clock::now(); !gone.empty() && next <= now; next = std::max(next, now) + options_.pace) {
      come(gone.front());
      gone.pop_front();
    }
    const auto until_next = std::chrono::ceil<milliseconds>(next - clock::now()).count();
    const int wait = gone.empty() ? turn_ms : std::clamp(static_cast<int>(until_next), 0, turn_ms);
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), wait);
    for (int k = 0; k < count; ++k) {
      const auto i = static_cast<std::size_t>(events[static_cast<std::size_t>(k)].data.u64);
      if (go_on(i)) continue;
      members_[i].tls.reset();
      ::close(std::exchange(members_[i].socket, -1));
      ++cut_off_;
      gone.push_back(i);
    }
  }
}

void crowd::come(std::size_t i) {
  const auto& to = options_.at;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(to.port);
  ::inet_pton(AF_INET, to.address.c_str(), &address.sin_addr);
  auto& x = members_[i];
  x = {};
  x.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  ::connect(x.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  epoll_event wanted{};
  wanted.events = EPOLLOUT;
  wanted.data.u64 = i;
  ::epoll_ctl(poll_, EPOLL_CTL_ADD, x.socket, &wanted);
  ++came_;
}

void crowd::speak(std::size_t i) {
  auto& x = members_[i];
  const auto say = [&](std::string_view bytes) { ::send(x.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL); };
  switch (static_cast<kind>(i % kinds)) {
    case kind::silent: break;
    case kind::plain: say("GET / HTTP/1.1\r\n\r\n"); break;
    case kind::half: say({"\x16\x03\x01\x02", 4}); break;
    case kind::noise: say(noise_); break;
    case kind::bare: x.tls = std::make_unique<tls_session>(options_.bare, tls_role::client, x.socket); break;
    case kind::foreign: x.tls = std::make_unique<tls_session>(options_.foreign, tls_role::client, x.socket); break;
  }
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.u64 = i;
  ::epoll_ctl(poll_, EPOLL_CTL_MOD, x.socket, &wanted);
}

bool crowd::go_on(std::size_t i) {
  auto& x = members_[i];
  if (!std::exchange(x.has_spoken, true)) speak(i);
  std::array<char, 1024> answer{};
  if (!x.tls) {
    const auto got = ::recv(x.socket, answer.data(), answer.size(), 0);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
  }
  auto last = x.tls->handshake();
  if (last.now == step::done) {
    if (!std::exchange(x.has_keys, true)) ++handshakes_;
    last = x.tls->read(answer.data(), answer.size());
  }
  return last.now == step::wants_read;
}

}  // namespace kaiku::test
