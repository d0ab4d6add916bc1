#include "kaiku/http/api/router.hpp"

#include <algorithm>
#include <array>

#include "kaiku/http/api/access.hpp"
#include "kaiku/http/api/cors.hpp"
#include "kaiku/http/api/freshness.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/target.hpp"
#include "kaiku/http/api/tracing.hpp"

namespace kaiku {
namespace {

template <response (*handler)(exchange&)>
routed at_once(exchange& ex) {
  return handler(ex);
}
template <asking_handler handler>
routed later(exchange&) {
  return handler;
}

constexpr std::array table{
    route{"/files/{path}", permission::files, read_path, put_path, post_path, delete_path, patch_path},
    route{"/writes/{token}", permission::outcome, later<show_write>},
    route{"/set-aside", permission::admin, at_once<list_set_aside>},
    route{"/set-aside/{token}", permission::admin, at_once<show_set_aside>, nullptr, restore_set_aside,
          purge_set_aside},
    route{"/set-aside/{token}/content", permission::admin, at_once<set_aside_content>},
    route{"/healthz/live", permission::open, at_once<healthz_live>, nullptr, nullptr, nullptr, nullptr, true},
    route{"/healthz/ready", permission::open, at_once<healthz_ready>, nullptr, nullptr, nullptr, nullptr, true},
    route{"/healthz/leader", permission::open, at_once<healthz_leader>, nullptr, nullptr, nullptr, nullptr, true},
    route{"/healthz/replica", permission::open, at_once<healthz_replica>, nullptr, nullptr, nullptr, nullptr, true},
    route{"/cluster", permission::watch, at_once<cluster_state>},
    route{"/cluster/members", permission::watch, at_once<list_members>, nullptr, add_member},
    route{"/cluster/members/{id}", permission::watch, at_once<show_member>, nullptr, nullptr, remove_member},
    route{"/cluster/leader", permission::watch, at_once<show_leader>, nullptr, change_leader},
    route{.pattern = "/cluster/backup", .needs = permission::admin, .read = later<write_backup>, .audited = true},
    route{"/cluster/scrub", permission::watch, later<show_scrub>, nullptr, start_scrub},
    route{"/actors", permission::watch, later<list_actors>},
    route{"/actors/stream", permission::watch, later<stream_actors>},
    route{"/actors/timeline", permission::watch, later<show_timeline>},
    route{"/actors/traces", permission::admin, at_once<list_traces>},
    route{"/actors/trace/{id}", permission::admin, later<show_trace>},
    route{"/actors/{id}", permission::admin, later<show_actor>},
    route{"/metrics", permission::watch, later<show_metrics>, nullptr, nullptr, nullptr, nullptr, true},
    route{"/openapi.json", permission::any, at_once<openapi_document>},
    route{"/assets/{name}", permission::any, at_once<show_asset>},
    route{"/console/{path}", permission::open, at_once<show_console>},
};

constexpr std::string_view all_methods = "GET, HEAD, OPTIONS, PUT, POST, DELETE, PATCH";
constexpr problem_kind unknown_method{501, "not_implemented", "This is not implemented here"};

/// `segment` is set to what a name in braces stands for.
bool matches(std::string_view pattern, std::string_view path, std::string_view& segment) {
  constexpr std::string_view rest = "/{path}";
  if (pattern.ends_with(rest)) {
    pattern.remove_suffix(rest.size());
    return path.starts_with(pattern) && (path.size() == pattern.size() || path[pattern.size()] == '/');
  }
  const auto open = pattern.find('{');
  if (open == std::string_view::npos) return path == pattern;
  if (!path.starts_with(pattern.substr(0, open))) return false;
  path.remove_prefix(open);
  const auto end = std::min(path.find('/'), path.size());
  segment = path.substr(0, end);
  return end > 0 && path.substr(end) == pattern.substr(pattern.find('}') + 1);
}

response no_content(std::string_view allow) {
  response out;
  out.status = 204;
  out.add("Allow", allow);
  return out;
}

std::string allowed_at(std::string_view path, const route& one) {
  const bool root = path == "/files" || path == "/files/";
  return root ? std::string(root_methods) : allowed_methods(one);
}

response options_of(std::string_view path, const route& one) {
  const auto allow = allowed_at(path, one);
  auto out = no_content(allow);
  if (allow.find("PATCH") != std::string::npos) out.add("Accept-Patch", "application/merge-patch+json");
  return out;
}

/// What no route understands: refused rather than passed over.
std::optional<response> check_common(const request& in) {
  auto expect = in.header("Expect");
  if (expect && in.version == 11 && !same_token(*expect, "100-continue"))
    return problem({417, "expectation_failed", "The expectation can't be met"}, "only 100-continue can be expected");
  auto known = check_kaiku_fields(in);
  if (!known) return problem(known.failure());
  return std::nullopt;
}

bool writes_files(const route& one) {
  return one.put != nullptr;
}

/// With `follower_writes::redirect`: the answer to a change, unless this node leads.
std::optional<response> to_leader(const exchange& ex) {
  const auto view = ex.node.view();
  if (view.now == role::leader) return std::nullopt;
  if (view.leader_http.empty()) return problem({errc::no_leader, "no leader is known that this could be sent to"});
  response out;
  out.status = 307;
  // All of the query: a signed URL is signed there too.
  const auto sent = split_target(ex.in.target);
  std::string target(ex.path);
  if (sent.ok() && !sent->query.empty()) target.append("?").append(sent->query);
  out.add("Location", (ex.settings.tls ? "https://" : "http://") + view.leader_http + target);
  out.add("Cache-Control", "no-store");
  return out;
}

response crowded() {
  auto out = problem({429, "too_many_requests", "Too many requests at once"},
                     "as many requests of one address as are answered at once are under way");
  out.add("Retry-After", "1");
  return out;
}

response too_large(std::uint64_t limit) {
  auto out = problem({errc::body_too_large, "a body is at most " + std::to_string(limit) + " bytes"});
  out.close = true;
  return out;
}

}  // namespace

std::span<const route> routes() {
  return table;
}

bool is_change(http_method method) {
  return method != http_method::get && method != http_method::head && method != http_method::options;
}

std::string allowed_methods(const route& one) {
  std::string out = "GET, HEAD, OPTIONS";
  if (one.put != nullptr) out += ", PUT";
  if (one.post != nullptr) out += ", POST";
  if (one.remove != nullptr) out += ", DELETE";
  if (one.patch != nullptr) out += ", PATCH";
  return out;
}

routed route_request(exchange& ex) {
  const auto& in = ex.in;
  if (in.method == http_method::other) return problem(unknown_method, "known are " + std::string(all_methods));
  if (in.method == http_method::options && in.target == "*") return no_content(all_methods);
  auto parts = split_target(in.target);
  if (!parts) return problem(parts.failure());
  ex.path = parts->path;
  ex.query = parts->query;
  const route* found = nullptr;
  for (const auto& one : table) {
    if (!matches(one.pattern, ex.path, ex.segment)) continue;
    found = &one;
    break;
  }
  if (found != nullptr) {
    ex.route = found->pattern;
    ex.audited = found->audited && in.method != http_method::options;
  }
  const bool probe = found != nullptr && found->probe;
  if (ex.server.open_requests > ex.settings.max_requests && !probe)
    return problem({errc::overloaded, "more requests are under way than this node answers at once"});
  if (ex.crowded && !probe) return crowded();
  if (auto refused = check_access(ex, found, found == nullptr ? "" : allowed_at(ex.path, *found)))
    return std::move(*refused);
  if (found == nullptr) return problem({errc::not_found, "there is no such resource; files are under /files/"});
  if (auto refused = check_common(in)) return std::move(*refused);
  if (auto traced = begin_trace(ex); !traced) return problem(traced.failure());
  if (in.header("Origin"))
    if (auto told = check_origin(in, ex.settings, allowed_at(ex.path, *found))) return std::move(*told);
  const auto length = ex.body.length();
  if (length && *length > ex.settings.max_body_bytes) return too_large(ex.settings.max_body_bytes);

  asking_handler writer = nullptr;
  switch (in.method) {
    case http_method::get:
    case http_method::head: return found->read(ex);
    case http_method::options: return options_of(ex.path, *found);
    case http_method::put: writer = found->put; break;
    case http_method::post: writer = found->post; break;
    case http_method::remove: writer = found->remove; break;
    case http_method::patch: writer = found->patch; break;
    case http_method::other: break;
  }
  if (writer == nullptr) return method_problem(allowed_at(ex.path, *found));
  if (writes_files(*found) && ex.settings.writes == follower_writes::redirect && !is_of_own_page(in))
    if (auto elsewhere = to_leader(ex)) return std::move(*elsewhere);
  return writer;
}

}  // namespace kaiku
