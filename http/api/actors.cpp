// /actors: how the actors of all nodes do, one of them, and what happened to the nodes.

#include <charconv>

#include "kaiku/core/membership.hpp"
#include "kaiku/http/api/actors_json.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

response no_actor(std::string_view id) {
  return problem({errc::not_found, "'" + std::string(id) + "' is no actor"});
}

}  // namespace

task<response> list_actors(exchange& ex) {
  const auto query = query_parameters::parse(ex.query, {"node"});
  if (!query) co_return problem(query.failure());
  const node_id only{std::string(query->get("node").value_or(""))};
  if (query->get("node") && !is_valid_node_name(only.name))
    co_return problem({errc::bad_request, "node is not the name of one"});
  auto told =
      co_await ask<result<cluster_report_ptr>>(ex, [&](auto done) { ex.node.inspect(only, false, std::move(done)); });
  if (!told) co_return problem(told.failure());
  co_return json_answer(200, describe(**told));
}

task<response> show_actor(exchange& ex) {
  if (auto refused = refuse_query(ex)) co_return std::move(*refused);
  // A colon may come percent-encoded, and nothing else of an id can.
  std::string id(ex.segment);
  for (const std::string_view colon : {"%3A", "%3a"})
    if (const auto at = id.find(colon); at != std::string::npos) id.replace(at, colon.size(), ":");
  const auto place = parse_actor_name(id);
  if (!place || !is_valid_node_name(place->node.name)) co_return no_actor(id);
  auto told = co_await ask<result<std::shared_ptr<const actor_detail>>>(
      ex, [&](auto done) { ex.node.inspect_actor(place->node, place->number, std::move(done)); });
  if (!told) co_return problem(told.failure());
  co_return json_answer(200, describe(place->node, **told));
}

task<response> show_timeline(exchange& ex) {
  const auto query = query_parameters::parse(ex.query, {"after", "limit"});
  if (!query) co_return problem(query.failure());
  const auto limit = parse_limit(query->get("limit"), limits::timeline_events);
  if (!limit) co_return problem(limit.failure());
  event_number after;
  if (const auto text = query->get("after")) {
    const auto read = std::from_chars(text->data(), text->data() + text->size(), after.value);
    if (read.ec != std::errc{} || read.ptr != text->data() + text->size())
      co_return problem({errc::bad_request, "after is what an answer's next said"});
  }
  auto told = co_await ask<result<std::shared_ptr<const timeline_report>>>(
      ex, [&](auto done) { ex.node.timeline(std::move(done)); });
  if (!told) co_return problem(told.failure());
  std::vector<const timeline_event*> wanted;
  for (const auto& one : (*told)->events)
    if (one.number > after) wanted.push_back(&one);
  // Who asks for what follows something gets what follows at once; everybody else the last.
  if (wanted.size() > *limit) {
    if (query->get("after"))
      wanted.resize(*limit);
    else
      wanted.erase(wanted.begin(), wanted.end() - static_cast<std::ptrdiff_t>(*limit));
  }
  json events = json::array();
  for (const auto* one : wanted) events.push_back(describe(*one));
  const auto next = wanted.empty() ? after : wanted.back()->number;
  json unreachable = json::array();
  for (const auto& one : (*told)->unreachable) unreachable.push_back(one.name);
  co_return json_answer(
      200, {{"events", std::move(events)}, {"next", to_string(next)}, {"unreachable", std::move(unreachable)}});
}

response list_traces(exchange& ex) {
  if (auto refused = refuse_query(ex)) return std::move(*refused);
  json traces = json::array();
  const auto self = ex.node.view().self;
  for (const auto& one : trace_store::instance().roots()) traces.push_back(describe(one, self));
  return json_answer(200, {{"traces", std::move(traces)}});
}

task<response> show_trace(exchange& ex) {
  if (auto refused = refuse_query(ex)) co_return std::move(*refused);
  trace_id id;
  if (!from_hex(ex.segment, id.bytes.data(), id.bytes.size()))
    co_return problem({errc::not_found, "a trace is named by 32 hexadecimal digits"});
  auto told = co_await ask<result<std::shared_ptr<const trace_report>>>(
      ex, [&](auto done) { ex.node.trace(id, std::move(done)); });
  if (!told) co_return problem(told.failure());
  co_return json_answer(200, describe(**told));
}

}  // namespace kaiku
