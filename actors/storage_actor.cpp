#include "kaiku/actors/storage_actor.hpp"

namespace kaiku {

storage_actor::storage_actor(caf::actor_config& cfg, std::shared_ptr<store> disk)
    : observed(cfg), disk_(std::move(disk)) {}

storage_actor::behavior_type storage_actor::make_behavior() {
  return {
      [this](const vote_request& ballot) { return disk_->decide_ballot(ballot); },
      [this](const adopt_term& x) { return disk_->adopt_term(x.in_term); },
      [this](const confirm_cluster&) { return disk_->confirm_cluster(); },
      [this](const propose& x) { return disk_->propose(x.in_term, x.proposals); },
      [this](const append& x) { return disk_->append(x.what); },
  };
}

}  // namespace kaiku
