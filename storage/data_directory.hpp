#pragma once

/// Purpose: the directory that a store lives in: told from other directories by its FORMAT file, held by a lock.
/// Owner: the store, for as long as it is open; the lock ends with this object (and with the process).
/// Thread: any.

#include <filesystem>

#include "kaiku/core/content.hpp"
#include "kaiku/core/error.hpp"

namespace kaiku {

class data_directory {
 public:
  /// Makes the directory if it is missing, locks it, and sees that it is one of ours, or empty and then made ours.
  /// Errors: `in_use`, `bad_request` (not a Kaiku directory, or of another format), `corrupt`, `io_error`, `disk_full`.
  static result<data_directory> claim(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path database() const { return path_ / "db"; }
  std::filesystem::path mark() const { return path_ / "SYNCED"; }

 private:
  data_directory(std::filesystem::path path, unique_fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  unique_fd lock_;
};

}  // namespace kaiku
