#pragma once

/// Purpose: one node of the simulation: election, heartbeat and replication as the actors run them, each with a mailbox
/// of its own and word of the others that comes late, in front of a disk that outlives them.
/// Owner: owns the three state machines of one process; the disk belongs to the scenario.
/// Lifecycle: one per process; destroyed by a crash, made anew by the restart. Thread: the test's.

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "history.hpp"
#include "invariants.hpp"
#include "messages.hpp"
#include "network.hpp"
#include "schedule.hpp"
#include "storage.hpp"

namespace kaiku::simulation {

inline constexpr milliseconds election_timeout{1000};
inline constexpr milliseconds heartbeat_interval{150};
inline constexpr milliseconds durability_wait{10'000};
inline constexpr std::size_t entries_per_append = 4;  ///< small, so that windows fill
inline constexpr std::size_t commands_per_proposal = 8;
inline constexpr std::size_t writes_waiting_max = 64;
inline constexpr std::size_t reads_waiting_max = 64;
/// The log is compacted above this; above the second even if a linked follower still needs it, above the third even if
/// one that takes the state will.
inline constexpr std::size_t log_entries = 24;
inline constexpr std::size_t log_entries_for_followers = 60;
inline constexpr std::size_t log_entries_for_installs = 200;
inline constexpr std::size_t log_entries_at_rest = 100;  ///< of a cluster that has healed
inline constexpr std::size_t entries_per_piece = 16;
inline constexpr milliseconds piece_wait{1000};
inline constexpr milliseconds offer_kept{10'000};
inline constexpr std::size_t storage_queue_max = 128;

/// What all nodes of a scenario share.
struct surroundings {
  schedule& time;
  chance& luck;
  diary& notes;
  network& net;
  invariants& judge;
  history& clients;
  std::function<void(const node_id&)> members_changed;  ///< the log of this node names others by now
  unsigned sluggish_percent = 0;                        ///< of the messages between a node's actors wait, up to 100 ms
  unsigned busy_permille = 0;                           ///< of those to a replication actor find it busy, up to 2 s
};

/// A node's steady clock: runs at its own rate from its own zero.
struct node_clock {
  std::int64_t parts_per_million = 1'000'000;
  microseconds zero{0};

  instant local(instant global) const {
    return instant{zero + microseconds{global.time_since_epoch().count() * parts_per_million / 1'000'000}};
  }
  instant global(instant local) const {
    return instant{microseconds{(local.time_since_epoch() - zero).count() * 1'000'000 / parts_per_million + 1}};
  }
};

class node {
 public:
  /// `founders`: the voters until the log names some; none for a node that waits to be taken in.
  node(surroundings& around, node_id self, std::uint64_t boot, const node_clock& clock, simulated_storage& disk,
       std::vector<member> founders);

  void receive(const parcel& what);
  void link_up(const node_id& peer, const incarnation& disk);
  void link_down(const node_id& peer);
  /// Whether this node would link with `id`, whose log names the members of entry `since`.
  bool admits(const node_id& id, const incarnation& disk, log_index since) const;
  /// An operator's wish, or a node's that wants in.
  void ask_members(const member_change& what, const incarnation& disk);
  void client_write(std::string command, durability want);
  /// A linearizable read: answered with the index it may be served at.
  void client_read();
  /// Brings a follower up to date and asks it to take over; given up after T.
  void hand_over();
  /// Nothing runs here before `until`, as under SIGSTOP; it is all still there afterwards.
  void pause(instant until) { paused_until_ = until; }
  /// The process ends in front of the `count`-th thing from now on that anybody else could notice.
  void die_before_effect(std::uint64_t count) { effects_left_ = count; }

  bool leads() const { return election_->current_role() == role::leader; }
  log_index commit() const { return machine_.commit(); }
  void check_bounds() const;

 private:
  enum class mailbox : std::size_t { election, heartbeat, replication };
  struct pending_write {
    std::string command;
    durability want = durability::leader;
    bool own = false;  ///< the leader's: nobody waits for an answer
    bool changes_members = false;
  };
  struct waiting_write {
    std::string command;
    durability want = durability::leader;
    log_position at;
    instant deadline;
  };
  /// The log as it was when a follower had to be sent the state.
  struct offered_state {
    log_position at;
    std::vector<log_entry> entries;
    instant last_used;
  };
  struct waiting_read {
    instant at;
    std::size_t committed = 0;  ///< anywhere, when it was asked for
  };
  /// Asks the leader to begin again, a little later.
  struct later_reply {
    instant due;
    node_id leader;
    term in_term;
    std::optional<append_entries> probe;
  };

  instant now() const { return clock_.local(around_.time.now()); }
  void later(microseconds delay, schedule::action what);
  void resume(schedule::action what);
  /// To an actor of this node: in order per mailbox, with a delay nobody controls.
  void post(mailbox to, schedule::action what);
  void send(const node_id& to, message what);
  /// Before whatever others can notice: a message, a request to the disk, an answer to a client.
  void takes_effect();

  // Election's shell.
  void carry_out(const election_effects& effects);
  void leader_contact(const node_id& leader, term in_term);
  void announce(const role_change& change);
  void arm_election();

  // Heartbeat's shell.
  void heartbeat_role(const role_change& change);
  void beat();
  void begin_round();
  void on_heartbeat(const heartbeat& x);
  void on_heartbeat_reply(const heartbeat_reply& x);
  void publish_contact();

  // Replication's shell: leading.
  void replication_role(const role_change& change);
  void on_timer();
  bool takes_writes() const;
  bool in_contact_with_quorum() const;
  bool leads(term in_term) const;
  bool own_word_will_do(const log_position& at) const;
  void propose_first_entry();
  void propose_own_entries();
  void pump();
  void on_proposed(term in_term, const propose_outcome& outcome, const std::vector<pending_write>& writes);
  void answer_or_wait(const pending_write& write, const log_position& at);
  void settle_waiting(bool all = false);
  void settle_reads();
  void refuse_queued();
  void replicate();
  void on_append_reply(const append_reply& x);
  void check_matches() const;
  void tell_commit();
  void after_progress();
  void begin_hand_over();
  void try_hand_over();
  bool ask_to_lead();
  void watch_disk();
  /// By whom this node counts.
  electorate counted() const { return {*members_, contact_voters_}; }
  void acknowledge(const std::string& command, answer what, const log_position& at);

  // Replication's shell: members.
  membership members_in_force() const;
  void publish_members();
  bool members_are_settled() const;
  void propose_members(set_members next, bool asked_for);
  void propose_due_members();

  // Replication's shell: compaction, snapshots; and the installer's.
  void compact_log();
  void send_snapshot(const node_id& to);
  void on_install(const install_snapshot& x);
  void on_installed(const install_snapshot& x, const error& failure, const hard_state& after);
  void on_read_snapshot(const read_snapshot& x);
  void begin_install(const install_snapshot& x);
  void read_piece(const received_state& so_far);
  void on_snapshot_range(const snapshot_range& x);
  void take_piece(const snapshot_range& x);
  void finish_install();
  void end_install(const error& failure, const hard_state& after);

  // Replication's shell: following.
  void on_append(const append_entries& x);
  void append_next();
  void fetch_missing();
  void append_first();
  void begin_again(const append_entries& x);
  void ask_again(const later_reply& x);
  void on_appended(const append_entries& x, const append_outcome& outcome);
  void learn_commit(term in_term, log_index commit);
  void reply_to(const node_id& leader, append_reply reply);

  surroundings& around_;
  node_id self_;
  std::uint64_t boot_;
  const node_clock& clock_;
  simulated_storage& disk_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< expires with this process
  instant paused_until_{};
  std::array<instant, 3> mailbox_last_{};
  std::optional<std::uint64_t> effects_left_;

  std::vector<member> founders_;
  std::set<node_id> linked_;

  std::unique_ptr<election> election_;
  std::uint64_t election_epoch_ = 0;
  instant election_armed_ = instant::max();

  liveness liveness_;
  role_change heartbeat_role_;
  log_index progress_commit_;
  std::vector<member> heartbeat_voters_;
  instant leads_since_;
  std::uint64_t beat_epoch_ = 0;

  replication machine_;
  role_change replication_role_;
  std::optional<membership> members_;     ///< as last published
  std::map<node_id, incarnation> disks_;  ///< of every member seen since the start, and this node's
  instant quorum_contact_;
  std::vector<member> contact_voters_;  ///< by whom it was counted
  std::deque<pending_write> queue_;
  bool own_entry_queued_ = false;
  bool change_queued_ = false;  ///< somebody's, not logged yet
  bool proposing_ = false;
  instant proposing_since_;
  bool disk_stalled_ = false;
  std::multimap<log_index, waiting_write> waiting_;
  std::deque<waiting_read> reads_;
  std::optional<instant> hand_over_deadline_;
  bool target_told_ = false;
  std::deque<append_entries> inbox_;  ///< the first is being worked on while `appending_`
  bool appending_ = false;
  bool fetching_ = false;
  std::uint64_t fetch_number_ = 0;
  std::optional<later_reply> begin_again_;
  std::optional<offered_state> offered_;
  std::optional<install_snapshot> installing_;
  std::optional<install_snapshot> install_;  ///< what the installer is at; it may go on when nobody wants it any more
  std::uint64_t install_step_ = 0;           ///< answers to an earlier one are dropped
  bool compacting_ = false;
  term verified_term_;        ///< whose leader's log
  log_index verified_match_;  ///< is known to equal this node's up to here
  log_index told_commit_;     ///< last commit index the judge heard
};

}  // namespace kaiku::simulation
