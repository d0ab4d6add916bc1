#pragma once

/// Purpose: the one way in which a test waits: for a condition, with a deadline.
/// Thread: any.

#include <chrono>
#include <cstdint>
#include <functional>

namespace kaiku::test {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

/// Asks `holds` again and again until it says true; false when `deadline` passed first. Asks at least once.
bool wait_until(milliseconds deadline, const std::function<bool()>& holds);

inline milliseconds since(clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(clock::now() - start);
}

/// A number from the environment, for those who want a longer or shorter test.
std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise);

}  // namespace kaiku::test
