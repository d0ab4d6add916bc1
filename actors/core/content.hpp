#pragma once

/// Purpose: content as it is handed from a disk to who sends it: bytes in memory when small, a checked reader when
/// large. Thread: a value; one owner at a time.

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "kaiku/core/error.hpp"
#include "kaiku/core/ids.hpp"
#include "kaiku/core/limits.hpp"

namespace kaiku {

/// Owns a file descriptor; closes it.
class unique_fd {
 public:
  unique_fd() = default;
  explicit unique_fd(int fd) : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& other) noexcept;
  unique_fd(const unique_fd&) = delete;
  unique_fd& operator=(const unique_fd&) = delete;
  ~unique_fd();

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Large content, read in pieces. Bytes that do not match the checksum that was taken when they came are never given
/// out. Blocks on the disk. Thread: any, one at a time.
class content_reader {
 public:
  virtual ~content_reader() = default;
  /// Fills `into` with the bytes from `offset` on, all of which must lie within the content. Errors: `corrupt`,
  /// `io_error`; what is in `into` is then not to be used.
  virtual status read(std::uint64_t offset, std::span<char> into) const = 0;
  /// Forgets what of it is in memory, which says nothing about the disk: the next `read` asks the disk.
  virtual void drop_cached() const = 0;
};

/// How much to read at once at `offset`, with `left` bytes to go: so that after the first piece each covers whole
/// blocks, which are read and checked where they are wanted.
inline std::size_t piece_at(std::uint64_t offset, std::uint64_t left) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(left, limits::chunk_bytes - offset % limits::chunk_bytes));
}

/// A file's bytes, ready to be sent. Stays readable when the file is replaced or removed meanwhile.
struct opened_content {
  byte_count size;
  std::string bytes;                     ///< all of it, when `file` is empty
  std::unique_ptr<content_reader> file;  ///< of `size` bytes
};

}  // namespace kaiku
