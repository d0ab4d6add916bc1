#include "kaiku/actors/supervisor.hpp"

#include <caf/actor_system.hpp>

namespace kaiku {

supervisor::supervisor(caf::actor_config& cfg, std::map<caf::actor_addr, std::string> names,
                       std::function<void(const std::string&)> fatal)
    : observed(cfg), names_(std::move(names)), fatal_(std::move(fatal)) {}

supervisor::behavior_type supervisor::make_behavior() {
  set_down_handler([this](const caf::down_msg& x) {
    const auto dead = names_.find(x.source);
    if (dead != names_.end()) fatal_("actor " + dead->second + " ended unexpectedly: " + system().render(x.reason));
  });
  for (const auto& [address, name] : names_) monitor(address);
  return {[this](const stand_down&) { quit(); }};
}

}  // namespace kaiku
