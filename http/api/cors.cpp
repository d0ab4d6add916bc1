#include "kaiku/http/api/cors.hpp"

#include <algorithm>

#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/router.hpp"

namespace kaiku {
namespace {

/// Seconds that a browser may remember a preflight.
constexpr std::string_view preflight_age = "600";

bool allows_any(const http_settings& settings) {
  return std::find(settings.cors_origins.begin(), settings.cors_origins.end(), "*") != settings.cors_origins.end();
}

bool is_allowed(const http_settings& settings, std::string_view origin) {
  return allows_any(settings) || std::any_of(settings.cors_origins.begin(), settings.cors_origins.end(),
                                             [&](const std::string& one) { return same_token(one, origin); });
}

/// Whether a browser sends this for a page that was loaded from here. Newer browsers say so; else the origin's host is
/// the one that was asked. What is no browser says nothing.
bool is_own_page(const request& in, std::string_view origin) {
  if (auto site = in.header("Sec-Fetch-Site")) return same_token(*site, "same-origin") || same_token(*site, "none");
  const auto scheme_end = origin.find("://");
  return scheme_end != std::string_view::npos &&
         same_token(origin.substr(scheme_end + 3), in.header("Host").value_or(""));
}

}  // namespace

bool is_of_own_page(const request& in) {
  const auto origin = in.header("Origin");
  return origin && is_own_page(in, *origin);
}

std::optional<response> check_origin(const request& in, const http_settings& settings, std::string_view allow) {
  const auto origin = in.header("Origin");
  if (!origin) return std::nullopt;
  const bool allowed = is_allowed(settings, *origin);
  if (in.method == http_method::options && allowed && in.header("Access-Control-Request-Method")) {
    response out;
    out.status = 204;
    out.add("Allow", allow);
    out.add("Access-Control-Allow-Methods", allow);
    // The star does not stand for this one (Fetch, 4.9).
    out.add("Access-Control-Allow-Headers", "*, Authorization");
    out.add("Access-Control-Max-Age", preflight_age);
    out.add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
    return out;
  }
  if (!is_change(in.method) || allowed || is_own_page(in, *origin)) return std::nullopt;
  return problem({403, "cross_origin", "A page of another origin may not make changes"},
                 "the page comes from " + std::string(*origin) + "; --cors-origin lets it");
}

void add_cors(const request& in, const http_settings& settings, response& out) {
  if (settings.cors_origins.empty()) return;
  const bool any = allows_any(settings);
  if (!any) out.add("Vary", "Origin");
  const auto origin = in.header("Origin");
  if (!origin || !is_allowed(settings, *origin)) return;
  out.add("Access-Control-Allow-Origin", any ? "*" : *origin);
  // Without credentials, which are never allowed here, `*` stands for all.
  out.add("Access-Control-Expose-Headers", "*");
}

}  // namespace kaiku
