#pragma once

/// Purpose: this machine's time of day, for what people read and for times that are stored. The protocol has no use for
/// it: its time comes in from outside (`instant`). Thread: any.

#include <chrono>
#include <cstdint>

#include "kaiku/core/ids.hpp"

namespace kaiku {

/// Microseconds since 1970.
inline std::uint64_t wall_clock_us() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(duration_cast<microseconds>(system_clock::now().time_since_epoch()).count());
}
inline unix_time_ms wall_clock() {
  return {static_cast<std::int64_t>(wall_clock_us() / 1000)};
}

}  // namespace kaiku
