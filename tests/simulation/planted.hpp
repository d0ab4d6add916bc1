#pragma once

/// Purpose: the bugs that the simulation plants to prove that it would find them: one at a time, in a second build of
/// the core, of the simulated disk and of the simulated node. The table in `docs/testing.md` is printed from here.
/// Owner: `planted` belongs to the program; it changes between scenarios only. Thread: the test's.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace kaiku::simulation {

/// M(name, seeds within which an invariant must catch it, what is wrong).
// clang-format off
#define KAIKU_MUTANT_LIST(M)                                                                                           \
  /* votes */                                                                                                          \
  M(two_votes_in_a_term, 100, "a vote is granted although another candidate has it")                                   \
  M(log_compared_by_index, 500, "a candidate's log counts as complete by its length alone")                            \
  M(log_not_compared, 20, "any candidate's log counts as complete")                                                    \
  M(vote_in_an_older_term, 2000, "a ballot below the current term is granted")                                         \
  M(pre_vote_takes_the_term, 20, "a granted pre-vote changes the voter's term")                                        \
  M(vote_not_persisted, 20, "a vote is answered and never written")                                                    \
  M(vote_forgotten_at_restart, 20, "a node that restarts has its term but not its vote")                             \
  M(term_forgotten_at_restart, 20, "a node that restarts is back in the term of its last entry")                      \
  /* elections */                                                                                                      \
  M(stickiness_off, 100, "votes are given while a leader is heard")                                                    \
  M(pre_vote_skipped, 100, "a node takes a new term without asking whether it could win")                              \
  M(pre_vote_counted_as_vote, 500, "a late pre-vote counts as a vote")                                                 \
  M(ballot_of_an_older_term_counted, 2000, "a late vote of an earlier campaign counts in the running one")             \
  M(refusal_counted_as_vote, 20, "a refusal counts as a vote")                                                         \
  M(elected_one_vote_short, 20, "one vote less than a majority elects")                                                \
  M(stale_decision_taken, 5000, "storage's late word on an earlier campaign is taken for the running one's")           \
  M(older_leader_followed, 500, "a leader of an older term is followed")                                              \
  M(higher_term_ignored, 2000, "a leader goes on although it heard of a higher term")                                  \
  M(check_quorum_off, 100, "a leader without a majority leads on")                                                     \
  M(quorum_counted_from_sends, 20, "a heartbeat that was sent counts as answered")                                     \
  M(quorum_dated_by_receipt, 20, "quorum contact is dated by the answer, not by the question")                         \
  /* the log */                                                                                                        \
  M(append_not_fenced, 100, "entries of a leader below the current term are taken")                                    \
  M(propose_not_fenced, 2000, "a leader logs in its term after a later one was persisted")                             \
  M(append_without_matching, 20, "entries are taken although the one before them differs")                             \
  M(conflict_kept, 100, "entries that differ from the leader's are kept")                                              \
  M(truncated_past_the_match, 100, "a late append cuts off what follows it")                                           \
  M(truncated_without_set_aside, 20, "what is cut off is not set aside")                                               \
  M(leader_overwrites_its_log, 20, "a leader writes over its last entry")                                              \
  M(leader_reads_on_while_following, 2000, "a leader that follows another still sends from its log")                   \
  M(entry_before_content, 20, "an entry is logged before its content is there")                                        \
  M(no_first_entry, 100, "a leader begins without an entry of its term")                                               \
  M(mismatch_never_moves_back, 20, "a refused append is sent again as it was")                                         \
  M(lost_append_never_retried, 20, "an append without an answer is waited for forever")                                \
  M(append_window_ignored, 100, "appends are sent without end while nobody answers")                                   \
  /* the disk */                                                                                                       \
  M(acknowledged_before_fsync, 20, "storage answers before the sync")                                                  \
  M(lost_writes_remembered, 100, "after a crash storage goes on from what was never synced")                           \
  M(fsync_error_ignored, 500, "a failed sync is answered as a good one")                                               \
  /* commit and acknowledgement */                                                                                     \
  M(commit_of_an_older_term, 2000, "entries of an older term are committed by counting")                               \
  M(commit_one_holder_short, 20, "one disk less than a majority commits")                                              \
  M(commit_counted_from_sends, 20, "an entry that was sent counts as held")                                            \
  M(commit_beyond_own_match, 100, "the leader's commit index is taken for entries not known to equal its own")         \
  M(commit_learned_from_another_term, 500, "one leader's commit index is applied to what another's log matched")       \
  M(progress_of_an_earlier_term_kept, 2000, "a leader elected again remembers what followers held before")             \
  M(reply_of_another_term_counted, 100, "an answer to an earlier leadership counts in this one")                       \
  M(majority_at_own_disk, 20, "a majority write is answered when the leader's disk has it")                            \
  M(all_counts_a_majority, 100, "a write that all voters must hold is answered when a majority does")                   \
  M(settled_without_looking, 2000, "a waiting write is answered by its index, whatever stands there by then")          \
  M(acknowledged_without_contact, 500, "a leader that has lost its majority acknowledges on")                          \
  M(read_without_a_round, 5000, "a linearizable read is answered without asking a majority")                            \
  M(read_before_first_entry, 500, "a new leader answers such reads before an entry of its term is committed")          \
  M(acknowledged_past_a_successor, 500, "a leader acknowledges alone what one that it asked to lead lacks")            \
  M(handed_over_to_one_behind, 500, "a leader hands over to a follower that lacks entries")                            \
  /* members and disks */                                                                                              \
  M(acknowledgement_of_a_learner_counted, 500, "an entry that a learner holds counts as held by a voter")              \
  M(acknowledgement_of_a_replaced_disk_counted, 5000, "what a disk says counts after another took its place")           \
  M(progress_of_a_replaced_disk_kept, 500, "what the old disk held counts for the new one")                            \
  M(replaced_disk_linked, 5000, "links do not look whether a peer has the disk that the log names")                    \
  M(new_disk_campaigns_for_the_old, 2000, "a new disk that learns takes itself for the voter that its log still names")\
  M(latecomer_votes_unnamed, 500, "a new disk votes before its log names it, where no other is named either")        \
  M(wiped_voter_stays_a_voter, 100, "a voter with a new disk is a voter at once")                                      \
  M(wiped_disk_keeps_its_incarnation, 100, "a wiped disk comes back under its old incarnation")                        \
  M(promoted_before_it_caught_up, 100, "a learner becomes a voter before it has caught up")                  \
  M(members_change_before_an_own_entry, 500, "the members change before an entry of the leader's term is committed")   \
  M(two_changes_at_once, 500, "the members change while the last change is not committed")                             \
  M(members_in_force_when_committed, 100, "a change of the members counts once it is committed")                       \
  M(displaced_members_stay_in_force, 500, "members stay in force when the entry that named them is cut off")           \
  /* a bounded log */                                                                                                  \
  M(uncommitted_entries_compacted, 100, "entries are dropped from the log before they are committed")                  \
  M(uncommitted_state_offered, 500, "a follower is sent a state that may be taken back")                               \
  M(state_of_an_older_leader_taken, 5000, "a state is taken from a leader below the current term")                     \
  M(state_installed_over_newer_log, 500, "a state is taken although the log here goes further")                        \
  M(state_taken_in_part, 100, "a state is taken before all of it is here")                                             \
  M(install_goes_on_with_another_state, 500, "an install goes on behind the pieces of another state")                  \
  M(members_not_in_the_snapshot, 100, "members stay those of the log that a state replaces")
// clang-format on

enum class mutant : std::uint8_t {
  none,
#define KAIKU_MUTANT_NAME(name, seeds, what) name,
  KAIKU_MUTANT_LIST(KAIKU_MUTANT_NAME)
#undef KAIKU_MUTANT_NAME
};

/// The one that is in force.
inline mutant planted = mutant::none;

struct planted_bug {
  mutant which = mutant::none;
  std::string_view name;
  std::uint64_t seeds = 0;
  std::string_view what;
};

inline const std::vector<planted_bug>& planted_bugs() {
  static const std::vector<planted_bug> all{
#define KAIKU_MUTANT_ROW(name, seeds, what) {mutant::name, #name, seeds, what},
      KAIKU_MUTANT_LIST(KAIKU_MUTANT_ROW)
#undef KAIKU_MUTANT_ROW
  };
  return all;
}

}  // namespace kaiku::simulation
