#pragma once

/// Purpose: the thread in front of the disk. Owns nothing but the right to change the store: every change is a message
/// here, one after the other, and is answered after its sync.
/// Lifecycle: spawned detached (it blocks on fsync); lives as long as the node. Reads do not come this way.

#include <memory>

#include "kaiku/actors/observed.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

class storage_actor : public observed<storage_handle::base> {
 public:
  storage_actor(caf::actor_config& cfg, std::shared_ptr<store> disk);

  const char* name() const override { return "storage"; }
  behavior_type make_behavior() override;

 protected:
  std::string state_line() override;

 private:
  install_begun begin(const begin_install& x);
  /// One step, and the next one later.
  void collect_garbage();

  std::shared_ptr<store> disk_;
};

}  // namespace kaiku
