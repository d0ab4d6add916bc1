#pragma once

/// Purpose: fills an empty store with a state that comes entry by entry, as from a backup, and makes a new cluster of
/// it. Entries get inodes of their own; versions, times and properties are kept.
/// Owner: borrows the store, to which nobody else speaks. Lifecycle: until `finish`, or until it is dropped with the
/// store's directory: what is there before is no store that a node could use. Thread: one.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/storage/store.hpp"

namespace kaiku {

class changes;

class state_builder {
 public:
  explicit state_builder(store& into);
  ~state_builder();
  state_builder(const state_builder&) = delete;
  state_builder& operator=(const state_builder&) = delete;

  // In the order of a recursive listing: the root first, each directory in front of what is in it, and all of that
  // before what follows the directory. Errors: `corrupt` (another order, a name that comes twice, a version without an
  // entry, content that is not what `info` names), `disk_full`, `io_error`. After one only destruction may follow.
  status add_directory(const file_path& path, const file_info& info);
  /// The content follows by `write`, then `end_file`.
  status begin_file(const file_path& path, const file_info& info);
  status write(std::string_view bytes);
  status end_file();

  /// That was all, and it is the state of the entry `last` of a former cluster. From now on it is that of a new one.
  /// Errors: as above, and `corrupt` if something was changed behind `last`.
  status finish(log_position last, const set_members& members);

 private:
  struct directory {
    std::size_t path_bytes;  ///< of `innermost_` are its path
    inode_id inode;
  };

  status place(const file_path& path, file_info info);
  status flush_if_full();
  void flush();

  store& into_;
  std::unique_ptr<changes> batch_;
  std::size_t gathered_ = 0;                        ///< entries in the batch
  std::size_t gathered_bytes_ = 0;                  ///< of small content in it
  std::vector<std::unique_ptr<staged_file>> kept_;  ///< adopted by the batch, which is not written yet
  std::vector<directory> way_;                      ///< from the root to where the last entry stands
  std::string innermost_;                           ///< path of the last directory that came
  inode_id last_inode_{1};
  log_position newest_;  ///< the highest term and the highest index that changed any of the entries
  // The file whose content comes.
  std::optional<content_ref> content_;
  std::string small_;
  std::unique_ptr<staged_file> large_;  ///< empty: it is here already
  sha256_hasher hasher_;
  byte_count size_;
};

}  // namespace kaiku
