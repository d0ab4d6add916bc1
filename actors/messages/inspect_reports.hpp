#pragma once

/// Purpose: how what `inspection.hpp` tells travels between nodes; the order of the fields is the wire format. Found by
/// argument-dependent lookup from CAF's serializers. Thread: any.

#include "kaiku/messages/inspect.hpp"
#include "kaiku/messages/inspection.hpp"

namespace kaiku {

template <class F>
typename F::result_type inspect(F& f, figure& x) {
  return f(x.known, x.value);
}
template <class F>
typename F::result_type inspect(F& f, timing& x) {
  return f(x.known, x.p50, x.p99, x.most);
}
template <class F>
typename F::result_type inspect(F& f, actor_report& x) {
  return f(caf::meta::type_name("actor_report"), x.number, x.name, x.parent, x.state, x.depth, x.oldest_ms, x.received,
           x.processed, x.milli_per_second, x.errors, x.alive, x.busy_ppm, x.took);
}
template <class F>
typename F::result_type inspect(F& f, message_flow& x) {
  return f(caf::meta::type_name("message_flow"), x.from_node, x.from, x.to, x.count);
}
template <class F>
typename F::result_type inspect(F& f, timeline_event& x) {
  return f(caf::meta::type_name("timeline_event"), x.number, x.node, x.kind, x.text);
}
template <class F>
typename F::result_type inspect(F& f, node_facts& x) {
  return f(caf::meta::type_name("node_facts"), x.now, x.in_term, x.leader, x.http, x.voter, x.not_ready_reason,
           x.version, x.started, x.first, x.applied, x.committed, x.log_bytes, x.free_bytes, x.set_aside,
           x.leader_contact_ms, x.redis, x.requests, x.milli_requests_per_second, x.in_flight, x.last_election,
           x.watched);
}
template <class F>
typename F::result_type inspect(F& f, node_report& x) {
  return f(caf::meta::type_name("node_report"), x.facts, x.actors, x.flows, x.last_event, x.events);
}
template <class F>
typename F::result_type inspect(F& f, type_report& x) {
  return f(caf::meta::type_name("type_report"), x.type, x.count, x.milli_per_second, x.took);
}
template <class F>
typename F::result_type inspect(F& f, sampled_message& x) {
  return f(caf::meta::type_name("sampled_message"), x.at, x.type, x.from_node, x.from, x.text, x.waited_us, x.took_us);
}
template <class F>
typename F::result_type inspect(F& f, actor_history& x) {
  return f(caf::meta::type_name("actor_history"), x.until, x.milli_per_second, x.depth, x.busy_ppm);
}
template <class F>
typename F::result_type inspect(F& f, actor_detail& x) {
  return f(caf::meta::type_name("actor_detail"), x.actor, x.types, x.recent, x.history);
}
template <class F>
typename F::result_type inspect(F& f, trace_context& x) {
  return f(caf::meta::type_name("trace_context"), x.id, x.span);
}
template <class F>
typename F::result_type inspect(F& f, trace_span& x) {
  return f(caf::meta::type_name("trace_span"), x.id, x.parent, x.actor, x.name, x.what, x.kind, x.start_us, x.waited_us,
           x.took_us, x.note);
}

}  // namespace kaiku
