#pragma once

/// Purpose: the actors' time: CAF's actor clock, so that the test scheduler's virtual time reaches the protocol.
/// Thread: any.

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>

#include "kaiku/core/ids.hpp"

namespace kaiku {

inline instant now(caf::actor_system& system) {
  return std::chrono::time_point_cast<std::chrono::microseconds>(system.clock().now());
}

}  // namespace kaiku
