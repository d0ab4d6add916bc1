// The leader's word on who is a member, and on who leads.

#include <spdlog/spdlog.h>

#include "kaiku/actors/clock.hpp"
#include "kaiku/actors/replication_actor.hpp"
#include "kaiku/actors/timeline.hpp"
#include "kaiku/core/membership.hpp"

namespace kaiku {

// --- members -------------------------------------------------------------------------------------------------------

bool replication_actor::members_are_settled() const {
  return leading() && !hand_over_ && !own_entry_queued_ && machine_.members_may_change(disk_->members().since);
}

caf::typed_response_promise<change_members_reply> replication_actor::on_change_members(const change_members& x) {
  // Before the promise: that takes the sender away.
  const bool from_here = !current_sender() || current_sender()->node() == system().node();
  auto promise = make_response_promise<change_members_reply>();
  const auto refuse = [&](errc code, std::string why) {
    promise.deliver(change_members_reply{{code, std::move(why)}, role_.leader});
    return promise;
  };
  if (!leading()) {
    // On to the leader, but once only: two nodes that take each other for it would play with it for ever.
    const auto leader = peers_.find(role_.leader);
    if (leader == peers_.end() || !from_here) return refuse(errc::not_leader, "this node does not lead");
    promise.delegate(leader->second.replication, x);
    return promise;
  }
  if (!in_contact_with_quorum()) return refuse(errc::quorum_lost, "the leader has not heard from a majority");
  const bool leaves = x.what.what == member_change::kind::remove && x.what.id == settings_.self;
  if (leaves && machine_.voters() > 1) {
    on_hand_over({});  // whoever leads next removes this node
    return refuse(errc::not_leader, "the leader hands over before it leaves; ask again");
  }
  if (member_change_ || !members_are_settled()) return refuse(errc::busy, "another change is under way; ask again");
  auto next = apply(disk_->members(), x.what, x.disk);
  if (!next) return refuse(next.failure().code, next.failure().detail);
  member_change_ = asked_change{promise, {}};
  propose_members(std::move(*next), true);
  pump();
  return promise;
}

void replication_actor::note_newcomers(const membership& now_in_force) {
  const auto note = [&](const member& one) {
    const auto* before = members_ ? find_member(members_->voters, one.id) : nullptr;
    if (members_ && before == nullptr) before = find_member(members_->learners, one.id);
    if (before == nullptr || before->disk != one.disk) heard_[one.id] = now();
  };
  for (const auto& one : now_in_force.voters) note(one);
  for (const auto& one : now_in_force.learners) note(one);
}

void replication_actor::propose_members(set_members next, bool asked_for) {
  pending_write write;
  write.what.what = std::move(next);
  write.changes_members = asked_for;
  queue_.push_back(std::move(write));
  own_entry_queued_ = true;
}

void replication_actor::on_members_proposed(const proposed& what) {
  if (!member_change_) return;
  if (what.failure.code != errc::none) {
    end_member_change(what.failure);
  } else {
    member_change_->index = what.index;
  }
}

void replication_actor::settle_member_change() {
  if (!member_change_ || member_change_->index.value == 0 || member_change_->index > machine_.commit()) return;
  end_member_change({});
}

void replication_actor::end_member_change(const error& why) {
  if (!member_change_) return;
  member_change_->promise.deliver(change_members_reply{why, role_.leader});
  member_change_.reset();
}

void replication_actor::propose_own_entries() {
  if (!leading() || own_entry_queued_ || hand_over_) return;
  // Tried again until it stands: a disk that was full refuses it.
  if (disk_->state().last.in_term != role_.in_term || !disk_->members().cluster.known()) {
    propose_first_entry();
  } else if (members_are_settled() && !member_change_) {
    propose_due_members();
    if (!own_entry_queued_ && !expiry_queued_) propose_expired();
  }
}

void replication_actor::propose_due_members() {
  // Who can't reach a majority can't tell the dead from those it is cut off from.
  const auto remove_dead_after = in_contact_with_quorum() ? settings_.remove_dead_after : milliseconds{0};
  auto change = due(disk_->members(), settings_.self, disks_, machine_.caught_up_learner(),
                    {now(), role_.asked_at, heard_}, remove_dead_after);
  if (!change) return;
  if (change->what == due_change::kind::promote)
    spdlog::info("member={} has caught up and becomes a voter", change->whom.name);
  if (change->what == due_change::kind::remove_dead)
    spdlog::warn("member={} has been silent for too long and is removed", change->whom.name);
  propose_members(std::move(change->next), false);
}

// --- leadership ----------------------------------------------------------------------------------------------------

caf::typed_response_promise<handed_over> replication_actor::on_hand_over(const hand_over& x) {
  auto promise = make_response_promise<handed_over>();
  const auto refuse = [&](errc code, std::string why) {
    promise.deliver(handed_over{{code, std::move(why)}});
    return promise;
  };
  if (!leading()) return refuse(errc::not_leader, "this node does not lead");
  if (x.to == settings_.self) return refuse(errc::none, {});
  if (!x.to.name.empty() && !machine_.is_voter(x.to)) return refuse(errc::not_found, x.to.name + " is not a voter");
  if (machine_.voters() < 2) return refuse(errc::busy, "there is no other voter that could lead");
  if (hand_over_) return refuse(errc::busy, "the leader is handing over already");
  hand_over_ = promise;
  hand_over_to_ = x.to;
  hand_over_deadline_ = now() + settings_.election_timeout;
  refuse_queued({errc::not_leader, "the leader hands over"});
  try_hand_over();
  return promise;
}

void replication_actor::end_hand_over(const error& why) {
  hand_over_->deliver(handed_over{why});
  hand_over_.reset();
  target_told_ = false;
  pump();
}

void replication_actor::ask_to_lead(const node_id& id, const peer& who) {
  send(who.election, timeout_now{settings_.self, role_.in_term});
  machine_.on_asked_to_lead(now(), id);
}

void replication_actor::try_hand_over() {
  if (!hand_over_ || target_told_ || proposing_ || !leading()) return;
  for (const auto& [id, follower] : machine_.followers()) {
    auto to = peers_.find(id);
    if (to == peers_.end() || follower.match != disk_->state().last.index || !machine_.is_voter(id)) continue;
    if (!hand_over_to_.name.empty() && id != hand_over_to_) continue;
    // Its log is complete: its election takes it from here.
    ask_to_lead(id, to->second);
    target_told_ = true;
    return;
  }
}

void replication_actor::try_disk() {
  const auto patience = settings_.election_timeout / 2;
  const auto since = steps_->longest_since();
  if (!since || now() - *since <= patience || now() - proposing_since_ <= patience) return;
  if (own_entry_queued_ || hand_over_ || disk_->state().last.in_term != role_.in_term) return;
  pending_write nothing;
  nothing.what.what = no_operation{};
  queue_.push_back(std::move(nothing));
  own_entry_queued_ = true;
}

void replication_actor::watch_disk() {
  if (!leading() || machine_.voters() < 2) return;
  // Content on its way to a disk does not go by storage. That its syncs take long does not say that the log's do.
  if (!proposing_) return try_disk();
  const auto stalled_for = now() - proposing_since_;
  if (stalled_for <= settings_.election_timeout / 2) return;
  if (!std::exchange(disk_stalled_, true)) {
    spdlog::warn("the disk has completed nothing for {} ms, handing over term={}",
                 std::chrono::duration_cast<milliseconds>(stalled_for).count(), role_.in_term.value);
    timeline::instance().note(event_kind::slow_disk,
                              "it has completed nothing for " +
                                  std::to_string(std::chrono::duration_cast<milliseconds>(stalled_for).count()) +
                                  " ms");
    refuse_queued({errc::not_leader, "the leader's disk does not answer"});
  }
  // Asked again each time: a word may be lost, and a follower may come up to date meanwhile.
  const auto last = disk_->state().last.index;
  for (const auto& [id, follower] : machine_.followers()) {
    auto to = peers_.find(id);
    if (to == peers_.end() || follower.match != last || !machine_.is_voter(id)) continue;
    ask_to_lead(id, to->second);
    break;
  }
  // Nobody is up to date, or took over: the others elect once this node's heartbeats stop.
  if (stalled_for > settings_.election_timeout) send(local_.election, quorum_lost{role_.in_term});
}

}  // namespace kaiku
