#pragma once

/// Purpose: runs `core/election`: turns messages into events, carries out effects. No rule of its own.
/// Owner: owns this node's role. Learns term and log end from storage, leader and quorum contact from heartbeat.
/// Lifecycle: spawned by the node; starts with `local_handles`; lives as long as the node and
/// lets go of all handles when it ends. Event-based.

#include <map>

#include "kaiku/actors/observed.hpp"
#include "kaiku/core/election.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

class election_actor : public observed<election_handle::base> {
 public:
  election_actor(caf::actor_config& cfg, election_settings settings, const hard_state& recovered, incarnation disk);

  const char* name() const override { return "election"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 protected:
  std::string state_line() override;

 private:
  instant now();
  void carry_out(election_effects effects);
  void ask_storage(const vote_request& ballot);
  void announce(const role_change& change);
  /// One timer is under way at most; it is set again when it fires early because the deadline moved.
  void arm();

  election_settings settings_;
  hard_state recovered_;
  incarnation disk_;                    ///< of this node
  std::unique_ptr<election> election_;  ///< from `local_handles` on
  local_handles local_;
  std::map<node_id, election_handle> peers_;
  timer_epoch epoch_;
  instant armed_for_ = instant::max();
};

}  // namespace kaiku
