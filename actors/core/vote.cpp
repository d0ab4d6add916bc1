#include "kaiku/core/vote.hpp"

#include "kaiku/core/mutant.hpp"

namespace kaiku {

vote_decision decide(const hard_state& state, const vote_request& ballot) {
  vote_decision decision{false, state};
  bool up_to_date = ballot.last >= state.last;  // paper, 5.4.1
  if (KAIKU_MUTANT(log_compared_by_index)) up_to_date = ballot.last.index >= state.last.index;
  if (KAIKU_MUTANT(log_not_compared)) up_to_date = true;
  if (ballot.pre_vote) {
    decision.granted = up_to_date && ballot.in_term > state.current;
    if (KAIKU_MUTANT(pre_vote_takes_the_term) && decision.granted) decision.after.current = ballot.in_term;
    return decision;
  }
  if (ballot.in_term < state.current && !KAIKU_MUTANT(vote_in_an_older_term)) return decision;
  if (ballot.in_term > state.current) {
    decision.after.current = ballot.in_term;
    decision.after.voted_for = {};
  }
  const bool free = decision.after.voted_for.name.empty() || decision.after.voted_for == ballot.candidate ||
                    KAIKU_MUTANT(two_votes_in_a_term);
  if (up_to_date && free) {
    decision.granted = true;
    decision.after.voted_for = ballot.candidate;
  }
  return decision;
}

}  // namespace kaiku
