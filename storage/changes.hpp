#pragma once

/// Purpose: one write batch in the making. Reads see what is in the batch already; what an entry does to the state is
/// recorded so that it can be undone; what names content is counted. Included by this folder only.
/// Owner: the call that makes it; nothing is written before `database::write`, so dropping it leaves nothing.
/// Thread: the writer's.
///
/// Counting: an inode's value names its content where it stands, in the state or in an undo record; so does each log
/// entry, and each entry set aside. Only what makes, moves or drops one of these may change a count.

#include <rocksdb/utilities/write_batch_with_index.h>

#include <map>

#include "kaiku/storage/change_feed.hpp"
#include "kaiku/storage/database.hpp"
#include "kaiku/storage/tree.hpp"

namespace kaiku {

/// Figures that change with the batch, as they are to be afterwards.
struct tally {
  log_extent log;
  std::size_t set_aside = 0;  ///< entries
  log_index superseded;       ///< the last entry that removed or replaced a file; after a start the last there was

  friend bool operator==(const tally&, const tally&) = default;
};

class changes final : public view {
 public:
  /// `watched`: what is touched of the name space is noted.
  changes(const database& base, const tally& before, unix_time_ms now, bool watched);

  std::optional<std::string> get(family where, std::string_view key) const override;
  std::unique_ptr<rocksdb::Iterator> scan(family where) const override;
  void check_scan(const rocksdb::Iterator& it) const override { base_.check_scan(it); }

  /// Keys that no entry changes. Holdings are changed through `holding_of` only.
  void put(family where, std::string_view key, std::string_view value);
  void erase(family where, std::string_view key);
  /// All of a family, or all that begins with `first`, as it was before this batch.
  void erase_all(family where);
  void erase_all(family where, char first);

  /// Another name space takes the place of this one.
  void replace_names() { touched_.everything = true; }
  /// What of the name space was touched, if it is watched.
  changed_keys take_touched() { return std::move(touched_); }

  /// What the entry at `index` does to the state, with its undo record.
  void fold(log_index index, const std::vector<tree::state_write>& writes);
  /// Takes back what the entry at `index` did, and drops its undo record. From the last entry downwards only.
  void unfold(log_index index);
  /// Drops the undo record of the entry at `index`, for good.
  void forget_undo(log_index index);

  /// What is known of `what`; to be changed in place.
  holding& holding_of(const content_ref& what);
  /// One more, or one less, names it.
  void name(const std::optional<content_ref>& what);
  void unname(const std::optional<content_ref>& what);

  unix_time_ms now() const { return now_; }
  /// Puts what was counted into the batch; once, as the last change.
  void settle();
  bool empty() { return batch_.GetWriteBatch()->Count() == 0; }
  rocksdb::WriteBatch& batch() { return *batch_.GetWriteBatch(); }

  tally after;

 private:
  struct counted {
    std::optional<holding> before;
    holding now;
  };
  void settle(const digest& what, counted& x);
  void note(family where, std::string_view key);

  const database& base_;
  unix_time_ms now_;
  bool watched_;
  changed_keys touched_;
  mutable rocksdb::WriteBatchWithIndex batch_;  // RocksDB's reads through it are not const
  std::map<digest, counted> counted_;
};

}  // namespace kaiku
