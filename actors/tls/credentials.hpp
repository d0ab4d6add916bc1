#pragma once

/// Purpose: what one port shows and asks for, read from files, and read again when those have changed.
/// Owner: holds the context that new connections begin with; those that stand keep theirs.
/// Lifecycle: loaded at the start, or the node does not start; `refresh` is called on SIGHUP and every
/// `limits::access_look_ms`. Thread: any.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sys/types.h>

#include "kaiku/core/error.hpp"
#include "kaiku/tls/context.hpp"

namespace kaiku {

class tls_credentials {
 public:
  /// `what` is for the log: `HTTPS`, `peer links`. Warns when the certificate is out of its time: it may be renewed
  /// while the node runs. Errors: as `make_tls_context`.
  static result<std::shared_ptr<tls_credentials>> load(std::string what, tls_use use, tls_files files);

  /// For one new connection.
  tls_context context() const;
  /// Reads the files again if they have changed since, or anyway. What does not load is logged, once, and changes
  /// nothing.
  void refresh(bool anyway);

 private:
  /// Which version of a file was read: a replaced one, also behind a symbolic link, has another.
  struct file_stamp {
    bool there = false;
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;
    friend bool operator==(const file_stamp&, const file_stamp&) = default;
  };

  tls_credentials(std::string what, tls_use use, tls_files files);
  std::vector<file_stamp> look() const;
  void tell(const tls_context& of) const;

  const std::string what_;
  const tls_use use_;
  const tls_files files_;
  std::mutex refreshing_;
  std::vector<file_stamp> seen_;  ///< guarded by `refreshing_`
  mutable std::mutex guard_;
  tls_context current_;  ///< guarded by `guard_`
};

}  // namespace kaiku
