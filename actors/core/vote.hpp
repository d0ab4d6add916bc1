#pragma once

/// Purpose: the durable heart of an election and the messages around it (paper, section 5.2; thesis, 9.6 for pre-vote).
/// Thread: any.

#include "kaiku/core/ids.hpp"

namespace kaiku {

/// What a node must never forget. Owned by storage; changes only together with a synced write.
struct hard_state {
  term current;
  node_id voted_for;  ///< empty: nobody in `current`
  log_position last;  ///< end of the log

  friend bool operator==(const hard_state&, const hard_state&) = default;
};

/// Sent by a (pre-)candidate to every other voter, and given to its own storage to vote for itself.
struct vote_request {
  node_id candidate;
  term in_term;       ///< the term the candidate campaigns for; for a pre-vote, the one it would take
  log_position last;  ///< end of the candidate's log
  bool pre_vote = false;
  bool transfer = false;  ///< a leader asked for this campaign: stickiness does not apply (thesis, 4.2.3)

  friend bool operator==(const vote_request&, const vote_request&) = default;
};

/// Storage's answer to a ballot, given after it is durable.
struct vote_decision {
  bool granted = false;
  hard_state after;  ///< the hard state after the decision

  friend bool operator==(const vote_decision&, const vote_decision&) = default;
};

/// A voter's answer to a candidate.
struct vote_reply {
  node_id voter;
  term in_term;     ///< the request's
  term voter_term;  ///< the voter's own: higher than `in_term` makes the candidate stand back
  bool pre_vote = false;
  bool granted = false;

  friend bool operator==(const vote_reply&, const vote_reply&) = default;
};

/// The decision rule, applied by storage to its own hard state: what the ballot would leave behind. A pre-vote never
/// changes the state. The caller persists `after` before it tells anybody.
vote_decision decide(const hard_state& state, const vote_request& ballot);

}  // namespace kaiku
