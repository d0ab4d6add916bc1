// The part of a simulated node that plays the follower's half of replication_actor.

#include <algorithm>
#include <utility>

#include "kaiku/core/invariant.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/core/mutant.hpp"
#include "node.hpp"

namespace kaiku::simulation {

void node::on_append(const append_entries& x) {
  const auto state = disk_.durable().state();
  if (x.in_term < state.current && !KAIKU_MUTANT(append_not_fenced)) {
    reply_to(x.leader, {self_, state.current, false, {}, state.last.index, false});
    return;
  }
  INVARIANT(!machine_.leading() || x.in_term != replication_role_.in_term, "two leaders in one term");
  post(mailbox::election, [this, leader = x.leader, in_term = x.in_term] { leader_contact(leader, in_term); });
  // Storage is about to follow another log: from now on nothing may be read from it as from a leader's own.
  if (x.in_term > replication_role_.in_term && !KAIKU_MUTANT(leader_reads_on_while_following))
    replication_role({role::follower, x.in_term, x.leader});
  if (fetching_ && x.in_term > inbox_.front().in_term) {
    // Its source leads no more, and may be gone without a word. The next fetch takes this one's place.
    fetching_ = appending_ = false;
    inbox_.clear();
  }
  if (installing_ && x.in_term > installing_->in_term) installing_.reset();
  // Said with every append: one lost word must not make the leader think that nothing goes on here.
  if (fetching_) reply_to(x.leader, {self_, x.in_term, false, {}, {}, true});
  if (begin_again_ && x.in_term <= begin_again_->in_term) {
    if (x.entries.empty()) begin_again_->probe = x;
    return;
  }
  if (inbox_.size() >= 2 * limits::append_window) return;
  inbox_.push_back(x);
  append_next();
}

/// One at a time, in order; large content is pulled before the entries that name it are given to storage.
void node::append_next() {
  if (appending_ || inbox_.empty()) return;
  appending_ = true;
  if (disk_.lacks_content(inbox_.front().entries))
    fetch_missing();
  else
    append_first();
}

void node::fetch_missing() {
  fetching_ = true;
  const auto& first = inbox_.front();
  reply_to(first.leader, {self_, first.in_term, false, {}, {}, true});
  later(around_.luck.between(milliseconds{5}, milliseconds{150}), [this, number = ++fetch_number_] {
    if (!fetching_ || number != fetch_number_) return;
    fetching_ = false;
    const auto fetched = inbox_.front();
    if (!around_.net.reaches(fetched.leader, self_)) {
      begin_again(fetched);
      append_next();
      return;
    }
    for (const auto& entry : fetched.entries)
      if (entry.encoded_command.starts_with(large_content_mark)) disk_.add_content(entry.encoded_command);
    append_first();
  });
}

void node::append_first() {
  const auto& x = inbox_.front();
  takes_effect();
  disk_.append({x.in_term, x.previous, x.entries, {}}, [this](const append_outcome& outcome) {
    post(mailbox::replication, [this, outcome] {
      const auto done = std::move(inbox_.front());
      inbox_.pop_front();
      appending_ = false;
      on_appended(done, outcome);
      publish_members();
      append_next();
    });
  });
}

void node::on_appended(const append_entries& x, const append_outcome& outcome) {
  post(mailbox::election, [this, state = outcome.after] { carry_out(election_->on_hard_state(now(), state)); });
  if (outcome.set_aside > 0) settle_waiting(true);
  switch (outcome.failure.code) {
    case errc::none:
      if (x.in_term > verified_term_) verified_match_ = {};
      verified_term_ = x.in_term;
      verified_match_ = std::max(verified_match_, outcome.match);
      learn_commit(x.in_term, x.commit);
      reply_to(x.leader, {self_, x.in_term, true, outcome.match, {}, false});
      break;
    case errc::stale_term:
      reply_to(x.leader, {self_, outcome.after.current, false, {}, outcome.after.last.index, false});
      break;
    case errc::log_mismatch: reply_to(x.leader, {self_, x.in_term, false, {}, outcome.hint, false}); break;
    default: begin_again(x);  // nothing the leader could do better at once
  }
}

/// What this leader sent on top follows from what failed. A newer leader's appends may wait behind it.
void node::begin_again(const append_entries& x) {
  appending_ = false;
  begin_again_ = later_reply{now() + milliseconds(limits::append_retry_ms), x.leader, x.in_term, {}};
  std::erase_if(inbox_, [in_term = x.in_term](const auto& one) { return one.in_term <= in_term; });
}

void node::ask_again(const later_reply& x) {
  if (x.probe) {
    inbox_.push_back(*x.probe);
    return append_next();
  }
  const auto state = disk_.durable().state();
  if (state.current > x.in_term) return;
  reply_to(x.leader, {self_, x.in_term, false, {}, state.last.index, false});
}

void node::reply_to(const node_id& leader, append_reply reply) {
  reply.disk = disk_.durable().disk;
  send(leader, std::move(reply));
}

void node::learn_commit(term in_term, log_index commit) {
  const bool same = in_term == verified_term_ || KAIKU_MUTANT(commit_learned_from_another_term);
  if (machine_.leading() || !same) return;
  machine_.learn_commit(commit, verified_match_);
  after_progress();
}

}  // namespace kaiku::simulation
