// PUT, DELETE and POST under /files.

#include <algorithm>

#include "kaiku/http/api/change.hpp"
#include "kaiku/http/api/conditions.hpp"
#include "kaiku/http/api/digest_field.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/router.hpp"
#include "kaiku/http/api/target.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

/// What every change is asked with, read before any of its body.
struct change {
  file_target where;
  query_parameters query;
  client_write write;
};

result<change> parse_change(const exchange& ex, std::initializer_list<std::string_view> parameters) {
  auto where = parse_file_target(ex);
  if (!where) return where.failure();
  auto query = query_parameters::parse(ex.query, parameters);
  if (!query) return query.failure();
  auto want = parse_want(ex.in, *query);
  if (!want) return want.failure();
  auto when = write_precondition(ex.in);
  if (!when) return when.failure();
  change out{std::move(*where), std::move(*query), {}};
  out.write.want = *want;
  out.write.when = std::move(*when);
  return out;
}

/// The root is there and stays.
response root_problem() {
  return method_problem("GET, HEAD, OPTIONS");
}

struct put_plan {
  change asked;
  put_file file;
  std::vector<digest> promised;
};

/// All checks of a PUT that need no body. Errors as problem documents.
std::variant<put_plan, response> plan_put(exchange& ex) {
  auto asked = parse_change(ex, {"parents", "durability"});
  if (!asked) return problem(asked.failure());
  if (asked->where.path.is_root()) return root_problem();
  if (asked->where.trailing_slash)
    return problem({errc::invalid_path, "a file's path does not end in '/'; POST ?op=mkdir makes a directory"});
  if (ex.in.header("Content-Range"))
    return problem({errc::bad_request, "a PUT replaces the whole file: Content-Range is refused (RFC 9110, 14.5)"});
  auto coding = ex.in.header("Content-Encoding");
  if (coding && !same_token(*coding, "identity"))
    return problem({415, "unsupported_content_encoding", "The content coding can't be stored"},
                   "content is stored as it is sent; leave Content-Encoding out");
  auto type = stored_type(ex.in.header("Content-Type").value_or(""));
  if (!type) return problem(type.failure());
  auto parents = asked->query.flag("parents", true);
  if (!parents) return problem(parents.failure());
  auto promised = promised_digests(ex.in);
  if (!promised) return problem(promised.failure());
  put_plan out{std::move(*asked), {}, std::move(*promised)};
  out.file.path = out.asked.where.path;
  out.file.properties.content_type = std::move(*type);
  out.file.make_parents = *parents;
  return out;
}

}  // namespace

task<response> put_path(exchange& ex) {
  auto planned = plan_put(ex);
  if (auto* refused = std::get_if<response>(&planned)) co_return std::move(*refused);
  auto& plan = std::get<put_plan>(planned);
  auto taken = co_await take_content(ex, ex.body, plan.promised, plan.file, plan.asked.write);
  if (!taken) co_return problem(taken.failure());
  auto path = plan.file.path;
  plan.asked.write.what = std::move(plan.file);
  auto answer = co_await send_change(ex, std::move(plan.asked.write), std::move(path), true);
  co_return answer;
}

task<response> delete_path(exchange& ex) {
  auto asked = parse_change(ex, {"recursive", "durability"});
  if (!asked) co_return problem(asked.failure());
  if (asked->where.path.is_root()) co_return root_problem();
  auto recursive = asked->query.flag("recursive", false);
  if (!recursive) co_return problem(recursive.failure());
  if (asked->where.trailing_slash) {
    auto info = ex.node.stat(asked->where.path);
    if (info.ok() && !info->is_directory())
      co_return problem({errc::not_found, "a file stands here, and the path asks for a directory"});
  }
  asked->write.what = remove_path{asked->where.path, *recursive, {}};
  auto answer = co_await send_change(ex, std::move(asked->write), asked->where.path, false);
  if (answer.status == 201) answer.status = 204;
  co_return answer;
}

task<response> post_path(exchange& ex) {
  const bool form = !names_parameter(ex.query, "op");
  if (form) {
    auto stored = co_await post_form(ex);
    co_return stored;
  }
  auto asked = parse_change(ex, {"op", "parents", "durability"});
  if (!asked) co_return problem(asked.failure());
  if (asked->query.get("op") != "mkdir") co_return problem({errc::bad_request, "op is mkdir"});
  if (asked->where.path.is_root()) co_return problem({errc::already_exists, "the root directory is always there"});
  auto parents = asked->query.flag("parents", true);
  if (!parents) co_return problem(parents.failure());
  asked->write.what = make_directory{asked->where.path, {}, *parents};
  auto answer = co_await send_change(ex, std::move(asked->write), asked->where.path, true);
  co_return answer;
}

}  // namespace kaiku
