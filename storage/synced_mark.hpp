#pragma once

/// Purpose: tells a write-ahead log that a power cut tore at its end from one that lost batches which had been
/// acknowledged: RocksDB drops what follows the first damaged record in either case. A file beside the database
/// remembers how far it was synced; a database that ends before that is not opened. The mark is written after the sync
/// and never synced itself, so it may lag behind the truth but is never ahead of it. Owner: the database. Thread: the
/// writer's.

#include <cstdint>
#include <utility>

#include "kaiku/core/content.hpp"

namespace kaiku {

class synced_mark {
 public:
  /// `file` is open for reading and writing; empty at first.
  explicit synced_mark(unique_fd file) : file_(std::move(file)) {}

  /// Sequence number of the last batch known to be synced; 0 if none, or if the file is damaged.
  std::uint64_t value() const;
  void advance(std::uint64_t sequence);

 private:
  unique_fd file_;
};

}  // namespace kaiku
