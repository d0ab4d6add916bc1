#pragma once

/// Purpose: what a node tells of its actors, of what happened to it and of traced requests: plain values, which the
/// HTTP side shows and nodes send each other (`inspect_reports.hpp`). Owner: nobody. Thread: values.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kaiku/core/election.hpp"
#include "kaiku/core/ids.hpp"

namespace kaiku {

/// CAF's number of an actor, unique within a process; 0: none.
using actor_number = counter<struct actor_number_tag>;
/// Microseconds since 1970 on the clock of the node that says so: orders what happened on one node, and is never said
/// twice.
using event_number = counter<struct event_number_tag>;
/// One traced request (W3C trace context: the trace id).
using trace_id = random_id<struct trace_tag>;
/// One step of it; 0: none.
using span_id = counter<struct span_tag>;

/// A figure that may not be known.
struct figure {
  bool known = false;
  std::uint64_t value = 0;

  figure() = default;
  figure(std::uint64_t x) : known(true), value(x) {}  // NOLINT(google-explicit-constructor)
  friend bool operator==(const figure&, const figure&) = default;
};

/// How long messages took, in microseconds, since watching began.
struct timing {
  bool known = false;
  std::uint64_t p50 = 0, p99 = 0, most = 0;
  friend bool operator==(const timing&, const timing&) = default;
};

/// One actor of one node, or, with the number 0, several whose figures are summed.
struct actor_report {
  actor_number number;
  std::string name;
  actor_number parent;
  std::string state;        ///< in its own words; empty: it says nothing
  std::uint64_t depth = 0;  ///< messages that wait
  figure oldest_ms;         ///< of these
  std::uint64_t received = 0;
  std::uint64_t processed = 0;
  std::uint64_t milli_per_second = 0;  ///< messages processed in a thousand seconds
  std::uint64_t errors = 0;
  bool alive = true;
  figure busy_ppm;  ///< parts per million of one thread
  timing took;
  friend bool operator==(const actor_report&, const actor_report&) = default;
};

/// Messages from one actor to one of the node that tells, since watching began.
struct message_flow {
  node_id from_node;
  actor_number from;
  actor_number to;
  std::uint64_t count = 0;
  friend bool operator==(const message_flow&, const message_flow&) = default;
};

enum class event_kind : std::uint8_t {
  started,
  stopping,
  election_won,
  election_lost,
  leader_changed,
  member_added,
  member_promoted,
  member_removed,
  peer_connected,
  peer_lost,
  snapshot_sent,
  snapshot_installed,
  set_aside,
  possibly_lost,
  slow_disk,
  redis_lost,
  redis_back,
  scrub_damage,
  scrub_repaired,
  not_ready,
  ready,
};
inline constexpr auto last_event_kind = event_kind::ready;
std::string_view to_string(event_kind x);

struct timeline_event {
  event_number number;  ///< and its time
  node_id node;
  event_kind kind = event_kind::started;
  std::string text;  ///< for a person
  friend bool operator==(const timeline_event&, const timeline_event&) = default;
};

/// What a node is and how it does, beside its actors.
struct node_facts {
  role now = role::follower;
  term in_term;
  node_id leader;    ///< empty: not known
  std::string http;  ///< where clients reach it, host:port
  bool voter = true;
  std::string not_ready_reason;  ///< empty: ready
  std::string version;
  unix_time_ms started;
  log_index first, applied, committed;
  byte_count log_bytes, free_bytes;
  std::uint64_t set_aside = 0;
  figure leader_contact_ms;
  std::string redis;  ///< the mirror's state; empty: it has none
  std::uint64_t requests = 0;
  std::uint64_t milli_requests_per_second = 0;
  std::uint64_t in_flight = 0;
  unix_time_ms last_election;  ///< that it knows the outcome of; 0: none
  bool watched = false;        ///< messages are timed and sampled
  friend bool operator==(const node_facts&, const node_facts&) = default;
};

/// What a node says of itself.
struct node_report {
  node_facts facts;
  std::vector<actor_report> actors;
  std::vector<message_flow> flows;
  event_number last_event;
  std::vector<timeline_event> events;  ///< behind the one that was named in the question, oldest first
};

/// A member as the node that was asked sees it.
struct member_report {
  node_id id;
  bool reachable = false;
  std::string reason;  ///< why it does not answer
  figure last_heard_ms;
  node_report said;  ///< nothing unless reachable
};

/// A new event among those of all nodes, in the order in which the node that was asked heard of them.
struct heard_event {
  std::uint64_t serial = 0;
  timeline_event what;
};

/// What happened to all nodes.
struct timeline_report {
  std::vector<timeline_event> events;  ///< by time, each as its node's clock has it
  std::vector<node_id> unreachable;    ///< whose events are not among them
};

struct cluster_report {
  unix_time_ms at;
  node_id answered_by;
  std::uint64_t beat = 0;              ///< counts the reports that streams were given
  std::vector<member_report> members;  ///< by name
  std::vector<heard_event> events;     ///< the last ones
};
using cluster_report_ptr = std::shared_ptr<const cluster_report>;

/// All messages of one type that an actor processed.
struct type_report {
  std::string type;
  std::uint64_t count = 0;
  std::uint64_t milli_per_second = 0;
  timing took;
};
/// A message that was looked at.
struct sampled_message {
  unix_time_ms at;
  std::string type;
  node_id from_node;
  actor_number from;  ///< 0: nobody, or a node that is gone
  std::string text;   ///< shortened, without content and without what may be secret
  figure waited_us, took_us;
};
struct actor_history {
  unix_time_ms until;
  std::vector<std::uint64_t> milli_per_second, depth;  ///< of each step, oldest first
  std::vector<figure> busy_ppm;
};
struct actor_detail {
  actor_report actor;
  std::vector<type_report> types;
  std::vector<sampled_message> recent;  ///< newest first
  actor_history history;
};

enum class span_kind : std::uint8_t { request, message, sync };
inline constexpr auto last_span_kind = span_kind::sync;
std::string_view to_string(span_kind x);

/// A traced request on its way: which, and the step that caused what follows.
struct trace_context {
  trace_id id;
  span_id span;
  friend bool operator==(const trace_context&, const trace_context&) = default;
};

/// One step of a traced request on one node.
struct trace_span {
  span_id id;
  span_id parent;      ///< 0: the client's, or none
  actor_number actor;  ///< 0: a session
  std::string name;    ///< of the actor
  std::string what;    ///< the request, the message's type, or `fsync`
  span_kind kind = span_kind::message;
  std::uint64_t start_us = 0;  ///< since 1970, on its node's clock
  figure waited_us;
  std::uint64_t took_us = 0;
  std::string note;  ///< empty: none
  friend bool operator==(const trace_span&, const trace_span&) = default;
};

struct trace_report {
  trace_id id;
  bool over = false;  ///< its request was answered
  struct placed_span {
    node_id node;
    trace_span what;
  };
  std::vector<placed_span> spans;  ///< by start
  std::vector<node_id> unreachable;
};
/// A traced request that came to this node.
struct trace_summary {
  trace_id id;
  std::uint64_t start_us = 0;
  std::string what;
  std::uint64_t took_us = 0;
};

}  // namespace kaiku
