#pragma once

/// Purpose: who leads. A pure state machine: same calls, same effects; no clock, no I/O.
/// Owner of the facts: owns this node's role and the ballots of the running campaign. Learns term and log end from
/// storage (`on_vote_decision`, `on_hard_state`), leader contact from heartbeat and replication, and from heartbeat
/// when the quorum is lost.
/// Lifecycle: made once per process from the hard state; driven by election_actor and by the simulation.
///
///                  timeout                majority of pre-votes        majority of votes
///     follower ---------------> pre_candidate --------------> candidate --------------> leader
///        ^  ^------ leader heard ----|   ^--- pause, retry ---|   |                        |
///        |------------------ higher term, leader heard, or quorum lost --------------------|
///
/// Sources: Raft paper 5.2, 5.4.1; thesis 4.2.3 (disruptive servers, transfer), 6.2 and 9.6 (check-quorum, pre-vote).

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <variant>
#include <vector>

#include "kaiku/core/vote.hpp"

namespace kaiku {

enum class role : std::uint8_t { follower = 1, pre_candidate = 2, candidate = 3, leader = 4 };
std::string_view to_string(role x);

/// What everybody else on the node learns from the election.
struct role_change {
  role now = role::follower;
  term in_term;
  node_id leader;  ///< empty: not known
  /// Leader: when the votes that made it so were asked for. A majority followed it then; later has yet to be shown.
  instant asked_at{};

  friend bool operator==(const role_change&, const role_change&) = default;
};

namespace effect {
/// Give this ballot to storage; its decision comes back through `on_vote_decision` with the same request, unchanged.
/// A ballot of this node's own claims the highest `last` there is (a log is never behind itself); the peers are sent
/// the end that storage names in its decision.
struct ask_storage {
  vote_request ballot;
};
/// Let storage take this higher term without a vote; its state comes back through `on_hard_state`.
struct adopt_term {
  term in_term;
};
struct send_vote_request {
  node_id to;
  vote_request request;
};
struct send_vote_reply {
  node_id to;
  vote_reply reply;
};
/// Role, term or known leader changed; tell heartbeat, replication, fronts.
struct announce {
  role_change change;
};
}  // namespace effect

using election_effect = std::variant<effect::ask_storage, effect::adopt_term, effect::send_vote_request,
                                     effect::send_vote_reply, effect::announce>;
using election_effects = std::vector<election_effect>;

struct election_settings {
  node_id self;
  std::set<node_id> voters;  ///< with `self`
  milliseconds timeout{};    ///< T
  /// A number from [0, bound); the only source of chance.
  std::function<std::uint64_t(std::uint64_t bound)> random;
  bool replaced = false;  ///< the log does not name the disk of `self`, but another or none: see `on_voters`
};

/// Further ahead than an honest node can be, but for one that this one has not heard of for very long: to be taken in
/// steps of `limits::term_leap`, or whoever lies could use up the terms.
bool is_leap(term theirs, term own);

class election {
 public:
  election(election_settings settings, const hard_state& recovered, instant now);

  /// When `on_deadline` is due; changes with every call. A leader has none (`instant::max()`).
  instant deadline() const { return deadline_; }

  /// The deadline passed: begins or retries a campaign. Earlier calls do nothing.
  election_effects on_deadline(instant now);
  /// Another member asks for a vote. Refused at once while a leader was heard within T (unless a transfer), else the
  /// ballot goes to storage, which alone decides.
  election_effects on_vote_request(instant now, const vote_request& request);
  /// Storage decided a ballot: this node's own campaign or somebody's request.
  election_effects on_vote_decision(instant now, const vote_request& request, const vote_decision& decision);
  election_effects on_vote_reply(instant now, const vote_reply& reply);
  /// Storage's hard state, after `adopt_term` or after an append that brought a higher term.
  election_effects on_hard_state(instant now, const hard_state& state);
  /// A valid heartbeat or append of the leader of `in_term` came in. Below this node's term: ignored.
  election_effects on_leader_contact(instant now, const node_id& leader, term in_term);
  /// Anybody answered with a higher term than this node's. It is adopted, or a step towards it is (`is_leap`).
  election_effects on_higher_term(instant now, term in_term);
  /// Check-quorum: as leader of `in_term`, this node has not been answered by a majority within T.
  election_effects on_quorum_lost(instant now, term in_term);
  /// The leader of `in_term` asks this node to take over at once: a campaign without pre-vote (thesis, 3.10).
  election_effects on_timeout_now(instant now, term in_term);
  /// Membership changed; takes effect at once. `replaced`: it names another disk for this node, or none. So it does
  /// while a disk that takes the place of a lost one is brought up to date: its log begins with the members of long
  /// ago. It stands for what the lost one held only once it holds the entry that names it; before that it neither
  /// campaigns nor votes.
  election_effects on_voters(instant now, std::set<node_id> voters, bool replaced = false);

  role current_role() const { return role_; }
  term current_term() const { return term_; }
  const node_id& leader() const { return leader_; }

 private:
  bool leader_is_fresh(instant now) const;
  bool campaigning() const { return role_ == role::pre_candidate || role_ == role::candidate; }
  bool is_voter() const;
  std::size_t majority() const { return settings_.voters.size() / 2 + 1; }
  void follow(instant now, term in_term, node_id leader, election_effects& out);
  void campaign(instant now, bool pre_vote, bool transfer, election_effects& out);
  void on_own_decision(instant now, const vote_decision& decision, election_effects& out);
  void count(instant now, const node_id& voter, election_effects& out);
  void learn_higher_term(instant now, term in_term, election_effects& out);
  std::chrono::microseconds random_below(std::chrono::microseconds bound) const;
  void wait_for_leader(instant now);
  void pause_before_retry(instant now);
  void announce_if_changed(election_effects& out);

  election_settings settings_;
  role role_ = role::follower;
  term term_;  ///< highest term known durable or heard from a leader
  node_id leader_;
  std::optional<instant> leader_heard_;
  instant deadline_;
  vote_request campaign_;      ///< the running one, when (pre-)candidate
  instant campaign_sent_{};    ///< when its requests left
  bool asking_ = false;        ///< its ballot is with storage; nothing was sent yet
  std::set<node_id> ballots_;  ///< who granted it, self included
  term adopting_;              ///< highest term that storage was asked to adopt
  role_change announced_;
};

}  // namespace kaiku
