#pragma once

/// Purpose: keeps the leader's heart beating and tells who is alive: runs `core/liveness`.
/// Owner: owns peer liveness and the leader's quorum contact. Learns role and term from election, log end and commit
/// index from replication.
/// Lifecycle: spawned by the node, lives as long and lets go of all handles when it ends. Event-based.
///
/// On the leader, each interval: one `heartbeat` to every linked peer; no answer of a majority within T:
/// `quorum_lost` to election. On a follower: `leader_contact` to election, replication and fronts.

#include <functional>
#include <map>
#include <set>

#include "kaiku/actors/observed.hpp"
#include "kaiku/core/liveness.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

struct heartbeat_settings {
  node_id self;
  std::set<node_id> voters;  ///< with `self`
  milliseconds interval{};
  milliseconds election_timeout{};  ///< T
  /// The term on this node's disk. Its vote for another leader may be there before the role change is heard here, and
  /// from then on nobody of an older term may be told that it is followed.
  std::function<term()> durable_term;
};

class heartbeat_actor : public observed<heartbeat_handle::base> {
 public:
  heartbeat_actor(caf::actor_config& cfg, heartbeat_settings settings);

  const char* name() const override { return "heartbeat"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 protected:
  std::string state_line() override;

 private:
  instant now();
  void on_role(const role_change& change);
  void on_heartbeat(const heartbeat& x);
  void on_reply(const heartbeat_reply& x);
  void beat();
  void begin_round();
  void confirm();
  bool confirming();
  void publish_contact();

  heartbeat_settings settings_;
  liveness liveness_;
  role_change role_;
  log_progress progress_;
  local_handles local_;
  std::map<node_id, heartbeat_handle> peers_;
  timer_epoch epoch_;
  instant leads_since_{};
  std::optional<instant>
      confirming_;              ///< a round was sent then to confirm the leadership, not answered by a majority yet
  bool confirm_again_ = false;  ///< somebody asked since
};

}  // namespace kaiku
