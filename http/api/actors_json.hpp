#pragma once

/// Purpose: what nodes tell of their actors as JSON. Times, names and units: docs/inspection.md. Thread: pure.

#include "kaiku/http/api/json.hpp"
#include "kaiku/messages/inspection.hpp"

namespace kaiku {

/// `n1:12`; `n1:upload*` for a sum.
std::string actor_name(const node_id& at, const actor_report& x);
/// What `actor_name` wrote for one actor; empty: it is none.
struct actor_place {
  node_id node;
  actor_number number;
};
std::optional<actor_place> parse_actor_name(std::string_view text);

json describe(const figure& x);
json describe(const node_id& at, const actor_report& x);
/// Without its actors.
json describe_node(const member_report& x);
/// One node with its actors.
json describe(const member_report& x);
json describe(const cluster_report& x);
json describe(const timeline_event& x);
json describe(const node_id& at, const actor_detail& x);
json describe(const trace_report& x);
/// One that came to the node `at`.
json describe(const trace_summary& x, const node_id& at);
/// 16 hexadecimal digits.
std::string to_hex(span_id x);

/// `2026-01-31T12:00:00.000Z`; null at 0.
json time_or_null(unix_time_ms x);

}  // namespace kaiku
