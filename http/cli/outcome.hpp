#pragma once

/// Purpose: how a command can end: the exit codes, documented in docs/cli.md, and what is said of a failure.
/// Thread: values.

#include <string>
#include <string_view>

#include "kaiku/core/error.hpp"

namespace kaiku::cli {

enum class exit_code : int {
  done = 0,
  failed = 1,        ///< a local file, a disk, damaged content, or a server's mistake
  usage = 2,         ///< the command line or a variable makes no sense
  not_found = 3,     ///< nothing stands there
  refused = 4,       ///< what stands there forbids it: a condition, a directory in the way, another kind of thing
  no_access = 5,     ///< no token, or one that may not
  unavailable = 6,   ///< no node was reached, or none could in time
  less_durable = 7,  ///< recorded, by fewer nodes than asked for
  some_failed = 8,   ///< of several files
  unknown = 9,       ///< a change was sent and its answer never came: it may stand
  interrupted = 130,
};

/// What happened, to what, and what to do.
struct failure {
  exit_code code = exit_code::failed;
  std::string what;     ///< for a person, in one line, without a full stop; names come as they are
  std::string problem;  ///< the server's code for it (docs/http.md, Errors); empty: none
};

/// Of something local.
inline failure local_failure(const error& e) {
  return {exit_code::failed, e.detail, {}};
}
inline failure usage_failure(std::string what) {
  return {exit_code::usage, std::move(what), {}};
}

}  // namespace kaiku::cli
