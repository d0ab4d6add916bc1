// The part of a simulated node that plays replication_actor.

#include <algorithm>
#include <utility>

#include "kaiku/core/invariant.hpp"
#include "kaiku/core/limits.hpp"
#include "node.hpp"

namespace kaiku::simulation {
namespace {

constexpr milliseconds retry_interval{100};

}  // namespace

void node::link_up(const node_id& peer) {
  post(mailbox::replication, [this, peer] {
    machine_.on_connected(now(), peer);
    replicate();
  });
}

void node::link_down(const node_id& peer) {
  post(mailbox::replication, [this, peer] { machine_.on_disconnected(peer); });
}

void node::retry_periodically() {
  later(retry_interval, [this] {
    machine_.on_retry(now(), election_timeout);
    replicate();
    retry_periodically();
  });
}

// --- leading ------------------------------------------------------------------------------------------------------

/// Word of a role may be older than what storage has told replication since: only who still holds the term begins.
void node::replication_role(const role_change& change) {
  const bool begins =
      change.now == role::leader && !(machine_.leading() && replication_role_.in_term == change.in_term);
  replication_role_ = change;
  if (change.now != role::leader) {
    machine_.stop_leading();
    queue_.clear();
    waiting_.clear();
  } else if (begins && disk_.durable().current == change.in_term) {
    machine_.begin_leading(now(), change.in_term, disk_.durable().state().last.index);
    queue_.push_front({"", durability::leader});
    propose_queued();
  }
}

void node::client_write(std::string command, durability want) {
  post(mailbox::replication, [this, command = std::move(command), want] {
    if (!machine_.leading() || queue_.size() + proposing_.size() + waiting_.size() >= writes_waiting_max) return;
    if (command[0] == large_content_mark) contents_.insert(command);
    queue_.push_back({command, want});
    propose_queued();
  });
}

void node::propose_queued() {
  if (!machine_.leading() || !proposing_.empty() || queue_.empty()) return;
  std::vector<std::string> commands;
  while (!queue_.empty() && commands.size() < commands_per_proposal) {
    commands.push_back(queue_.front().command);
    proposing_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  const auto in_term = replication_role_.in_term;
  disk_.propose(in_term, std::move(commands), [this, in_term](const propose_outcome& outcome) {
    post(mailbox::replication, [this, in_term, outcome] { on_proposed(in_term, outcome); });
  });
}

void node::on_proposed(term in_term, const propose_outcome& outcome) {
  auto writes = std::exchange(proposing_, {});
  const bool still_leading = machine_.leading() && in_term == replication_role_.in_term;
  if (outcome.failure.code != errc::none) {
    const auto higher = outcome.after.current;
    post(mailbox::election, [this, higher] { carry_out(election_->on_higher_term(now(), higher)); });
    if (still_leading) {  // else: the queue belongs to a newer leadership
      machine_.stop_leading();
      queue_.clear();
    }
  } else if (still_leading) {
    machine_.on_local_durable(outcome.results.back().index);
    for (std::size_t i = 0; i < writes.size(); ++i) {
      const log_entry entry{{in_term, outcome.results[i].index}, writes[i].command};
      if (writes[i].want == durability::leader)
        around_.judge.acknowledged(self_, durability::leader, entry);
      else
        waiting_.emplace(entry.at.index, entry);
    }
    after_progress();
    replicate();
  }
  propose_queued();
}

void node::replicate() {
  for (auto due = machine_.due(); !due.empty(); due = machine_.due()) {
    for (const auto& one : due) {
      const auto& log = disk_.durable();
      append_entries x{self_, replication_role_.in_term, log.position(one.from.previous()),
                       disk_.read_log(one.from, entries_per_append), machine_.commit()};
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
  machine_.on_reply(now(), x);
  after_progress();
  replicate();
}

void node::after_progress() {
  const auto commit = machine_.commit();
  if (commit != told_commit_) {
    around_.notes.note(self_.name, " commits ", to_string(commit));
    around_.judge.committed(self_, machine_.leading(), replication_role_.in_term, told_commit_, commit);
    told_commit_ = commit;
  }
  while (machine_.leading() && !waiting_.empty() && waiting_.begin()->first <= commit) {
    around_.judge.acknowledged(self_, durability::majority, waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
  }
  post(mailbox::heartbeat, [this, commit] { progress_commit_ = commit; });
}

void node::hand_over() {
  post(mailbox::replication, [this] {
    if (!machine_.leading()) return;
    for (const auto& [id, follower] : machine_.followers()) {
      if (!follower.connected || follower.match != disk_.durable().state().last.index) continue;
      around_.notes.note(self_.name, " hands over to ", id.name);
      send(id, timeout_now{replication_role_.in_term});
      return;
    }
  });
}

// --- following ----------------------------------------------------------------------------------------------------

void node::on_append(const append_entries& x) {
  if (machine_.leading() && x.in_term >= replication_role_.in_term) {
    INVARIANT(x.in_term > replication_role_.in_term, "two leaders in one term");
    machine_.stop_leading();  // before its own log changes under it
  }
  if (x.in_term >= disk_.durable().current)
    post(mailbox::election, [this, x] { carry_out(election_->on_leader_contact(now(), x.leader, x.in_term)); });
  if (inbox_.size() >= 2 * limits::append_window) return;
  inbox_.push_back(x);
  if (fetching_) send(x.leader, append_reply{self_, x.in_term, false, {}, {}, true});
  append_next();
}

/// One at a time, in order; large content is pulled before the entries that name it are given to storage.
void node::append_next() {
  if (appending_ || inbox_.empty()) return;
  appending_ = true;
  const auto& x = inbox_.front();
  const bool missing = std::any_of(x.entries.begin(), x.entries.end(), [&](const log_entry& entry) {
    return entry.encoded_command.starts_with(large_content_mark) && !contents_.contains(entry.encoded_command);
  });
  if (!missing) {
    append_first();
    return;
  }
  fetching_ = true;
  send(x.leader, append_reply{self_, x.in_term, false, {}, {}, true});
  later(around_.luck.between(milliseconds{5}, milliseconds{150}), [this] {
    fetching_ = false;
    const auto& first = inbox_.front();
    if (!around_.net.reaches(first.leader, self_)) {
      begin_again();
      return;
    }
    for (const auto& entry : first.entries)
      if (entry.encoded_command.starts_with(large_content_mark)) contents_.insert(entry.encoded_command);
    append_first();
  });
}

/// The content did not come: what this leader sent is dropped, and it is told a little later where to begin again.
void node::begin_again() {
  const auto failed = inbox_.front();
  std::erase_if(inbox_, [&](const auto& one) { return one.in_term <= failed.in_term; });
  later(retry_interval * 5, [this, to = failed.leader, in_term = failed.in_term, hint = failed.previous.index] {
    send(to, append_reply{self_, in_term, false, {}, hint, false});
  });
  appending_ = false;
  append_next();
}

void node::append_first() {
  const auto& x = inbox_.front();
  disk_.append({x.in_term, x.previous, x.entries, {}}, [this](const append_outcome& outcome) {
    post(mailbox::replication, [this, outcome] {
      const auto done = std::move(inbox_.front());
      inbox_.pop_front();
      appending_ = false;
      on_appended(done, outcome);
      append_next();
    });
  });
}

void node::on_appended(const append_entries& x, const append_outcome& outcome) {
  const bool accepted = outcome.failure.code == errc::none;
  post(mailbox::election, [this, state = outcome.after] { carry_out(election_->on_hard_state(now(), state)); });
  if (accepted && x.in_term >= verified_term_) {
    verified_match_ = x.in_term > verified_term_ ? outcome.match : std::max(verified_match_, outcome.match);
    verified_term_ = x.in_term;
    learn_commit(x.in_term, x.commit);
  }
  send(x.leader, append_reply{self_, outcome.after.current, accepted, outcome.match, outcome.hint, false});
}

void node::learn_commit(term in_term, log_index commit) {
  if (machine_.leading() || in_term != verified_term_) return;
  machine_.learn_commit(commit, verified_match_);
  after_progress();
}

}  // namespace kaiku::simulation
