#include "kaiku/actors/heartbeat_actor.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include <caf/actor_system.hpp>

#include "kaiku/actors/clock.hpp"
#include "kaiku/messages/linked_peers.hpp"

namespace kaiku {

heartbeat_actor::heartbeat_actor(caf::actor_config& cfg, heartbeat_settings settings)
    : observed(cfg), settings_(std::move(settings)), liveness_(settings_.self, settings_.voters) {}

instant heartbeat_actor::now() {
  return kaiku::now(system());
}

heartbeat_actor::behavior_type heartbeat_actor::make_behavior() {
  return {
      [this](const heartbeat& x) { on_heartbeat(x); },
      [this](const heartbeat_reply& x) { on_reply(x); },
      [this](const role_change& x) { on_role(x); },
      [this](const log_progress& x) { progress_ = x; },
      [this](const confirm_leadership&) { confirm(); },
      [this](const peer_up& x) { peers_[x.id] = x.actors.heartbeat; },
      [this](const peer_down& x) { peers_.erase(x.id); },
      [this](const members_changed& x) {
        std::set<node_id> voters;
        for (const auto& voter : x.now.voters) voters.insert(voter.id);
        liveness_.set_voters(std::move(voters));
      },
      [this](const local_handles& x) { local_ = x; },
      [this](const timer_due& x) {
        if (x.epoch == epoch_) beat();
      },
  };
}

void heartbeat_actor::on_exit() {
  local_ = {};
  peers_.clear();
}

std::string heartbeat_actor::state_line() {
  return std::string(to_string(role_.now)) + " in term " + to_string(role_.in_term) + ", " +
         std::to_string(peers_.size()) + " peers linked";
}

void heartbeat_actor::on_role(const role_change& change) {
  const bool led = role_.now == role::leader && role_.in_term == change.in_term;
  role_ = change;
  if (change.now != role::leader) {
    epoch_ = epoch_.next();  // stops the beat
  } else if (!led) {
    liveness_.begin_leading(change.asked_at);
    leads_since_ = now();
    confirming_.reset();
    confirm_again_ = false;
    beat();
  }
}

void heartbeat_actor::on_heartbeat(const heartbeat& x) {
  const auto peer = peers_.find(x.leader);
  if (peer == peers_.end()) return;
  // A leader of an older term is answered too: the reply's term makes it step down. It names no round, or a leader that
  // leads again could take it for an answer to a new one.
  const auto own_term = std::max(role_.in_term, settings_.durable_term());
  if (is_leap(x.in_term, own_term)) {
    send(local_.election, higher_term{x.in_term});
    return;
  }
  const auto round = x.in_term < own_term ? 0 : x.round;
  send(peer->second, heartbeat_reply{settings_.self, std::max(own_term, x.in_term), round});
  if (x.in_term < own_term) return;
  if (role_.now == role::leader && x.in_term == role_.in_term) {
    if (const auto& from = current_sender())
      linked_peers::instance().accuse(node(), from->node(), "it claims to lead a term that this node leads");
    return;
  }
  liveness_.on_leader(now(), x.leader);
  const leader_contact contact{x.leader, x.in_term, x.commit, x.last};
  send(local_.election, contact);
  send(local_.replication, contact);
  for (const auto& front : local_.fronts) send(front, contact);
}

void heartbeat_actor::on_reply(const heartbeat_reply& x) {
  if (x.in_term > role_.in_term) send(local_.election, higher_term{x.in_term});
  if (role_.now != role::leader || x.in_term != role_.in_term) return;
  liveness_.on_reply(now(), x.from, x.round);
  publish_contact();
  if (confirm_again_ && !confirming()) {
    confirm_again_ = false;
    confirm();
  }
}

bool heartbeat_actor::confirming() {
  return confirming_ && liveness_.quorum_contact(now()) < *confirming_;
}

/// One round for all that ask while it is on its way, and one more for those.
void heartbeat_actor::confirm() {
  if (role_.now != role::leader) return;
  if (confirming()) {
    confirm_again_ = true;
    return;
  }
  confirming_ = now();
  begin_round();
}

void heartbeat_actor::begin_round() {
  const auto round = liveness_.begin_round(now());
  for (const auto& [id, peer] : peers_)
    send(peer, heartbeat{settings_.self, role_.in_term, round, progress_.commit, progress_.last.index});
  publish_contact();  // alone in the cluster nobody answers
}

void heartbeat_actor::beat() {
  const auto at = now();
  // The first round has T to be answered, however long the votes took.
  if (at - std::max(liveness_.quorum_contact(at), leads_since_) > settings_.election_timeout) {
    spdlog::warn("no majority answered within {} ms, stepping down term={}", settings_.election_timeout.count(),
                 role_.in_term.value);
    send(local_.election, quorum_lost{role_.in_term});
  }
  begin_round();
  confirming_.reset();  // whoever asked is served by this round
  confirm_again_ = false;
  epoch_ = epoch_.next();
  delayed_send(this, settings_.interval, timer_due{epoch_});
}

void heartbeat_actor::publish_contact() {
  quorum_contact contact{role_.in_term, liveness_.quorum_contact(now()), {}};
  for (const auto& [id, peer] : liveness_.peers())
    if (peer.last_heard) contact.heard.emplace_back(id, *peer.last_heard);
  send(local_.replication, contact);
  for (const auto& front : local_.fronts) send(front, contact);
}

}  // namespace kaiku
