#pragma once

/// Purpose: an HTTP client for tests that sends the bytes it is told, right or wrong, and reads one answer at a time;
/// plain, or over TLS.
/// Every wait has a deadline; passing it fails the test with a message. Thread: the test's.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kaiku/tls/session.hpp"

namespace kaiku::test {

struct raw_answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::uint64_t body_size = 0;  ///< also when the body itself was not kept

  /// Empty when absent. Names compare without case.
  std::string header(std::string_view name) const {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    for (const auto& [known, value] : fields)
      if (std::equal(known.begin(), known.end(), name.begin(), name.end(),
                     [&](char a, char b) { return lower(a) == lower(b); }))
        return value;
    return {};
  }
  bool closes() const { return header("Connection") == "close"; }
};

class raw_http {
 public:
  /// What those speak that are not told otherwise; empty: plain HTTP.
  static inline tls_context usual_tls;

  /// `from`: this address of its own, instead of any.
  explicit raw_http(std::uint16_t port, int receive_buffer = 0, const tls_context& tls = usual_tls,
                    const char* from = nullptr)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in own{}, to{};
    own.sin_family = to.sin_family = AF_INET;
    if (from != nullptr && ::inet_pton(AF_INET, from, &own.sin_addr) == 1)
      ::bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own);
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    if (connected_ && tls) start_tls(tls);
  }
  ~raw_http() { ::close(socket_); }
  raw_http(const raw_http&) = delete;
  raw_http& operator=(const raw_http&) = delete;

  bool connected() const { return connected_; }
  /// For one that was plain so far. False when the server will not have it.
  bool start_tls(const tls_context& with) {
    ::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK);
    tls_ = std::make_unique<tls_session>(with, tls_role::client, socket_);
    auto last = tls_->handshake().now;
    while (wait_for(last)) last = tls_->handshake().now;
    return connected_ = last == tls_session::step::done;
  }

  /// False when the server has closed.
  bool send(std::string_view bytes) {
    while (tls_ && !bytes.empty()) {
      const auto sent = tls_->write(bytes.data(), bytes.size());
      bytes.remove_prefix(sent.bytes);
      if (sent.now != tls_session::step::done && !wait_for(sent.now)) return false;
    }
    while (!bytes.empty()) {
      wait(POLLOUT);
      auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN) continue;
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  /// A request with Host and, when there is a body, Content-Length.
  bool request(std::string_view method, std::string_view target, std::string_view fields = {},
               std::string_view body = {}) {
    std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: kaiku\r\n";
    text.append(fields);
    if (!body.empty() || method == "PUT") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n";
    text.append(body);
    return send(text);
  }
  raw_answer ask(std::string_view method, std::string_view target, std::string_view fields = {},
                 std::string_view body = {}) {
    request(method, target, fields, body);
    return read(method == "HEAD");
  }

  /// One answer; `status` 0 when the server closed instead.
  raw_answer read(bool head_only = false, bool keep_body = true) {
    raw_answer out;
    std::size_t end = 0;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos)
      if (!fill()) return out;
    parse_head(input_.substr(0, end + 2), out);
    input_.erase(0, end + 4);
    auto left = out.header("Content-Length").empty() ? 0 : std::stoull(out.header("Content-Length"));
    if (head_only || out.status == 204 || out.status == 304 || out.status == 100) left = 0;
    while (left > 0) {
      if (input_.empty() && !fill()) throw std::runtime_error("the answer's body was cut off");
      auto take = std::min<std::uint64_t>(left, input_.size());
      if (keep_body) out.body += input_.substr(0, take);
      out.body_size += take;
      input_.erase(0, take);
      left -= take;
    }
    return out;
  }
  /// One line of a body without a length, less its line feed; empty when the server closed instead.
  std::optional<std::string> read_line() {
    std::size_t end = 0;
    while ((end = input_.find('\n')) == std::string::npos)
      if (!fill()) return std::nullopt;
    auto line = input_.substr(0, end);
    input_.erase(0, end + 1);
    return line;
  }
  /// True when the server ends the connection and nothing more comes before.
  bool at_end() { return input_.empty() && !fill(); }
  /// Something has come, or comes within `wait`.
  bool has_input(std::chrono::milliseconds wait) {
    pollfd one{socket_, POLLIN, 0};
    const auto end = std::chrono::steady_clock::now() + wait;
    while (input_.empty()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (::poll(&one, 1, std::max(0, static_cast<int>(left.count()))) == 0) return false;
      // What TLS says for itself is none.
      if (!tls_ || read_tls() != tls_session::step::wants_read) return true;
    }
    return true;
  }
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }
  /// An abrupt end: the server sees a reset.
  void reset() {
    linger hard{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ::close(socket_);
    socket_ = -1;
  }

 private:
  static constexpr int deadline_ms = 20'000;

  void wait(short events) {
    pollfd one{socket_, events, 0};
    if (::poll(&one, 1, deadline_ms) == 0) throw std::runtime_error("no answer within the test's deadline");
  }
  /// False: the step was the last one.
  bool wait_for(tls_session::step now) {
    if (now != tls_session::step::wants_read && now != tls_session::step::wants_write) return false;
    wait(now == tls_session::step::wants_read ? POLLIN : POLLOUT);
    return true;
  }
  tls_session::step read_tls() {
    char buffer[tls_record_bytes];
    const auto got = tls_->read(buffer, sizeof buffer);
    input_.append(buffer, got.bytes);
    return got.now;
  }
  bool fill() {
    if (tls_) {
      auto last = read_tls();
      while (wait_for(last)) last = read_tls();
      return last == tls_session::step::done;
    }
    wait(POLLIN);
    char buffer[65536];
    auto n = ::recv(socket_, buffer, sizeof buffer, 0);
    if (n <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }
  static void parse_head(const std::string& text, raw_answer& out) {
    std::size_t at = text.find("\r\n");
    out.status = std::stoi(text.substr(9, 3));
    for (at += 2; at < text.size();) {
      auto end = text.find("\r\n", at), colon = text.find(": ", at);
      out.fields.emplace_back(text.substr(at, colon - at), text.substr(colon + 2, end - colon - 2));
      at = end + 2;
    }
  }

  int socket_;
  std::unique_ptr<tls_session> tls_;
  bool connected_ = false;
  std::string input_;
};

}  // namespace kaiku::test
