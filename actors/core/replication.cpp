#include "kaiku/core/replication.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "kaiku/core/invariant.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/core/membership.hpp"
#include "kaiku/core/mutant.hpp"

namespace kaiku {

replication::replication(node_id self, std::set<node_id> voters) : self_(std::move(self)), voters_(std::move(voters)) {}

void replication::add_follower(instant now, const node_id& id) {
  if (id == self_ || followers_.contains(id)) return;
  auto& progress = followers_[id];
  progress.next = last_.next();
  progress.connected = connected_.contains(id);
  progress.last_progress = now;
}

void replication::begin_leading(instant now, term in_term, log_index last) {
  INVARIANT(!voters_.empty(), "who leads was elected by voters");
  leading_ = true;
  term_ = in_term;
  term_start_ = last.next();
  last_ = last;
  catch_up_goal_ = {};
  asked_to_lead_.clear();
  if (!KAIKU_MUTANT(progress_of_an_earlier_term_kept)) followers_.clear();
  for (const auto& voter : voters_) add_follower(now, voter);
  for (const auto& learner : learners_) add_follower(now, learner);
}

void replication::stop_leading() {
  leading_ = false;
  if (!KAIKU_MUTANT(progress_of_an_earlier_term_kept)) followers_.clear();
}

void replication::forget_other_disk(const member& one) {
  if (!one.disk.known()) return;
  const auto [known, is_new] = disks_.emplace(one.id, one.disk);
  if (is_new || known->second == one.disk) return;
  known->second = one.disk;
  if (!KAIKU_MUTANT(progress_of_a_replaced_disk_kept)) followers_.erase(one.id);
}

void replication::set_members(instant now, const std::vector<member>& voters, const std::vector<member>& learners) {
  for (const auto& one : voters) forget_other_disk(one);
  for (const auto& one : learners) forget_other_disk(one);
  voters_ = names_of(voters);
  learners_ = names_of(learners);
  if (!leading_) return;
  INVARIANT(!voters_.empty(), "a cluster has voters");
  std::erase_if(followers_, [&](const auto& follower) {
    return !voters_.contains(follower.first) && !learners_.contains(follower.first);
  });
  for (const auto& voter : voters_) add_follower(now, voter);
  for (const auto& learner : learners_) add_follower(now, learner);
  update_commit();
}

bool replication::members_may_change(log_index since) const {
  const bool own_entry_committed = knows_commit() || KAIKU_MUTANT(members_change_before_an_own_entry);
  return leading_ && own_entry_committed && (since <= commit_ || KAIKU_MUTANT(two_changes_at_once));
}

log_index replication::compactable(log_index upto, bool keep_for_followers) const {
  if (!KAIKU_MUTANT(uncommitted_entries_compacted)) upto = std::min(upto, commit_);
  if (keep_for_followers)
    for (const auto& [id, follower] : followers_)
      if (follower.connected) upto = std::min(upto, follower.match);
  return upto;
}

bool replication::sends_snapshots() const {
  return std::any_of(followers_.begin(), followers_.end(),
                     [](const auto& follower) { return follower.second.state == follower_progress::mode::snapshot; });
}

std::optional<node_id> replication::caught_up_learner() const {
  for (const auto& learner : learners_) {
    const auto found = followers_.find(learner);
    if (found == followers_.end() || !found->second.connected) continue;
    const bool keeps_up = catch_up_goal_.value > 0 && found->second.match >= catch_up_goal_;
    const bool complete = keeps_up || KAIKU_MUTANT(promoted_before_it_caught_up);
    if (found->second.state == follower_progress::mode::replicate && complete) return learner;
  }
  return std::nullopt;
}

void replication::begin_catch_up_round(instant now, milliseconds length) {
  if (!knows_commit() || (catch_up_goal_.value > 0 && now - catch_up_since_ < length)) return;
  catch_up_goal_ = commit_;
  catch_up_since_ = now;
}

// --- who leads next -----------------------------------------------------------------------------------------------

void replication::on_asked_to_lead(instant now, const node_id& to) {
  asked_to_lead_[to] = {now, {}};
}

/// Links keep order: who takes an entry that was sent long after the request has had time to act on it, and its disk
/// has followed nobody else. Nor is anybody elected without such an entry once it is committed.
void replication::forget_successors(instant now, milliseconds patience) {
  for (auto& [id, asked] : asked_to_lead_)
    if (asked.later.value == 0 && now - asked.at > patience) asked.later = last_.next();
  std::erase_if(asked_to_lead_, [&](const auto& one) {
    const auto& [id, asked] = one;
    return asked.later.value > 0 && (match_of(id) >= asked.later || commit_ >= asked.later);
  });
}

bool replication::successors_hold(log_index index) const {
  return std::all_of(asked_to_lead_.begin(), asked_to_lead_.end(),
                     [&](const auto& one) { return match_of(one.first) >= index; });
}

// --- links --------------------------------------------------------------------------------------------------------

/// What was sent optimistically may be lost: begins again behind what is known. A probe keeps its place.
void replication::probe_again(follower_progress& progress) {
  if (progress.state != follower_progress::mode::probe) progress.next = progress.match.next();
  progress.state = follower_progress::mode::probe;
  progress.in_flight.clear();
  progress.waiting_for_content = false;
}

void replication::on_connected(instant now, const node_id& peer) {
  connected_.insert(peer);
  auto found = followers_.find(peer);
  if (found == followers_.end()) return;
  probe_again(found->second);
  found->second.connected = true;
  found->second.last_progress = now;
}

void replication::on_disconnected(const node_id& peer) {
  connected_.erase(peer);
  auto found = followers_.find(peer);
  if (found == followers_.end()) return;
  probe_again(found->second);
  found->second.connected = false;
}

// --- progress -----------------------------------------------------------------------------------------------------

void replication::on_local_durable(log_index last) {
  last_ = leading_ ? std::max(last_, last) : last;  // a leader's log only grows: less is late word
  update_commit();
}

void replication::on_reply(instant now, const append_reply& reply) {
  auto found = followers_.find(reply.from);
  const bool mine = reply.in_term == term_ || KAIKU_MUTANT(reply_of_another_term_counted);
  if (!leading_ || !mine || found == followers_.end()) return;
  const auto disk = disks_.find(reply.from);
  const bool replaced = reply.disk.known() && disk != disks_.end() && disk->second != reply.disk;
  if (replaced && !KAIKU_MUTANT(acknowledgement_of_a_replaced_disk_counted)) return;
  auto& progress = found->second;
  if (reply.disk.known() && std::exchange(progress.disk, reply.disk) != reply.disk && progress.match.value > 0) {
    // A disk that was replaced before anybody wrote down which it was: nothing is known of the new one.
    progress.match = {};
    probe_again(progress);
    progress.next = last_.next();
  }
  // Entries may be sent, and answered, before this class hears that the own disk has them.
  const auto sent = progress.in_flight.empty() ? last_ : std::max(last_, progress.in_flight.back());
  if (reply.accepted && reply.match > sent) return;
  progress.last_progress = now;
  progress.waiting_for_content = reply.waiting_for_content;
  if (reply.waiting_for_content) return;
  if (reply.accepted)
    accepted(progress, reply.match);
  else
    refused(progress, reply.hint);
}

void replication::accepted(follower_progress& progress, log_index match) {
  progress.match = std::max(progress.match, match);
  if (progress.state == follower_progress::mode::probe) {
    const bool of_the_probe = !progress.in_flight.empty() && match == progress.in_flight.front();
    if (of_the_probe) {  // else: an earlier append's answer, late
      progress.state = follower_progress::mode::replicate;
      progress.in_flight.clear();
    }
  } else if (progress.state == follower_progress::mode::snapshot) {
    if (match < progress.in_flight.front()) return;  // an earlier append's answer, late
    progress.state = follower_progress::mode::replicate;
    progress.in_flight.clear();
  } else {
    std::erase_if(progress.in_flight, [&](log_index last) { return last <= progress.match; });
  }
  progress.next = std::max(progress.next, progress.match.next());
  update_commit();
}

/// A refusal that moves nothing is late or not about the log at all (a follower that failed and asks again): the probe
/// in flight stays.
void replication::refused(follower_progress& progress, log_index hint) {
  if (KAIKU_MUTANT(mismatch_never_moves_back)) return;
  if (progress.state != follower_progress::mode::probe) {
    probe_again(progress);
    return;
  }
  // An answer to what is in flight: the disk has lost what it said was synced, and is sent it again.
  if (hint < progress.match && !progress.in_flight.empty()) progress.match = hint;
  const auto next = std::max(progress.match.next(), std::min(progress.next.previous(), hint.next()));
  if (next == progress.next) return;
  progress.next = next;
  progress.in_flight.clear();
}

void replication::on_sent(instant now, const node_id& to, log_index from, log_index last) {
  auto found = followers_.find(to);
  if (found == followers_.end()) return;
  auto& progress = found->second;
  INVARIANT(from == progress.next && last.next() >= from, "appends are sent where they are due");
  INVARIANT(progress.state != follower_progress::mode::probe || last.next() == from, "a probe carries nothing");
  if (progress.in_flight.empty()) progress.last_progress = now;
  progress.in_flight.push_back(last);
  if (progress.state == follower_progress::mode::replicate) progress.next = last.next();
  if (KAIKU_MUTANT(commit_counted_from_sends)) progress.match = std::max(progress.match, last);
  INVARIANT(progress.in_flight.size() <= limits::append_window, "the append window is bounded");
}

void replication::on_snapshot_sent(instant now, const node_id& to, log_index at) {
  auto found = followers_.find(to);
  if (found == followers_.end()) return;
  auto& progress = found->second;
  progress.state = follower_progress::mode::snapshot;
  progress.next = at.next();
  progress.in_flight = {at};
  progress.waiting_for_content = false;
  progress.last_progress = now;
}

void replication::on_unsendable(instant now, const node_id& to) {
  auto found = followers_.find(to);
  if (found == followers_.end()) return;
  // A probe that is never answered: the retry ends it.
  probe_again(found->second);
  found->second.in_flight.push_back(found->second.next.previous());
  found->second.last_progress = now;
}

void replication::on_retry(instant now, milliseconds patience) {
  for (auto& [id, progress] : followers_) {
    const auto limit = progress.waiting_for_content ? patience * content_patience : patience;
    const bool lost = !progress.in_flight.empty() && now - progress.last_progress > limit;
    if (lost && !KAIKU_MUTANT(lost_append_never_retried)) probe_again(progress);
  }
  begin_catch_up_round(now, patience);
  forget_successors(now, patience);
}

std::vector<send_append> replication::due() const {
  std::vector<send_append> due;
  for (const auto& [id, progress] : followers_) {
    if (!progress.connected) continue;
    if (progress.state == follower_progress::mode::snapshot) continue;
    const bool probing = progress.state == follower_progress::mode::probe;
    const bool room = progress.in_flight.size() < limits::append_window || KAIKU_MUTANT(append_window_ignored);
    const bool ready = probing ? progress.in_flight.empty() : progress.next <= last_ && room;
    if (ready) due.push_back({id, progress.next, probing});
  }
  return due;
}

// --- commit -------------------------------------------------------------------------------------------------------

log_index replication::match_of(const node_id& voter) const {
  if (voter == self_) return last_;
  auto found = followers_.find(voter);
  return found == followers_.end() ? log_index{} : found->second.match;
}

std::size_t replication::holders(log_index index) const {
  return static_cast<std::size_t>(
      std::count_if(voters_.begin(), voters_.end(), [&](const auto& voter) { return match_of(voter) >= index; }));
}

log_index replication::held_by(std::size_t count) const {
  INVARIANT(count >= 1 && count <= voters_.size(), "a number of voters");
  std::vector<log_index> matches;
  for (const auto& voter : voters_) matches.push_back(match_of(voter));
  if (KAIKU_MUTANT(acknowledgement_of_a_learner_counted))
    for (const auto& learner : learners_) matches.push_back(match_of(learner));
  std::sort(matches.begin(), matches.end(), std::greater<>{});
  return matches[count - 1];
}

durability replication::reached(log_index index) const {
  if (index > commit_) return durability::leader;
  const bool everywhere = leading_ && (held_by(voters_.size()) >= index || KAIKU_MUTANT(all_counts_a_majority));
  return everywhere ? durability::all : durability::majority;
}

void replication::update_commit() {
  if (!leading_) return;
  const auto majority = voters_.size() / 2 + 1;
  const auto held = held_by(KAIKU_MUTANT(commit_one_holder_short) ? std::max<std::size_t>(majority - 1, 1) : majority);
  if (held >= term_start_ || KAIKU_MUTANT(commit_of_an_older_term)) commit_ = std::max(commit_, held);
}

void replication::learn_commit(log_index leader_commit, log_index own_match) {
  commit_ =
      std::max(commit_, KAIKU_MUTANT(commit_beyond_own_match) ? leader_commit : std::min(leader_commit, own_match));
}

}  // namespace kaiku
