// The state of the cluster, its members and its leader.

#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

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

json describe(const std::optional<lost_entries>& lost) {
  if (!lost) return nullptr;
  return {{"term", lost->in_term.value}, {"first", lost->first.value}, {"last", lost->last.value}};
}

json describe(const std::vector<member_view>& members) {
  json out = json::array();
  for (const auto& member : members) out.push_back(describe(member));
  return out;
}

json describe(const std::optional<mirror_view>& redis) {
  if (!redis) return nullptr;
  return {{"address", redis->address}, {"state", to_string(redis->now)}, {"asked", redis->asked},
          {"lag", redis->lag},         {"rebuilds", redis->rebuilds},    {"wrong", redis->wrong}};
}

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json describe_leader(const node_view& view) {
  return {{"leader", text_or_null(view.leader.name)},
          {"leader_http", text_or_null(view.leader_http)},
          {"term", view.in_term.value}};
}

response no_member(std::string_view id) {
  return problem({errc::not_found, "'" + std::string(id) + "' is not a member"});
}

}  // namespace

std::optional<response> refuse_query(const exchange& ex) {
  auto none = query_parameters::parse(ex.query, {});
  if (none.ok()) return std::nullopt;
  return problem(none.failure());
}

response cluster_state(exchange& ex) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  const auto view = ex.node.view();
  const auto more = ex.node.cluster();
  json actors = json::array();
  for (const auto& actor : more.actors) actors.push_back(describe(actor));
  return json_answer(200, {{"cluster", view.cluster.known() ? json(to_string(view.cluster)) : json(nullptr)},
                           {"node", view.self.name},
                           {"role", to_string(view.now)},
                           {"term", view.in_term.value},
                           {"leader", text_or_null(view.leader.name)},
                           {"leader_http", text_or_null(view.leader_http)},
                           {"applied", view.applied.value},
                           {"committed", view.committed.value},
                           {"leader_contact_ms", or_null(view.leader_contact)},
                           {"ready", view.ready},
                           {"not_ready_reason", view.ready ? json(nullptr) : json(view.not_ready_reason)},
                           {"members", describe(more.members)},
                           {"actors", std::move(actors)},
                           {"log_syncs", more.log_syncs},
                           {"file_syncs", more.file_syncs},
                           {"set_aside", more.set_aside},
                           {"possibly_lost", describe(more.possibly_lost)},
                           {"free_space", more.free_space.value},
                           {"redis", describe(more.redis)}});
}

// --- members -------------------------------------------------------------------------------------------------------

response list_members(exchange& ex) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  return json_answer(200, {{"members", describe(ex.node.cluster().members)}});
}

response show_member(exchange& ex) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  for (const auto& member : ex.node.cluster().members)
    if (member.id.name == ex.segment) return json_answer(200, describe(member));
  return no_member(ex.segment);
}

task<response> add_member(exchange& ex) {
  if (auto refused = refuse_query(ex)) co_return std::move(*refused);
  auto body = co_await read_document(ex);
  if (body.refused) co_return std::move(*body.refused);
  auto document = parse_strings(body.text, {"id", "peer_address"});
  if (!document) co_return problem(document.failure());
  const auto id = string_of(*document, "id"), address = string_of(*document, "peer_address");
  if (!id || !address) co_return problem({errc::bad_request, "a new member needs an id and a peer_address"});
  const member_change change{member_change::kind::add, {*id}, *address};
  auto done = co_await ask<status>(ex, [&](auto then) { ex.node.change_members(change, std::move(then)); });
  if (!done) co_return problem(done.failure());
  auto answer = json_answer(201, {{"id", *id}, {"peer_address", *address}, {"voter", false}});
  answer.add("Location", "/cluster/members/" + *id);
  co_return answer;
}

task<response> remove_member(exchange& ex) {
  if (auto refused = refuse_query(ex)) co_return std::move(*refused);
  if (!is_valid_node_name(ex.segment)) co_return no_member(ex.segment);
  const member_change change{member_change::kind::remove, {std::string(ex.segment)}, {}};
  auto done = co_await ask<status>(ex, [&](auto then) { ex.node.change_members(change, std::move(then)); });
  if (!done) co_return problem(done.failure());
  response answer;
  answer.status = 204;
  co_return answer;
}

// --- the leader ----------------------------------------------------------------------------------------------------

response show_leader(exchange& ex) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  const auto view = ex.node.view();
  if (view.leader.name.empty()) return problem({errc::no_leader, "no leader is known to this node"});
  return json_answer(200, describe_leader(view));
}

task<response> change_leader(exchange& ex) {
  if (auto refused = refuse_query(ex)) co_return std::move(*refused);
  auto body = co_await read_document(ex);
  if (body.refused) co_return std::move(*body.refused);
  auto document = parse_strings(body.text, {"id"});
  if (!document) co_return problem(document.failure());
  const node_id to{string_of(*document, "id").value_or("")};
  if (string_of(*document, "id") && !is_valid_node_name(to.name))
    co_return problem({errc::bad_request, "'" + to.name + "' can't name a member"});
  auto done = co_await ask<status>(ex, [&](auto then) { ex.node.transfer_leadership(to, std::move(then)); });
  if (!done) co_return problem(done.failure());
  // The old leader knows the new one before this node may. Whoever confirms a read leads, and this node knows it.
  const freshness confirmed{consistency::linearizable, std::nullopt, {}};
  auto known = co_await ask<result<std::shared_ptr<const file_view>>>(
      ex, [&](auto then) { ex.node.read(confirmed, std::move(then)); });
  if (!known) co_return problem(known.failure());
  co_return json_answer(200, describe_leader(ex.node.view()));
}

}  // namespace kaiku
