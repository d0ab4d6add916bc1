#pragma once

/// Purpose: what stands behind `store`: the database, and the copies of the facts that are asked for all the time.
/// Included by store.cpp and fence.cpp only.
/// Thread: as the store's; `mutex_` guards the copies, which the writer's thread alone changes.

#include <atomic>
#include <map>
#include <mutex>

#include "kaiku/storage/changes.hpp"
#include "kaiku/storage/data_directory.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

struct store::impl {
  impl(data_directory claimed, std::unique_ptr<database> opened, content_store& files)
      : directory(std::move(claimed)), db(std::move(opened)), content(files) {}

  /// Writes `batch` with `next` as the hard state, synced, and then lets everybody see it.
  void commit(changes& batch, const hard_state& next);
  /// The same with nothing but the hard state, unless it is what stands there.
  void commit(const hard_state& next);

  /// `disk_full` when the reserve is reached; what frees space may use half of it, what elects a leader too.
  status check_space(bool frees_space) const;
  /// Content of one proposal: here already, or put into the batch, or adopted.
  status provide(changes& batch, const content_ref& what, std::string_view small_content);
  /// Puts one proposal into the batch as the entry at `at`, or refuses it and leaves the batch as it was.
  proposed evaluate(changes& batch, const proposal& what, log_position at);

  /// Bytes of small content by digest, verified.
  using small_bytes = std::map<digest, std::string_view>;
  /// How many of the first `entries` stand in the log. Errors: `corrupt` (with another command).
  result<std::size_t> count_known(std::span<const log_entry> entries) const;
  /// Puts the entries of a leader into the batch in place of what stands there. Fails before anything is adopted, but
  /// for an error of the disk. Errors: `disk_full`, `content_missing`, `corrupt`, `io_error`.
  status take(changes& batch, std::span<const log_entry> entries, std::span<const command> commands,
              const small_bytes& small, std::size_t& displaced_here);

  data_directory directory;  ///< declared first: unlocked last
  std::unique_ptr<database> db;
  content_store& content;

  mutable std::mutex mutex;
  hard_state state;    ///< guarded by `mutex`; the writer's thread reads it without
  membership members;  ///< likewise
  incarnation disk;    ///< constant after `open`
  std::atomic<std::uint64_t> displaced{0};
};

}  // namespace kaiku
