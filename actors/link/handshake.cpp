#include "kaiku/link/handshake.hpp"

#include <algorithm>

#include "kaiku/core/endpoint.hpp"

namespace kaiku {
namespace {

namespace net = boost::asio;
using outcome = handshake_outcome;

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

net::awaitable<bool> secure(exchange& x) {
  if (!x.side.tls) co_return true;
  const auto role = x.side.rules.role == link_role::dialler ? tls_role::client : tls_role::server;
  auto secured = co_await x.session->start_tls(x.side.tls, role);
  co_return secured || x.broken(secured.failure().detail);
}

/// Where the members say that a node is; of one that they do not name, what it says itself.
std::string host_of(const hello& theirs, const std::vector<member>& members) {
  auto known = std::find_if(members.begin(), members.end(), [&](const member& x) { return x.id == theirs.name; });
  auto where = parse_endpoint(known == members.end() ? theirs.peer_address : known->peer_address);
  return where ? where->host : "";
}

/// The certificate is for somebody else.
std::optional<refusal> judge_certificate(const exchange& x) {
  if (!x.side.tls) return std::nullopt;
  const auto& theirs = x.so_far.peer;
  const auto host = host_of(theirs, x.side.rules.members);
  if (x.session->is_certified(theirs.name.name) || (!host.empty() && x.session->is_certified(host)))
    return std::nullopt;
  return refusal{refusal_reason::certificate, "the certificate is for " + x.session->certified_names() + ", not for " +
                                                  theirs.name.name + (host.empty() ? "" : " or " + host)};
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
  auto no = judge_certificate(x);
  if (!no) no = judge(x.so_far.peer, x.side.rules);
  if (no) {
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

net::awaitable<outcome> accept_handshake(const std::shared_ptr<link_session>& session, const handshake_side& side) {
  exchange x{session, side, {}, {}};
  auto good = co_await secure(x);
  if (good) good = co_await hear_hello(x);
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
  auto good = co_await secure(x);
  if (good) good = co_await send_hello(x);
  if (good) good = co_await hear_hello(x);
  if (good) good = co_await wait_for_old_link(x);
  if (good) good = co_await send_proof(x);
  if (good) good = co_await hear_proof(x);
  if (good) good = co_await hear_welcome(x);
  if (good) x.so_far.how = outcome::kind::proven;
  co_return x.so_far;
}

}  // namespace kaiku
