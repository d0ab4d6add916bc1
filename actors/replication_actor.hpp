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

#include "kaiku/actors/observed.hpp"
#include "kaiku/core/replication.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

struct replication_settings {
  node_id self;
  std::vector<member> bootstrap;  ///< voters of `--cluster`, used until the log names them
  cluster_id new_cluster;         ///< what the cluster is called if this node forms it
  milliseconds election_timeout{};
  milliseconds durability_wait{limits::durability_wait_ms};
};

class replication_actor : public observed<replication_handle::base> {
 public:
  replication_actor(caf::actor_config& cfg, replication_settings settings, std::shared_ptr<const store> disk);

  const char* name() const override { return "replication"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  using write_promise = caf::typed_response_promise<write_reply>;

  /// A client's write on its way into the log. Without a promise: the leader's own entries.
  struct pending_write {
    proposal what;
    durability want = durability::leader;
    std::optional<write_promise> promise;
  };
  /// A write that is in the log and waits for a majority.
  struct waiting_write {
    write_reply reply;
    durability want;
    write_promise promise;
    instant deadline;
  };
  /// An append that could not be followed, to be asked for again.
  struct later_reply {
    instant due;
    node_id leader;
    term in_term;
    log_position previous;
  };
  struct peer {
    election_handle election;
    replication_handle replication;
    content_handle content;
  };

  instant now();
  void start(const local_handles& handles);
  void on_role(const role_change& change);
  void on_timer();

  // --- leader ---
  write_promise on_write(const write_request& x);
  /// Why a write can't be taken now; code `none` when it can.
  error refusal() const;
  /// Decodes and checks what a front sent, its own or a peer's.
  result<proposal> read(const write_request& x) const;
  void pump();
  void on_proposed(std::vector<pending_write>& batch, const propose_outcome& outcome);
  void answer(pending_write& write, const proposed& what, term in_term);
  void refuse_queued(const error& why);
  void replicate();
  /// Entries from `from`, none behind `end`.
  /// Errors: `corrupt`, `io_error`: this disk can't read small content that the entries name.
  result<append_entries> build_append(log_index from, log_index end) const;
  void on_append_reply(const append_reply& x);
  /// Answers the writes whose wait is over; `all`: also looks whether the others still stand in the log.
  void settle_waiting(bool all = false);
  /// The term's first entry commits everything before it; a new cluster's first entry says what the cluster is.
  void propose_first_entry();
  /// Records disks that were seen for the first time.
  void propose_members();
  /// Whatever the leader itself still has to say; one entry at a time, and again at the next timer if it was refused.
  void propose_own_entries();
  std::vector<member> with_known_disks(std::vector<member> voters) const;
  void try_hand_over();
  void end_hand_over(bool handed_over);
  bool in_contact_with_quorum() const;
  bool leading() const { return role_.now == role::leader; }
  /// Leads `in_term`, and a majority was heard within T.
  bool leads(term in_term) const { return leading() && role_.in_term == in_term && in_contact_with_quorum(); }

  // --- follower ---
  void on_append(const append_entries& x);
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

  // --- both ---
  void publish_progress();
  void publish_members();
  void confirm_cluster_once();

  replication_settings settings_;
  std::shared_ptr<const store> disk_;
  replication machine_;
  role_change role_;
  local_handles local_;
  std::map<node_id, peer> peers_;
  std::map<node_id, incarnation> disks_;  ///< of every member seen since the start, and this node's
  std::optional<membership> members_;     ///< as last published
  bool confirming_ = false;
  log_progress published_;

  // leader
  std::deque<pending_write> queue_;
  std::size_t queued_bytes_ = 0;
  bool proposing_ = false;
  bool own_entry_queued_ = false;
  instant quorum_contact_ = instant::min();
  std::multimap<log_index, waiting_write> waiting_;
  std::optional<caf::typed_response_promise<bool>> hand_over_;
  instant hand_over_deadline_{};
  bool target_told_ = false;

  // follower
  std::deque<append_entries> inbox_;  ///< the first is with fetch or storage while `appending_`
  bool appending_ = false;
  bool fetching_ = false;
  std::uint64_t fetch_number_ = 0;  ///< answers to an abandoned fetch are dropped
  term match_term_;
  log_index match_;  ///< the log equals that of the leader of `match_term_` up to here
  std::optional<later_reply> begin_again_;
};

}  // namespace kaiku
