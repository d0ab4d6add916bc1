#include "kaiku/actors/replication_actor.hpp"

#include <spdlog/spdlog.h>

#include <caf/actor_system.hpp>

#include "kaiku/actors/clock.hpp"

namespace kaiku {
namespace {

std::set<node_id> names(const std::vector<member>& voters) {
  std::set<node_id> ids;
  for (const auto& voter : voters) ids.insert(voter.id);
  return ids;
}

}  // namespace

replication_actor::replication_actor(caf::actor_config& cfg, replication_settings settings,
                                     std::shared_ptr<const store> disk)
    : observed(cfg),
      settings_(std::move(settings)),
      disk_(std::move(disk)),
      machine_(settings_.self, names(settings_.bootstrap)) {
  disks_[settings_.self] = disk_->disk();
}

instant replication_actor::now() {
  return kaiku::now(system());
}

replication_actor::behavior_type replication_actor::make_behavior() {
  return {
      [this](const append_entries& x) { on_append(x); },
      [this](const append_reply& x) { on_append_reply(x); },
      [this](const write_request& x) { return on_write(x); },
      [this](const role_change& x) { on_role(x); },
      [this](const quorum_contact& x) {
        if (x.in_term == role_.in_term) quorum_contact_ = std::max(quorum_contact_, x.at);
      },
      [this](const leader_contact& x) { learn_commit(x.in_term, x.commit); },
      [this](const peer_up& x) {
        peers_[x.id] = {x.actors.election, x.actors.replication, x.actors.content};
        machine_.on_connected(now(), x.id);
        replicate();
      },
      [this](const peer_down& x) {
        peers_.erase(x.id);
        machine_.on_disconnected(x.id);
      },
      [this](const member_seen& x) {
        disks_[x.id] = x.disk;
        propose_own_entries();
        pump();
      },
      [this](const hand_over&) {
        auto promise = make_response_promise<bool>();
        if (!leading() || machine_.voters() < 2) {
          promise.deliver(true);
        } else {
          hand_over_ = promise;
          hand_over_deadline_ = now() + settings_.election_timeout;
          refuse_queued({errc::not_leader, "the leader hands over"});
          try_hand_over();
        }
        return promise;
      },
      [this](const local_handles& x) { start(x); },
      [this](const timer_due&) { on_timer(); },
  };
}

void replication_actor::on_exit() {
  local_ = {};
  peers_.clear();
  inbox_.clear();
  // Promises hold the actor that made them: this one.
  queue_.clear();
  waiting_.clear();
  hand_over_.reset();
}

void replication_actor::start(const local_handles& handles) {
  local_ = handles;
  publish_members();
  publish_progress();
  delayed_send(this, settings_.election_timeout / 10, timer_due{});
}

void replication_actor::on_role(const role_change& change) {
  if (change.in_term < role_.in_term) return;  // an append of a later term was faster
  const bool led_before = leading();
  const bool new_term = change.in_term != role_.in_term;
  role_ = change;
  if (leading() && (!led_before || new_term)) {
    quorum_contact_ = now();  // it has just been elected
    machine_.begin_leading(now(), role_.in_term, disk_->state().last.index);
    propose_first_entry();
    pump();
  } else if (!leading() && led_before) {
    machine_.stop_leading();
    refuse_queued({errc::not_leader, "this node does not lead any more"});
  }
  if (hand_over_ && !leading() && !role_.leader.name.empty()) end_hand_over(true);
}

void replication_actor::on_timer() {
  delayed_send(this, settings_.election_timeout / 10, timer_due{});
  machine_.on_retry(now(), settings_.election_timeout);
  replicate();
  settle_waiting();
  if (begin_again_ && now() >= begin_again_->due) ask_again(*std::exchange(begin_again_, std::nullopt));
  if (hand_over_ && now() >= hand_over_deadline_) end_hand_over(false);
  propose_own_entries();
  pump();
}

void replication_actor::publish_progress() {
  confirm_cluster_once();
  log_progress progress{disk_->state().last, machine_.commit(), {}};
  if (leading())
    for (const auto& [id, follower] : machine_.followers()) progress.matches.emplace_back(id, follower.match);
  if (progress.last == published_.last && progress.commit == published_.commit &&
      progress.matches == published_.matches)
    return;
  published_ = progress;
  send(local_.heartbeat, progress);
  for (const auto& front : local_.fronts) send(front, progress);
}

void replication_actor::confirm_cluster_once() {
  if (confirming_ || !members_ || !members_->cluster.known() || members_->confirmed) return;
  if (machine_.commit() < members_->since) return;
  confirming_ = true;
  request(local_.storage, milliseconds(limits::storage_timeout_ms), confirm_cluster{}).then([this](const hard_state&) {
    confirming_ = false;
    publish_members();
  });
}

void replication_actor::publish_members() {
  auto current = disk_->members();
  if (!current.cluster.known()) current.voters = settings_.bootstrap;
  if (members_ && members_->since == current.since && members_->cluster == current.cluster &&
      members_->confirmed == current.confirmed)
    return;
  members_ = current;
  machine_.set_voters(names(current.voters));
  const members_changed change{current};
  send(local_.election, change);
  send(local_.heartbeat, change);
  // Another leader may yet name another cluster: until that is settled, nobody is refused for its cluster.
  auto for_links = change;
  if (!current.confirmed) for_links.now.cluster = {};
  send(local_.directory, for_links);
  for (const auto& front : local_.fronts) send(front, change);
}

}  // namespace kaiku
