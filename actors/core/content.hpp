#pragma once

/// Purpose: content as it is handed from a disk to a socket: bytes in memory when small, an open file when large.
/// Thread: a value; one owner at a time.

#include <memory>
#include <string>
#include <utility>

#include "kaiku/core/ids.hpp"

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

/// A file's bytes, ready to be sent. Stays readable when the file is replaced or removed meanwhile.
struct opened_content {
  byte_count size;
  std::string bytes;  ///< all of it, when `file` is empty
  unique_fd file;     ///< positioned reads only (`pread`, `sendfile` with an offset)
};

}  // namespace kaiku
