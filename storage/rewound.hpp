#pragma once

/// Purpose: a snapshot without the last entries of its log: what they did to the state is undone, in memory. So a
/// leader can give away what is committed although the log goes on behind it.
/// Owner: a `store_view`. Included by this folder only. Thread: any, several at once: it is only read.

#include <rocksdb/utilities/write_batch_with_index.h>

#include "kaiku/storage/database.hpp"

namespace kaiku {

class rewound final : public view {
 public:
  /// `last`: the end of the log in `from`. `to`: the entry that the state is to be of, not below the log's boundary.
  /// Costs memory for what lies between.
  rewound(const kaiku::snapshot& from, log_index last, log_index to);

  std::optional<std::string> get(family where, std::string_view key) const override;
  std::unique_ptr<rocksdb::Iterator> scan(family where) const override;
  void check_scan(const rocksdb::Iterator& it) const override { from_.check_scan(it); }

 private:
  void undo(log_index index);

  const kaiku::snapshot& from_;
  mutable rocksdb::WriteBatchWithIndex undone_;  // RocksDB's reads through it are not const
};

}  // namespace kaiku
