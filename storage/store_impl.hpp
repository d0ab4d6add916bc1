#pragma once

/// Purpose: what stands behind `store`: the database, and the copies of the facts that are asked for all the time.
/// Included by the sources of `store` and `store_view` only.
/// Thread: as the store's; `mutex` guards the copies, which the writer's thread alone changes.

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include "kaiku/storage/changes.hpp"
#include "kaiku/storage/data_directory.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

struct read_piece;

struct store::impl {
  impl(data_directory claimed, std::unique_ptr<database> opened, content_store& files,
       std::function<unix_time_ms()> wall, std::shared_ptr<change_feed> watcher)
      : directory(std::move(claimed)),
        db(std::move(opened)),
        content(files),
        clock(std::move(wall)),
        feed(std::move(watcher)) {}

  changes begin() const { return {*db, figures, clock(), feed != nullptr}; }
  /// Writes `batch` with `next` as the hard state, synced, and then lets everybody see it. Writes nothing if nothing
  /// would change.
  void commit(changes& batch, const hard_state& next);
  /// The same with nothing but the hard state.
  void commit(const hard_state& next);

  /// `disk_full` when this is all that is left: one of the reserves of `content`.
  status check_space(std::uint64_t reserve) const;
  /// Content of one proposal: here already, or put into the batch, or adopted.
  status provide(changes& batch, const content_ref& what, std::string_view small_content);
  bool is_here(const digest& what) const;
  /// Puts one proposal into the batch as the entry behind `before`, or refuses it and leaves the batch as it was.
  proposed evaluate(changes& batch, const proposal& what, log_position before, term in_term);

  /// Bytes of small content by digest, verified.
  using small_bytes = std::map<digest, std::string_view>;
  /// How many of the first `entries` stand in the log, or are behind its beginning. Errors: `corrupt` (another entry or
  /// command is there, which can't be).
  result<std::size_t> count_known(std::span<const log_entry> entries) const;
  /// Puts the entries of a leader into the batch, behind the one at `before`, in place of what stands there. Fails
  /// before anything is adopted, but for an error of the disk. Errors: `disk_full`, `content_missing`, `corrupt`,
  /// `io_error`.
  status take(changes& batch, log_position before, std::span<const log_entry> entries,
              std::span<const command> commands, const small_bytes& small, std::size_t& displaced_here);
  /// Takes back what a batch that is not written has adopted.
  void disown(std::span<const digest> blobs);

  /// The log holds it, or held it before it was compacted.
  bool has_entry(log_position at) const;
  void commit_install(changes& batch, std::optional<install_progress> next);
  status take(changes& batch, const read_piece& piece, std::vector<content_ref>& missing);
  /// Content that is missing and that the state of this position, being installed, names.
  std::vector<content_ref> lacked(log_index of, std::size_t limit) const;
  /// Whether what was received of a state being installed names it.
  bool is_named_by_install(const digest& what) const;
  /// Puts the installed state in force, in one batch.
  void replace_state(const hard_state& next, const std::map<log_index, term>& starts);

  /// Writes the batch, with this state as that of a new cluster behind the entry `last` of another one.
  void found(changes& batch, log_position last, const set_members& named);

  class collector;
  bool is_named_in_a_view(const digest& what) const;

  data_directory directory;  ///< declared first: unlocked last
  std::unique_ptr<database> db;
  content_store& content;
  std::function<unix_time_ms()> clock;
  std::shared_ptr<change_feed> feed;  ///< may be empty

  mutable std::mutex mutex;
  hard_state state;                         ///< guarded by `mutex`; the writer's thread reads it without
  membership members;                       ///< likewise
  bool latecomer = false;                   ///< likewise
  tally figures;                            ///< likewise
  std::optional<install_progress> install;  ///< likewise
  incarnation disk;                         ///< constant after `open`
  /// Where walks over keys that they remove go on: what was removed is slow to pass. Writer's thread.
  std::string reclaimed_to;  ///< of `dentries`
  std::string dropped_to;    ///< of `work`
  std::string cleared_to;    ///< of `other_inodes`
  byte_count dropped_small;  ///< since RocksDB was last made to look at it; writer's thread
  mutable std::mutex views_mutex;
  std::set<const kaiku::snapshot*> views;  ///< alive, guarded by `views_mutex`
  std::atomic<std::uint64_t> displaced{0};
  std::atomic<std::uint64_t> written{0};  ///< log entries
};

}  // namespace kaiku
