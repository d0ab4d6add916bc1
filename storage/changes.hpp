#pragma once

/// Purpose: one write batch in the making. Reads see what is in the batch already; what an entry does to the state is
/// recorded so that it can be undone. Included by this folder only.
/// Owner: the call that makes it; nothing is written before `database::write`, so dropping it leaves nothing.
/// Thread: the writer's.

#include <rocksdb/utilities/write_batch_with_index.h>

#include "kaiku/storage/database.hpp"
#include "kaiku/storage/tree.hpp"

namespace kaiku {

class changes final : public view {
 public:
  explicit changes(const database& base);

  std::optional<std::string> get(family where, std::string_view key) const override;
  std::unique_ptr<rocksdb::Iterator> scan(family where) const override;
  void check_scan(const rocksdb::Iterator& it) const override { base_.check_scan(it); }

  /// Keys that are not part of the state.
  void put(family where, std::string_view key, std::string_view value);
  void erase(family where, std::string_view key);

  /// What the entry at `index` does to the state, with its undo record.
  void fold(log_index index, const std::vector<tree::state_write>& writes);
  /// Takes back what the entry at `index` did, and drops its undo record. From the last entry downwards only.
  void unfold(log_index index);

  bool empty() { return batch_.GetWriteBatch()->Count() == 0; }
  rocksdb::WriteBatch& batch() { return *batch_.GetWriteBatch(); }

 private:
  const database& base_;
  mutable rocksdb::WriteBatchWithIndex batch_;  // RocksDB's reads through it are not const
};

}  // namespace kaiku
