// The part of a simulated node that plays replication_actor's word on who is a member, and on who leads.

#include <algorithm>
#include <utility>

#include "kaiku/core/membership.hpp"
#include "kaiku/core/mutant.hpp"
#include "node.hpp"

namespace kaiku::simulation {
namespace {

/// Two foundings with two ids are not simulated.
constexpr cluster_id the_cluster{{1}};

}  // namespace

// --- links --------------------------------------------------------------------------------------------------------

void node::link_up(const node_id& peer, const incarnation& disk) {
  linked_.insert(peer);
  post(mailbox::replication, [this, peer, disk] {
    machine_.on_connected(now(), peer);
    disks_[peer] = disk;
    propose_own_entries();
    pump();
    replicate();
  });
}

void node::link_down(const node_id& peer) {
  linked_.erase(peer);
  post(mailbox::replication, [this, peer] { machine_.on_disconnected(peer); });
}

/// As the handshake decides. Who waits to be taken in has been told whom it may link with; and who was told to found
/// the cluster, and has nothing of it yet, asks the first member that it meets.
bool node::admits(const node_id& id, const incarnation& disk, log_index since) const {
  const auto& log = disk_.durable();
  const auto& own = log.members_in_force();
  const auto names_this_disk = [&](const member& one) { return one.id == self_ && one.disk == log.disk; };
  const bool joins = founders_.empty() && std::none_of(own.voters.begin(), own.voters.end(), names_this_disk) &&
                     std::none_of(own.learners.begin(), own.learners.end(), names_this_disk);
  const bool knows_better = since > own.since;
  if (joins || knows_better) return true;
  const auto current = members_in_force();
  const auto* known = find_member(current.voters, id);
  if (known == nullptr) known = find_member(current.learners, id);
  // Whoever is missing from members that may be taken back may be the one that leads, and takes them back.
  if (known == nullptr) return own.cluster.known() && own.since > machine_.commit();
  return !is_another_disk(*known, disk);
}

// --- members ------------------------------------------------------------------------------------------------------

membership node::members_in_force() const {
  const auto& log = disk_.durable();
  auto current =
      KAIKU_MUTANT(members_in_force_when_committed) ? log.members_at(machine_.commit()) : log.members_in_force();
  if (!current.cluster.known()) current.voters = founders_;
  current.latecomer = founders_.empty();  // as its disk remembers
  return current;
}

void node::publish_members() {
  auto current = members_in_force();
  if (members_ == current) return;
  tell_commit();  // that was counted by the members until now
  members_ = std::move(current);
  around_.notes.note(self_.name, " takes for members, by entry ", to_string(members_->since), ':', describe(*members_));
  machine_.set_members(now(), members_->voters, members_->learners);
  tell_commit();
  const bool replaced = may_stand_for_another(*members_, self_, disk_.durable().disk);
  post(mailbox::election, [this, voters = names_of(members_->voters), replaced] {
    carry_out(election_->on_voters(now(), voters, replaced));
  });
  post(mailbox::heartbeat, [this, voters = members_->voters] {
    heartbeat_voters_ = voters;
    liveness_.set_voters(names_of(voters));
  });
  around_.members_changed(self_);
}

bool node::members_are_settled() const {
  return machine_.leading() && !hand_over_deadline_ && !own_entry_queued_ &&
         machine_.members_may_change(disk_.durable().members_in_force().since);
}

void node::ask_members(const member_change& what, const incarnation& disk) {
  post(mailbox::replication, [this, what, disk] {
    if (!machine_.leading() || !in_contact_with_quorum()) return;
    if (what.what == member_change::kind::remove && what.id == self_ && machine_.voters() > 1) {
      begin_hand_over();  // whoever leads next removes this node
      return;
    }
    if (change_queued_ || !members_are_settled()) return;
    auto next = kaiku::apply(disk_.durable().members_in_force(), what, disk);
    if (!next) return;
    propose_members(std::move(*next), true);
    pump();
  });
}

void node::propose_members(set_members next, bool asked_for) {
  queue_.push_back({encode_members(next), durability::leader, true, asked_for});
  own_entry_queued_ = true;
  change_queued_ = asked_for;
}

void node::propose_first_entry() {
  if (KAIKU_MUTANT(no_first_entry)) return;
  const bool founds = !disk_.durable().members_in_force().cluster.known();
  const auto members = founds ? encode_members({the_cluster, with_known_disks(founders_, disks_)}) : std::string{};
  queue_.push_front({members, durability::leader, true, false});
  own_entry_queued_ = true;
}

void node::propose_own_entries() {
  if (!machine_.leading() || own_entry_queued_ || hand_over_deadline_) return;
  // Tried again until it stands: a disk that was full refuses it.
  const auto& disk = disk_.durable();
  if (disk.state().last.in_term != replication_role_.in_term || !disk.members_in_force().cluster.known())
    propose_first_entry();
  else if (members_are_settled())
    propose_due_members();
}

void node::propose_due_members() {
  const auto learner = machine_.caught_up_learner();
  auto change = due(disk_.durable().members_in_force(), self_, disks_, learner, {}, milliseconds{0});
  if (!change) return;
  if (change->what == due_change::kind::promote) {
    tell_commit();
    around_.judge.promotes(self_, *find_member(change->next.voters, change->whom), machine_.catch_up_goal());
  }
  propose_members(std::move(change->next), false);
}

// --- leadership ---------------------------------------------------------------------------------------------------

void node::hand_over() {
  post(mailbox::replication, [this] { begin_hand_over(); });
}

void node::begin_hand_over() {
  if (!machine_.leading() || hand_over_deadline_ || machine_.voters() < 2) return;
  hand_over_deadline_ = now() + election_timeout;
  target_told_ = false;
  refuse_queued();
  try_hand_over();
}

void node::try_hand_over() {
  if (!hand_over_deadline_ || target_told_ || proposing_ || !machine_.leading()) return;
  target_told_ = ask_to_lead();
}

/// Whoever holds all of the log.
bool node::ask_to_lead() {
  const auto last = disk_.durable().state().last.index;
  for (const auto& [id, follower] : machine_.followers()) {
    const bool complete = follower.match == last || KAIKU_MUTANT(handed_over_to_one_behind);
    if (!follower.connected || !complete || !machine_.is_voter(id)) continue;
    around_.notes.note(self_.name, " hands over to ", id.name);
    send(id, timeout_now{replication_role_.in_term});
    machine_.on_asked_to_lead(now(), id);
    return true;
  }
  return false;
}

void node::watch_disk() {
  if (!machine_.leading() || !proposing_ || machine_.voters() < 2) return;
  const auto stalled_for = now() - proposing_since_;
  if (stalled_for <= election_timeout / 2) return;
  if (!std::exchange(disk_stalled_, true)) refuse_queued();
  ask_to_lead();
  if (stalled_for <= election_timeout) return;
  const auto in_term = replication_role_.in_term;
  post(mailbox::election, [this, in_term] { carry_out(election_->on_quorum_lost(now(), in_term)); });
}

}  // namespace kaiku::simulation
