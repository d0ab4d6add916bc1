#include "kaiku/http/server/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cstring>

namespace kaiku {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// An input buffer above this is given back when its body is done.
constexpr std::size_t kept_buffer_bytes = 16 * 1024;

}  // namespace

void input_buffer::consume(std::size_t count) {
  begin_ += count;
  if (begin_ == end_) begin_ = end_ = 0;
}

std::span<char> input_buffer::prepare(std::size_t count) {
  if (begin_ > 0 && bytes_.size() - end_ < count) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }
  if (bytes_.size() - end_ < count) bytes_.resize(end_ + count);
  return {bytes_.data() + end_, bytes_.size() - end_};
}

void input_buffer::shrink() {
  if (bytes_.size() <= kept_buffer_bytes || size() > kept_buffer_bytes) return;
  bytes_ = std::vector<char>(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_),
                             bytes_.begin() + static_cast<std::ptrdiff_t>(end_));
  end_ -= begin_;
  begin_ = 0;
}

void patience::waited(session_clock::duration how_long, std::size_t bytes) {
  left_ -= std::min(left_, how_long);
  if (bytes == 0) return;
  const std::chrono::nanoseconds of_rate(rate_ == 0 ? most_.count()
                                                    : static_cast<std::int64_t>(bytes * 1'000'000'000 / rate_));
  left_ = std::min(most_, left_ + of_rate);
}

connection::connection(client_socket socket, const tls_context& tls) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  if (!tls) return;
  socket_.native_non_blocking(true, ignored);
  tls_ = std::make_unique<tls_session>(tls, tls_role::server, socket_.native_handle());
}

task<connection::read_end> connection::read(std::span<char> to, session_clock::time_point deadline, std::size_t& got) {
  arm(deadline);
  error_code failed;
  if (tls_)
    got = co_await read_tls(to, failed);
  else
    got = co_await socket_.async_read_some(asio::buffer(to.data(), to.size()), asio::redirect_error(use_task, failed));
  disarm();
  if (!failed) co_return read_end::data;
  if (failed == asio::error::eof) co_return read_end::closed;
  co_return timed_out_ ? read_end::timed_out : read_end::failed;
}

task<connection::read_end> connection::read(std::span<char> to, patience& with, std::size_t& got) {
  const auto began = session_clock::now();
  const auto end = co_await read(to, began + with.left(), got);
  with.waited(session_clock::now() - began, got);
  co_return end;
}

task<bool> connection::write(std::string_view head, std::string_view body, patience& with) {
  while (!head.empty() || !body.empty()) {
    const auto began = session_clock::now();
    arm(began + with.left());
    error_code failed;
    std::size_t sent = 0;
    if (tls_) {
      sent = co_await write_tls(head, body, failed);
    } else {
      std::array<asio::const_buffer, 2> both{asio::buffer(head.data(), head.size()),
                                             asio::buffer(body.data(), body.size())};
      sent = co_await socket_.async_write_some(both, asio::redirect_error(use_task, failed));
    }
    disarm();
    if (failed) co_return false;
    with.waited(session_clock::now() - began, sent);
    auto of_head = std::min(sent, head.size());
    head.remove_prefix(of_head);
    body.remove_prefix(sent - of_head);
  }
  co_return true;
}

task<void> connection::linger(session_clock::time_point deadline) {
  error_code ignored;
  if (tls_) tls_->finish();
  socket_.shutdown(client_socket::shutdown_send, ignored);
  std::vector<char> dropped(kept_buffer_bytes);
  for (;;) {
    std::size_t got = 0;
    auto end = co_await read(dropped, deadline, got);
    if (end != read_end::data || session_clock::now() >= deadline) co_return;
  }
}

void connection::check_deadline(session_clock::time_point now) {
  if (now < deadline_) return;
  timed_out_ = true;
  disarm();
  error_code ignored;
  socket_.cancel(ignored);
}

bool connection::has_input() const {
  error_code failed;
  return socket_.available(failed) != 0 && !failed;
}

void connection::close() {
  error_code ignored;
  if (tls_) tls_->finish();
  tls_.reset();  // its descriptor may be another connection's soon
  socket_.close(ignored);
}

}  // namespace kaiku
