#include "kaiku/http/api/actors_json.hpp"

#include <array>
#include <charconv>

#include "kaiku/core/limits.hpp"
#include "kaiku/http/api/http_date.hpp"

namespace kaiku {
namespace {

constexpr std::string_view sum_mark = "*";

double of_thousandths(std::uint64_t x) {
  return static_cast<double>(x) / 1000;
}

json text_or_null(const std::string& x) {
  return x.empty() ? json(nullptr) : json(x);
}

json share_or_null(const figure& ppm) {
  return ppm.known ? json(static_cast<double>(ppm.value) / 1'000'000) : json(nullptr);
}

json describe(const timing& x) {
  if (!x.known) return nullptr;
  return {{"p50", x.p50}, {"p99", x.p99}, {"max", x.most}};
}

std::string one_name(const node_id& at, actor_number x) {
  return at.name + ":" + to_string(x);
}

/// Candidates before the vote are of no interest to who looks on.
std::string_view role_name(role x) {
  return to_string(x == role::pre_candidate ? role::candidate : x);
}

}  // namespace

std::string actor_name(const node_id& at, const actor_report& x) {
  return x.number.value == 0 ? at.name + ":" + x.name + std::string(sum_mark) : one_name(at, x.number);
}

std::optional<actor_place> parse_actor_name(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto number = text.substr(colon + 1);
  actor_place out{{std::string(text.substr(0, colon))}, {}};
  const auto read = std::from_chars(number.data(), number.data() + number.size(), out.number.value);
  if (read.ec != std::errc{} || read.ptr != number.data() + number.size()) return std::nullopt;
  return out;
}

json time_or_null(unix_time_ms x) {
  return x.value == 0 ? json(nullptr) : json(format_rfc3339(x));
}

json describe(const figure& x) {
  return x.known ? json(x.value) : json(nullptr);
}

json describe(const node_id& at, const actor_report& x) {
  return {{"id", actor_name(at, x)},
          {"name", x.name},
          {"parent", x.parent.value == 0 ? json(nullptr) : json(one_name(at, x.parent))},
          {"state", text_or_null(x.state)},
          {"mailbox", {{"depth", x.depth}, {"oldest_ms", describe(x.oldest_ms)}}},
          {"received", x.received},
          {"processed", x.processed},
          {"per_second", of_thousandths(x.milli_per_second)},
          {"errors", x.errors},
          {"restarts", 0},  // an actor that ends ends its node
          {"alive", x.alive},
          {"busy", share_or_null(x.busy_ppm)},
          {"took_us", describe(x.took)}};
}

json describe_node(const member_report& x) {
  json out{{"name", x.id.name},
           {"reachable", x.reachable},
           {"reason", text_or_null(x.reason)},
           {"last_heard_ms", describe(x.last_heard_ms)}};
  const auto& f = x.said.facts;
  const std::initializer_list<std::pair<const char*, json>> facts = {
      {"role", role_name(f.now)},
      {"voter", f.voter},
      {"term", f.in_term.value},
      {"leader", text_or_null(f.leader.name)},
      {"http", text_or_null(f.http)},
      {"ready", f.not_ready_reason.empty()},
      {"not_ready_reason", text_or_null(f.not_ready_reason)},
      {"version", f.version},
      {"started", time_or_null(f.started)},
      {"first", f.first.value},
      {"applied", f.applied.value},
      {"committed", f.committed.value},
      {"log_bytes", f.log_bytes.value},
      {"free_bytes", f.free_bytes.value},
      {"set_aside", f.set_aside},
      {"leader_contact_ms", describe(f.leader_contact_ms)},
      {"redis", text_or_null(f.redis)},
      {"requests", f.requests},
      {"requests_per_s", of_thousandths(f.milli_requests_per_second)},
      {"in_flight", f.in_flight},
      {"last_election", time_or_null(f.last_election)},
      {"watched", f.watched}};
  for (const auto& [name, value] : facts) out[name] = x.reachable ? value : json(nullptr);
  return out;
}

json describe(const member_report& x) {
  auto out = describe_node(x);
  auto& actors = out["actors"] = json::array();
  for (const auto& one : x.said.actors) actors.push_back(describe(x.id, one));
  return out;
}

json describe(const cluster_report& x) {
  json nodes = json::array();
  for (const auto& one : x.members) nodes.push_back(describe(one));
  return {{"at", format_rfc3339(x.at)}, {"answered_by", x.answered_by.name}, {"nodes", std::move(nodes)}};
}

json describe(const timeline_event& x) {
  return {{"at", format_rfc3339({static_cast<std::int64_t>(x.number.value / 1000)})},
          {"node", x.node.name},
          {"kind", to_string(x.kind)},
          {"text", x.text}};
}

json describe(const node_id& at, const actor_detail& x) {
  auto out = describe(at, x.actor);
  auto& messages = out["messages"] = json::array();
  for (const auto& one : x.types)
    messages.push_back({{"type", one.type},
                        {"count", one.count},
                        {"per_second", of_thousandths(one.milli_per_second)},
                        {"took_us", describe(one.took)}});
  auto& recent = out["recent"] = json::array();
  for (const auto& one : x.recent)
    recent.push_back({{"at", format_rfc3339(one.at)},
                      {"type", one.type},
                      {"from", one.from.value == 0 ? json(nullptr) : json(one_name(one.from_node, one.from))},
                      {"text", one.text},
                      {"waited_us", describe(one.waited_us)},
                      {"took_us", describe(one.took_us)}});
  json rates = json::array(), busy = json::array();
  for (const auto one : x.history.milli_per_second) rates.push_back(of_thousandths(one));
  for (const auto& one : x.history.busy_ppm) busy.push_back(share_or_null(one));
  out["history"] = {{"step_ms", limits::history_step_ms},
                    {"until", format_rfc3339(x.history.until)},
                    {"per_second", std::move(rates)},
                    {"depth", x.history.depth},
                    {"busy", std::move(busy)}};
  return out;
}

std::string to_hex(span_id x) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(x.value >> (8 * (bytes.size() - 1 - i)));
  return to_hex(bytes.data(), bytes.size());
}

json describe(const trace_summary& x, const node_id& at) {
  return {{"id", to_string(x.id)},
          {"began", format_rfc3339({static_cast<std::int64_t>(x.start_us / 1000)})},
          {"what", x.what},
          {"took_us", x.took_us},
          {"nodes", json::array({at.name})}};
}

json describe(const trace_report& x) {
  json spans = json::array(), unreachable = json::array();
  for (const auto& [node, one] : x.spans)
    spans.push_back({{"id", to_hex(one.id)},
                     {"parent", one.parent.value == 0 ? json(nullptr) : json(to_hex(one.parent))},
                     {"node", node.name},
                     {"actor", one.actor.value == 0 ? json(nullptr) : json(one_name(node, one.actor))},
                     {"name", one.name},
                     {"what", one.what},
                     {"kind", to_string(one.kind)},
                     {"start_us", one.start_us},
                     {"waited_us", describe(one.waited_us)},
                     {"took_us", one.took_us},
                     {"note", text_or_null(one.note)}});
  for (const auto& one : x.unreachable) unreachable.push_back(one.name);
  const auto began = x.spans.empty() ? 0 : x.spans.front().what.start_us;
  return {{"id", to_string(x.id)},
          {"began", format_rfc3339({static_cast<std::int64_t>(began / 1000)})},
          {"complete", x.over && x.unreachable.empty()},
          {"unreachable", std::move(unreachable)},
          {"spans", std::move(spans)}};
}

}  // namespace kaiku
