#pragma once

/// Purpose: tells whoever runs this node in a container what it is: in a pod of Kubernetes the label `kaiku.io/role`
/// says `leader`, `follower` or `learner`, so that a Service can select the leader.
/// Owner: owns what the label is to say; the publisher, on a thread of its own, sees to it that it does. Learns role
/// and members as fronts do. Lifecycle: spawned by the node, lives as long. Event-based: nothing here waits.
///
/// The label is for finding the leader, not for trusting it: a node that has lost its role says so late when the API
/// server is slow, and until then passes on what it is asked, as every follower does.

#include <memory>
#include <optional>

#include "kaiku/actors/observed.hpp"
#include "kaiku/kubernetes/publisher.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

class orchestrator_actor final : public observed<front_handle::base> {
 public:
  orchestrator_actor(caf::actor_config& cfg, node_id self, std::shared_ptr<kubernetes::label_publisher> label);

  const char* name() const override { return "orchestrator"; }
  behavior_type make_behavior() override;

 protected:
  std::string state_line() override;

 private:
  void publish();

  const node_id self_;
  const std::shared_ptr<kubernetes::label_publisher> label_;
  role role_ = role::follower;
  std::optional<membership> members_;
};

}  // namespace kaiku
