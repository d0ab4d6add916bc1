#include "kaiku/messages/inspection.hpp"

#include <array>

namespace kaiku {

std::string_view to_string(event_kind x) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(last_event_kind) + 1> names{
      "started",         "stopping",       "election_won",   "election_lost", "leader_changed", "member_added",
      "member_promoted", "member_removed", "peer_connected", "peer_lost",     "snapshot_sent",  "snapshot_installed",
      "set_aside",       "possibly_lost",  "slow_disk",      "redis_lost",    "redis_back",     "scrub_damage",
      "scrub_repaired",  "not_ready",      "ready"};
  const auto i = static_cast<std::size_t>(x);
  return i < names.size() ? names[i] : "unknown";
}

std::string_view to_string(span_kind x) {
  switch (x) {
    case span_kind::request: return "request";
    case span_kind::message: return "message";
    case span_kind::sync: return "sync";
  }
  return "unknown";
}

}  // namespace kaiku
