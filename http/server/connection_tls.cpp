// What is different in a `connection` that speaks TLS.

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "kaiku/http/server/connection.hpp"

namespace kaiku {
namespace {

namespace asio = boost::asio;
using step = tls_session::step;

/// To who speaks plain HTTP here. OpenSSL has looked at the request's first bytes and thrown them away.
constexpr std::string_view this_is_https =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 23\r\nConnection: close\r\n\r\n"
    "This port speaks HTTPS\n";

}  // namespace

task<bool> connection::wait_for(tls_session::outcome last, error_code& failed) {
  switch (last.now) {
    case step::wants_read:
      co_await socket_.async_wait(client_socket::wait_read, asio::redirect_error(use_task, failed));
      break;
    case step::wants_write:
      co_await socket_.async_wait(client_socket::wait_write, asio::redirect_error(use_task, failed));
      break;
    case step::ended: failed = asio::error::eof; break;
    case step::failed: failed = asio::error::connection_aborted; break;
    case step::done:
      // Or a client that always has something, or takes everything, would keep this thread to itself.
      if (std::exchange(has_waited_, false)) co_return false;
      co_await asio::post(socket_.get_executor(), use_task);
      if (!tls_) failed = asio::error::operation_aborted;
      co_return false;
  }
  has_waited_ = true;
  // Closed meanwhile: its descriptor may be another connection's by now.
  if (!tls_ && !failed) failed = asio::error::operation_aborted;
  co_return !failed;
}

task<bool> connection::shake_hands(session_clock::time_point deadline) {
  if (!tls_) co_return false;
  arm(deadline);
  error_code failed;
  bool goes_on = true;
  while (goes_on) {
    const auto last = tls_->handshake();
    goes_on = co_await wait_for(last, failed);
  }
  if (failed && tls_) {
    if (!timed_out_) refusal_ = tls_->failure();
    const bool was_plain = tls_->was_plain_http();
    tls_.reset();  // from here on it is bytes that are sent and dropped
    if (was_plain) co_await say_this_is_https();
  }
  disarm();
  co_return !failed;
}

task<std::size_t> connection::read_tls(std::span<char> to, error_code& failed) {
  tls_session::outcome last;
  bool goes_on = true;
  while (goes_on) {
    last = tls_->read(to.data(), to.size());
    goes_on = co_await wait_for(last, failed);
  }
  co_return last.bytes;
}

task<std::size_t> connection::write_tls(std::string_view head, std::string_view body, error_code& failed) {
  auto piece = (head.empty() ? body : head).substr(0, tls_record_bytes);
  if (!head.empty() && !body.empty() && head.size() < tls_record_bytes) {
    record_.assign(head).append(body.substr(0, tls_record_bytes - head.size()));
    piece = record_;
  }
  tls_session::outcome last;
  bool goes_on = true;
  while (goes_on) {
    last = tls_->write(piece.data(), piece.size());
    goes_on = co_await wait_for(last, failed);
  }
  co_return last.bytes;
}

task<void> connection::say_this_is_https() {
  error_code ignored;
  co_await asio::async_write(socket_, asio::buffer(this_is_https.data(), this_is_https.size()),
                             asio::redirect_error(use_task, ignored));
}

}  // namespace kaiku
