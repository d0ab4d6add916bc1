#pragma once

/// Purpose: what one port shows and asks for, read from files, and read again when those have changed.
/// Owner: holds the context that new connections begin with; those that stand keep theirs.
/// Lifecycle: loaded at the start, or the node does not start; `refresh` is called on SIGHUP and every
/// `limits::access_look_ms`. Thread: any.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kaiku/core/error.hpp"
#include "kaiku/core/ids.hpp"
#include "kaiku/secrets/file_stamp.hpp"
#include "kaiku/tls/context.hpp"

namespace kaiku {

class tls_credentials {
 public:
  /// `what` is for the log: `HTTPS`, `peer links`. Warns when the certificate is out of its time: it may be renewed
  /// while the node runs. Errors: as `make_tls_context`.
  static result<std::shared_ptr<tls_credentials>> load(std::string what, tls_use use, tls_files files);

  /// When the certificate runs out.
  unix_time_ms expires() const;
  /// For one new connection.
  tls_context context() const;
  /// Reads the files again if they have changed since, or anyway. What does not load is logged, once, changes nothing,
  /// and is tried again the next time. Warns when the certificate, or a list of revoked ones, is about to run out, and
  /// when it has.
  void refresh(bool anyway);

 private:
  tls_credentials(std::string what, tls_use use, tls_files files);
  std::vector<file_stamp> look() const;
  void tell(const tls_context& of);
  void warn_of_expiry();
  void warn_of_lists();

  const std::string what_;
  const tls_use use_;
  const tls_files files_;
  std::mutex refreshing_;
  // Guarded by `refreshing_`.
  std::vector<file_stamp> seen_;  ///< of what was loaded
  std::string complaint_;         ///< what was last said of what does not load
  enum class expiry : std::uint8_t { far, near, past };
  static expiry expiry_in(std::int64_t left_ms, std::int64_t warning_ms);
  expiry told_ = expiry::far;
  unix_time_ms lists_end_;      ///< of the list of revoked ones that runs out first; 0: there is none
  std::string lists_end_text_;  ///< for a person
  expiry told_of_lists_ = expiry::far;
  mutable std::mutex guard_;
  tls_context current_;  ///< guarded by `guard_`
};

}  // namespace kaiku
