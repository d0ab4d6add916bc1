#pragma once

/// Purpose: an archive in a file, or at standard input or output. Thread: the process's only one.

#include <filesystem>
#include <string>
#include <string_view>

#include "kaiku/archive/backup.hpp"
#include "kaiku/core/content.hpp"

namespace kaiku {

/// Reads it from its beginning.
class archive_file final : public byte_source {
 public:
  /// `-`: standard input. Errors: `io_error` (also: there is none), `overloaded`.
  static result<archive_file> open(const std::string& name);
  result<std::size_t> read(std::span<char> into) override;

 private:
  archive_file(unique_fd file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}
  unique_fd file_;
  std::string name_;
};

/// Writes one that must not be there yet, under another name until it is whole, for its owner's eyes only. Of two that
/// write the same one, the second is refused. `-`: standard output, as it comes.
class new_archive {
 public:
  /// Errors: `already_exists`, `in_use`, `io_error`, `disk_full`.
  static result<new_archive> create(const std::string& name);
  new_archive(new_archive&&) noexcept = default;
  new_archive& operator=(new_archive&&) noexcept = delete;
  /// What was not kept is removed.
  ~new_archive();

  status write(std::string_view bytes);
  bool is_file() const { return !partial_.empty(); }
  /// What was written so far, on the disk. Empty: it is no file.
  const std::string& partial() const { return partial_; }
  /// Durable, under its own name. Errors: `already_exists` (by now), `io_error`, `disk_full`.
  status keep();

 private:
  new_archive(unique_fd file, std::string name, std::string partial)
      : file_(std::move(file)), name_(std::move(name)), partial_(std::move(partial)) {}
  unique_fd file_;
  std::string name_, partial_;
};

}  // namespace kaiku
