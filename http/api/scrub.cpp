// /cluster/scrub: the check of this node's stored content.

#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

json time_or_null(const std::optional<unix_time_ms>& at) {
  return at ? json(format_rfc3339(*at)) : json(nullptr);
}

task<response> tell(exchange& ex, bool start) {
  if (auto refused = refuse_query(ex)) co_return std::move(*refused);
  auto known = co_await ask<result<scrub_view>>(ex, [&](auto done) { ex.node.scrub(start, std::move(done)); });
  if (!known) co_return problem(known.failure());
  const json document{{"node", ex.node.view().self.name},    {"running", known->running},
                      {"began", time_or_null(known->began)}, {"ended", time_or_null(known->ended)},
                      {"checked", known->checked},           {"checked_bytes", known->checked_bytes.value},
                      {"damaged", known->damaged},           {"repaired", known->repaired},
                      {"unrepairable", known->unrepairable}};
  co_return json_answer(start ? 202 : 200, document);
}

}  // namespace

task<response> show_scrub(exchange& ex) {
  return tell(ex, false);
}

task<response> start_scrub(exchange& ex) {
  return tell(ex, true);
}

}  // namespace kaiku
