#pragma once

/// Purpose: hashes one content again, a piece at a time, to see whether the disk still has what was written.
/// Owner: who made it (`store::verify`); not to outlive the store. Thread: any, one at a time.

#include <optional>

#include "kaiku/core/content.hpp"
#include "kaiku/storage/content_store.hpp"

namespace kaiku {

class content_check {
 public:
  content_check(const content_ref& what, result<opened_content> opened);

  /// Reads and hashes up to `bytes` more. Nothing while there is more to do; then the verdict. Errors: `corrupt`,
  /// `io_error` (the disk could not read it: as good as damaged), `not_found`, `content_missing` (not here any more).
  std::optional<status> step(std::size_t bytes);

 private:
  content_ref what_;
  result<opened_content> opened_;
  sha256_hasher hasher_;
  std::uint64_t read_ = 0;
};

}  // namespace kaiku
