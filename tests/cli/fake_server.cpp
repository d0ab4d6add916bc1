#include "cli/fake_server.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace kaiku::test {
namespace {

constexpr int deadline_ms = 10'000;

/// Until `end` is in it, or nothing more comes.
bool receive_until(int socket, std::string& into, const std::function<bool()>& is_enough) {
  char piece[65536];
  while (!is_enough()) {
    pollfd one{socket, POLLIN, 0};
    if (::poll(&one, 1, deadline_ms) != 1) return false;
    const auto got = ::recv(socket, piece, sizeof piece, 0);
    if (got <= 0) return false;
    into.append(piece, static_cast<std::size_t>(got));
  }
  return true;
}

std::size_t body_length(const std::string& head) {
  const auto at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

}  // namespace

fake_server::fake_server(handler answers) : answers_(std::move(answers)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* address = reinterpret_cast<sockaddr*>(&where);
  if (::bind(listener_, address, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, address, &size) != 0)
    throw std::runtime_error("no port for a fake server");
  port_ = ntohs(where.sin_port);
  acceptor_ = std::thread([this] { serve(); });
}

fake_server::~fake_server() {
  ends_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (auto& one : connections_) one.join();
  ::close(listener_);
}

std::vector<fake_request> fake_server::asked() {
  const std::lock_guard lock(mutex_);
  return asked_;
}

void fake_server::serve() {
  while (!ends_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    connections_.emplace_back([this, socket] {
      serve_one(socket);
      ::close(socket);
    });
  }
}

void fake_server::serve_one(int socket) {
  std::string input;
  if (!receive_until(socket, input, [&] { return input.find("\r\n\r\n") != std::string::npos; })) return;
  const auto end = input.find("\r\n\r\n") + 4;
  fake_request one;
  one.head = input.substr(0, end);
  one.method = one.head.substr(0, one.head.find(' '));
  const auto target = one.method.size() + 1;
  one.target = one.head.substr(target, one.head.find(' ', target) - target);
  one.body = input.substr(end);
  const bool is_chunked = one.head.find("Transfer-Encoding: chunked") != std::string::npos;
  receive_until(socket, one.body, [&] {
    return is_chunked ? one.body.ends_with("0\r\n\r\n") : one.body.size() >= body_length(one.head);
  });
  std::string answer;
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(one);
    answer = answers_(one);
  }
  for (std::size_t sent = 0; sent < answer.size();) {
    const auto now = ::send(socket, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
    if (now <= 0) return;
    sent += static_cast<std::size_t>(now);
  }
  if (!answer.empty() && answer.find("Connection: close") == std::string::npos) hold(socket);
}

/// Until the other side ends it.
void fake_server::hold(int socket) {
  pollfd one{socket, POLLIN, 0};
  char ignored = 0;
  while (!ends_)
    if (::poll(&one, 1, 100) == 1 && ::recv(socket, &ignored, 1, 0) <= 0) return;
}

std::string fake_answer(int code, const std::string& fields, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(code) +
         " x\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body;
}

std::string fake_json(const std::string& body) {
  return fake_answer(200, "Content-Type: application/json\r\n", body);
}

}  // namespace kaiku::test
