#pragma once

/// Purpose: a download until it is whole: a file beside its target, under a name that follows from the target and the
/// version, so that the next attempt finds it. It takes the target's place in one step, or stays.
/// Owner: the file, by a lock that ends with the process. Thread: one at a time.

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kaiku/cli/local_folder.hpp"
#include "kaiku/core/error.hpp"

namespace kaiku::cli {

class partial_file {
 public:
  /// Opens what an earlier attempt has left of this version, or begins it.
  /// Errors: `in_use` (another process loads the same), `is_a_directory`, `io_error`: also when the target is there and
  /// is neither a file nor a link.
  static result<partial_file> open(std::shared_ptr<const open_folder> folder, const std::string& target,
                                   std::string_view etag);

  /// Bytes that are there.
  std::uint64_t size() const { return size_; }
  /// Adds to its end. Errors: `io_error`, `disk_full`.
  status append(std::string_view bytes);
  /// Up to `most` bytes from `offset`. Errors: `io_error`.
  result<std::string> read(std::uint64_t offset, std::size_t most) const;
  /// Forgets what is behind. Errors: `io_error`.
  status cut(std::uint64_t size);
  /// Takes the target's place, and the mode of a file there; a link there is replaced, not followed. What attempts at
  /// other versions have left goes. Errors: `io_error`, `is_a_directory`.
  status keep();
  /// Removes it: what it holds is of no use.
  void discard();

 private:
  std::shared_ptr<const open_folder> folder_;
  std::string target_, name_;
  descriptor file_;
  std::uint64_t size_ = 0;
  std::optional<mode_t> mode_;  ///< of the file that stands in the target's place
};

}  // namespace kaiku::cli
