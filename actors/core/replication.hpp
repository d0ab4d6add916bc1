#pragma once

/// Purpose: the leader's view of its followers, and what is committed. Pure; knows positions, never contents.
/// Owner of the facts: owns each follower's progress and the commit index; learns role and term from election, the log
/// end from storage. Driven by replication_actor and by the simulation.
///
///   probe: one append without entries in flight, `next` moves back on a mismatch until the logs meet
///     |  ^ mismatch, or the window was not answered within the retry interval, or the link came back
///     v  | the probe itself was accepted
///   replicate: up to `limits::append_window` appends in flight, `next` moves ahead optimistically
///     ^ accepted up to the snapshot
///   snapshot: what the follower needs is no longer in the log; it takes the state at one index instead. Nothing else
///   is sent until it has, or says no, or says nothing for long: then it is probed again.
///
/// What was not answered in time may be lost, or may still wait in front of a slow link. The probe is sent behind it,
/// so that its answer says which: nothing is sent twice over a link that delivers in order, and what waits for one
/// stays within a window. Other answers that come meanwhile only move the match.
///
/// Sources: paper 5.3, 5.4.2; etcd-io/raft progress.

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "kaiku/core/command.hpp"

namespace kaiku {

/// Where an append has to begin.
struct send_append {
  node_id to;
  log_index from;      ///< first entry to send; the entry before it is the one to match
  bool probe = false;  ///< no entries, only the one to match
};

/// A follower's answer, given after what it says is durable.
struct append_reply {
  node_id from;
  term in_term;  ///< the follower's term
  bool accepted = false;
  log_index match;  ///< accepted: every entry up to here equals the leader's and is durable
  log_index hint;   ///< refused: the logs can't meet above this index; the next probe begins behind it
  /// Accepted nothing yet: the entries name large content that the follower is still pulling. Not a failure.
  bool waiting_for_content = false;
  /// Of the follower: what another one said before it was replaced does not count. All zero: not told.
  incarnation disk{};
};

struct follower_progress {
  enum class mode : std::uint8_t { probe = 1, replicate = 2, snapshot = 3 };

  mode state = mode::probe;
  log_index match;                   ///< known durable there
  log_index next{1};                 ///< first entry of the next append
  std::vector<log_index> in_flight;  ///< last index of every unanswered append, in order; or the snapshot's
  bool connected = false;
  bool waiting_for_content = false;
  incarnation disk{};       ///< that the last answer came from
  instant last_progress{};  ///< when an answer last came in, or the append that waits was sent
};

class replication {
 public:
  replication(node_id self, std::set<node_id> voters);

  /// This node leads `in_term`; `last` is the log's end before the leader's no-op.
  void begin_leading(instant now, term in_term, log_index last);
  void stop_leading();
  bool leading() const { return leading_; }
  /// The members in force. Learners are sent what voters are, but count for nothing. What a member acknowledged with
  /// another disk is forgotten.
  void set_members(instant now, const std::vector<member>& voters, const std::vector<member>& learners);

  void on_connected(instant now, const node_id& peer);
  void on_disconnected(const node_id& peer);
  /// This node's own disk holds the log up to `last`.
  void on_local_durable(log_index last);
  /// A follower answered. Ignored: answers of another term (a higher one is election's business), of strangers, and
  /// those that claim more than was sent. A follower's match only goes back when its disk was replaced, or has lost
  /// what it acknowledged; what was committed by it stays so.
  void on_reply(instant now, const append_reply& reply);
  /// An append up to `last` (`from - 1` when it carried nothing, as a probe does) was sent to `to`.
  void on_sent(instant now, const node_id& to, log_index from, log_index last);
  /// `to` was asked to lead in this node's place. Voters that hear this leader may vote for it.
  void on_asked_to_lead(instant now, const node_id& to);
  /// `to` was told to take the state at `at`.
  void on_snapshot_sent(instant now, const node_id& to, log_index at);
  /// What `to` needs can't be read just now: nothing is due to it until the next retry.
  void on_unsendable(instant now, const node_id& to);
  /// Windows that were not answered for `patience` go back to probing: messages to a dead link vanish without a word.
  /// A follower that said it is pulling content is given `content_patience` times as long. Each `patience` a new round
  /// of catching up begins, and who was asked to lead that long ago, and then takes an entry, does not do so any more.
  void on_retry(instant now, milliseconds patience);

  /// Large files take a while, and asking again costs one append; but the word that ends the wait may be lost too.
  static constexpr int content_patience = 8;

  /// Connected followers with something to send, or to probe, and room in their window. A follower whose logs are not
  /// known to meet is probed even when there is nothing new; one that is caught up is left alone (heartbeats carry the
  /// commit index).
  std::vector<send_append> due() const;

  /// Highest index that a majority of voters holds durably and that is of the current term (paper, 5.4.2). Never goes
  /// back. Followers take the leader's word through `learn_commit`, where `own_match` is how far this node's durable
  /// log is known to equal that leader's: the match of an append accepted in its term, never just the end of the own
  /// log.
  log_index commit() const { return commit_; }
  void learn_commit(log_index leader_commit, log_index own_match);
  /// Voters, self included, known to hold `index`.
  std::size_t holders(log_index index) const;
  std::size_t voters() const { return voters_.size(); }
  /// How far `voter` is known to hold the log; 0 if nothing is known.
  log_index match_of(const node_id& voter) const;
  bool is_voter(const node_id& id) const { return voters_.contains(id); }
  /// The leader's own first entry is committed: from here on the commit index is all that was ever committed (paper,
  /// section 8).
  bool knows_commit() const { return leading_ && commit_ >= term_start_; }
  /// What a write at `index` is known to have reached. `all` is a leader's knowledge.
  durability reached(log_index index) const;
  /// The members may change, when the entry at `since` named those in force: an entry of this term is committed, and no
  /// other change is under way (thesis, 4.1, and the correction to it of 2015).
  bool members_may_change(log_index since) const;
  /// How much of `upto` may go from the front of the log: what is committed, and, with `keep_for_followers`, what no
  /// linked follower still needs.
  log_index compactable(log_index upto, bool keep_for_followers) const;
  /// Some follower is taking a snapshot.
  bool sends_snapshots() const;
  /// A learner that can be made a voter without holding anything up: its log holds what was committed when the running
  /// round began, so it is no further behind than a round is long (thesis, 4.2.1). All that is committed by now it may
  /// never hold while others are faster.
  std::optional<node_id> caught_up_learner() const;
  /// What that round asks for; 0: none has begun.
  log_index catch_up_goal() const { return catch_up_goal_; }
  /// Everybody that was asked to lead, and may yet do so, holds `index`: it would not be lost with such an election.
  bool successors_hold(log_index index) const;
  /// Highest index that `count` voters, 1 to `voters()`, hold durably.
  log_index held_by(std::size_t count) const;
  const std::map<node_id, follower_progress>& followers() const { return followers_; }

 private:
  struct asked_to_lead {
    instant at;
    log_index later;  ///< an entry that was not there until long after; 0: it is not that late yet
  };

  void add_follower(instant now, const node_id& id);
  void forget_other_disk(const member& one);
  void update_commit();
  void accepted(follower_progress& progress, log_index match);
  void refused(follower_progress& progress, log_index hint);
  static void probe_again(follower_progress& progress);
  void begin_catch_up_round(instant now, milliseconds length);
  void forget_successors(instant now, milliseconds patience);

  node_id self_;
  std::set<node_id> voters_;
  std::set<node_id> learners_;
  std::map<node_id, incarnation> disks_;  ///< of the members whose disks are known
  std::map<node_id, follower_progress> followers_;
  std::set<node_id> connected_;
  bool leading_ = false;
  term term_;
  log_index term_start_;  ///< the leader's no-op: entries before it are never committed by counting
  log_index last_;
  log_index commit_;
  log_index catch_up_goal_;
  instant catch_up_since_{};
  std::map<node_id, asked_to_lead> asked_to_lead_;
};

}  // namespace kaiku
