#pragma once

/// Purpose: who is alive. Pure bookkeeping of heartbeats: on the leader, when each peer last answered and whether a
/// majority did; on a follower, when the leader was last heard.
/// Owner of the facts: owns peer liveness and quorum contact; learns role and term from election.
/// Driven by heartbeat_actor and by the simulation. Sources: thesis 6.2 (check-quorum), etcd-io/raft CheckQuorum.

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "kaiku/core/ids.hpp"

namespace kaiku {

/// From the leader to every other voter, each interval. Quorum contact is counted from answers, never from sends.
struct heartbeat {
  node_id leader;
  term in_term;
  std::uint64_t round = 0;  ///< counts the leader's rounds in this process; echoed by the answer
  log_index commit;
  log_index last{};  ///< end of the leader's log: what a failover may lose is between the two
};

/// A follower's answer; also given to a leader of a lower term, so that it learns of the higher one.
struct heartbeat_reply {
  node_id from;
  term in_term;             ///< the follower's
  std::uint64_t round = 0;  ///< 0: of an older term than the follower's, so that it counts for no round
};

struct peer_liveness {
  std::optional<instant> last_heard;  ///< when an answer, or the leader's heartbeat, last came in
  milliseconds round_trip{};          ///< of the last answered round
};

class liveness {
 public:
  liveness(node_id self, std::set<node_id> voters);

  void set_voters(std::set<node_id> voters);
  /// This node leads. Its votes were asked for at `asked_at`, so a majority counts as heard then.
  void begin_leading(instant asked_at);

  /// A new round goes out at `now`; its number. At most `rounds_remembered` unanswered rounds are kept.
  std::uint64_t begin_round(instant now);
  /// A peer answered a round, in this leader's own term (the caller's to check: an answer in another term follows
  /// somebody else). Non-voters and forgotten rounds count as heard, but not for the quorum.
  void on_reply(instant now, const node_id& from, std::uint64_t round);
  /// The leader was heard.
  void on_leader(instant now, const node_id& leader);

  /// The latest instant at which a majority, self included, is known to have followed this leader: the majority-th
  /// largest *send* time of an answered round. Alone in the cluster: `now`.
  instant quorum_contact(instant now) const;
  /// Every other voter, and whoever else was heard; at most `limits::members`.
  const std::map<node_id, peer_liveness>& peers() const { return peers_; }

  static constexpr std::size_t rounds_remembered = 64;

 private:
  peer_liveness* known(const node_id& peer);

  node_id self_;
  std::set<node_id> voters_;
  std::map<node_id, peer_liveness> peers_;
  std::map<node_id, instant> answered_;  ///< send time of the latest round each peer answered
  std::map<std::uint64_t, instant> rounds_;
  std::uint64_t round_ = 0;
  instant leading_since_ = instant::min();
};

}  // namespace kaiku
