#pragma once

/// Purpose: what travels between simulated nodes: the core's own messages, and the two whose actor versions carry more.
/// Thread: values.

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "kaiku/core/command.hpp"
#include "kaiku/core/election.hpp"
#include "kaiku/core/fence.hpp"
#include "kaiku/core/liveness.hpp"
#include "kaiku/core/replication.hpp"

namespace kaiku::simulation {

struct append_entries {
  node_id leader;
  term in_term;
  log_position previous;
  std::vector<log_entry> entries;
  log_index commit;
};

struct timeout_now {
  term in_term;
};

/// The log is too short for you: take the state at this entry.
struct install_snapshot {
  node_id leader;
  term in_term;
  log_position at;
};

struct read_snapshot {
  node_id reader;
  log_position at;
  std::size_t cursor = 0;
};

/// A piece of the state: what the log up to `at` says, from `cursor` on.
struct snapshot_range {
  log_position at;
  std::size_t cursor = 0;
  std::vector<log_entry> entries;
  bool last = false;
};

using message = std::variant<vote_request, vote_reply, heartbeat, heartbeat_reply, append_entries, append_reply,
                             timeout_now, install_snapshot, read_snapshot, snapshot_range>;

/// One message, shared by its copies on the way.
using parcel = std::shared_ptr<const message>;

/// Thrown out of a node's own code: its process ends here, in the middle of what it was doing.
struct process_died {
  node_id who;
};

/// One line for the diary.
std::string describe(const message& x);
/// Disks by their last byte.
std::string describe(const membership& x);

}  // namespace kaiku::simulation
