#pragma once

/// Purpose: keeps the leader's heart beating and tells who is alive: runs `core/liveness`.
/// Owner: owns peer liveness and the leader's quorum contact. Learns role and term from election, log end and commit
/// index from replication.
/// Lifecycle: spawned by the node, lives as long and lets go of all handles when it ends. Event-based.
///
/// On the leader, each interval: one `heartbeat` to every linked peer; no answer of a majority within T:
/// `quorum_lost` to election. On a follower: `leader_contact` to election, replication and fronts.

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
};

class heartbeat_actor : public observed<heartbeat_handle::base> {
 public:
  heartbeat_actor(caf::actor_config& cfg, heartbeat_settings settings);

  const char* name() const override { return "heartbeat"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  instant now();
  void on_role(const role_change& change);
  void on_heartbeat(const heartbeat& x);
  void on_reply(const heartbeat_reply& x);
  void beat();
  void publish_contact();

  heartbeat_settings settings_;
  liveness liveness_;
  role_change role_;
  log_progress progress_;
  local_handles local_;
  std::map<node_id, heartbeat_handle> peers_;
  timer_epoch epoch_;
};

}  // namespace kaiku
