// kaiku rm, mv, cp, mkdir: changes that the leader makes in one step each.

#include <map>

#include "kaiku/cli/remote.hpp"

namespace kaiku::cli {
namespace {

/// Sends one change of `path`, and tells what came of it. `done` is what is said then, such as `removed`.
exit_code change(session& with, request what, const std::string& subject, const std::string& done) {
  what.fields = change_fields(with.asked);
  const auto result = ask(with, with_key(std::move(what)), subject);
  if (!result.got) return result.code;
  const auto& got = *result.got;
  if (const auto none = no_token(got, subject)) {
    with.out.complain(*none);
    return none->code;
  }
  with.out.record({{"path", subject},
                   {"result", done},
                   {"token", got.field("kaiku-token")},
                   {"durability", got.field("kaiku-durability")},
                   {"replicas", got.field("kaiku-replicas")}});
  if (!with.asked.quiet)
    with.out.line(with.out.name(subject) + ": " + with.out.name(done) + ", recorded by " +
                  with.out.name(got.field("kaiku-replicas")) + " nodes (" +
                  with.out.name(got.field("kaiku-durability")) + "), token " + with.out.name(got.field("kaiku-token")));
  if (got.code != 202) return exit_code::done;
  with.out.complain(
      {exit_code::less_durable, subject + ": fewer nodes have it than asked for; it is replicated further", {}});
  return exit_code::less_durable;
}

class several {
 public:
  explicit several(std::size_t count) : count_(count) {}
  /// False: there is no point in going on.
  bool add(exit_code now) {
    const bool ends_all = now == exit_code::interrupted || now == exit_code::no_access ||
                          now == exit_code::unavailable || now == exit_code::unknown;
    if (ends_all || count_ == 1) {
      code_ = now;
      return now == exit_code::done;
    }
    if (now != exit_code::done) code_ = exit_code::some_failed;
    return true;
  }
  exit_code code() const { return code_; }

 private:
  std::size_t count_;
  exit_code code_ = exit_code::done;
};

exit_code move_or_copy(session& with, const std::string& operation, const std::string& done) {
  const auto& paths = with.asked.paths;
  const auto to = parse_remote(paths.back());
  if (!to) return refuse(with, to.failure().detail);
  const bool into = paths.size() > 2 || paths.back().ends_with('/');
  const auto sources = parse_all({paths.begin(), paths.end() - 1});
  if (!sources) return refuse(with, sources.failure().detail);
  std::map<file_path, file_path> by_target;
  for (const auto& from : *sources) {
    const auto target = into ? below(*to, from.name()) : to;
    if (!target) return refuse(with, target.failure().detail);
    const auto [known, is_new] = by_target.emplace(*target, from);
    if (!is_new) return refuse(with, same_target(shown(known->second), shown(from), shown(*target)));
  }
  several all(sources->size());
  for (const auto& from : *sources) {
    const auto target = into ? below(*to, from.name()) : to;
    std::string query = "op=" + operation + "&to=" + query_value(shown(*target));
    if (with.asked.no_overwrite) query += "&overwrite=false";
    const auto now = change(with, {.method = "POST", .target = files_target(from.text(), query)}, shown(from),
                            done + " to " + shown(*target));
    if (!all.add(now)) break;
  }
  return all.code();
}

}  // namespace

exit_code run_rm(session& with) {
  const auto& given = with.asked.paths;
  const auto paths = parse_all(given);
  if (!paths) return refuse(with, paths.failure().detail);
  several all(paths->size());
  for (std::size_t i = 0; i < paths->size(); ++i) {
    const auto& path = (*paths)[i];
    auto target = files_target(path.text() + (given[i].ends_with('/') && !path.is_root() ? "/" : ""),
                               with.asked.recursive ? "recursive=true" : "");
    if (!all.add(change(with, {.method = "DELETE", .target = std::move(target)}, shown(path), "removed"))) break;
  }
  return all.code();
}

exit_code run_mv(session& with) {
  return move_or_copy(with, "move", "moved");
}

exit_code run_cp(session& with) {
  return move_or_copy(with, "copy", "copied");
}

exit_code run_mkdir(session& with) {
  const auto paths = parse_all(with.asked.paths);
  if (!paths) return refuse(with, paths.failure().detail);
  several all(paths->size());
  for (const auto& path : *paths)
    if (!all.add(
            change(with, {.method = "POST", .target = files_target(path.text(), "op=mkdir")}, shown(path), "made")))
      break;
  return all.code();
}

}  // namespace kaiku::cli
