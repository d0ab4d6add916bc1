#pragma once

/// Purpose: the store as it was at one moment: the end of the log and the state that goes with it, however much is
/// written since. Content that it names is not reclaimed while it lives.
/// Owner: who asked for it; holds the store's database open, and what it names on the disk, so let it go soon.
/// Thread: any, several at once.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "kaiku/core/command.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/core/fence.hpp"

namespace kaiku {

class view;

/// Some of a state, for another disk.
struct snapshot_piece {
  std::string bytes;   ///< for `store::install_piece`
  std::string cursor;  ///< for the next call
  bool done = false;   ///< this was the last
};

/// How far a state that is being installed has come.
struct install_progress {
  log_position at;        ///< of the state
  std::string cursor;     ///< behind which the next piece begins
  bool complete = false;  ///< all pieces are here, but perhaps not all content

  friend bool operator==(const install_progress&, const install_progress&) = default;
};

class store_view {
 public:
  ~store_view();
  store_view(const store_view&) = delete;
  store_view& operator=(const store_view&) = delete;

  /// End of the log, or the entry that the view was asked for. The state is the fold up to it, so it is committed when
  /// this position is.
  log_position last() const;
  /// As `store::stat` and `store::list`; what had expired when the view was taken is not there any more.
  result<file_info> stat(const file_path& path) const;
  result<directory_page> list(const file_path& path, std::string_view after, std::size_t limit,
                              const list_filter& what = {}) const;

  /// What follows the cursor `after` (empty: from the beginning) of the state, its members, and the starts of terms;
  /// about `max_bytes`, but at least one record. Small content comes along with the first in a piece that names it.
  snapshot_piece read_piece(std::string_view after, std::size_t max_bytes) const;

 private:
  friend class store;
  friend class name_space;
  struct inner;
  explicit store_view(std::unique_ptr<inner> of);
  const view& state() const;
  /// Of the snapshot: orders it among the batches.
  std::uint64_t sequence() const;

  std::unique_ptr<inner> inner_;
};

}  // namespace kaiku
