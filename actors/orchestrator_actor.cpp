#include "kaiku/actors/orchestrator_actor.hpp"

#include <utility>

namespace kaiku {

orchestrator_actor::orchestrator_actor(caf::actor_config& cfg, node_id self,
                                       std::shared_ptr<kubernetes::label_publisher> label)
    : observed(cfg), self_(std::move(self)), label_(std::move(label)) {}

orchestrator_actor::behavior_type orchestrator_actor::make_behavior() {
  return {
      [this](const role_change& x) {
        role_ = x.now;
        publish();
      },
      [](const log_progress&) {},
      [](const quorum_contact&) {},
      [](const leader_contact&) {},
      [](const peer_up&) {},
      [](const peer_down&) {},
      [this](const members_changed& x) {
        members_ = x.now;
        publish();
      },
      [](const local_handles&) {},
      [](const timer_due&) {},
  };
}

void orchestrator_actor::publish() {
  if (const auto wanted = kubernetes::label_of(self_, role_, members_)) label_->want(*wanted);
}

std::string orchestrator_actor::state_line() {
  const auto now = label_->view();
  if (!now.wanted) return "not known yet what the pod's label is to say";
  const auto role = std::string(to_string(*now.wanted));
  if (now.is_current()) return "the pod's label says " + role;
  return "the pod's label is to say " + role + (now.trouble.empty() ? "" : "; " + now.trouble);
}

}  // namespace kaiku
