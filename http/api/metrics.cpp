// /metrics: what this node knows of itself, in the Prometheus text format.

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <map>

#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/process_figures.hpp"
#include "kaiku/http/server/bridge.hpp"
#include "kaiku/http/server/meter.hpp"
#include "kaiku/kubernetes/publisher.hpp"
#include "kaiku/tls/credentials.hpp"

namespace kaiku {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<prometheus::ClientMetric::Label>;

class document {
 public:
  void gauge(const char* name, const char* help, double value, labels of = {}) {
    add(name, help, MetricType::Gauge, std::move(of)).gauge.value = value;
  }
  void counter(const char* name, const char* help, double value, labels of = {}) {
    add(name, help, MetricType::Counter, std::move(of)).counter.value = value;
  }
  void append(std::vector<MetricFamily> more) {
    families_.insert(families_.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  std::string text() const { return prometheus::TextSerializer{}.Serialize(families_); }

 private:
  /// The values of one name stand together: it is the last family, or a new one.
  prometheus::ClientMetric& add(const char* name, const char* help, MetricType type, labels of) {
    if (families_.empty() || families_.back().name != name) families_.push_back({name, help, type, {}});
    auto& added = families_.back().metric.emplace_back();
    added.label = std::move(of);
    return added;
  }

  std::vector<MetricFamily> families_;
};

template <class Counter>
double number(Counter x) {
  return static_cast<double>(x.value);
}
double number(std::uint64_t x) {
  return static_cast<double>(x);
}
double seconds(milliseconds x) {
  return std::chrono::duration<double>(x).count();
}
double seconds(const std::optional<unix_time_ms>& x) {
  return x ? static_cast<double>(x->value) / 1000 : 0;
}

void add_node(document& out, const node_view& view) {
  out.gauge("kaiku_node_info", "1; which node this is, of which cluster and version.", 1,
            {{"node", view.self.name},
             {"cluster", view.cluster.known() ? to_string(view.cluster) : ""},
             {"version", KAIKU_VERSION}});
  for (auto one : {role::follower, role::candidate, role::leader})
    out.gauge("kaiku_role", "1 for the role this node has.", view.now == one ? 1 : 0,
              {{"role", std::string(to_string(one))}});
  out.gauge("kaiku_ready", "1 when caught up and in contact with a leader.", view.ready ? 1 : 0);
  out.gauge("kaiku_term", "The current term.", number(view.in_term));
  if (view.leader_contact)
    out.gauge("kaiku_leader_contact_age_seconds", "Since the leader was heard; on the leader, since a majority was.",
              seconds(*view.leader_contact));
}

void add_log(document& out, const node_view& view, const cluster_view& more) {
  out.gauge("kaiku_log_last_index", "The last entry of the log.", number(view.applied));
  out.gauge("kaiku_log_commit_index", "The last entry known to be on a majority.", number(view.committed));
  out.gauge("kaiku_log_first_index", "The oldest entry that is not compacted.", number(more.first));
  out.gauge("kaiku_log_bytes", "What the log takes, with undo records and small content.", number(more.log_bytes));
  out.counter("kaiku_log_entries_total", "Entries written.", number(more.log_entries));
  out.counter("kaiku_log_syncs_total", "Synced batches of the database; entries over syncs is the group size.",
              number(more.log_syncs));
  out.counter("kaiku_file_syncs_total", "Fsyncs of large content and its directories.", number(more.file_syncs));
  out.counter("kaiku_elections_won_total", "Times this node began to lead.", number(more.elections_won));
  out.counter("kaiku_leader_changes_total", "New leaders that this node has seen.", number(more.leader_changes));
  out.gauge("kaiku_set_aside_entries", "Changes that failovers displaced and this node keeps.", number(more.set_aside));
  const auto lost = more.possibly_lost ? more.possibly_lost->last.value - more.possibly_lost->first.value + 1 : 0;
  out.gauge("kaiku_possibly_lost_entries",
            "On the leader: entries of an earlier leader that were heard of and are not here.", number(lost));
}

void add_members(document& out, const node_view& view, const cluster_view& more) {
  for (const auto& one : more.members)
    out.gauge("kaiku_member_connected", "1 when a link to this member stands.", one.connected ? 1 : 0,
              {{"member", one.id.name}, {"kind", one.voter ? "voter" : "learner"}});
  if (view.now != role::leader) return;
  for (const auto& one : more.members) {
    if (!one.match || one.id == view.self) continue;
    const auto lag = view.applied.value > one.match->value ? view.applied.value - one.match->value : 0;
    out.gauge("kaiku_replication_lag_entries", "On the leader: entries that this member does not hold yet.",
              number(lag), {{"member", one.id.name}});
  }
  for (const auto& one : more.members)
    if (one.last_heard)
      out.gauge("kaiku_member_silence_seconds", "On the leader: since this member last answered.",
                seconds(*one.last_heard), {{"member", one.id.name}});
}

/// By name: of some there are several. Uploads come and go, so their messages make no counter.
void add_actors(document& out, const cluster_view& more) {
  struct sum {
    std::uint64_t taken = 0, waiting = 0;
  };
  std::map<std::string, sum> actors;
  std::uint64_t uploads = 0;
  for (const auto& one : more.actors) {
    if (one.name == "upload") {
      ++uploads;
      continue;
    }
    auto& into = actors[one.name];
    into.taken += one.processed;
    into.waiting += one.received > one.processed ? one.received - one.processed : 0;
  }
  for (const auto& [name, x] : actors)
    out.counter("kaiku_actor_messages_total", "Messages that an actor has taken.", number(x.taken), {{"actor", name}});
  for (const auto& [name, x] : actors)
    out.gauge("kaiku_actor_queue_messages", "Messages that wait for an actor.", number(x.waiting), {{"actor", name}});
  out.gauge("kaiku_uploads_in_flight", "Large bodies being received, of clients or of the leader.", number(uploads));
}

void add_disk(document& out, const cluster_view& more, const scrub_view& scrub) {
  out.gauge("kaiku_disk_free_bytes", "What may still be written before 507.", number(more.free_space));
  out.gauge("kaiku_scrub_running", "1 while stored content is being checked.", scrub.running ? 1 : 0);
  out.gauge("kaiku_scrub_last_end_timestamp_seconds", "When the last check ended; 0: never.", seconds(scrub.ended));
  out.gauge("kaiku_scrub_checked_contents", "Contents checked in this check, or the last.", number(scrub.checked));
  out.gauge("kaiku_scrub_damaged_contents", "Of these, damaged.", number(scrub.damaged));
  out.gauge("kaiku_scrub_repaired_contents", "Of these, brought again.", number(scrub.repaired));
  out.gauge("kaiku_scrub_unrepairable_contents", "Contents that this node lacks and no member has whole.",
            number(scrub.unrepairable));
  for (const auto& one : more.database)
    out.gauge("kaiku_rocksdb_property", "RocksDB's own figures, by its names for them.", number(one.value),
              {{"property", one.name}});
}

/// What happened to each read that could have gone to Redis.
void add_redis(document& out, const mirror_view& redis) {
  using state = mirror_view::state;
  out.gauge("kaiku_redis_up", "1 while Redis mirrors the name space and is asked.",
            redis.now == state::current && redis.asked ? 1 : 0);
  for (auto one : {state::unreachable, state::building, state::full, state::current})
    out.gauge("kaiku_redis_state", "1 for the state the mirror is in.", redis.now == one ? 1 : 0,
              {{"state", std::string(to_string(one))}});
  out.gauge("kaiku_redis_lag_entries", "Entries of the log that Redis does not show yet.", number(redis.lag));
  out.counter("kaiku_redis_rebuilds_total", "Times Redis was filled.", number(redis.rebuilds));
  out.counter("kaiku_redis_put_off_total", "Times reads were put off because an answer was late or missing.",
              number(redis.put_off));
  out.counter("kaiku_redis_wrong_total", "Answers that held what this node did not write, or lacked something.",
              number(redis.wrong));
  const std::pair<const char*, std::uint64_t> outcomes[] = {
      {"redis", redis.answered}, {"late", redis.answered_late},   {"behind", redis.behind},
      {"wrong", redis.wrong},    {"absent", redis.left_to_store}, {"not_asked", redis.not_asked}};
  for (const auto& [outcome, count] : outcomes)
    out.counter("kaiku_redis_reads_total", "Reads by what Redis did for them; all but \"redis\" came from the disk.",
                number(count), {{"outcome", outcome}});
}

void add_certificates(document& out, const http_settings& settings) {
  const std::pair<const char*, const tls_credentials*> all[] = {{"http", settings.tls.get()},
                                                                {"peers", settings.peer_tls.get()}};
  for (const auto& [port, one] : all)
    if (one != nullptr)
      out.gauge("kaiku_tls_certificate_expiry_timestamp_seconds", "When the certificate of a port runs out.",
                seconds(std::optional{one->expires()}), {{"port", port}});
}

void add_label(document& out, const kubernetes::label_view& label) {
  out.gauge("kaiku_pod_label_current", "1 while the pod's label is known to say what it has to.",
            label.is_current() ? 1 : 0);
  out.counter("kaiku_pod_label_changes_total", "Times the pod's label came to say something else.",
              number(label.changes));
  for (const auto& [code, count] : label.answers)
    out.counter("kaiku_kubernetes_requests_total", "Requests to Kubernetes' API server by the status of the answer.",
                number(count), {{"code", code == 0 ? "none" : std::to_string(code)}});
}

void add_process(document& out, const server_figures& server) {
  out.gauge("kaiku_http_connections", "Client connections.", number(server.connections));
  out.gauge("kaiku_http_requests_in_flight", "Requests being answered.", number(server.open_requests));
  out.counter("kaiku_http_handshakes_failed_total", "Clients that TLS was begun with and not ended.",
              number(server.handshakes_failed));
  const auto process = read_process_figures();
  out.counter("process_cpu_seconds_total", "Processor time, user and system.", process.cpu_seconds);
  out.gauge("process_resident_memory_bytes", "Memory in use.", number(process.resident_bytes));
  out.gauge("process_open_fds", "Open file descriptors.", number(process.open_files));
  out.gauge("process_max_fds", "How many there may be.", number(process.max_files));
  out.gauge("process_start_time_seconds", "When the process began.", process.start_time_seconds);
}

}  // namespace

task<response> show_metrics(exchange& ex) {
  if (auto refused = refuse_query(ex)) co_return std::move(*refused);
  // Without an answer the rest is still worth telling.
  auto scrub = co_await ask<result<scrub_view>>(ex, [&](auto done) { ex.node.scrub(false, std::move(done)); });
  const auto view = ex.node.view();
  const auto more = ex.node.cluster();
  document out;
  add_node(out, view);
  add_log(out, view, more);
  add_members(out, view, more);
  add_actors(out, more);
  add_disk(out, more, scrub.ok() ? *scrub : scrub_view{});
  if (more.redis) add_redis(out, *more.redis);
  add_certificates(out, ex.settings);
  if (ex.settings.label) add_label(out, ex.settings.label->view());
  add_process(out, ex.server);
  out.append(ex.meter.registry().collect());
  response answer;
  answer.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  answer.add("Cache-Control", "no-store");
  answer.body = out.text();
  co_return answer;
}

}  // namespace kaiku
