#pragma once

/// Purpose: the name space: what a command does to the tree of inodes, and what stands at a path. Pure: `plan` reads a
/// view and says what to write; equal views and commands give equal writes on every node. Included by this folder only.
/// Thread: any.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/storage/database.hpp"

namespace kaiku::tree {

/// One key of the state to write, or to remove.
struct state_write {
  family where;
  std::string key;
  std::optional<std::string> value;
};

/// All that a command does.
struct change {
  std::vector<state_write> writes;
  file_info file;        ///< what stands at the path afterwards (put, make directory)
  bool created = false;  ///< nothing stood there before
};

/// Evaluates `what` as the entry at `at`. First what the command needs of the tree, then the precondition, as
/// RFC 9110, 13.2.1 has it: a precondition is looked at only where the command would succeed without it. A file whose
/// time is over by the command's own time counts as absent.
/// Errors: those of the commands, `precondition_failed`, `wrong_cluster`.
result<change> plan(const view& state, const command& what, const precondition& when, log_position at);

/// What a request with this key was answered; nothing if it is not known.
std::optional<format::request_value> find_request(const view& state, const digest& key);

/// What a page is to begin behind, and hold.
struct page_request {
  std::string_view after;
  std::size_t limit = 0;
  const list_filter& what;
};

/// Both as a reader sees it at `now`. Errors: `not_found`.
result<file_info> stat(const view& state, const file_path& path, unix_time_ms now);
/// Errors: `not_found`, `not_a_directory`.
result<directory_page> list(const view& state, const file_path& path, const page_request& wanted, unix_time_ms now);
/// The first of `expiries`.
std::optional<unix_time_ms> next_expiry(const view& state);
/// All zero and empty before the first `set_members`.
membership members(const view& state);
/// The root directory as it is before the first entry.
file_info empty_root();

}  // namespace kaiku::tree
