// The part of a simulated node that plays the leader's half of replication_actor.

#include <algorithm>
#include <utility>

#include "kaiku/core/invariant.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/core/mutant.hpp"
#include "node.hpp"

namespace kaiku::simulation {
namespace {

constexpr milliseconds timer_interval{election_timeout / 10};

}  // namespace

void node::on_timer() {
  later(timer_interval, [this] { on_timer(); });
  machine_.on_retry(now(), election_timeout);
  replicate();
  settle_waiting();
  if (begin_again_ && now() >= begin_again_->due) ask_again(*std::exchange(begin_again_, std::nullopt));
  if (hand_over_deadline_ && now() >= *hand_over_deadline_) hand_over_deadline_.reset();
  watch_disk();
  // Said again and again: the leader must not take an install for lost.
  if (installing_) reply_to(installing_->leader, {self_, installing_->in_term, false, {}, {}, true});
  if (offered_ && machine_.sends_snapshots()) offered_->last_used = now();
  if (offered_ && now() - offered_->last_used > offer_kept) offered_.reset();
  compact_log();
  propose_own_entries();
  pump();
}

// --- roles --------------------------------------------------------------------------------------------------------

void node::replication_role(const role_change& change) {
  if (change.in_term < replication_role_.in_term) return;  // an append of a later term was faster
  const bool new_term = change.in_term != replication_role_.in_term;
  replication_role_ = change;
  if (change.now == role::leader && (!machine_.leading() || new_term)) {
    quorum_contact_ = change.asked_at;
    contact_voters_ = members_->voters;
    machine_.begin_leading(now(), change.in_term, disk_.durable().state().last.index);
    offered_.reset();
    disk_stalled_ = false;
    check_matches();
    propose_first_entry();
    pump();
    replicate();
  } else if (change.now != role::leader && machine_.leading()) {
    machine_.stop_leading();
    refuse_queued();
    reads_.clear();
  }
  if (change.now != role::leader && !change.leader.name.empty()) hand_over_deadline_.reset();
}

bool node::in_contact_with_quorum() const {
  return now() - quorum_contact_ <= election_timeout || KAIKU_MUTANT(acknowledged_without_contact);
}

bool node::leads(term in_term) const {
  return machine_.leading() && replication_role_.in_term == in_term && in_contact_with_quorum();
}

bool node::own_word_will_do(const log_position& at) const {
  return leads(at.in_term) && (machine_.successors_hold(at.index) || KAIKU_MUTANT(acknowledged_past_a_successor));
}

// --- writes -------------------------------------------------------------------------------------------------------

bool node::takes_writes() const {
  return machine_.leading() && !hand_over_deadline_ && !disk_stalled_ &&
         queue_.size() + waiting_.size() < writes_waiting_max && in_contact_with_quorum();
}

void node::acknowledge(const std::string& command, answer what, const log_position& at) {
  takes_effect();
  tell_commit();
  const std::map<answer, durability> promises{
      {answer::recorded, durability::leader}, {answer::majority, durability::majority}, {answer::all, durability::all}};
  if (const auto promise = promises.find(what); promise != promises.end())
    around_.judge.acknowledged(now(), self_, promise->second, {at, command}, counted());
  around_.clients.answered(around_.time.now(), command, what, at);
}

void node::client_write(std::string command, durability want) {
  post(mailbox::replication, [this, command = std::move(command), want] {
    if (!takes_writes()) {
      acknowledge(command, answer::refused, {});
      return;
    }
    if (command[0] == large_content_mark) disk_.add_content(command);
    queue_.push_back({command, want, false, false});
    pump();
  });
}

void node::refuse_queued() {
  for (const auto& write : std::exchange(queue_, {})) {
    if (write.own) own_entry_queued_ = false;  // one that is with storage is still on its way
    if (write.changes_members) change_queued_ = false;
    if (!write.own) acknowledge(write.command, answer::refused, {});
  }
}

void node::pump() {
  if (!machine_.leading() || hand_over_deadline_ || proposing_ || queue_.empty()) return;
  std::vector<pending_write> writes;
  std::vector<std::string> commands;
  while (!queue_.empty() && commands.size() < commands_per_proposal) {
    commands.push_back(queue_.front().command);
    writes.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  proposing_ = true;
  proposing_since_ = now();
  takes_effect();
  const auto in_term = replication_role_.in_term;
  disk_.propose(in_term, std::move(commands),
                [this, in_term, writes = std::move(writes)](const propose_outcome& outcome) {
                  post(mailbox::replication, [this, in_term, outcome, writes] {
                    proposing_ = disk_stalled_ = false;
                    publish_members();  // what changes them is counted by the new ones
                    on_proposed(in_term, outcome, writes);
                    replicate();
                    after_progress();
                    try_hand_over();
                    pump();
                  });
                });
}

void node::on_proposed(term in_term, const propose_outcome& outcome, const std::vector<pending_write>& writes) {
  if (outcome.after.current > in_term)
    post(mailbox::election, [this, after = outcome.after] { carry_out(election_->on_hard_state(now(), after)); });
  for (const auto& write : writes) {
    if (write.own) own_entry_queued_ = false;
    if (write.changes_members) change_queued_ = false;
  }
  if (outcome.failure.code != errc::none) {
    for (const auto& write : writes)
      if (!write.own) acknowledge(write.command, answer::refused, {});
    return;
  }
  machine_.on_local_durable(outcome.after.last.index);
  for (std::size_t i = 0; i < writes.size(); ++i)
    if (!writes[i].own) answer_or_wait(writes[i], {in_term, outcome.results[i].index});
}

/// A leader that was frozen since it took the write may be one no more: then only a majority's word will do. Likewise
/// one that asked somebody else to lead, who lacks the write.
void node::answer_or_wait(const pending_write& write, const log_position& at) {
  if (write.want == durability::majority && KAIKU_MUTANT(majority_at_own_disk))
    acknowledge(write.command, answer::majority, at);
  else if (write.want == durability::leader && own_word_will_do(at))
    acknowledge(write.command, answer::recorded, at);
  else
    waiting_.emplace(at.index, waiting_write{write.command, write.want, at, now() + durability_wait});
}

/// `all`: also looks whether the others still stand in the log.
void node::settle_waiting(bool all) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto& [index, write] = *it;
    const auto reached = machine_.reached(index);
    const bool own_word = write.want == durability::leader && own_word_will_do(write.at);
    const bool enough = own_word || reached >= std::max(write.want, durability::majority);
    const bool too_late = now() >= write.deadline;
    if (!all && !too_late && !enough) {
      ++it;
      continue;
    }
    auto what = answer::recorded;
    if (disk_.durable().position(index) != write.at && !KAIKU_MUTANT(settled_without_looking)) {
      what = answer::unknown;
    } else if (enough || (too_late && reached == durability::majority)) {
      if (write.want != durability::leader) what = answer::majority;
      if (write.want == durability::all && enough) what = answer::all;
    } else if (!too_late) {
      ++it;
      continue;
    } else if (!own_word_will_do(write.at)) {
      what = answer::unknown;
    }
    const auto settled = write;
    it = waiting_.erase(it);
    acknowledge(settled.command, what, settled.at);
  }
}

// --- reads --------------------------------------------------------------------------------------------------------

void node::client_read() {
  post(mailbox::replication, [this, committed = around_.judge.committed_entries()] {
    if (!machine_.leading() || reads_.size() >= reads_waiting_max) return;
    reads_.push_back({now(), committed});
    post(mailbox::heartbeat, [this] {
      if (heartbeat_role_.now == role::leader) begin_round();
    });
    if (KAIKU_MUTANT(read_without_a_round)) settle_reads();
  });
}

/// Thesis, 6.4: once an entry of this term is committed, and a majority has followed this leader since the question.
void node::settle_reads() {
  if (!machine_.leading() || !(machine_.knows_commit() || KAIKU_MUTANT(read_before_first_entry))) return;
  while (!reads_.empty() && (reads_.front().at <= quorum_contact_ || KAIKU_MUTANT(read_without_a_round))) {
    takes_effect();
    around_.judge.reads(self_, machine_.commit(), reads_.front().committed);
    reads_.pop_front();
  }
}

// --- entries ------------------------------------------------------------------------------------------------------

void node::replicate() {
  if (!machine_.leading()) return;
  // What storage has just logged can be read before its word on it arrives here; an answer for more than the machine
  // knows of would be taken for nonsense. An entry counts by the members that it may itself name.
  publish_members();
  machine_.on_local_durable(disk_.durable().state().last.index);
  for (auto due = machine_.due(); !due.empty(); due = machine_.due()) {
    for (const auto& one : due) {
      if (one.from <= disk_.durable().boundary) {
        send_snapshot(one.to);
        continue;
      }
      const auto& log = disk_.durable();
      append_entries x{self_, replication_role_.in_term, log.position(one.from.previous()), {}, machine_.commit()};
      if (!one.probe) x.entries = disk_.read_log(one.from, entries_per_append);
      const auto last = x.entries.empty() ? one.from.previous() : x.entries.back().at.index;
      INVARIANT(x.previous.index == one.from.previous(), "a leader holds what it sends");
      machine_.on_sent(now(), one.to, one.from, last);
      send(one.to, std::move(x));
    }
  }
}

void node::on_append_reply(const append_reply& x) {
  if (x.in_term > replication_role_.in_term)
    post(mailbox::election, [this, x] { carry_out(election_->on_higher_term(now(), x.in_term)); });
  // Only the machine looks at the term: a mutant of its own rule is to be seen.
  if (!machine_.leading()) return;
  const auto found = machine_.followers().find(x.from);
  const auto before = found == machine_.followers().end() ? follower_progress{} : found->second;
  machine_.on_reply(now(), x);
  if (x.in_term != replication_role_.in_term && found != machine_.followers().end())
    around_.judge.ignores_answer_of_another_term(self_, before, found->second);
  replicate();
  after_progress();
  try_hand_over();
}

void node::check_matches() const {
  for (const auto& [id, follower] : machine_.followers())
    around_.judge.claims_match(self_, replication_role_.in_term, id, follower, counted());
}

void node::tell_commit() {
  const auto commit = machine_.commit();
  if (commit == told_commit_) return;
  around_.notes.note(self_.name, " commits ", to_string(commit));
  around_.judge.committed(self_, machine_.leading(), replication_role_.in_term, told_commit_, commit, counted());
  const bool settles = members_->since > told_commit_ && members_->since <= commit;
  told_commit_ = commit;
  if (settles) around_.members_changed(self_);  // who is no member is linked no more
}

void node::after_progress() {
  if (machine_.leading()) check_matches();
  tell_commit();
  if (KAIKU_MUTANT(members_in_force_when_committed)) publish_members();
  settle_waiting();
  settle_reads();
  post(mailbox::heartbeat, [this, commit = machine_.commit()] { progress_commit_ = commit; });
}

}  // namespace kaiku::simulation
