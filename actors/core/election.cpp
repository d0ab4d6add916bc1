#include "kaiku/core/election.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "kaiku/core/invariant.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/core/mutant.hpp"

namespace kaiku {
namespace {

using std::chrono::microseconds;

/// What a node's own ballot says of its log. This class hears of appends late, so any end it remembers may be behind
/// storage's, and storage would refuse it as out of date.
constexpr log_position own_log_end{{std::numeric_limits<std::uint64_t>::max()},
                                   {std::numeric_limits<std::uint64_t>::max()}};

}  // namespace

std::string_view to_string(role x) {
  switch (x) {
    case role::follower: return "follower";
    case role::pre_candidate: return "pre_candidate";
    case role::candidate: return "candidate";
    case role::leader: return "leader";
  }
  return "unknown";
}

bool is_leap(term theirs, term own) {
  return theirs > own && theirs.value - own.value > limits::term_leap;
}

election::election(election_settings settings, const hard_state& recovered, instant now)
    : settings_(std::move(settings)), term_(recovered.current) {
  INVARIANT(settings_.timeout.count() > 0, "the election timeout is positive");
  announced_ = {role_, term_, leader_, {}};
  wait_for_leader(now);
}

// --- timers -------------------------------------------------------------------------------------------------------

microseconds election::random_below(microseconds bound) const {
  return microseconds{settings_.random(static_cast<std::uint64_t>(bound.count()))};
}

bool election::is_voter() const {
  const bool replaced = settings_.replaced && !KAIKU_MUTANT(new_disk_campaigns_for_the_old);
  return !replaced && settings_.voters.contains(settings_.self);
}

void election::wait_for_leader(instant now) {
  if (!is_voter()) {
    deadline_ = instant::max();
    return;
  }
  const bool alone = settings_.voters.size() == 1;
  const microseconds timeout = settings_.timeout;
  deadline_ = alone ? now : now + timeout + random_below(timeout);
}

void election::pause_before_retry(instant now) {
  const microseconds timeout = settings_.timeout;
  deadline_ = now + timeout / 10 + random_below(timeout * 4 / 10);
}

bool election::leader_is_fresh(instant now) const {
  if (role_ == role::leader) return true;
  return leader_heard_ && now - *leader_heard_ < settings_.timeout;
}

// --- role changes -------------------------------------------------------------------------------------------------

void election::announce_if_changed(election_effects& out) {
  role_change now{role_, term_, leader_, role_ == role::leader ? campaign_sent_ : instant{}};
  if (now == announced_) return;
  announced_ = now;
  out.emplace_back(effect::announce{std::move(now)});
}

/// A (pre-)candidate that stands back without having heard a leader keeps its pause: pre-vote makes a retry harmless.
void election::follow(instant now, term in_term, node_id leader, election_effects& out) {
  const bool led = role_ == role::leader;
  role_ = role::follower;
  term_ = std::max(term_, in_term);
  leader_ = std::move(leader);
  campaign_ = {};
  asking_ = false;
  ballots_.clear();
  if (led || !leader_.name.empty()) wait_for_leader(now);
  announce_if_changed(out);
}

void election::campaign(instant now, bool pre_vote, bool transfer, election_effects& out) {
  role_ = pre_vote ? role::pre_candidate : role::candidate;
  leader_ = {};
  campaign_ = {settings_.self, term_.next(), own_log_end, pre_vote, transfer};
  asking_ = true;
  ballots_.clear();
  pause_before_retry(now);
  out.emplace_back(effect::ask_storage{campaign_});
  announce_if_changed(out);
}

void election::count(instant now, const node_id& voter, election_effects& out) {
  ballots_.insert(voter);
  if (ballots_.size() + (KAIKU_MUTANT(elected_one_vote_short) ? 1 : 0) < majority()) return;
  if (campaign_.pre_vote) {
    campaign(now, false, false, out);
    return;
  }
  role_ = role::leader;
  leader_ = settings_.self;
  campaign_ = {};
  ballots_.clear();
  deadline_ = instant::max();
  announce_if_changed(out);
}

// --- events -------------------------------------------------------------------------------------------------------

election_effects election::on_deadline(instant now) {
  election_effects out;
  if (now < deadline_) return out;
  if (asking_) {  // a slow disk: one ballot at a time is enough for it
    pause_before_retry(now);
    return out;
  }
  campaign(now, settings_.voters.size() > 1 && !KAIKU_MUTANT(pre_vote_skipped), false, out);
  return out;
}

election_effects election::on_vote_request(instant now, const vote_request& request) {
  election_effects out;
  if (request.candidate == settings_.self) return out;
  if (is_leap(request.in_term, term_)) {
    if (!request.pre_vote) learn_higher_term(now, request.in_term, out);
    return out;
  }
  // Also asked of who takes itself for a learner: it may be a voter by an entry that has not reached it, and be needed
  // for the majority that brings it. The candidate counts by its own log.
  const bool sticks = leader_is_fresh(now) && !request.transfer && !KAIKU_MUTANT(stickiness_off);
  // One whose log is empty would found a cluster, of those that were told to and of nobody else.
  const bool founds_unasked = request.last == log_position{} && !settings_.voters.contains(request.candidate);
  if (sticks || settings_.replaced || founds_unasked) {
    vote_reply refusal{settings_.self, request.in_term, term_, request.pre_vote, false};
    out.emplace_back(effect::send_vote_reply{request.candidate, std::move(refusal)});
  } else {
    out.emplace_back(effect::ask_storage{request});
  }
  return out;
}

election_effects election::on_vote_decision(instant now, const vote_request& request, const vote_decision& decision) {
  election_effects out;
  const auto& after = decision.after;
  if (request.candidate == settings_.self) {
    if (asking_ && (request == campaign_ || KAIKU_MUTANT(stale_decision_taken)))
      on_own_decision(now, decision, out);
    else if (after.current > term_)  // the campaign is over, but its vote is on the disk
      follow(now, after.current, {}, out);
    return out;
  }
  const bool voted = decision.granted && !request.pre_vote;
  if (after.current > term_ || voted) {
    follow(now, after.current, after.current > term_ ? node_id{} : leader_, out);
    if (voted) wait_for_leader(now);  // paper, 5.2: granting a vote counts as hearing from a leader
  }
  const bool granted = decision.granted && !settings_.replaced;  // storage was asked before that was known
  vote_reply reply{settings_.self, request.in_term, after.current, request.pre_vote, granted};
  out.emplace_back(effect::send_vote_reply{request.candidate, std::move(reply)});
  return out;
}

void election::on_own_decision(instant now, const vote_decision& decision, election_effects& out) {
  asking_ = false;
  if (!decision.granted || (campaign_.pre_vote && decision.after.current > term_)) {
    follow(now, decision.after.current, {}, out);
    return;
  }
  if (!campaign_.pre_vote) term_ = campaign_.in_term;
  campaign_.last = decision.after.last;
  campaign_sent_ = now;
  pause_before_retry(now);
  announce_if_changed(out);
  for (const auto& peer : settings_.voters)
    if (peer != settings_.self) out.emplace_back(effect::send_vote_request{peer, campaign_});
  count(now, settings_.self, out);
}

election_effects election::on_vote_reply(instant now, const vote_reply& reply) {
  election_effects out;
  if (!settings_.voters.contains(reply.voter)) return out;
  if (reply.voter_term > term_) {
    learn_higher_term(now, reply.voter_term, out);
    return out;
  }
  const bool same_term = reply.in_term == campaign_.in_term || KAIKU_MUTANT(ballot_of_an_older_term_counted);
  const bool same_kind = reply.pre_vote == campaign_.pre_vote || KAIKU_MUTANT(pre_vote_counted_as_vote);
  const bool mine = campaigning() && !asking_ && same_term && same_kind;
  if (mine && (reply.granted || KAIKU_MUTANT(refusal_counted_as_vote))) count(now, reply.voter, out);
  return out;
}

election_effects election::on_hard_state(instant now, const hard_state& state) {
  election_effects out;
  if (state.current > term_) follow(now, state.current, {}, out);
  return out;
}

election_effects election::on_leader_contact(instant now, const node_id& leader, term in_term) {
  election_effects out;
  if (leader == settings_.self || (in_term < term_ && !KAIKU_MUTANT(older_leader_followed))) return out;
  // The vote for a later term may already be on the disk: that leader's time is over here.
  if (role_ == role::candidate && in_term < campaign_.in_term) return out;
  if (is_leap(in_term, term_)) {
    learn_higher_term(now, in_term, out);
    return out;
  }
  INVARIANT(role_ != role::leader || in_term > term_, "two leaders in one term");
  leader_heard_ = now;
  follow(now, in_term, leader, out);
  return out;
}

void election::learn_higher_term(instant now, term in_term, election_effects& out) {
  if (in_term <= term_ || KAIKU_MUTANT(higher_term_ignored)) return;
  if (role_ != role::follower) follow(now, term_, {}, out);
  if (is_leap(in_term, term_)) in_term = {term_.value + limits::term_leap};
  if (in_term <= adopting_) return;
  adopting_ = in_term;
  out.emplace_back(effect::adopt_term{in_term});
}

election_effects election::on_higher_term(instant now, term in_term) {
  election_effects out;
  learn_higher_term(now, in_term, out);
  return out;
}

election_effects election::on_quorum_lost(instant now, term in_term) {
  election_effects out;
  if (KAIKU_MUTANT(check_quorum_off)) return out;
  if (role_ == role::leader && in_term == term_) follow(now, term_, {}, out);
  return out;
}

election_effects election::on_timeout_now(instant now, term in_term) {
  election_effects out;
  if (in_term == term_ && role_ != role::leader && is_voter()) campaign(now, false, true, out);
  return out;
}

election_effects election::on_voters(instant now, std::set<node_id> voters, bool replaced) {
  election_effects out;
  if (voters == settings_.voters && replaced == settings_.replaced) return out;
  settings_.voters = std::move(voters);
  settings_.replaced = replaced;
  if (role_ == role::leader) return out;  // one that was removed leads until it has handed over
  // Ballots of the old configuration elect nobody.
  if (campaigning()) follow(now, term_, {}, out);
  wait_for_leader(now);
  return out;
}

}  // namespace kaiku
