#pragma once

/// Purpose: RocksDB as Kaiku uses it: some column families, one writer, every batch synced. Included by this folder
/// only. Owner: owns `db/` and `SYNCED`. Lifecycle: the store's. Thread: `write` from the writer's thread, all else
/// from any. Metadata that can't be read stops the node like a failed write does: what is left of a log must not be
/// guessed.

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kaiku/storage/files.hpp"
#include "kaiku/storage/format.hpp"
#include "kaiku/storage/synced_mark.hpp"

namespace kaiku {

class data_directory;

inline rocksdb::Slice as_slice(std::string_view x) {
  return {x.data(), x.size()};
}
inline std::string_view as_view(const rocksdb::Slice& x) {
  return {x.data(), x.size()};
}

/// Something to read keys from: the database as it is, a snapshot of it, or a batch in the making on top of it.
class view {
 public:
  virtual ~view() = default;
  virtual std::optional<std::string> get(family where, std::string_view key) const = 0;
  /// In key order. After the loop `check_scan` must be called.
  virtual std::unique_ptr<rocksdb::Iterator> scan(family where) const = 0;
  /// Stops the node if the scan ended because of an error.
  virtual void check_scan(const rocksdb::Iterator& it) const = 0;

 protected:
  view() = default;
  view(const view&) = default;
  view& operator=(const view&) = default;
};

class database final : public view {
 public:
  /// Errors: `corrupt`, `io_error`, `disk_full`.
  static result<std::unique_ptr<database>> open(const data_directory& where, fatal_callback fatal);
  ~database() override;
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  std::optional<std::string> get(family where, std::string_view key) const override;
  std::unique_ptr<rocksdb::Iterator> scan(family where) const override;
  void check_scan(const rocksdb::Iterator& it) const override;

  /// Bytes of small content. Damage to a file's bytes is an answer, not the end of the node.
  /// Errors: `not_found`, `corrupt`, `io_error`.
  result<std::string> content(const digest& what, const rocksdb::ReadOptions& how = {}) const;

  /// Durable when it returns.
  void write(rocksdb::WriteBatch& batch);
  /// To be called now and then: however large the database is, a compaction takes no more free space than
  /// `limits::disk_reserve_bytes` has for it. Writer's thread.
  void bound_relocation();
  bool is_flushing_or_compacting(family where) const;
  /// What was written to this family goes to its tables soon, and what was erased leaves them. Does not wait for it.
  void begin_flush(family where);
  /// To be called after a write that changed which generation is in force.
  void look_at_generation();
  std::uint64_t syncs() const { return syncs_; }

  rocksdb::DB& raw() const { return *db_; }
  /// The two generations of the state take turns: when `swapped`, what is called `other_` holds the state in force.
  rocksdb::ColumnFamilyHandle* handle(family where, bool swapped) const;
  /// As it is for the writer.
  rocksdb::ColumnFamilyHandle* handle(family where) const { return handle(where, swapped_); }
  [[noreturn]] void stop(const std::string& why) const { stop_node(fatal_, why); }
  /// Ends the node unless `outcome` is good.
  void require(const rocksdb::Status& outcome, const char* what) const;

 private:
  database(synced_mark mark, fatal_callback fatal) : mark_(std::move(mark)), fatal_(std::move(fatal)) {}

  synced_mark mark_;
  fatal_callback fatal_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, families> handles_{};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<bool> swapped_{false};
  double relocated_share_ = 0;  ///< of the blob files, the oldest: as RocksDB was told; writer's thread
};

/// The database as it was when this was made.
class snapshot final : public view {
 public:
  explicit snapshot(const database& from);
  ~snapshot() override;
  snapshot(const snapshot&) = delete;
  snapshot& operator=(const snapshot&) = delete;

  std::optional<std::string> get(family where, std::string_view key) const override;
  std::unique_ptr<rocksdb::Iterator> scan(family where) const override;
  void check_scan(const rocksdb::Iterator& it) const override { from_.check_scan(it); }
  /// As the database's.
  result<std::string> content(const digest& what) const { return from_.content(what, options_); }

  // For what is built on it.
  rocksdb::DB& raw() const { return from_.raw(); }
  const rocksdb::ReadOptions& options() const { return options_; }
  rocksdb::ColumnFamilyHandle* handle(family where) const { return from_.handle(where, swapped_); }
  void require(const rocksdb::Status& outcome, const char* what) const { from_.require(outcome, what); }

 private:
  const database& from_;
  rocksdb::ReadOptions options_;
  bool swapped_ = false;
};

}  // namespace kaiku
