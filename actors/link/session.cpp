#include "kaiku/link/session.hpp"

#include <array>

#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace kaiku {
namespace {

namespace net = boost::asio;
using net::use_awaitable;
using net::ip::tcp;
using step = tls_session::step;

/// How long a peer may take to read the last frame.
constexpr milliseconds last_word_linger{500};

}  // namespace

link_session::link_session(tcp::socket socket)
    : socket_(std::move(socket)), deadline_(socket_.get_executor()), pause_(socket_.get_executor()) {}

void link_session::start_deadline(milliseconds timeout) {
  deadline_.expires_after(timeout);
  deadline_.async_wait([self = weak_from_this()](error_code ec) {
    auto session = self.lock();
    if (!ec && session) session->abort();
  });
}

void link_session::abort() {
  aborted_ = true;
  error_code ignored;
  deadline_.cancel(ignored);
  pause_.cancel(ignored);
  tls_.reset();  // its descriptor may be another connection's soon
  socket_.close(ignored);
}

proven_connection link_session::release() {
  error_code ignored;
  deadline_.cancel(ignored);
  return {socket_.release(ignored), std::move(tls_)};
}

bool link_session::has_unread_bytes() const {
  error_code failed;
  return socket_.available(failed) != 0 && !failed;
}

net::awaitable<void> link_session::pause(milliseconds time) {
  if (aborted_) co_return;
  pause_.expires_after(time);
  error_code ignored;
  co_await pause_.async_wait(net::redirect_error(use_awaitable, ignored));
}

void link_session::wake() {
  error_code ignored;
  pause_.cancel(ignored);
}

net::awaitable<bool> link_session::connect(const std::vector<tcp::endpoint>& endpoints) {
  error_code failed = net::error::host_not_found;
  for (const auto& endpoint : endpoints) {
    if (aborted_) co_return false;
    error_code ignored;
    socket_.close(ignored);
    co_await socket_.async_connect(endpoint, net::redirect_error(use_awaitable, failed));
    if (!failed) co_return !aborted_;
  }
  co_return false;
}

net::awaitable<bool> link_session::wait_for(tls_session::outcome last) {
  if (last.now != step::wants_read && last.now != step::wants_write) co_return false;
  const auto what = last.now == step::wants_read ? tcp::socket::wait_read : tcp::socket::wait_write;
  error_code failed;
  co_await socket_.async_wait(what, net::redirect_error(use_awaitable, failed));
  co_return !failed && !aborted_;
}

net::awaitable<status> link_session::start_tls(tls_context with, tls_role role) {
  error_code failed;
  if (!aborted_) socket_.native_non_blocking(true, failed);
  if (aborted_ || failed) co_return error{errc::io_error, "the connection ended before TLS began"};
  tls_ = std::make_unique<tls_session>(with, role, socket_.native_handle());
  tls_session::outcome last;
  bool goes_on = true;
  while (goes_on) {
    last = tls_->handshake();
    goes_on = co_await wait_for(last);
    is_in_tls = is_in_tls || (goes_on && last.now == step::wants_read);
  }
  if (aborted_) co_return error{errc::io_error, "the TLS handshake took too long"};
  is_secured = last.now == step::done;
  if (is_secured) co_return success();
  auto why = last.now == step::failed ? tls_->failure() : "the connection ended in the TLS handshake";
  // A moment for the other side to read the alert that says why.
  co_await hear_out();
  co_return error{errc::io_error, std::move(why)};
}

net::awaitable<bool> link_session::read(net::mutable_buffer into) {
  if (!tls_) {
    error_code failed;
    co_await net::async_read(socket_, into, net::redirect_error(use_awaitable, failed));
    co_return !failed;
  }
  auto* to = static_cast<char*>(into.data());
  for (auto left = into.size(); left != 0;) {
    const auto last = tls_->read(to, left);
    to += last.bytes;
    left -= last.bytes;
    if (last.now == step::done) continue;
    const bool goes_on = co_await wait_for(last);
    if (!goes_on) co_return false;
  }
  co_return true;
}

error link_session::cut_off() const {
  if (aborted_) return {errc::body_incomplete, "the hello took too long"};
  if (tls_ && !tls_->failure().empty()) return {errc::body_incomplete, tls_->failure()};
  return {errc::body_incomplete, "the connection ended in the hello"};
}

net::awaitable<result<std::string>> link_session::read_payload() {
  std::array<char, frame_prefix_bytes> prefix{};
  const net::mutable_buffer into_prefix = net::buffer(prefix);
  const auto prefix_there = co_await read(into_prefix);
  if (!prefix_there) co_return cut_off();
  auto length = frame_length({prefix.data(), prefix.size()});
  if (!length) co_return error{errc::corrupt, "this is no Kaiku hello"};
  std::string payload(*length, '\0');
  const net::mutable_buffer into_payload = net::buffer(payload);
  const auto payload_there = co_await read(into_payload);
  if (!payload_there) co_return cut_off();
  co_return payload;
}

net::awaitable<bool> link_session::write(const std::string& bytes) {
  if (!tls_) {
    error_code failed;
    co_await net::async_write(socket_, net::buffer(bytes), net::redirect_error(use_awaitable, failed));
    co_return !failed;
  }
  for (std::size_t sent = 0; sent != bytes.size();) {
    const auto last = tls_->write(bytes.data() + sent, bytes.size() - sent);
    sent += last.bytes;
    if (last.now == step::done) continue;
    const bool goes_on = co_await wait_for(last);
    if (!goes_on) co_return false;
  }
  co_return true;
}

net::awaitable<void> link_session::refuse(const refusal& why) {
  const link_frame frame{why};
  co_await say_last(frame);
}

net::awaitable<void> link_session::say_last(const link_frame& frame) {
  if (aborted_) co_return;
  start_deadline(last_word_linger);
  auto bytes = encode(frame);
  auto sent = co_await write(bytes);
  if (!sent) co_return;
  if (tls_) tls_->finish();
  co_await hear_out();
}

/// Ends this side, and drops what comes until the other side has ended its own.
net::awaitable<void> link_session::hear_out() {
  if (aborted_) co_return;
  start_deadline(last_word_linger);
  error_code failed;
  socket_.shutdown(tcp::socket::shutdown_send, failed);
  std::array<char, 512> ignored{};
  auto into = net::buffer(ignored);
  while (!failed) co_await socket_.async_read_some(into, net::redirect_error(use_awaitable, failed));
}

}  // namespace kaiku
