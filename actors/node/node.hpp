#pragma once

/// Purpose: one Kaiku node: opens the disk, makes the actors and tells them of each other, links to peers, serves HTTP.
/// Owner: owns everything the process has. Thread: made, shut down and destroyed on the main thread.
/// Lifecycle: `start` -> running -> `shut_down` -> destroyed.

#include <memory>

#include "kaiku/core/error.hpp"
#include "kaiku/node/options.hpp"

namespace kaiku {

class node {
 public:
  /// Errors say what to mend: the certificates', the data directory's, the peer port's and the HTTP port's.
  static result<std::unique_ptr<node>> start(const options& with);
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Reads again the files that may change while it runs: those that have changed, or, if `all`, every one. What can't
  /// be read is logged, and the old stays in force.
  void reload(bool all);
  /// Hands over leadership, finishes the requests in flight, closes. Takes at most `limits::shutdown_grace_ms`.
  void shut_down();

 private:
  struct impl;
  explicit node(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

/// For what can't go on (a failed fsync, a dead actor): one line to the log, exit code 70, no destructor runs.
[[noreturn]] void end_process(const std::string& why);

}  // namespace kaiku
