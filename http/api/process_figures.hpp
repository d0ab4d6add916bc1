#pragma once

/// Purpose: what the operating system says of this process (Linux, /proc). Thread: any.

#include <cstdint>

namespace kaiku {

struct process_figures {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_files = 0;
  std::uint64_t max_files = 0;
  double start_time_seconds = 0;  ///< since 1970
};

/// What can't be read stays 0.
process_figures read_process_figures();

}  // namespace kaiku
