#pragma once

/// Purpose: a node with a dead actor is no node. Watches the actors that live as long as the process and ends it, with
/// a clear message and exit code 70, when one dies unexpectedly: an orchestrator restarts it, and the disk is the
/// truth. Lifecycle: spawned last; `stand_down` before an orderly shutdown. Event-based.

#include <functional>
#include <map>
#include <string>

#include <caf/typed_actor.hpp>

#include "kaiku/actors/observed.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

class supervisor : public observed<supervisor_handle::base> {
 public:
  /// `names`: what the log calls each actor. `fatal` is told why and must not return.
  supervisor(caf::actor_config& cfg, std::map<caf::actor_addr, std::string> names,
             std::function<void(const std::string&)> fatal);

  const char* name() const override { return "supervisor"; }
  behavior_type make_behavior() override;

 private:
  std::map<caf::actor_addr, std::string> names_;
  std::function<void(const std::string&)> fatal_;
};

}  // namespace kaiku
