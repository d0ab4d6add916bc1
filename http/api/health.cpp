// Probes for orchestrators and gateways, and the state of the cluster.

#include <nlohmann/json.hpp>

#include "kaiku/http/api/embedded.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/target.hpp"

namespace kaiku {
namespace {

using json = nlohmann::ordered_json;

std::string dump(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::optional<response> refuse_query(const exchange& ex) {
  auto none = query_parameters::parse(ex.query, {});
  if (none.ok()) return std::nullopt;
  return problem(none.failure());
}

/// 200 or 503, with who says so and why.
response probe(const exchange& ex, const node_view& view, bool good, std::string reason) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  json document{{"status", good ? "ok" : "unavailable"},
                {"node", view.self.name},
                {"role", to_string(view.now)},
                {"term", view.in_term.value},
                {"reason", std::move(reason)}};
  auto out = json_answer(good ? 200 : 503, dump(document));
  if (!good) out.add("Retry-After", "1");
  return out;
}

template <class T>
json or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  if constexpr (std::is_same_v<T, milliseconds>)
    return value->count();
  else
    return value->value;
}

json describe(const member_view& member) {
  return {{"id", member.id.name},
          {"peer_address", member.peer_address},
          {"http_address", member.http_address},
          {"voter", member.voter},
          {"connected", member.connected},
          {"last_heard_ms", or_null(member.last_heard)},
          {"match", or_null(member.match)}};
}

json describe(const actor_view& actor) {
  return {{"name", actor.name}, {"id", actor.id}, {"received", actor.received}, {"processed", actor.processed}};
}

}  // namespace

response healthz_live(exchange& ex) {
  return probe(ex, ex.node.view(), true, "the process answers");
}

response healthz_ready(exchange& ex) {
  const auto view = ex.node.view();
  return probe(ex, view, view.ready, view.ready ? "caught up and in contact with a leader" : view.not_ready_reason);
}

response healthz_leader(exchange& ex) {
  const auto view = ex.node.view();
  const bool leads = view.now == role::leader;
  std::string reason = leads ? "this node leads" : "this node does not lead";
  if (!leads && !view.leader.name.empty()) reason += "; " + view.leader.name + " does";
  return probe(ex, view, leads, std::move(reason));
}

response healthz_replica(exchange& ex) {
  const auto view = ex.node.view();
  if (view.now == role::leader) return probe(ex, view, false, "this node leads");
  return probe(ex, view, view.ready, view.ready ? "a follower that has caught up" : view.not_ready_reason);
}

response cluster_state(exchange& ex) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  const auto view = ex.node.view();
  const auto more = ex.node.cluster();
  json members = json::array(), actors = json::array();
  for (const auto& member : more.members) members.push_back(describe(member));
  for (const auto& actor : more.actors) actors.push_back(describe(actor));
  json document{{"cluster", view.cluster.known() ? json(to_string(view.cluster)) : json(nullptr)},
                {"node", view.self.name},
                {"role", to_string(view.now)},
                {"term", view.in_term.value},
                {"leader", view.leader.name.empty() ? json(nullptr) : json(view.leader.name)},
                {"leader_http", view.leader_http.empty() ? json(nullptr) : json(view.leader_http)},
                {"applied", view.applied.value},
                {"committed", view.committed.value},
                {"leader_contact_ms", or_null(view.leader_contact)},
                {"ready", view.ready},
                {"not_ready_reason", view.ready ? json(nullptr) : json(view.not_ready_reason)},
                {"members", std::move(members)},
                {"actors", std::move(actors)},
                {"log_syncs", more.log_syncs},
                {"file_syncs", more.file_syncs},
                {"set_aside", more.set_aside},
                {"free_space", more.free_space.value}};
  return json_answer(200, dump(document));
}

response openapi_document(exchange& ex) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  return json_answer(200, std::string(openapi_json()));
}

}  // namespace kaiku
