#pragma once

/// Purpose: tells whether a file is still the one that was read. Thread: any.

#include <cstdint>
#include <string>

namespace kaiku {

/// Which version of a file stood under a name: one that was written or replaced since, also behind a symbolic link, has
/// another stamp.
struct file_stamp {
  bool there = false;
  std::uint64_t device = 0, inode = 0;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;  ///< since 1970

  /// Look before you read: a change meanwhile is seen the next time.
  static file_stamp of(const std::string& file);
  friend bool operator==(const file_stamp&, const file_stamp&) = default;
};

}  // namespace kaiku
