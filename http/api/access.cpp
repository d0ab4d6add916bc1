#include "kaiku/http/api/access.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "kaiku/core/wall_clock.hpp"
#include "kaiku/http/access/control.hpp"
#include "kaiku/http/api/authorization.hpp"
#include "kaiku/http/api/cors.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/target.hpp"

namespace kaiku {
namespace {

constexpr problem_kind no_credentials{401, "unauthorized", "A token is needed"};
constexpr problem_kind no_leave{403, "forbidden", "The token does not allow this"};

response unauthorized(access_control::doubt why) {
  using doubt = access_control::doubt;
  auto out = problem(no_credentials, why == doubt::none      ? "send Authorization: Bearer and a token"
                                     : why == doubt::expired ? "the token has expired"
                                                             : "the token is not known here");
  std::string bearer = "Bearer realm=\"kaiku\"";
  if (why != doubt::none) bearer += ", error=\"invalid_token\"";
  out.add("WWW-Authenticate", bearer + ", Basic realm=\"kaiku\", charset=\"UTF-8\"");
  return out;
}

response forbidden(std::string_view detail, std::string_view scope_needed = {}) {
  auto out = problem(no_leave, detail);
  std::string bearer = "Bearer realm=\"kaiku\", error=\"insufficient_scope\"";
  if (!scope_needed.empty()) bearer.append(", scope=\"").append(scope_needed).append("\"");
  out.add("WWW-Authenticate", bearer);
  return out;
}

response out_of_reach() {
  return forbidden("the token is for other paths");
}

std::optional<response> check_scope(const exchange& ex, permission needs) {
  const auto& may = ex.who->may;
  const bool changes = is_change(ex.in.method);
  switch (needs) {
    case permission::open:
    case permission::any: return std::nullopt;
    case permission::files: {
      const auto one = changes ? scope::write : scope::read;
      if (ex.in.method == http_method::options || may.has(one)) return std::nullopt;
      return forbidden("it lacks the scope " + std::string(to_string(one)), to_string(one));
    }
    case permission::outcome:
      if (may.has(scope::read) || may.has(scope::write)) return std::nullopt;
      return forbidden("it lacks the scope read", "read");
    case permission::watch:
      if (may.has(changes ? scope::admin : scope::metrics)) return std::nullopt;
      return forbidden(changes ? "it lacks the scope admin" : "it lacks the scope metrics",
                       changes ? "admin" : "metrics");
    case permission::admin:
      if (may.has(scope::admin)) return std::nullopt;
      return forbidden("it lacks the scope admin", "admin");
  }
  return forbidden("");
}

/// What is not ASCII, percent-encoded: some readers of logs take more than LF for the end of a line.
std::string only_ascii(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x80)
      out += c;
    else
      out += "%" + to_hex(&byte, 1);
  }
  return out;
}

/// What of a change's command names a path, each given to `see`.
template <class See>
struct path_finder {
  See see;
  void operator()(const put_file& x) const { see(x.path); }
  void operator()(const make_directory& x) const { see(x.path); }
  void operator()(const remove_path& x) const { see(x.path); }
  void operator()(const move_path& x) const { see(x.from), see(x.to); }
  void operator()(const copy_path& x) const { see(x.from), see(x.to); }
  void operator()(const change_properties& x) const { see(x.path); }
  // Nobody's, or not a client's to give.
  void operator()(const no_operation&) const {}
  void operator()(const set_members&) const {}
  void operator()(const remove_expired&) const {}
};

}  // namespace

std::optional<response> check_access(exchange& ex, const route* to, std::string_view allow) {
  const auto* control = ex.settings.access.get();
  if (control == nullptr || (to != nullptr && to->needs == permission::open)) return std::nullopt;
  if (ex.in.method == http_method::options && ex.in.header("Access-Control-Request-Method")) {
    if (auto told = check_origin(ex.in, ex.settings, allow)) return told;
  }
  const bool files = to != nullptr && to->needs == permission::files;
  // What is malformed is for the handler to say, to who may ask.
  const auto target = files ? parse_file_target(ex) : result<file_target>{error{errc::not_found, ""}};
  const auto now = wall_clock();
  access_control::answer answer;
  const auto authorization = ex.in.header("Authorization");
  if (const auto token = authorization ? token_shown(*authorization) : std::nullopt) {
    answer = control->check_token(*token, now);
  } else if (target.ok()) {
    const auto method = name_of(ex.in.method);
    const bool one_of_both = method == "GET" || method == "HEAD" || method == "PUT";
    ex.kept_query = ex.query;
    if (one_of_both) answer = control->check_url(method, target->path, ex.kept_query, now);
    ex.query = ex.kept_query;
  }
  if (!answer.who) return unauthorized(answer.why);
  ex.who = std::move(answer.who);
  if (to == nullptr) return std::nullopt;
  if (auto refused = check_scope(ex, to->needs)) return refused;
  if (target.ok() && !ex.who->reaches(target->path)) return out_of_reach();
  return std::nullopt;
}

bool still_allowed(exchange& ex, permission needs) {
  if (!ex.who) return true;  // nobody was asked
  const auto authorization = ex.in.header("Authorization");
  const auto token = authorization ? token_shown(*authorization) : std::nullopt;
  if (!token) return false;
  ex.who = ex.settings.access->check_token(*token, wall_clock()).who;
  return ex.who && !check_scope(ex, needs);
}

std::optional<response> check_reach(const exchange& ex, const command& what) {
  if (!ex.who) return std::nullopt;
  bool reached = true;
  const auto see = [&](const file_path& path) { reached = reached && ex.who->reaches(path); };
  std::visit(path_finder<decltype(see)>{see}, what);
  if (!reached) return out_of_reach();
  // What is copied can be read afterwards.
  if (std::holds_alternative<copy_path>(what) && !ex.who->may.has(scope::read))
    return forbidden("it lacks the scope read", "read");
  return std::nullopt;
}

void audit(const exchange& ex, unsigned code) {
  if (!ex.settings.access || !(ex.audited || is_change(ex.in.method))) return;
  // Of the query only what says what was done: the rest may be a signature.
  std::string what(ex.path);
  for (const std::string_view name : {"op", "to", "recursive"})
    if (const auto value = plain_parameter(ex.query, name))
      what.append(what.size() == ex.path.size() ? "?" : "&").append(name).append("=").append(*value);
  // A name may be somebody else's text.
  const auto who = json(ex.who ? ex.who->name : "").dump(-1, ' ', true, json::error_handler_t::replace);
  static const auto log = spdlog::get(audit_log) ? spdlog::get(audit_log) : spdlog::default_logger();
  log->info("audit who={} from={} method={} path={} status={}", who, ex.client, name_of(ex.in.method), only_ascii(what),
            code);
}

}  // namespace kaiku
