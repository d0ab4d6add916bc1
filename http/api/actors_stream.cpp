// /actors/stream: what changes, as server-sent events (HTML, 9.2). Every stream remembers what it has said and
// compares: one whose client reads slowly says less often, and never queues anything.

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <tuple>

#include "kaiku/http/api/access.hpp"
#include "kaiku/http/api/actors_json.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

/// A figure that always moves a little has changed when it moved by more than this.
constexpr std::uint64_t idle_contact_ms = 1000;
constexpr std::uint64_t idle_bytes = std::uint64_t{1} << 20;
/// So many beats between two looks: the client was away, perhaps as long as nobody watched, and begins anew.
constexpr std::uint64_t long_gap = limits::watch_lease_ms / limits::watch_interval_ms;

bool is_near(const figure& a, const figure& b) {
  if (a.known != b.known) return false;
  return a == b || std::max(a.value, b.value) < idle_contact_ms;
}
bool is_near(byte_count a, byte_count b) {
  return std::max(a, b).value - std::min(a, b).value < idle_bytes;
}

/// Nothing that anybody would look at has changed.
bool looks_alike(const member_report& a, const member_report& b) {
  const auto &x = a.said.facts, &y = b.said.facts;
  if (a.reachable != b.reachable || a.reason != b.reason || !is_near(a.last_heard_ms, b.last_heard_ms) ||
      !is_near(x.leader_contact_ms, y.leader_contact_ms) || !is_near(x.log_bytes, y.log_bytes) ||
      !is_near(x.free_bytes, y.free_bytes))
    return false;
  auto z = x;
  z.leader_contact_ms = y.leader_contact_ms;
  z.log_bytes = y.log_bytes;
  z.free_bytes = y.free_bytes;
  return z == y;
}

std::string event(std::string_view name, const json& data) {
  std::string out = "event: ";
  // One line: control characters are escaped.
  out.append(name).append("\ndata: ").append(data.dump(-1, ' ', false, json::error_handler_t::replace)).append("\n\n");
  return out;
}

class actors_stream final : public body_source {
 public:
  actors_stream(exchange& ex, std::unique_ptr<counted_place> place) : ex_(ex), place_(std::move(place)) {}

  task<std::string> next() override {
    for (;;) {
      if (ex_.draining) co_return std::string{};
      auto told = co_await ask<result<cluster_report_ptr>>(
          ex_, [&](auto done) { ex_.node.inspect({}, true, std::move(done)); });
      if (!told || !still_allowed(ex_, permission::watch)) co_return std::string{};
      auto text = say(**told);
      const auto now = std::chrono::steady_clock::now();
      if (text.empty() && now - said_at_ >= milliseconds(limits::stream_silence_ms)) text = ": alive\n\n";
      if (text.empty()) continue;
      said_at_ = now;
      co_return text;
    }
  }

 private:
  using flow_name = std::tuple<node_id, actor_number, node_id, actor_number>;

  std::string say(const cluster_report& x) {
    const bool begins = beat_ == 0 || x.beat - beat_ >= long_gap;
    beat_ = x.beat;
    auto change = compare(x);  // also remembers
    if (begins) {
      heard_ = x.events.empty() ? heard_ : x.events.back().serial;
      return event("state", describe(x));
    }
    std::string out;
    if (change) out = event("change", *change);
    for (const auto& one : x.events) {
      if (one.serial <= heard_) continue;
      heard_ = one.serial;
      out += event("timeline", describe(one.what));
    }
    return out;
  }

  std::optional<json> compare(const cluster_report& x) {
    json nodes = json::array(), actors = json::array(), gone = json::array(), flows = json::array();
    std::map<std::string, actor_report> now;
    std::map<flow_name, std::uint64_t> counted;
    for (const auto& member : x.members) {
      auto& known = nodes_[member.id];
      if (!known || !looks_alike(*known, member)) {
        nodes.push_back(describe_node(member));
        known = member;
        known->said.actors.clear();
        known->said.flows.clear();
        known->said.events.clear();
      }
      for (const auto& one : member.said.actors) {
        auto name = actor_name(member.id, one);
        const auto before = actors_.find(name);
        if (before == actors_.end() || before->second != one) actors.push_back(describe(member.id, one));
        now.emplace(std::move(name), one);
      }
      for (const auto& one : member.said.flows) add(member.id, one, counted, flows);
    }
    for (const auto& [name, one] : actors_)
      if (!now.contains(name)) gone.push_back(name);
    std::erase_if(nodes_, [&](const auto& known) {
      const bool left =
          std::none_of(x.members.begin(), x.members.end(), [&](const auto& one) { return one.id == known.first; });
      if (left) gone.push_back(known.first.name);  // no actor is called so: their ids have a colon
      return left;
    });
    actors_ = std::move(now);
    flows_ = std::move(counted);
    if (nodes.empty() && actors.empty() && gone.empty() && flows.empty()) return std::nullopt;
    return json{{"at", format_rfc3339(x.at)},
                {"nodes", std::move(nodes)},
                {"actors", std::move(actors)},
                {"gone", std::move(gone)},
                {"flows", std::move(flows)}};
  }

  void add(const node_id& at, const message_flow& x, std::map<flow_name, std::uint64_t>& counted, json& flows) const {
    const flow_name name{x.from_node, x.from, at, x.to};
    counted[name] = x.count;
    const auto before = flows_.find(name);
    // Fewer than before: they are counted anew since nobody watched.
    const auto base = before == flows_.end() || before->second > x.count ? 0 : before->second;
    if (x.count == base) return;
    flows.push_back({{"from", x.from_node.name + ":" + to_string(x.from)},
                     {"to", at.name + ":" + to_string(x.to)},
                     {"count", x.count - base}});
  }

  exchange& ex_;
  std::unique_ptr<counted_place> place_;
  std::chrono::steady_clock::time_point said_at_ = std::chrono::steady_clock::now();
  std::uint64_t beat_ = 0;   ///< of the last look; 0: there was none
  std::uint64_t heard_ = 0;  ///< the last event that was told
  std::map<node_id, std::optional<member_report>> nodes_;
  std::map<std::string, actor_report> actors_;
  std::map<flow_name, std::uint64_t> flows_;
};

}  // namespace

task<response> stream_actors(exchange& ex) {
  if (auto refused = refuse_query(ex)) co_return std::move(*refused);
  auto place = std::make_unique<counted_place>(ex.streams, limits::watch_streams);
  if (!place->has()) co_return problem({errc::overloaded, "this node has as many streams as it serves at once"});
  response out;
  out.add("Content-Type", "text/event-stream");
  out.add("Cache-Control", "no-store");
  out.add("X-Content-Type-Options", "nosniff");
  out.add("X-Accel-Buffering", "no");  // a proxy is to pass on each event as it comes
  out.stream = std::make_unique<actors_stream>(ex, std::move(place));
  co_return out;
}

}  // namespace kaiku
