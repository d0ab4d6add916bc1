#pragma once

/// Purpose: what every command is run with, and the commands. A header for all: each is a function of its own file.
/// Thread: the process's only one.

#include "kaiku/cli/arguments.hpp"
#include "kaiku/cli/courier.hpp"
#include "kaiku/cli/output.hpp"

namespace kaiku::cli {

struct session {
  const arguments& asked;
  courier& net;
  output& out;
};

/// The answer to one request, which must be a success; else the trouble is told and `code` says which.
struct good_answer {
  std::optional<answer> got;
  exit_code code = exit_code::done;
};
good_answer ask(session& with, request what, const std::string& subject);
/// The same, of a JSON document; empty with `code` when there is none.
struct good_document {
  std::optional<json> got;
  exit_code code = exit_code::done;
};
good_document ask_document(session& with, request what, const std::string& subject);

/// Fields that say how fresh an answer has to be, as asked for with `--consistency` and `--after`.
field_list freshness_fields(const arguments& asked);
/// Fields of a change: `--durability`, `--if-match`.
field_list change_fields(const arguments& asked);

// --- files ---
exit_code run_put(session& with);
exit_code run_get(session& with);
exit_code run_cat(session& with);
exit_code run_ls(session& with);
exit_code run_tree(session& with);
exit_code run_stat(session& with);
exit_code run_rm(session& with);
exit_code run_mv(session& with);
exit_code run_cp(session& with);
exit_code run_mkdir(session& with);
exit_code run_write_status(session& with);
// --- the cluster ---
exit_code run_cluster_status(session& with);
exit_code run_members_list(session& with);
exit_code run_members_add(session& with);
exit_code run_members_remove(session& with);
exit_code run_transfer(session& with);
exit_code run_health(session& with);
exit_code run_actors(session& with);
exit_code run_trace_put(session& with);
exit_code run_trace_show(session& with);

}  // namespace kaiku::cli
