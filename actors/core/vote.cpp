#include "kaiku/core/vote.hpp"

namespace kaiku {

vote_decision decide(const hard_state& state, const vote_request& ballot) {
  vote_decision decision{false, state};
  const bool up_to_date = ballot.last >= state.last;  // paper, 5.4.1
  if (ballot.pre_vote) {
    decision.granted = up_to_date && ballot.in_term > state.current;
    return decision;
  }
  if (ballot.in_term < state.current) return decision;
  if (ballot.in_term > state.current) {
    decision.after.current = ballot.in_term;
    decision.after.voted_for = {};
  }
  const bool free = decision.after.voted_for.name.empty() || decision.after.voted_for == ballot.candidate;
  if (up_to_date && free) {
    decision.granted = true;
    decision.after.voted_for = ballot.candidate;
  }
  return decision;
}

}  // namespace kaiku
