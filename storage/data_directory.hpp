#pragma once

/// Purpose: the directory that a store lives in: told from other directories by its FORMAT file, held by a lock.
/// Owner: the store, for as long as it is open; the lock ends with this object (and with the process).
/// Thread: any.

#include <filesystem>
#include <memory>
#include <utility>

#include "kaiku/core/content.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/storage/held_directory.hpp"

namespace kaiku {

class data_directory {
 public:
  /// The file of the synced mark.
  static constexpr const char* mark = "SYNCED";

  /// Makes the directory if it is missing, locks it, and sees that it is one of ours, or empty and then made ours; that
  /// nothing in it is a symbolic link where a directory has to be; and that nobody but this user, root, and a group of
  /// this user's can change the database. Where another user made it, all of it has to be such a group's to change.
  /// Errors: `in_use`, `bad_request` (not a Kaiku directory, or of another format), `corrupt`, `io_error`, `disk_full`.
  static result<data_directory> claim(const std::filesystem::path& path);

  /// Everything in it but the database, which RocksDB opens by its path.
  const std::shared_ptr<const held_directory>& files() const { return files_; }
  std::filesystem::path database() const { return files_->path() / "db"; }

 private:
  data_directory(std::shared_ptr<const held_directory> files, unique_fd lock)
      : files_(std::move(files)), lock_(std::move(lock)) {}

  std::shared_ptr<const held_directory> files_;
  unique_fd lock_;
};

}  // namespace kaiku
