// /assets/{name}: what pages load.

#include <array>

#include "kaiku/http/api/conditions.hpp"
#include "kaiku/http/api/digest_field.hpp"
#include "kaiku/http/api/embedded.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/problem.hpp"

namespace kaiku {
namespace {

struct asset {
  std::string_view name, type;
  std::string_view (*content)();
};
constexpr std::array all{asset{"listing.css", "text/css; charset=utf-8", listing_css},
                         asset{"listing.js", "text/javascript; charset=utf-8", listing_js}};

}  // namespace

response show_asset(exchange& ex) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  for (const auto& one : all) {
    if (one.name != ex.segment) continue;
    const auto etag = "\"" + to_string(sha256_of(one.content())).substr(0, 32) + "\"";
    auto verdict = check_read(ex.in, etag, std::nullopt);
    if (!verdict) return problem(verdict.failure());
    if (*verdict == read_verdict::failed) return problem({errc::precondition_failed, "the ETag is " + etag});
    response out;
    out.add("ETag", etag);
    out.add("Cache-Control", "no-cache");
    out.status = *verdict == read_verdict::not_modified ? 304 : 200;
    if (out.status == 304) return out;
    out.add("Content-Type", one.type);
    out.add("X-Content-Type-Options", "nosniff");
    out.body = one.content();
    return out;
  }
  return problem({errc::not_found, "no page loads this"});
}

}  // namespace kaiku
