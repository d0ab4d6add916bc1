#pragma once

/// Purpose: what the files of `invariants` share. The text of a violation is made only when there is one: these checks
/// run at every step. Thread: any.

#include <string>

#include "invariants.hpp"
#include "storage.hpp"

#define REQUIRE(condition, invariant, text_of_it)             \
  do {                                                        \
    if (!(condition)) throw violation(invariant, text_of_it); \
  } while (false)

namespace kaiku::simulation {

inline std::string text(const log_position& x) {
  return to_string(x.in_term) + '.' + to_string(x.index);
}

inline bool holds(const disk_content& disk, const log_entry& entry) {
  const auto index = entry.at.index.value;
  return index >= 1 && index <= disk.log.size() && disk.log[index - 1] == entry;
}

}  // namespace kaiku::simulation
