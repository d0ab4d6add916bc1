#include "kaiku/actors/replication_actor.hpp"

#include <spdlog/spdlog.h>

#include <caf/actor_system.hpp>

#include "kaiku/actors/clock.hpp"
#include "kaiku/core/membership.hpp"

namespace kaiku {
replication_actor::replication_actor(caf::actor_config& cfg, replication_settings settings,
                                     std::shared_ptr<const store> disk, std::shared_ptr<const disk_steps> steps)
    : observed(cfg),
      settings_(std::move(settings)),
      disk_(std::move(disk)),
      steps_(std::move(steps)),
      machine_(settings_.self, names_of(settings_.bootstrap)) {
  disks_[settings_.self] = disk_->disk();
}

instant replication_actor::now() {
  return kaiku::now(system());
}

replication_actor::behavior_type replication_actor::make_behavior() {
  return {
      [this](const append_entries& x) { on_append(x); },
      [this](const append_reply& x) { on_append_reply(x); },
      [this](const install_snapshot& x) { on_install(x); },
      [this](const write_request& x) { return on_write(x); },
      [this](const role_change& x) { on_role(x); },
      [this](const quorum_contact& x) {
        if (x.in_term == role_.in_term) {
          quorum_contact_ = std::max(quorum_contact_, x.at);
          for (const auto& [id, at] : x.heard) heard_[id] = std::max(heard_[id], at);
        }
        settle_reads();
      },
      [this](const leader_contact& x) {
        if (x.in_term >= last_leader_.in_term) last_leader_ = x;
        learn_commit(x.in_term, x.commit);
      },
      [this](const peer_up& x) {
        peers_[x.id] = {x.actors.election, x.actors.replication, x.actors.content, x.version};
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
      [this](const forget_bootstrap& x) { forget_founding(x.latecomer); },
      [this](const read_index&) { return on_read_index(); },
      [this](const find_write& x) { return on_find_write(x); },
      [this](const change_members& x) { return on_change_members(x); },
      [this](const hand_over& x) { return on_hand_over(x); },
      [this](const local_handles& x) { start(x); },
      [this](const timer_due&) { on_timer(); },
  };
}

void replication_actor::on_exit() {
  local_ = {};
  peers_.clear();
  inbox_.clear();
  offered_.reset();
  // Promises hold the actor that made them: this one.
  queue_.clear();
  waiting_.clear();
  hand_over_.reset();
  member_change_.reset();
  reads_.clear();
}

std::string replication_actor::state_line() {
  auto line = std::string(to_string(role_.now)) + ", commit " + to_string(machine_.commit()) + " of " +
              to_string(disk_->state().last.index);
  if (leading())
    return line + ", " + std::to_string(queue_.size()) + " queued, " + std::to_string(waiting_.size()) +
           " wait for followers";
  if (installing_) return line + ", takes the state at " + to_string(installing_->at.index);
  return line + ", " + std::to_string(inbox_.size()) + " appends wait" + (fetching_ ? " for content" : "");
}

void replication_actor::start(const local_handles& handles) {
  local_ = handles;
  if (settings_.bootstrap.empty() && !disk_->members().cluster.known()) come_late();
  publish_members();
  publish_progress();
  delayed_send(this, settings_.election_timeout / 10, timer_due{});
}

void replication_actor::forget_founding(bool latecomer) {
  // What was begun can't be undone: the log names a cluster, or is about to.
  if (leading() || proposing_ || disk_->members().cluster.known()) return;
  settings_.bootstrap.clear();
  members_.reset();
  // Others may know this very disk by its question alone. One that has a term took part in the founding.
  if (latecomer || disk_->state().current.value == 0) come_late();
  publish_members();
}

/// Storage is told in front of all appends.
void replication_actor::come_late() {
  came_late_ = true;
  request(local_.storage, milliseconds(limits::storage_timeout_ms), note_latecomer{}).then([](const hard_state&) {});
}

void replication_actor::on_role(const role_change& change) {
  if (change.in_term < role_.in_term) return;  // an append of a later term was faster
  if (change.now == role::leader && machine_.voters() == 0) {
    // Elected in the moment when it was told not to found a cluster.
    send(local_.election, quorum_lost{change.in_term});
    return;
  }
  const bool led_before = leading();
  const bool new_term = change.in_term != role_.in_term;
  role_ = change;
  if (leading() && (!led_before || new_term)) {
    quorum_contact_ = role_.asked_at;
    heard_.clear();
    begin_leading();
    propose_first_entry();
    pump();
    replicate();  // where the logs meet is found while the disk is at work
  } else if (!leading() && led_before) {
    machine_.stop_leading();
    const error over{errc::not_leader, "this node does not lead any more"};
    refuse_queued(over);
    end_reads(over);
    end_member_change({errc::outcome_unknown, "the leader changed; look at the members and ask again"});
    backlog_.clear();
    backlog_bytes_ = {};
    traced_.clear();
    possibly_lost_.reset();
  }
  if (hand_over_ && !leading() && !role_.leader.name.empty()) end_hand_over({});
}

void replication_actor::begin_leading() {
  const auto last = disk_->state().last.index;
  machine_.begin_leading(now(), role_.in_term, last);
  disk_stalled_ = false;
  if (offered_) end_offer();  // its end may have been displaced since
  if (last_leader_.leader == settings_.self || last_leader_.last <= last) return;
  possibly_lost_ = lost_entries{last_leader_.in_term, last.next(), last_leader_.last};
  spdlog::warn("{} led term {} and had entries {}..{} that this leader lacks; those it acknowledged alone may be lost",
               last_leader_.leader.name, last_leader_.in_term.value, possibly_lost_->first.value,
               possibly_lost_->last.value);
}

void replication_actor::on_timer() {
  delayed_send(this, settings_.election_timeout / 10, timer_due{});
  machine_.on_retry(now(), settings_.election_timeout);
  replicate();
  settle_waiting();
  if (begin_again_ && now() >= begin_again_->due) ask_again(*std::exchange(begin_again_, std::nullopt));
  if (hand_over_ && now() >= hand_over_deadline_)
    end_hand_over({errc::busy, "no follower came up to date and took over in time; this node goes on leading"});
  end_with_disk();
  watch_disk();
  // Said again and again: an install takes long, and the leader must not take it for lost.
  if (installing_) reply_to(installing_->leader, {settings_.self, installing_->in_term, false, {}, {}, true});
  if (machine_.sends_snapshots()) offered_at_ = now();
  if (offered_ && now() - offered_at_ > milliseconds(limits::snapshot_keep_ms)) end_offer();
  compact_log();
  propose_own_entries();
  pump();
}

void replication_actor::end_with_disk() {
  const auto since = steps_->longest_since();
  if (!since || now() - *since < milliseconds(limits::storage_timeout_ms)) return;
  spdlog::error("the disk has not completed what was begun with a large file {} ms ago",
                std::chrono::duration_cast<milliseconds>(now() - *since).count());
  quit(caf::sec::request_timeout);  // as when storage does not answer
}

void replication_actor::publish_progress() {
  const trace_scope of_nothing{nullptr};  // of every request that went by
  publish_members();
  confirm_cluster_once();
  settle_member_change();
  settle_reads();
  while (!backlog_.empty() && backlog_.front().index <= machine_.commit()) {
    backlog_bytes_.value -= backlog_.front().size.value;
    backlog_.pop_front();
  }
  log_progress progress{disk_->state().last, machine_.commit(), {}, possibly_lost_};
  if (leading())
    for (const auto& [id, follower] : machine_.followers()) progress.matches.emplace_back(id, follower.match);
  if (progress.last == published_.last && progress.commit == published_.commit &&
      progress.matches == published_.matches && progress.possibly_lost == published_.possibly_lost)
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
  if (!current.cluster.known()) {
    current.voters = settings_.bootstrap;
    current.latecomer = came_late_;  // who founds one after all, as everybody says that there is none, may vote
  }
  const bool settled = current.since <= machine_.commit();
  const bool changed = members_ != current;
  if (!changed && settled == members_settled_) return;
  members_settled_ = settled;
  if (changed) note_newcomers(current);
  members_ = current;
  const members_changed change{current};
  if (changed) {
    machine_.set_members(now(), current.voters, current.learners);
    send(local_.election, change);
    send(local_.heartbeat, change);
    for (const auto& front : local_.fronts) send(front, change);
  }
  // Another leader may yet name another cluster: until that is settled, nobody is refused for its cluster. Likewise for
  // its members.
  auto for_links = change;
  if (!current.confirmed) for_links.now.cluster = {};
  for_links.now.confirmed = current.confirmed && settled;
  send(local_.directory, for_links);
}

}  // namespace kaiku
