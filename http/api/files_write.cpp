// PUT, DELETE and PATCH under /files.

#include "kaiku/http/api/change.hpp"
#include "kaiku/http/api/digest_field.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/property_fields.hpp"
#include "kaiku/http/api/request_name.hpp"

namespace kaiku {
namespace {

constexpr std::string_view patch_type = "application/merge-patch+json";

struct put_plan {
  change asked;
  put_file file;
  std::vector<digest> promised;
};

/// All checks of a PUT that need no body. Errors as problem documents.
std::variant<put_plan, response> plan_put(exchange& ex) {
  auto asked = parse_change(ex, {"parents", "overwrite", "ttl", "durability"});
  if (!asked) return problem(asked.failure());
  if (asked->where.path.is_root()) return root_problem();
  if (asked->where.trailing_slash) return slash_problem();
  if (ex.in.header("Content-Range"))
    return problem({errc::bad_request, "a PUT replaces the whole file: Content-Range is refused (RFC 9110, 14.5)"});
  auto properties = properties_of(ex.in, asked->query);
  if (!properties) return problem(properties.failure());
  auto parents = asked->query.flag("parents", true), overwrite = asked->query.flag("overwrite", true);
  if (!parents) return problem(parents.failure());
  if (!overwrite) return problem(overwrite.failure());
  auto promised = promised_digests(ex.in);
  if (!promised) return problem(promised.failure());
  put_plan out{std::move(*asked), {}, std::move(*promised)};
  if (!*overwrite) out.asked.write.when.if_none_match_any = true;
  out.file.path = out.asked.where.path;
  out.file.properties = std::move(*properties);
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
  if (plan.asked.name) name_change(plan.asked.write.what, ex, *plan.asked.name, *taken);
  auto answer = co_await send_change(ex, std::move(plan.asked.write), std::move(path), true);
  co_return answer;
}

task<response> delete_path(exchange& ex) {
  auto asked = parse_change(ex, {"recursive", "durability"});
  if (!asked) co_return problem(asked.failure());
  const auto path = asked->where.path;
  if (path.is_root()) co_return root_problem();
  auto recursive = asked->query.flag("recursive", false);
  if (!recursive) co_return problem(recursive.failure());
  command what = remove_path{path, *recursive, {}, {}, asked->where.trailing_slash};
  auto answer = co_await send_named(ex, std::move(*asked), std::move(what), path, false);
  if (answer.status == 201) answer.status = 204;
  co_return answer;
}

task<response> patch_path(exchange& ex) {
  auto asked = parse_change(ex, {"durability"});
  if (!asked) co_return problem(asked.failure());
  const auto path = asked->where.path;
  if (path.is_root()) co_return root_problem();
  if (asked->where.trailing_slash) co_return slash_problem();
  auto document = co_await read_document(ex, patch_type);
  if (document.refused) {
    if (document.refused->status == 415) document.refused->add("Accept-Patch", patch_type);
    co_return std::move(*document.refused);
  }
  auto patch = parse_properties_patch(document.text);
  if (!patch) co_return problem(patch.failure());
  asked->write.what = change_properties{path, std::move(*patch), {}};
  if (asked->name) name_change(asked->write.what, ex, *asked->name, sha256_of(document.text));
  auto answer = co_await send_change(ex, std::move(asked->write), path, true);
  co_return answer;
}

}  // namespace kaiku
