#include "kaiku/actors/peer_directory.hpp"

#include <spdlog/spdlog.h>
#include <caf/send.hpp>

namespace kaiku {
namespace {

template <class Handle>
bool lives_on(const Handle& x, const caf::node_id& node) {
  return x && x.node() == node;
}

}  // namespace

peer_directory::peer_directory(caf::actor_config& cfg, directory_settings settings)
    : observed(cfg), settings_(std::move(settings)) {
  set_down_handler([this](caf::down_msg& x) {
    for (const auto& [id, known] : peers_) {
      if (!known.remote || known.remote->address() != x.source) continue;
      drop(node_id{id}, known.link.link, "its link is down");
      return;
    }
  });
}

peer_directory::behavior_type peer_directory::make_behavior() {
  return {
      [this](const introduction& x) { return answer(x); },
      [this](const link_up& x) { begin(x); },
      [this](const members_changed& x) { settings_.set_members(x.now); },
      [this](const join_wanted& x) { ask_to_take_in(x.who); },
      [this](const forget_bootstrap& x) { send(settings_.self.actors.replication, x); },
      [this](const timer_due& x) {
        for (const auto& [id, known] : peers_) {
          if (known.up || known.link.link.value != x.epoch.value) continue;
          drop(node_id{id}, known.link.link, "it did not introduce itself");
          return;
        }
      },
      [this](const inspector_here& x) { note_inspector(x); },
  };
}

std::string peer_directory::state_line() {
  std::string line;
  for (const auto& [id, known] : peers_) line += (line.empty() ? "" : ", ") + id.name + (known.up ? " up" : " greets");
  return line.empty() ? "nobody is linked" : line;
}

void peer_directory::on_exit() {
  settings_ = {};
  peers_.clear();
}

void peer_directory::begin(const link_up& x) {
  if (auto old = peers_.find(x.id); old != peers_.end()) drop(x.id, old->second.link.link, "a new link replaces it");
  auto& known = peers_[x.id];
  known.link = x;
  ignored_.erase(x.id);
  if (!x.remote) {
    caf::delayed_anon_send(caf::actor_cast<directory_handle>(this), settings_.introduction_timeout,
                           timer_due{{x.link.value}});
    return;
  }
  known.remote = x.remote;
  monitor(x.remote);
  auto is_current = [this, id = x.id, link = x.link] {
    auto current = peers_.find(id);
    return current != peers_.end() && current->second.link.link == link;
  };
  request(caf::actor_cast<directory_handle>(x.remote), settings_.introduction_timeout, settings_.self)
      .then(
          [=, this, id = x.id](const introduction& theirs) {
            if (is_current()) accept(id, theirs);
          },
          [=, this, id = x.id, link = x.link](const caf::error& e) {
            if (is_current()) drop(id, link, "no introduction: " + system().render(e));
          });
}

caf::result<introduction> peer_directory::answer(const introduction& x) {
  auto known = peers_.find(x.id);
  auto from = current_sender();
  if (known == peers_.end() || known->second.remote || !from || from->node() != known->second.link.caf_node) {
    // Once for each link: a member can send it as often as it likes.
    if (ignored_.insert(x.id).second)
      spdlog::warn("directory: an introduction of {} that belongs to no new link is ignored", x.id.name);
    return caf::sec::invalid_argument;
  }
  known->second.remote = from;
  monitor(from);
  if (!accept(x.id, x)) return caf::sec::invalid_argument;
  return settings_.self;
}

bool peer_directory::accept(const node_id& id, const introduction& x) {
  auto& known = peers_.at(id);
  auto wrong = what_is_wrong(x, known);
  if (!wrong.empty()) {
    drop(id, known.link.link, wrong);
    return false;
  }
  known.up = true;
  tell_everybody(peer_up{x.id, x.boot, x.http_address, x.actors, known.link.version});
  send(settings_.self.actors.replication, member_seen{id, known.link.disk});
  if (settings_.inspector && known.link.version >= inspection_version)
    send(caf::actor_cast<directory_handle>(known.remote), inspector_here{settings_.inspector});
  if (known.inspector) tell_inspector(id, known.inspector);
  return true;
}

void peer_directory::note_inspector(const inspector_here& x) {
  const auto from = current_sender();
  for (auto& [id, known] : peers_) {
    if (!from || known.remote != from) continue;
    // It may be a step ahead of the peer's answer to our introduction.
    known.inspector = x.inspector;
    if (known.up) tell_inspector(id, x.inspector);
    return;
  }
}

void peer_directory::tell_inspector(const node_id& id, const inspector_handle& of_peer) {
  if (settings_.inspector) send(settings_.inspector, peer_inspector{id, of_peer});
}

std::string peer_directory::what_is_wrong(const introduction& x, const peer& of) const {
  if (x.id != of.link.id) return "it introduces itself as somebody else";
  if (x.boot != of.link.boot) return "its introduction is of another run of its process";
  if (x.http_address.size() > limits::address_bytes) return "the HTTP address in its introduction is too long";
  const auto& node = of.link.caf_node;
  const auto& a = x.actors;
  if (!lives_on(a.election, node) || !lives_on(a.heartbeat, node) || !lives_on(a.replication, node) ||
      !lives_on(a.content, node))
    return "an actor in its introduction is not its own";
  return {};
}

void peer_directory::ask_to_take_in(const member& who) {
  auto log_no = [this, id = who.id](const std::string& why) {
    if (why == last_no_) return;
    last_no_ = why;
    spdlog::warn("directory: {} can't be taken in yet: {}", id.name, why);
  };
  request(settings_.self.actors.replication, milliseconds{limits::forwarded_write_timeout_ms},
          change_members{{member_change::kind::add, who.id, who.peer_address}, who.disk})
      .then(
          [this, log_no, who](const change_members_reply& x) {
            if (x.failure.code == errc::none) {
              last_no_.clear();
              spdlog::info("directory: {} at {} is taken in", who.id.name, who.peer_address);
            } else if (x.failure.code != errc::already_exists && x.failure.code != errc::busy) {
              log_no(x.failure.detail);
            }
          },
          [this, log_no](const caf::error& e) { log_no(system().render(e)); });
}

void peer_directory::drop(const node_id& id, link_serial link, const std::string& why) {
  auto known = peers_.find(id);
  INVARIANT(known != peers_.end() && known->second.link.link == link, "only the current link is dropped");
  spdlog::info("directory: {} is gone: {}", id.name, why);
  if (known->second.remote) demonitor(known->second.remote->address());
  bool was_up = known->second.up;
  peers_.erase(known);
  if (was_up) tell_everybody(peer_down{id});
  settings_.on_link_down(id, link);
}

template <class Message>
void peer_directory::tell_everybody(const Message& x) {
  const auto& here = settings_.self.actors;
  send(here.election, x);
  send(here.heartbeat, x);
  send(here.replication, x);
  send(here.content, x);
  if (settings_.scrub) send(settings_.scrub, x);
  for (const auto& front : settings_.fronts) send(front, x);
}

}  // namespace kaiku
