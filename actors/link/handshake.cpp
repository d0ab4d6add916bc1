#include "kaiku/link/handshake.hpp"

#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace kaiku {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::use_awaitable;
using outcome = handshake_outcome;

/// How long a peer may take to read the last frame.
constexpr milliseconds last_word_linger{500};
constexpr auto connection_ended = "the connection ended in the hello";

/// One exchange on its way: what was sent and heard so far.
struct exchange {
  std::shared_ptr<link_session> session;
  handshake_side side;
  std::string own_hello;  ///< payloads, as they went over the wire
  std::string peer_hello;
  outcome so_far{};

  std::string_view dialler_hello() const { return side.rules.role == link_role::dialler ? own_hello : peer_hello; }
  std::string_view acceptor_hello() const { return side.rules.role == link_role::dialler ? peer_hello : own_hello; }

  /// Always false.
  bool broken(std::string what) {
    so_far.how = outcome::kind::broken;
    so_far.why = {refusal_reason::not_kaiku, std::move(what)};
    return false;
  }
};

/// Always false, for the caller to return; the peer is told what stands in `so_far`. (GCC 12
/// miscompiles co_await in conditions and with temporaries as arguments, so there are none in this folder.)
net::awaitable<bool> refuse(exchange& x) {
  x.so_far.how = outcome::kind::refused;
  co_await x.session->refuse(x.so_far.why);
  co_return false;
}

/// The next frame if it is a `Frame`; else false, with the reason in `so_far`.
template <class Frame>
net::awaitable<bool> expect(exchange& x, Frame& frame, std::string& payload) {
  auto got = co_await x.session->read_payload();
  if (!got && got.failure().code != errc::corrupt) co_return x.broken(got.failure().detail);
  auto decoded = got ? decode_frame(*got) : result<link_frame>{got.failure()};
  if (!decoded) {
    x.so_far.why = {refusal_reason::not_kaiku, decoded.failure().detail};
    co_return co_await refuse(x);
  }
  if (auto* no = std::get_if<refusal>(&*decoded)) {
    x.so_far.how = outcome::kind::turned_away;
    x.so_far.why = *no;
    co_return false;
  }
  auto* wanted = std::get_if<Frame>(&*decoded);
  if (wanted == nullptr) {
    x.so_far.why = {refusal_reason::not_kaiku, "a frame out of turn"};
    co_return co_await refuse(x);
  }
  payload = std::move(*got);
  frame = std::move(*wanted);
  co_return true;
}

net::awaitable<bool> send_hello(exchange& x) {
  auto frame = encode(x.side.rules.self);
  x.own_hello = frame.substr(frame_prefix_bytes);
  auto sent = co_await x.session->write(frame);
  co_return sent || x.broken(connection_ended);
}

net::awaitable<bool> hear_hello(exchange& x) {
  auto heard = co_await expect(x, x.so_far.peer, x.peer_hello);
  if (!heard) co_return false;
  x.so_far.said_hello = true;
  if (auto no = judge(x.so_far.peer, x.side.rules)) {
    x.so_far.why = std::move(*no);
    co_return co_await refuse(x);
  }
  x.session->has_said_hello = true;
  co_return true;
}

net::awaitable<bool> send_proof(exchange& x) {
  auto frame = encode(make_proof(x.side.secret, x.side.rules.role, x.dialler_hello(), x.acceptor_hello()));
  auto sent = co_await x.session->write(frame);
  co_return sent || x.broken(connection_ended);
}

net::awaitable<bool> hear_proof(exchange& x) {
  link_proof theirs;
  std::string payload;
  auto heard = co_await expect(x, theirs, payload);
  if (!heard) co_return false;
  auto role = x.side.rules.role == link_role::dialler ? link_role::acceptor : link_role::dialler;
  if (is_same_proof(theirs, make_proof(x.side.secret, role, x.dialler_hello(), x.acceptor_hello()))) co_return true;
  x.so_far.why = {refusal_reason::secret, "the shared secrets of " + x.so_far.peer.name.name + " and " +
                                              x.side.rules.self.name.name + " differ"};
  co_return co_await refuse(x);
}

bool came_to_ask(const exchange& x) {
  const auto& dialler = x.side.rules.role == link_role::dialler ? x.side.rules.self : x.so_far.peer;
  return dialler.purpose != hello_purpose::link;
}

net::awaitable<bool> wait_for_old_link(exchange& x) {
  if (came_to_ask(x)) co_return true;
  auto gone = co_await x.side.old_link_gone(x.so_far.peer);
  if (gone) co_return true;
  x.so_far.why = {refusal_reason::old_link, "the old link between " + x.so_far.peer.name.name + " and " +
                                                x.side.rules.self.name.name + " is still up, try again"};
  co_return co_await refuse(x);
}

net::awaitable<bool> hear_welcome(exchange& x) {
  if (!came_to_ask(x)) co_return true;
  std::string payload;
  co_return co_await expect(x, x.so_far.found, payload);
}

net::awaitable<void> say_welcome(exchange& x) {
  if (!came_to_ask(x)) co_return;
  const link_frame answer{welcome{x.side.rules.self.cluster, x.side.rules.members}};
  co_await x.session->say_last(answer);
}

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
  socket_.close(ignored);
}

int link_session::release() {
  error_code ignored;
  deadline_.cancel(ignored);
  return socket_.release(ignored);
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

net::awaitable<result<std::string>> link_session::read_payload() {
  const error late{errc::body_incomplete, "the hello took too long"};
  const error cut{errc::body_incomplete, connection_ended};
  std::array<char, frame_prefix_bytes> prefix{};
  error_code failed;
  co_await net::async_read(socket_, net::buffer(prefix), net::redirect_error(use_awaitable, failed));
  if (failed) co_return aborted_ ? late : cut;
  auto length = frame_length({prefix.data(), prefix.size()});
  if (!length) co_return error{errc::corrupt, "this is no Kaiku hello"};
  std::string payload(*length, '\0');
  co_await net::async_read(socket_, net::buffer(payload), net::redirect_error(use_awaitable, failed));
  if (failed) co_return aborted_ ? late : cut;
  co_return payload;
}

net::awaitable<bool> link_session::write(const std::string& bytes) {
  error_code failed;
  co_await net::async_write(socket_, net::buffer(bytes), net::redirect_error(use_awaitable, failed));
  co_return !failed;
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
  error_code failed;
  socket_.shutdown(tcp::socket::shutdown_send, failed);
  std::array<char, 512> ignored{};
  while (!failed) co_await socket_.async_read_some(net::buffer(ignored), net::redirect_error(use_awaitable, failed));
}

net::awaitable<outcome> accept_handshake(const std::shared_ptr<link_session>& session, const handshake_side& side) {
  exchange x{session, side, {}, {}};
  auto good = co_await hear_hello(x);
  if (good) good = co_await send_hello(x);
  if (good) good = co_await hear_proof(x);
  if (good) good = co_await wait_for_old_link(x);
  if (good) good = co_await send_proof(x);
  if (good) co_await say_welcome(x);
  if (good) x.so_far.how = outcome::kind::proven;
  co_return x.so_far;
}

net::awaitable<outcome> dial_handshake(const std::shared_ptr<link_session>& session, const handshake_side& side) {
  exchange x{session, side, {}, {}};
  auto good = co_await send_hello(x);
  if (good) good = co_await hear_hello(x);
  if (good) good = co_await wait_for_old_link(x);
  if (good) good = co_await send_proof(x);
  if (good) good = co_await hear_proof(x);
  if (good) good = co_await hear_welcome(x);
  if (good) x.so_far.how = outcome::kind::proven;
  co_return x.so_far;
}

}  // namespace kaiku
