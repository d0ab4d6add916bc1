#pragma once

/// Purpose: a directory's files, reached from a descriptor of it that is held: a name is looked up beneath it and no
/// symbolic link is followed, so whoever can plant one there leads nobody astray.
/// Owner: `data_directory` makes one, whoever has files there shares it. Thread: any.
/// Names are relative, such as `blobs/ab/cd/...`; the path that was opened may lead through links, it is the
/// operator's.

#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/content.hpp"
#include "kaiku/core/error.hpp"

namespace kaiku {

/// As openat(2), but beneath `root` and through no symbolic link (ELOOP). `by_steps`: as on a kernel, or under a
/// filter, without openat2(2).
int open_beneath(int root, const std::filesystem::path& name, int flags, mode_t mode, bool by_steps = false);

class held_directory {
 public:
  /// Errors: `io_error`, `overloaded`.
  static result<std::shared_ptr<const held_directory>> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  int descriptor() const { return root_.get(); }

  /// `flags` of open(2). What it makes has mode 0600. Errors: `not_found`, and those of `failure`.
  result<unique_fd> open(const std::filesystem::path& name, int flags) const;
  /// Likewise, of a regular file: what else stands there is an error, and is waited for by nobody.
  result<unique_fd> open_file(const std::filesystem::path& name, int flags) const;

  // As the system calls, of the names themselves: zero, or the errno.
  int look(const std::filesystem::path& name, struct stat& found) const;
  int create(const std::filesystem::path& name, unique_fd& made) const;  ///< to read and write; EEXIST if it is there
  int make_directory(const std::filesystem::path& name) const;           ///< mode 0700
  int remove(const std::filesystem::path& name) const;
  int rename(const std::filesystem::path& from, const std::filesystem::path& to) const;
  int link(const std::filesystem::path& from, const std::filesystem::path& to) const;

  /// Makes a directory unless it is there, durable in this one. Errors: those of `failure`.
  status provide_directory(const std::filesystem::path& name) const;
  /// Fsyncs a directory, so that the names in it are durable. Errors: those of `failure`.
  status sync(const std::filesystem::path& name) const;
  /// The names in a directory, in no order. Errors: those of `failure`.
  result<std::vector<std::string>> list(const std::filesystem::path& name) const;
  /// At most `max` bytes of a file. Errors: `not_found`, and those of `failure`.
  result<std::string> read(const std::filesystem::path& name, std::size_t max) const;
  /// Writes a file of this directory so that after a crash it is there whole or not at all: `<name>.new`, fsync,
  /// rename, fsync of the directory.
  status write(const std::filesystem::path& name, std::string_view bytes) const;

  /// The error of a system call: `disk_full`, `overloaded` or `io_error`. Says what was done to what, and names a link.
  error failure(int code, const std::string& doing, const std::filesystem::path& name) const;

 private:
  held_directory(std::filesystem::path path, unique_fd root) : path_(std::move(path)), root_(std::move(root)) {}
  template <class Act>
  int in_parent(const std::filesystem::path& name, Act act) const;

  std::filesystem::path path_;
  unique_fd root_;
};

}  // namespace kaiku
