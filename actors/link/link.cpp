#include "kaiku/link/link_impl.hpp"

#include <utility>

#include <algorithm>

#include <openssl/rand.h>
#include <spdlog/spdlog.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include "kaiku/core/membership.hpp"
#include "kaiku/messages/linked_peers.hpp"
#include "kaiku/tls/credentials.hpp"

namespace kaiku {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;
using std::chrono::steady_clock;

namespace {

/// Between two looks at whether CAF has let go of an old link: it takes about a millisecond.
constexpr milliseconds old_link_poll{2};

}  // namespace

link_layer::impl::impl(caf::actor_system& system, link_settings s)
    : settings(std::move(s)), caf_side(system), acceptor(io) {
  own.name = settings.self;
  own.disk = settings.disk;
  own.boot = settings.boot;
  own.caf_node = to_string(caf_side.node());
  own.has_secret = !settings.secret.empty();
  own.peer_address = settings.peer_address;
  own.version_min = settings.version_min;
  own.version_max = settings.version_max;
  for (const auto& address : settings.ask_at) asked.push_back(std::make_shared<asked_address>(io, address));
  if (!asked.empty()) stands = settings.wants_in ? standing::joining : standing::asking;
}

status link_layer::impl::listen() {
  error_code failed;
  auto address = net::ip::make_address(settings.listen_address, failed);
  if (failed) return {errc::bad_request, "not a numeric address: " + settings.listen_address};
  tcp::endpoint endpoint{address, settings.listen_port};
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(tcp::acceptor::max_listen_connections, failed);
  if (failed) return {errc::in_use, "can't listen on " + text_of(endpoint) + ": " + failed.message()};
  close_on_exec(acceptor.native_handle());
  port = acceptor.local_endpoint().port();
  return success();
}

void link_layer::impl::run(net::awaitable<void> task) {
  net::co_spawn(io, std::move(task), [](std::exception_ptr failed) {
    if (failed) std::rethrow_exception(failed);  // out of memory: ends the process
  });
}

// --- from hello to CAF ---------------------------------------------------------------------------------------------

handshake_side link_layer::impl::side_for(const link_session_ptr& session, link_role role, const node_id& dialled) {
  handshake_side side;
  side.rules = {own, members, role, dialled, {}, stands, unsettled};
  auto done = RAND_bytes(side.rules.self.nonce.data(), static_cast<int>(side.rules.self.nonce.size()));
  INVARIANT(done == 1, "the system gives random numbers");
  for (const auto& [id, x] : peers)
    if (x->link) side.rules.linked.push_back({id, to_string(x->link->caf_node), x->link->disk});
  side.secret = settings.secret;
  if (settings.tls) side.tls = settings.tls->context();
  // By weak pointer: the session's own coroutine holds this function.
  side.old_link_gone = [this, weak = std::weak_ptr{session}](const hello& theirs) {
    return wait_for_old_link(weak.lock(), theirs);
  };
  return side;
}

void link_layer::impl::enter_newer(const hello& theirs) {
  // Whoever has the secret, or a certificate, can make up names: no more are kept than the newer members can be.
  if (peers.contains(theirs.name) || peers.size() >= 2 * limits::members) return;
  auto fresh = std::make_shared<linked_peer>(io);
  fresh->who = {theirs.name, theirs.disk, theirs.peer_address};
  peers.emplace(theirs.name, std::move(fresh));
}

/// Ends the link that the peer itself has given up, and waits until CAF has noticed.
net::awaitable<bool> link_layer::impl::wait_for_old_link(link_session_ptr session, const hello& theirs) {
  std::vector<caf::node_id> nodes(1);
  if (caf::parse(theirs.caf_node, nodes.front())) co_return false;
  if (knows_better(theirs, own) || may_stay(theirs, own, unsettled)) enter_newer(theirs);
  auto known = peers.find(theirs.name);
  if (known == peers.end()) co_return false;
  if (auto& old = known->second->link) {
    spdlog::info("link: {} comes anew {}, its old link is closed", theirs.name.name,
                 old->boot == theirs.boot ? "in the same process" : "in a new process");
    nodes.push_back(old->caf_node);
    end_link(*known->second);
  }
  // Half of the time, so that a refusal still gets through.
  auto give_up = steady_clock::now() + settings.handshake_timeout / 2;
  auto answer = caf_side.ask_for_route(nodes);
  while (!session->aborted() && !stopping && steady_clock::now() < give_up) {
    auto route = answer->load();
    if (route == caf_handover::route::gone) co_return true;
    if (route == caf_handover::route::up) answer = caf_side.ask_for_route(nodes);
    co_await session->pause(old_link_poll);
  }
  co_return false;
}

/// Enters the new link and gives the connection for CAF; nothing when there is no place for it any more, or no
/// directory.
std::optional<proven_connection> link_layer::impl::hand_over(const link_session_ptr& session, const hello& theirs) {
  auto known = peers.find(theirs.name);
  if (known == peers.end() || known->second->link || !directory) return std::nullopt;
  if (session->has_bytes_in_hand()) {
    // CAF would wait for the socket to announce what has been taken from it already.
    refused_members.warn("closed the connection of {}: it sent more behind its proof at once", theirs.name.name);
    return std::nullopt;
  }
  connection_guard guard{session->socket().native_handle()};
  if (!guard.holds()) return std::nullopt;
  caf::node_id caf_node;
  auto unreadable = caf::parse(theirs.caf_node, caf_node);
  INVARIANT(!unreadable, "parsed before, when its old link was waited for");
  last_serial = last_serial.next();
  known->second->link.emplace(standing_link{last_serial, theirs.boot, theirs.disk, theirs.since, caf_node,
                                            std::min(own.version_max, theirs.version_max), std::move(guard)});
  known->second->last_failure.clear();
  refused_by.erase(theirs.name);
  linked_peers::instance().enter(caf_side.node(), caf_node, theirs.name, on_broken(theirs.name, last_serial));
  learn_from(theirs);
  return session->release();
}

void link_layer::impl::publish(const link_session_ptr& session, const hello& theirs) {
  auto connection = hand_over(session, theirs);
  if (!connection) return;
  const auto& link = *peers.at(theirs.name)->link;
  spdlog::info("link: {} at {} linked", theirs.name.name, session->remote);
  // The directory hears of the link before CAF hears the peer.
  caf::anon_send(directory,
                 link_up{theirs.name, link.disk, link.boot, link.serial, link.caf_node, nullptr, link.version});
  caf_side.publish(std::move(*connection), port, directory, link.caf_node, on_broken(theirs.name, link.serial));
}

void link_layer::impl::connect(const link_session_ptr& session, const hello& theirs) {
  auto connection = hand_over(session, theirs);
  if (!connection) return;
  const auto& link = *peers.at(theirs.name)->link;
  auto done = [weak = weak_from_this(), id = theirs.name, serial = link.serial](result<caf::strong_actor_ptr> remote) {
    auto self = weak.lock();
    if (!self) return;
    net::post(self->io, [weak, id, serial, remote = std::move(remote)]() mutable {
      if (auto again = weak.lock()) again->greeted(id, serial, std::move(remote));
    });
  };
  caf_side.connect(std::move(*connection), link.caf_node, settings.handshake_timeout,
                   on_broken(theirs.name, link.serial), std::move(done));
}

void link_layer::impl::greeted(const node_id& id, link_serial serial, result<caf::strong_actor_ptr> remote) {
  auto known = peers.find(id);
  if (stopping || known == peers.end() || !known->second->link || known->second->link->serial != serial) return;
  auto& link = *known->second->link;
  if (!remote) {
    log_dial_failure(*known->second, remote.failure().detail);
    end_link(*known->second);
    return;
  }
  spdlog::info("link: {} at {} linked", id.name, known->second->who.peer_address);
  caf::anon_send(directory, link_up{id, link.disk, link.boot, serial, link.caf_node, std::move(*remote), link.version});
}

void link_layer::impl::end_link(linked_peer& x) {
  if (x.link) linked_peers::instance().remove(caf_side.node(), x.link->caf_node);
  x.link.reset();
  x.timer.cancel();
}

std::function<void(const std::string&)> link_layer::impl::on_broken(const node_id& id, link_serial serial) {
  return [weak = weak_from_this(), id, serial](const std::string& why) {
    auto self = weak.lock();
    if (!self) return;
    net::post(self->io, [weak, id, serial, why] {
      if (auto again = weak.lock()) again->convict(id, serial, why);
    });
  };
}

void link_layer::impl::convict(const node_id& id, link_serial serial, const std::string& why) {
  auto known = peers.find(id);
  if (known == peers.end() || !known->second->link || known->second->link->serial != serial) return;
  spdlog::error("link: {} breaks the protocol, its link is closed: {}", id.name, why);
  known->second->shunned_until = steady_clock::now() + milliseconds{limits::link_shunned_ms};
  end_link(*known->second);
}

bool link_layer::impl::is_shunned(const node_id& id) const {
  const auto known = peers.find(id);
  return known != peers.end() && steady_clock::now() < known->second->shunned_until;
}

// --- members -------------------------------------------------------------------------------------------------------

const member* link_layer::impl::find_member(const node_id& id) const {
  auto found = std::find_if(members.begin(), members.end(), [&](const member& x) { return x.id == id; });
  return found == members.end() ? nullptr : &*found;
}

void link_layer::impl::take_members(membership now) {
  if (stopping) return;
  own.cluster = now.cluster;
  own.since = now.since;
  unsettled = now.cluster.known() && !now.confirmed;
  auto all = std::move(now.voters);
  all.insert(all.end(), now.learners.begin(), now.learners.end());
  auto is_this_node = [&](const member& x) { return x.id == settings.self && x.disk == settings.disk; };
  const bool is_member = std::any_of(all.begin(), all.end(), is_this_node);
  // The log of one that joins begins with members of long ago: until it names this disk, the last welcome holds.
  if (stands != standing::joining || is_member) replace_members(std::move(all));
  if (stands == standing::joining && is_member) {
    spdlog::info("link: {} is a member now", settings.self.name);
    stands = standing::settled;
    was_taken_in = true;
    for (const auto& x : asked) x->timer.cancel();
  }
  // That it was taken in nobody can take back, whoever leads: should it be refused later on, it was removed.
  if (is_member && now.confirmed) was_taken_in = false;
  members_told = true;
  begin();
  dial_all();
}

void link_layer::impl::replace_members(std::vector<member> now) {
  members = std::move(now);
  for (auto i = peers.begin(); i != peers.end();) {
    const bool knows_newer = i->second->link && i->second->link->since > own.since;
    if (find_member(i->first) != nullptr || knows_newer || unsettled) {
      ++i;
      continue;
    }
    spdlog::info("link: {} is no longer a member", i->first.name);
    i->second->removed = true;
    end_link(*i->second);
    i = peers.erase(i);
  }
  for (const auto& x : members) {
    if (x.id == settings.self) continue;
    auto& known = peers[x.id];
    if (known == nullptr) known = std::make_shared<linked_peer>(io);
    known->who = x;
    if (!known->link || !is_another_disk(x, known->link->disk) || known->link->since > own.since) continue;
    spdlog::info("link: {} is a member with another disk by now", x.id.name);
    end_link(*known);
  }
}

/// Once there is a directory and the members are known: before that, members would be taken for strangers.
void link_layer::impl::begin() {
  if (begun || stopping || !directory || !members_told) return;
  begun = true;
  run(accept_all());
  ask_around();
  dial_all();
}

void link_layer::impl::dial_all() {
  if (!begun || stands == standing::asking) return;
  for (const auto& [id, x] : peers) {
    if (x->dialled) continue;
    x->dialled = true;
    run(dial_forever(x));
  }
}

void link_layer::impl::stop_now() {
  stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  for (const auto& x : unproven) x->abort();
  for (const auto& x : dialling) x->abort();
  for (const auto& x : asked) x->timer.cancel();
  for (const auto& [id, x] : peers) end_link(*x);
  work.reset();
}

// --- the public face -----------------------------------------------------------------------------------------------

result<std::unique_ptr<link_layer>> link_layer::start(caf::actor_system& system, link_settings settings) {
  auto state = std::make_shared<impl>(system, std::move(settings));
  if (auto listening = state->listen(); !listening) return listening.failure();
  state->thread = std::thread{[io = &state->io] { io->run(); }};
  return std::unique_ptr<link_layer>{new link_layer{std::move(state)}};
}

link_layer::link_layer(std::shared_ptr<impl> state) : impl_(std::move(state)) {}

link_layer::~link_layer() {
  stop();
}

void link_layer::open(directory_handle directory) {
  net::post(impl_->io, [self = impl_.get(), directory = std::move(directory)] {
    if (self->stopping) return;
    INVARIANT(!self->directory, "opened once");
    self->directory = directory;
    self->begin();
  });
}

std::uint16_t link_layer::port() const {
  return impl_->port;
}

void link_layer::set_members(membership now) {
  net::post(impl_->io, [self = impl_.get(), now = std::move(now)]() mutable { self->take_members(std::move(now)); });
}

void link_layer::on_link_down(const node_id& peer, link_serial link) {
  net::post(impl_->io, [self = impl_.get(), peer, link] {
    auto known = self->peers.find(peer);
    if (known == self->peers.end() || !known->second->link || known->second->link->serial != link) return;
    spdlog::info("link: the link with {} is down", peer.name);
    self->end_link(*known->second);
  });
}

void link_layer::stop() {
  if (!impl_->thread.joinable()) return;
  net::post(impl_->io, [self = impl_.get()] { self->stop_now(); });
  impl_->thread.join();
  impl_->directory = nullptr;
  impl_->caf_side.release();
}

}  // namespace kaiku
