#include "kaiku/actors/election_actor.hpp"

#include <spdlog/spdlog.h>

#include <caf/actor_system.hpp>

#include "kaiku/actors/clock.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/core/membership.hpp"

namespace kaiku {

election_actor::election_actor(caf::actor_config& cfg, election_settings settings, const hard_state& recovered,
                               incarnation disk)
    : observed(cfg), settings_(std::move(settings)), recovered_(recovered), disk_(disk) {}

instant election_actor::now() {
  return kaiku::now(system());
}

election_actor::behavior_type election_actor::make_behavior() {
  return {
      [this](const vote_request& x) { carry_out(election_->on_vote_request(now(), x)); },
      [this](const vote_reply& x) { carry_out(election_->on_vote_reply(now(), x)); },
      [this](const timeout_now& x) {
        const auto& leader = election_->leader();
        if (!leader.name.empty() && leader != x.leader) return;  // it is not the leader's to hand over
        carry_out(election_->on_timeout_now(now(), x.in_term));
      },
      [this](const leader_contact& x) {
        // Whoever passed this on may not have heard yet that this node leads.
        if (election_->current_role() == role::leader && x.in_term == election_->current_term()) {
          spdlog::error("peer={} claims to lead term {}, which this node leads: dropped", x.leader.name,
                        x.in_term.value);
          return;
        }
        carry_out(election_->on_leader_contact(now(), x.leader, x.in_term));
      },
      [this](const higher_term& x) { carry_out(election_->on_higher_term(now(), x.in_term)); },
      [this](const quorum_lost& x) { carry_out(election_->on_quorum_lost(now(), x.in_term)); },
      [this](const hard_state_changed& x) { carry_out(election_->on_hard_state(now(), x.now)); },
      [this](const peer_up& x) { peers_[x.id] = x.actors.election; },
      [this](const peer_down& x) { peers_.erase(x.id); },
      [this](const members_changed& x) {
        std::set<node_id> voters;
        for (const auto& voter : x.now.voters) voters.insert(voter.id);
        const bool replaced = may_stand_for_another(x.now, settings_.self, disk_);
        if (election_) {
          carry_out(election_->on_voters(now(), std::move(voters), replaced));
        } else {  // replication starts first and says what the log says
          settings_.voters = std::move(voters);
          settings_.replaced = replaced;
        }
      },
      [this](const local_handles& x) {
        local_ = x;
        election_ = std::make_unique<election>(settings_, recovered_, now());
        announce({election_->current_role(), election_->current_term(), election_->leader()});
        arm();
      },
      [this](const timer_due& x) {
        if (x.epoch != epoch_) return;
        armed_for_ = instant::max();
        carry_out(election_->on_deadline(now()));
      },
  };
}

void election_actor::on_exit() {
  local_ = {};
  peers_.clear();
}

std::string election_actor::state_line() {
  if (!election_) return {};
  const auto& leader = election_->leader();
  return std::string(to_string(election_->current_role())) + " in term " + to_string(election_->current_term()) +
         (leader.name.empty() ? ", no leader is known" : ", led by " + leader.name);
}

void election_actor::carry_out(election_effects effects) {
  for (auto& one : effects) {
    if (auto* ask = std::get_if<effect::ask_storage>(&one)) {
      ask_storage(ask->ballot);
    } else if (auto* adopt = std::get_if<effect::adopt_term>(&one)) {
      request(local_.storage, std::chrono::milliseconds(limits::storage_timeout_ms), kaiku::adopt_term{adopt->in_term})
          .then([this](const hard_state& state) { carry_out(election_->on_hard_state(now(), state)); });
    } else if (auto* wanted = std::get_if<effect::send_vote_request>(&one)) {
      if (auto peer = peers_.find(wanted->to); peer != peers_.end()) send(peer->second, wanted->request);
    } else if (auto* reply = std::get_if<effect::send_vote_reply>(&one)) {
      if (auto peer = peers_.find(reply->to); peer != peers_.end()) send(peer->second, reply->reply);
    } else if (auto* change = std::get_if<effect::announce>(&one)) {
      announce(change->change);
    }
  }
  arm();
}

void election_actor::ask_storage(const vote_request& ballot) {
  request(local_.storage, std::chrono::milliseconds(limits::storage_timeout_ms), ballot)
      .then([this, ballot](const vote_decision& decision) {
        carry_out(election_->on_vote_decision(now(), ballot, decision));
      });
}

void election_actor::announce(const role_change& change) {
  spdlog::info("role={} term={} leader={}", to_string(change.now), change.in_term.value,
               change.leader.name.empty() ? "unknown" : change.leader.name);
  send(local_.heartbeat, change);
  send(local_.replication, change);
  send(local_.content, change);
  for (const auto& front : local_.fronts) send(front, change);
}

void election_actor::arm() {
  const auto deadline = election_->deadline();
  if (deadline >= armed_for_ || deadline == instant::max()) return;
  epoch_ = epoch_.next();
  armed_for_ = deadline;
  delayed_send(this, std::max(deadline - now(), std::chrono::microseconds{0}), timer_due{epoch_});
}

}  // namespace kaiku
