// /set-aside: what failovers displaced on this node: list, look at, restore, purge.

#include <algorithm>
#include <system_error>

#include "kaiku/core/wall_clock.hpp"
#include "kaiku/http/api/change.hpp"
#include "kaiku/http/api/conditions.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

std::string url_of(const write_token& token) {
  return "/set-aside/" + to_string(token);
}

void describe(json& out, const put_file& put, const write_token& token) {
  out["change"] = "put";
  out["path"] = "/" + put.path.text();
  out["size"] = put.content.size.value;
  out["sha256"] = to_string(put.content.sha256);
  out["content_type"] = put.properties.content_type;
  out["modified"] = format_rfc3339(put.modified);
  out["content"] = url_of(token) + "/content";
}
void describe(json& out, const make_directory& make, const write_token&) {
  out["change"] = "mkdir";
  out["path"] = "/" + make.path.text();
  out["modified"] = format_rfc3339(make.modified);
}
void describe(json& out, const remove_path& remove, const write_token&) {
  out["change"] = "remove";
  out["path"] = "/" + remove.path.text();
  out["recursive"] = remove.recursive;
}
void describe(json& out, const move_path& move, const write_token&) {
  out["change"] = "move";
  out["path"] = "/" + move.from.text();
  out["to"] = "/" + move.to.text();
}
void describe(json& out, const copy_path& copy, const write_token&) {
  out["change"] = "copy";
  out["path"] = "/" + copy.from.text();
  out["to"] = "/" + copy.to.text();
}
void describe(json& out, const change_properties& change, const write_token&) {
  out["change"] = "properties";
  out["path"] = "/" + change.path.text();
}
/// The cluster's own entries: nobody's files.
template <class Own>
void describe(json& out, const Own&, const write_token&) {
  out["change"] = "internal";
}

json describe(const displaced_write& one) {
  json out{{"token", to_string(one.token)}, {"set_aside", format_rfc3339(one.since)}};
  std::visit([&](const auto& what) { describe(out, what, one.token); }, one.what);
  return out;
}

/// What the path names: a token of this cluster, and what this node keeps under it.
result<displaced_write> find(const exchange& ex) {
  const auto token = parse_write_token(ex.segment);
  if (!token) return {errc::bad_request, "this is not a token that a write was answered with"};
  auto kept = ex.node.set_aside_at(token->at);
  if (!kept) return kept.failure();
  if (kept->token != *token) return {errc::not_found, "nothing of this name is set aside on this node"};
  return kept;
}

/// Why only files and directories can be restored, and what to do instead.
error refuse_restore(const command& what) {
  if (std::holds_alternative<remove_path>(what)) return {errc::bad_request, "a removal can be made again, by DELETE"};
  if (std::holds_alternative<move_path>(what) || std::holds_alternative<copy_path>(what))
    return {errc::bad_request, "what it was about may have changed since: make it again, by POST ?op=move or ?op=copy"};
  if (std::holds_alternative<change_properties>(what))
    return {errc::bad_request, "the file may be another one since: change its properties again, by PATCH"};
  return {errc::bad_request, "this is the cluster's own entry: there is nothing to restore"};
}

struct restore_plan {
  displaced_write kept;
  client_write write;
  file_path path;
};

/// All that needs no answer of the leader. Errors: as HTTP gives them.
result<restore_plan> plan_restore(const exchange& ex) {
  auto kept = find(ex);
  if (!kept) return kept.failure();
  auto query = query_parameters::parse(ex.query, {"op", "to", "durability"});
  if (!query) return query.failure();
  if (query->get("op") != "restore") return {errc::bad_request, "POST wants ?op=restore"};
  auto want = parse_want(ex.in, *query);
  if (!want) return want.failure();
  auto when = write_precondition(ex.in);
  if (!when) return when.failure();
  restore_plan out{std::move(*kept), {}, {}};
  if (const auto* put = std::get_if<put_file>(&out.kept.what)) {
    out.path = put->path;
  } else if (const auto* make = std::get_if<make_directory>(&out.kept.what)) {
    out.path = make->path;
  } else {
    return refuse_restore(out.kept.what);
  }
  if (auto to = query->get("to")) {
    auto path = file_path::parse(*to);
    if (!path) return path.failure();
    out.path = std::move(*path);
  }
  if (out.path.is_root()) return {errc::bad_request, "nothing can be restored as the root directory"};
  out.write.want = *want;
  out.write.when = std::move(*when);
  // Nobody's newer file is replaced unless the request says which.
  if (out.write.when.empty()) out.write.when.if_none_match_any = true;
  return out;
}

/// Brings the content to where the leader finds it: with the change when small, in front of it when large.
task<status> bring_content(exchange& ex, const content_ref& wanted, client_write& write) {
  auto content = ex.node.open(wanted);
  if (!content) co_return content.failure();
  if (!content->file) {
    write.small_content = std::move(content->bytes);
    co_return success();
  }
  content_body body(std::move(*content));
  auto first = co_await body.read(limits::chunk_bytes);
  if (!first) co_return first.failure();
  auto named = co_await stream_content(ex, body, std::move(*first));
  if (!named) co_return named.failure();
  if (*named != wanted) co_return error{errc::corrupt, "the content kept here is damaged"};
  co_return success();
}

}  // namespace

response list_set_aside(exchange& ex) {
  auto query = query_parameters::parse(ex.query, {"limit", "after"});
  if (!query) return problem(query.failure());
  auto limit = parse_limit(query->get("limit"), ex.settings.max_listing_page);
  if (!limit) return problem(limit.failure());
  log_position after;
  if (auto text = query->get("after")) {
    const auto token = parse_write_token(*text);
    if (!token) return problem({errc::bad_request, "after is a token, from `next` of the page before"});
    after = token->at;
  }
  auto page = ex.node.set_aside(after, *limit);
  if (!page) return problem(page.failure());
  json entries = json::array();
  for (const auto& one : page->entries) entries.push_back(describe(one));
  json document{{"node", ex.node.view().self.name}, {"entries", std::move(entries)}, {"next", nullptr}};
  if (page->more && !page->entries.empty()) document["next"] = to_string(page->entries.back().token);
  return json_answer(200, document);
}

response show_set_aside(exchange& ex) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  auto kept = find(ex);
  if (!kept) return problem(kept.failure());
  return json_answer(200, describe(*kept));
}

response set_aside_content(exchange& ex) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  auto kept = find(ex);
  if (!kept) return problem(kept.failure());
  const auto* put = std::get_if<put_file>(&kept->what);
  if (put == nullptr) return problem({errc::not_found, "this was not a file: it has no content"});
  file_info info;
  info.type = file_info::kind::file;
  info.content = put->content;
  info.version = kept->token.at;
  info.modified = put->modified;
  info.properties = put->properties;
  if (ex.in.method == http_method::head) return read_file(ex, put->path, info, nullptr);
  auto content = ex.node.open(put->content);
  if (!content) return problem(content.failure());
  return read_file(ex, put->path, info, &*content);
}

task<response> restore_set_aside(exchange& ex) {
  auto plan = plan_restore(ex);
  if (!plan) co_return problem(plan.failure());
  if (auto* put = std::get_if<put_file>(&plan->kept.what)) {
    put_file file{plan->path, put->content, put->properties, {}, true};
    // It was to go by itself; who restores it wants it.
    if (file.properties.expires && *file.properties.expires <= wall_clock()) file.properties.expires.reset();
    auto brought = co_await bring_content(ex, put->content, plan->write);
    if (!brought) co_return problem(brought.failure());
    if (file.content.is_small()) file.content = {};
    plan->write.what = std::move(file);
  } else {
    plan->write.what = make_directory{plan->path, {}, true};
  }
  auto answer = co_await send_change(ex, std::move(plan->write), plan->path, true);
  if (answer.status < 300) answer.add("Location", "/files/" + percent_encode_path(plan->path.text()));
  co_return answer;
}

task<response> purge_set_aside(exchange& ex) {
  if (auto refused = refuse_query(ex)) co_return std::move(*refused);
  auto kept = find(ex);
  if (!kept) co_return problem(kept.failure());
  auto done = co_await ask<status>(ex, [&](auto then) { ex.node.purge_set_aside(kept->token.at, std::move(then)); });
  if (!done) co_return problem(done.failure());
  response answer;
  answer.status = 204;
  co_return answer;
}

}  // namespace kaiku
