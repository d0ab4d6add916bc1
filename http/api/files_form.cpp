// POST of a form to a directory under /files: one or several files, each a write of its own.

#include "kaiku/http/api/accept.hpp"
#include "kaiku/http/api/change.hpp"
#include "kaiku/http/api/digest_field.hpp"
#include "kaiku/http/api/form.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/property_fields.hpp"
#include "kaiku/http/api/request_name.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

/// What every file of the form has in common.
struct form_plan {
  file_path directory;
  std::optional<durability> want;
  std::optional<digest> name;  ///< of the request
  std::optional<milliseconds> ttl;
  bool make_parents = true;
  bool overwrite = true;
  std::string boundary;
};

result<form_plan> plan_form(const exchange& ex, std::string boundary) {
  auto where = parse_file_target(ex);
  if (!where) return where.failure();
  auto query = query_parameters::parse(ex.query, {"parents", "overwrite", "ttl", "durability"});
  if (!query) return query.failure();
  auto want = parse_want(ex.in, *query);
  if (!want) return want.failure();
  auto parents = query->flag("parents", true), overwrite = query->flag("overwrite", true);
  if (!parents) return parents.failure();
  if (!overwrite) return overwrite.failure();
  for (auto name : {"If-Match", "If-None-Match", "If-Unmodified-Since"})
    if (ex.in.header(name))
      return {errc::bad_request, std::string(name) + " can't speak of several files; ?overwrite=false replaces none"};
  auto name = request_name(ex.in);
  if (!name) return name.failure();
  auto ttl = ttl_of(ex.in, *query);
  if (!ttl) return ttl.failure();
  return form_plan{std::move(where->path), *want, *name, *ttl, *parents, *overwrite, std::move(boundary)};
}

/// A name that a client gave its file, as a name in `directory`: nothing that could lead elsewhere.
result<file_path> name_in(const file_path& directory, std::string_view filename) {
  if (filename.find_first_of("/\\") != std::string_view::npos)
    return {errc::invalid_path, "a file's name holds no '/' and no '\\': '" + std::string(filename) + "'"};
  auto name = file_path::parse(filename);
  if (!name) return name.failure();
  return directory.is_root() ? name : file_path::parse(directory.text() + "/" + name->text());
}

json describe(const file_path& path, const write_outcome& outcome) {
  return {{"path", "/" + path.text()},
          {"created", outcome.created},
          {"size", outcome.file.content.size.value},
          {"etag", outcome.file.etag()},
          {"token", to_string(outcome.token)},
          {"durability", to_string(outcome.achieved)},
          {"replicas", std::to_string(outcome.holders) + "/" + std::to_string(outcome.voters)}};
}

/// Stores the part at hand. Errors: those of its body and of the write.
task<result<write_outcome>> store_part(exchange& ex, const form_plan& plan, form_reader& form, const form_part& part,
                                       const file_path& path, std::size_t number) {
  auto type = stored_type(part.content_type);
  if (!type) co_return type.failure();
  put_file file;
  file.path = path;
  file.properties.content_type = std::move(*type);
  file.properties.ttl = plan.ttl;
  file.make_parents = plan.make_parents;
  client_write write;
  write.want = plan.want;
  write.when.if_none_match_any = !plan.overwrite;
  const std::vector<digest> none;
  auto taken = co_await take_content(ex, form, none, file, write);
  if (!taken) co_return taken.failure();
  write.what = std::move(file);
  if (plan.name)
    name_change(write.what, ex, name_of_part(*plan.name, number), sha256_of(path.text() + to_string(*taken)));
  auto outcome =
      co_await ask<result<write_outcome>>(ex, [&](auto done) { ex.node.write(std::move(write), std::move(done)); });
  ex.sending.reset();
  co_return outcome;
}

/// What was stored, and what ended it if it was not the end of the form.
struct form_outcome {
  json stored = json::array();
  std::optional<error> failed;
  bool less_durable = false;
};

task<form_outcome> store_form(exchange& ex, const form_plan& plan) {
  form_outcome out;
  form_reader form(ex.body, plan.boundary);
  for (;;) {
    auto part = co_await form.next();
    if (ex.abandoned) throw session_abandoned{};
    if (!part) {
      out.failed = part.failure();
      co_return out;
    }
    if (!*part) co_return out;
    // Fields that are no files, and fields for which no file was chosen.
    if (!(*part)->filename || (*part)->filename->empty()) continue;
    auto path = name_in(plan.directory, *(*part)->filename);
    if (path && out.stored.size() == limits::http_form_files)
      path = error{errc::bad_request, "a form has at most " + std::to_string(limits::http_form_files) + " files"};
    if (!path) {
      out.failed = path.failure();
      co_return out;
    }
    auto outcome = co_await store_part(ex, plan, form, **part, *path, out.stored.size());
    if (!outcome) {
      out.failed = outcome.failure();
      out.failed->detail = "/" + path->text() + ": " + out.failed->detail;
      co_return out;
    }
    out.less_durable |= outcome->achieved < outcome->asked;
    out.stored.push_back(describe(*path, *outcome));
  }
}

}  // namespace

task<response> post_form(exchange& ex) {
  auto boundary = form_boundary(ex.in.header("Content-Type").value_or(""));
  if (!boundary) co_return problem(boundary.failure());
  if (!*boundary) co_return problem({errc::bad_request, "POST wants ?op=..., or a multipart/form-data body"});
  auto plan = plan_form(ex, std::move(**boundary));
  if (!plan) co_return problem(plan.failure());
  auto outcome = co_await store_form(ex, *plan);
  if (!outcome.failed && outcome.stored.empty())
    outcome.failed = error{errc::bad_request, "the form holds no file: no part has a filename"};
  if (outcome.failed) co_return with_member(problem(*outcome.failed), "stored", std::move(outcome.stored));
  const bool browser = prefers_html(ex.in);
  // A listing that has all of them.
  auto listing = plan->directory.is_root() ? "/files/" : "/files/" + percent_encode_path(plan->directory.text()) + "/";
  listing += "?token=" + outcome.stored.back().at("token").get<std::string>();
  auto answer = json_answer(browser ? 303 : outcome.less_durable ? 202 : 201, {{"files", std::move(outcome.stored)}});
  answer.add("Vary", "Accept");
  if (browser) answer.add("Location", listing);
  co_return answer;
}

}  // namespace kaiku
