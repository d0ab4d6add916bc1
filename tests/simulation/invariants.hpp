#pragma once

/// Purpose: the executable form of the invariants of `docs/protocol.md`. Sees all nodes at once, as no node can; is
/// told every fact when it happens, so that each check costs little and runs at every step. Owner: owns the history of
/// one scenario: who led, who voted for whom, what was logged, committed, acknowledged. Lifecycle: one per scenario;
/// survives the crashes of the nodes. Throws `violation`. Thread: the test's.

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kaiku/core/fence.hpp"
#include "messages.hpp"

namespace kaiku::simulation {

struct disk_content;

struct violation : std::runtime_error {
  violation(const std::string& invariant, const std::string& what)
      : std::runtime_error(invariant + ": " + what), name(invariant) {}
  std::string name;
};

/// Whom a node takes for the voters: those it counts entries by, and those that the last word on contact was counted
/// by.
struct electorate {
  const membership& members;
  const std::vector<member>& contact;
};

class invariants {
 public:
  explicit invariants(std::vector<member> founders) : founders_(std::move(founders)) {}
  /// The node's disk from now on; what it had before is lost, and stays readable at its address.
  void watch(const node_id& id, const disk_content& durable);

  // --- facts: storage -----------------------------------------------------------------------------------------------
  void synced(const node_id& node, const hard_state& before, const disk_content& now);
  /// A process begins with what its disk tells.
  void restarts(const node_id& node, const disk_content& disk) const;
  /// Storage takes entries of `sender` while its own term is `fence`.
  void accepted(const node_id& node, term sender, term fence);
  /// `contents`: the large content that is durable there.
  void logged(const node_id& node, const log_entry& entry, const log_position& previous,
              const std::set<std::string>& contents);
  /// `image` is about to be cut behind `keep`.
  void truncated(const node_id& node, const disk_content& image, log_index keep);
  /// `image` is about to forget its entries up to `upto`, and keep what they made of the state.
  void compacts(const node_id& node, const disk_content& image, log_index upto) const;
  /// The state at `at`, made by `entries`, is about to take the place of `image`'s.
  void installs(const node_id& node, const disk_content& image, const log_position& at,
                const std::vector<log_entry>& entries, const std::set<std::string>& contents);
  /// `leader` proposes to make `learner` a voter, since it holds its log up to `goal`.
  void promotes(const node_id& leader, const member& learner, log_index goal) const;
  /// `leader` tells somebody to take the state at `at`.
  void offers(const node_id& leader, const log_entry& at) const;
  /// A sync took `cut` out of the log of `now`.
  void cut_off(const node_id& node, const std::vector<log_entry>& cut, const disk_content& now) const;

  // --- facts: messages --------------------------------------------------------------------------------------------
  void sending(instant local_now, const node_id& from, const node_id& to, const message& what);
  void follows(const node_id& follower, const heartbeat& heard);

  // --- facts: roles -----------------------------------------------------------------------------------------------
  /// `boot` tells one process of a node from the next.
  /// The votes were asked for at `asked_at`, on the leader's clock.
  void leads(instant asked_at, const node_id& node, std::uint64_t boot, term in_term);
  /// What the election knew when the leader of `in_term` was heard, and afterwards.
  void hears(const node_id& node, const role_change& before, term in_term, const role_change& after) const;
  /// A heartbeat's round begins, and a majority followed at `contact`; `lost`: the leader says that is too long ago.
  void claims_quorum(const node_id& leader, term in_term, instant contact, bool lost,
                     const std::vector<member>& voters);
  /// The leader of `in_term` takes it that `follower` durably holds its log up to `match`.
  void claims_match(const node_id& leader, term in_term, const node_id& follower, const follower_progress& known,
                    const electorate& by) const;
  /// What `leader` knew of a follower when an answer to another leadership came in, and afterwards.
  void ignores_answer_of_another_term(const node_id& leader, const follower_progress& before,
                                      const follower_progress& after) const;
  void committed(const node_id& node, bool leading, term in_term, log_index before, log_index now,
                 const electorate& by);
  void acknowledged(instant local_now, const node_id& node, durability how, const log_entry& entry,
                    const electorate& by);
  /// A linearizable read is served at `commit`; `committed` were so when it was asked for.
  void reads(const node_id& node, log_index commit, std::size_t committed);
  void bounded(const node_id& node, const char* queue, std::size_t size, std::size_t bound) const;

  /// Everything at once, by brute force: a check on the checks above.
  void whole() const;
  /// After the faults ended: `commits` of every node, and who says it leads.
  void converged(const std::map<node_id, log_index>& commits, const std::set<node_id>& leaders) const;

  /// That the last committed entry of their kind names.
  const membership& committed_members() const { return committed_members_; }
  bool was_replaced(const incarnation& disk) const { return replaced_.contains(disk); }
  std::size_t states_installed() const { return states_installed_; }
  std::size_t members_changes() const { return members_changes_; }
  std::size_t committed_entries() const { return committed_.size(); }
  std::size_t reads_served() const { return reads_served_; }
  std::size_t elections() const { return leaders_.size(); }

 private:
  static std::size_t majority_of(const std::vector<member>& voters) { return voters.size() / 2 + 1; }
  /// The disk that a member has, also one that is lost by now. Null: it has another.
  const disk_content* disk_of(const member& one) const;
  const std::vector<member>& voters_of(const membership& x) const { return x.cluster.known() ? x.voters : founders_; }
  const incarnation& disk_id(const node_id& node) const;
  std::size_t holders(const log_entry& entry, const std::vector<member>& voters) const;
  bool on_majority(const log_entry& entry, const std::vector<member>& voters) const;
  bool is_committed(const log_entry& entry) const;
  bool in_every_majority(const log_entry& entry) const;
  void members_logged(const node_id& node, const log_entry& entry, const log_position& previous);
  void one_config_in_flight(const log_entry& entry, const membership& before, const membership& next) const;
  void learner_first(const log_entry& entry, const membership& before, const membership& next) const;
  void no_reused_incarnation(const membership& before, const membership& next);
  void members_follow_the_log(const node_id& node, const disk_content& disk) const;
  void config_in_force_from_append(const node_id& node, log_index commit, const electorate& by) const;

  void election_safety(const node_id& node, std::uint64_t boot, term in_term);
  void term_vote_durable_monotonic(const node_id& node, const hard_state& before, const hard_state& now);
  void persist_before_send(const node_id& from, const node_id& to, const message& what) const;
  void log_matching(const node_id& node, const log_entry& entry, const log_position& previous);
  void leader_append_only(const node_id& node, const disk_content& image) const;
  void commit_current_term_only(const node_id& node, term in_term, log_index commit) const;
  void committed_never_lost_by_truncation(const node_id& node, const disk_content& image, log_index keep) const;
  void committed_never_lost_by_election(const node_id& node, term in_term) const;
  void state_machine_safety(const node_id& node, term in_term, const log_entry& entry, const electorate& by);
  void fence_rejects_lower_term(const node_id& node, term sender, term fence) const;
  void ack_matches_durability(const node_id& node, durability how, const log_entry& entry, const electorate& by) const;
  void append_in_own_term(const node_id& from, const message& what) const;
  void handover_loses_nothing(const node_id& from, const node_id& to, const message& what) const;
  void successor_holds(const log_entry& entry) const;
  void elected_holds_acknowledged(const node_id& node, term in_term) const;
  void bounded_loss(instant local_now, const node_id& node, const log_entry& entry, const electorate& by) const;
  void quorum_from_answers(const node_id& leader, term in_term, instant contact,
                           const std::vector<member>& voters) const;
  void leader_without_quorum_steps_down(const node_id& leader, term in_term, bool lost);

  struct leadership {
    node_id node;
    incarnation disk;
    std::uint64_t boot = 0;
    instant since;                            ///< its votes were asked for
    std::map<std::uint64_t, instant> rounds;  ///< send times, on the leader's clock
    int beats_without_quorum = 0;
    std::map<node_id, instant> followed;  ///< send time of the latest round that each follower took
  };
  struct logged_entry {
    std::string command;
    log_position previous;
    log_position members;  ///< the entry that names those in force from here on; 0: none
  };
  using in_term_of = std::pair<incarnation, term>;

  std::vector<member> founders_;
  std::map<node_id, const disk_content*> disks_;
  std::map<incarnation, const disk_content*> all_disks_;  ///< also those that are lost
  std::map<term, leadership> leaders_;
  std::map<in_term_of, node_id> votes_;                 ///< as they became durable
  std::map<in_term_of, std::vector<member>> electors_;  ///< by a candidate's own log when it took the term
  std::map<incarnation, hard_state> synced_;
  std::map<incarnation, term> terms_;           ///< the highest that became durable
  std::map<in_term_of, log_index> reach_;       ///< longest durable log of a disk in a term
  std::map<log_position, membership> members_;  ///< that entries name
  membership committed_members_;
  std::set<incarnation> replaced_;  ///< by a committed entry
  std::size_t members_changes_ = 0;
  std::size_t states_installed_ = 0;
  std::map<log_position, logged_entry> entries_;
  std::vector<log_entry> committed_;
  std::vector<term> committed_in_;  ///< term of the leader that committed each
  std::size_t reads_served_ = 0;
  std::vector<log_entry> acknowledged_;             ///< at `majority`
  std::map<term, log_entry> recorded_;              ///< the last that each leader acknowledged alone
  std::set<std::pair<term, node_id>> handed_over_;  ///< who asked for votes in a handover
};

}  // namespace kaiku::simulation
