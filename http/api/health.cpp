// Probes for orchestrators and gateways, and the OpenAPI document.

#include "kaiku/http/api/embedded.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/api/problem.hpp"

namespace kaiku {
namespace {

/// 200 or 503, with who says so and why.
response probe(const exchange& ex, const node_view& view, bool good, std::string reason) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  json document{{"status", good ? "ok" : "unavailable"},
                {"node", view.self.name},
                {"role", to_string(view.now)},
                {"term", view.in_term.value},
                {"reason", std::move(reason)}};
  auto out = json_answer(good ? 200 : 503, document);
  if (!good) out.add("Retry-After", "1");
  return out;
}

/// For those who choose where requests go: soon not here.
response probe_for_gateways(const exchange& ex, const node_view& view, bool good, std::string reason) {
  if (ex.draining) return probe(ex, view, false, "this node is stopping");
  return probe(ex, view, good, std::move(reason));
}

}  // namespace

response healthz_live(exchange& ex) {
  return probe(ex, ex.node.view(), true, "the process answers");
}

response healthz_ready(exchange& ex) {
  const auto view = ex.node.view();
  return probe_for_gateways(ex, view, view.ready,
                            view.ready ? "caught up and in contact with a leader" : view.not_ready_reason);
}

response healthz_leader(exchange& ex) {
  const auto view = ex.node.view();
  const bool leads = view.now == role::leader;
  std::string reason = leads ? "this node leads" : "this node does not lead";
  if (!leads && !view.leader.name.empty()) reason += "; " + view.leader.name + " does";
  return probe_for_gateways(ex, view, leads, std::move(reason));
}

response healthz_replica(exchange& ex) {
  const auto view = ex.node.view();
  if (view.now == role::leader) return probe_for_gateways(ex, view, false, "this node leads");
  return probe_for_gateways(ex, view, view.ready, view.ready ? "a follower that has caught up" : view.not_ready_reason);
}

response openapi_document(exchange& ex) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  response out;
  out.add("Content-Type", "application/json");
  out.add("Cache-Control", "no-store");
  out.add("X-Content-Type-Options", "nosniff");
  out.body = openapi_json();
  return out;
}

}  // namespace kaiku
