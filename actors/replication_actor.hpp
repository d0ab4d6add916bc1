#pragma once

/// Purpose: moves the log. On the leader: gathers writes into proposals, sends entries to followers, answers each write
/// at the durability it asked for. On a follower: brings content, appends, acknowledges. Runs `core/replication`.
/// Owner: owns each follower's progress, the commit index, and the clients that wait for durability. Learns role and
/// term from election, quorum contact from heartbeat, the log's end from storage.
/// Lifecycle: spawned by the node; lives as long and lets go of all handles when it ends. Event-based: reads of the log
/// are RocksDB reads of recent entries, every change goes through storage.
///
/// Group commit without a timer: one proposal is with storage at a time; what arrives meanwhile goes together next.

#include <deque>
#include <map>
#include <memory>
#include <optional>

#include <caf/typed_response_promise.hpp>

#include "kaiku/actors/disk_steps.hpp"
#include "kaiku/actors/observed.hpp"
#include "kaiku/core/replication.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

struct replication_settings {
  node_id self;
  /// Voters of `--cluster`, used until the log names them. Empty: this node waits to be taken in.
  std::vector<member> bootstrap;
  cluster_id new_cluster;  ///< what the cluster is called if this node forms it
  milliseconds election_timeout{};
  milliseconds durability_wait{limits::durability_wait_ms};
  /// The log is compacted above this; above the second even if a linked follower still needs it, above the third even
  /// if one that is taking the state will.
  byte_count log_bytes{limits::log_bytes};
  byte_count log_bytes_for_followers{limits::log_bytes_for_followers};
  byte_count log_bytes_for_installs{limits::log_bytes_for_installs};
  milliseconds superseded_keep{limits::superseded_keep_ms};
  milliseconds remove_dead_after{};  ///< members silent for so long are removed; 0: never
};

class replication_actor : public observed<replication_handle::base> {
 public:
  /// `steps`: of the actors that use the disk beside storage.
  replication_actor(caf::actor_config& cfg, replication_settings settings, std::shared_ptr<const store> disk,
                    std::shared_ptr<const disk_steps> steps);

  const char* name() const override { return "replication"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 protected:
  std::string state_line() override;

 private:
  using write_promise = caf::typed_response_promise<write_reply>;

  /// A client's write on its way into the log. Without a promise: the leader's own entries.
  struct pending_write {
    proposal what;
    durability want = durability::leader;
    std::optional<write_promise> promise;
    bool changes_members = false;  ///< what `member_change_` waits for
    trace_set_ptr of{};            ///< what it belongs to; null: nothing that is traced
  };
  /// A write that is in the log and waits for a majority.
  struct waiting_write {
    write_reply reply;
    durability want;
    write_promise promise;
    instant deadline;
    trace_set_ptr of{};
  };
  /// An append that could not be followed, to be asked for again.
  struct later_reply {
    instant due;
    node_id leader;
    term in_term;
    std::optional<append_entries> probe;  ///< that came meanwhile
  };
  /// A change of the members that somebody asked for, on its way.
  struct asked_change {
    caf::typed_response_promise<change_members_reply> promise;
    log_index index;  ///< 0: not logged yet
  };
  struct asked_read {
    caf::typed_response_promise<read_index_reply> promise;
    instant at;
  };
  /// An entry that only this leader is known to have.
  struct unreplicated {
    log_index index;
    byte_count size;
    instant since;
  };
  struct peer {
    election_handle election;
    replication_handle replication;
    content_handle content;
    std::uint8_t version = 0;  ///< of the messages between both
  };
  /// An append that waits its turn.
  struct waiting_append : append_entries {
    trace_set_ptr of;
  };

  instant now();
  void start(const local_handles& handles);
  /// Forgets the voters of `--cluster`, unless they have founded one by now.
  void forget_founding(bool latecomer);
  void on_role(const role_change& change);
  void begin_leading();
  void on_timer();

  // --- leader ---
  write_promise on_write(const write_request& x);
  /// Why a write can't be taken now; code `none` when it can.
  error refusal(durability want) const;
  /// The followers are so far behind that a write which only this disk would hold is not taken.
  bool backlog_is_full() const;
  void note_backlog(const pending_write& write, log_index index);
  /// Decodes and checks what a front sent, its own or a peer's.
  result<proposal> read(const write_request& x) const;
  void pump();
  void on_proposed(std::vector<pending_write>& batch, const propose_outcome& outcome);
  void answer(pending_write& write, const proposed& what, term in_term);
  void refuse_queued(const error& why);
  /// Remembers which entries belong to traced requests, if any: `first` is where the first of the batch stands.
  void note_traces(const std::vector<pending_write>& batch, log_index first);
  trace_set_ptr traces_in(const append_entries& x) const;
  void replicate();
  /// What is due, with no entry behind `end`.
  /// Errors: `corrupt`, `io_error`: this disk can't read small content that the entries name.
  result<append_entries> build_append(const send_append& due, log_index end) const;
  void on_append_reply(const append_reply& x);
  /// Answers the writes whose wait is over; `all`: also looks whether the others still stand in the log.
  void settle_waiting(bool all = false);
  /// The term's first entry commits everything before it; a new cluster's first entry says what the cluster is.
  void propose_first_entry();
  /// Whatever the leader itself still has to say; one entry at a time, and again at the next timer if it was refused.
  void propose_own_entries();
  /// Removes files whose time is over, some at a time.
  void propose_expired();

  // --- leader: members and leadership ---
  caf::typed_response_promise<change_members_reply> on_change_members(const change_members& x);
  /// The members may change, and nothing of this leader's own is on its way into the log.
  bool members_are_settled() const;
  void own_entry_left_queue(const command& what);
  void propose_members(set_members next, bool asked_for);
  /// Who is new, or has another disk, counts as heard now: it has yet to come.
  void note_newcomers(const membership& now_in_force);
  /// Records disks seen for the first time, promotes learners that have caught up, removes who is long dead.
  void propose_due_members();
  void on_members_proposed(const proposed& what);
  void settle_member_change();
  void end_member_change(const error& why);
  caf::typed_response_promise<handed_over> on_hand_over(const hand_over& x);
  void try_hand_over();
  void ask_to_lead(const node_id& id, const peer& who);
  void end_hand_over(const error& why);
  /// A leader whose disk completes nothing lets somebody else lead.
  void watch_disk();
  /// Storage is to try a disk on which something else waits: with a word that says nothing, as that costs one sync.
  void try_disk();

  // --- leader: snapshots; compaction on every node ---
  void send_snapshot(const node_id& to);
  void end_offer();
  log_index compact_for_size() const;
  log_index compact_for_space();
  log_index compact_up_to();
  void compact_log();

  // --- leader: questions ---
  caf::typed_response_promise<read_index_reply> on_read_index();
  void settle_reads();
  void end_reads(const error& why);
  find_write_reply on_find_write(const find_write& x) const;

  bool in_contact_with_quorum() const;
  bool leading() const { return role_.now == role::leader; }
  /// The entry at `at` is safe with this leader as long as its disk is: nobody that lacks it can have been elected.
  bool own_word_will_do(const log_position& at) const;
  /// Leads `in_term`, and a majority was heard within T.
  bool leads(term in_term) const { return leading() && role_.in_term == in_term && in_contact_with_quorum(); }

  // --- follower ---
  void on_append(const append_entries& x);
  /// Another entry stands there on this node, and is committed or was acknowledged to the leader of `in_term`.
  bool contradicts_settled(const log_position& x, term in_term) const;
  bool contradicts_settled(const append_entries& x) const;
  bool holds_another(const log_position& x) const;
  /// Who sent the message at hand can't be honest: the link to it is ended.
  void accuse(const std::string& why);
  void accuse(const node_id& who, const std::string& why);
  void append_next();
  void fetch_missing(std::vector<content_ref> missing);
  void abandon_fetch();
  void append_first();
  void on_appended(const append_entries& x, const append_outcome& outcome);
  void learn_commit(term in_term, log_index leader_commit);
  /// Drops what waits and, a little later, asks the leader to begin again behind `hint`.
  void begin_again(const append_entries& x);
  void ask_again(const later_reply& x);
  void reply_to(const node_id& leader, append_reply reply);

  void on_install(const install_snapshot& x);
  void on_installed(const install_snapshot& x, const installed& how);

  // --- both ---
  /// A disk on which one step takes longer than storage may take ends the node too.
  void end_with_disk();
  void publish_progress();
  void publish_members();
  void confirm_cluster_once();
  void come_late();

  replication_settings settings_;
  std::shared_ptr<const store> disk_;
  std::shared_ptr<const disk_steps> steps_;
  replication machine_;
  role_change role_;
  local_handles local_;
  std::map<node_id, peer> peers_;
  std::map<node_id, incarnation> disks_;  ///< of every member seen since the start, and this node's
  std::optional<membership> members_;     ///< as last published
  bool members_settled_ = false;          ///< likewise: their entry is known committed
  bool confirming_ = false;
  bool came_late_ = false;  ///< told in this life; the disk remembers
  log_progress published_;

  // leader
  std::deque<pending_write> queue_;
  std::size_t queued_bytes_ = 0;
  bool proposing_ = false;
  bool own_entry_queued_ = false;
  instant quorum_contact_ = instant::min();
  std::map<node_id, instant> heard_;  ///< when each member last answered this leader, or came with the disk it has
  bool expiry_queued_ = false;        ///< a `remove_expired` is on its way into the log
  std::multimap<log_index, waiting_write> waiting_;
  std::map<log_index, trace_set_ptr> traced_;  ///< the last ones; at most `limits::traces`
  std::deque<unreplicated> backlog_;
  byte_count backlog_bytes_;
  instant proposing_since_{};
  instant expired_looked_at_{};
  std::optional<asked_change> member_change_;
  std::deque<asked_read> reads_;
  std::optional<caf::typed_response_promise<handed_over>> hand_over_;
  node_id hand_over_to_;  ///< empty: whoever is most up to date
  instant hand_over_deadline_{};
  bool target_told_ = false;
  bool disk_stalled_ = false;
  leader_contact last_leader_;  ///< of the highest term heard
  std::optional<lost_entries> possibly_lost_;
  std::shared_ptr<const store_view> offered_;  ///< what followers are told to install; null: nothing
  instant offered_at_{};

  // follower
  std::deque<waiting_append> inbox_;  ///< the first is with fetch or storage while `appending_`
  bool appending_ = false;
  bool fetching_ = false;
  std::uint64_t fetch_number_ = 0;  ///< answers to an abandoned fetch are dropped
  term match_term_;
  log_index match_;  ///< the log equals that of the leader of `match_term_` up to here
  std::optional<later_reply> begin_again_;
  std::optional<install_snapshot> installing_;

  bool compacting_ = false;
  /// What was committed when: a mark for every `limits::log_marks`-th part of `superseded_keep`, the last one of those
  /// older than it in front.
  std::deque<std::pair<instant, log_index>> marks_;
};

}  // namespace kaiku
