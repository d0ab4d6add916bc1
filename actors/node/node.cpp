#include "kaiku/node/node.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <caf/all.hpp>
#include <caf/io/middleman.hpp>

#include "kaiku/actors/content_actor.hpp"
#include "kaiku/actors/disk_steps.hpp"
#include "kaiku/actors/election_actor.hpp"
#include "kaiku/actors/fetch_actor.hpp"
#include "kaiku/actors/front_actor.hpp"
#include "kaiku/actors/heartbeat_actor.hpp"
#include "kaiku/actors/inspector_actor.hpp"
#include "kaiku/actors/installer_actor.hpp"
#include "kaiku/actors/orchestrator_actor.hpp"
#include "kaiku/actors/peer_directory.hpp"
#include "kaiku/actors/replication_actor.hpp"
#include "kaiku/actors/scrub_actor.hpp"
#include "kaiku/actors/storage_actor.hpp"
#include "kaiku/actors/supervisor.hpp"
#include "kaiku/actors/timeline.hpp"
#include "kaiku/core/wall_clock.hpp"
#include "kaiku/http/access/control.hpp"
#include "kaiku/http/server/server.hpp"
#include "kaiku/kubernetes/publisher.hpp"
#include "kaiku/link/link.hpp"
#include "kaiku/storage/make_id.hpp"
#include "kaiku/storage/store.hpp"
#include "kaiku/tls/credentials.hpp"

namespace kaiku {
namespace {

constexpr int failure_exit_code = 70;  // EX_SOFTWARE of sysexits.h
/// From the first probe that says that this node stops to the last connection that it takes: gateways that look four
/// times a second (deploy/compose) have seen it by then.
constexpr milliseconds gateway_notice{600};
/// For requests on their way when it takes no more connections.
constexpr milliseconds last_requests{300};

/// CAF's settings; `docs/architecture.md` gives the reasons.
struct actor_settings : caf::actor_system_config {
  actor_settings() {
    add_message_types<caf::id_block::kaiku>();
    load<caf::io::middleman>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{std::clamp(std::thread::hardware_concurrency(), 2u, 8u)});
    set("scheduler.max-throughput", std::size_t{50});
    set("middleman.workers", std::size_t{0});
    set("logger.verbosity", caf::atom("quiet"));
  }
};

std::vector<member> bootstrap_members(const options& with) {
  std::vector<member> voters;
  for (const auto& one : with.cluster) voters.push_back({one.id, {}, to_string(one.peers)});
  return voters;
}

/// Where a node whose disk knows no cluster asks for one before it takes part in founding one.
std::vector<std::string> where_to_ask(const options& with) {
  std::vector<std::string> addresses;
  for (const auto& one : with.join) addresses.push_back(to_string(one));
  for (const auto& one : with.cluster)
    if (one.id != with.name) addresses.push_back(to_string(one.peers));
  return addresses;
}

/// One I/O thread: an io_context, the thread that runs it, and the front that lives on it.
struct io_thread {
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  front_handle front;
  std::thread thread;
};

}  // namespace

void end_process(const std::string& why) {
  spdlog::critical("{}; the node ends and can be started again", why);
  spdlog::shutdown();
  std::_Exit(failure_exit_code);
}

struct node::impl {
  explicit impl(options o) : with(std::move(o)) {}

  status load_credentials();
  status open_ports();
  void make_actors();
  void watch();
  void make_fronts();
  status serve();
  void introduce_everybody();
  bool hand_over_leadership();
  void stop_actors();
  void end_inspector();

  options with;
  std::shared_ptr<store> disk;
  std::shared_ptr<redis_mirror> redis;                  ///< may be empty
  std::shared_ptr<access_control> access;               ///< likewise
  std::shared_ptr<tls_credentials> peer_tls, http_tls;  ///< likewise
  std::shared_ptr<kubernetes::label_publisher> label;   ///< likewise
  actor_settings settings;
  std::unique_ptr<caf::actor_system> system;
  std::vector<std::unique_ptr<io_thread>> io_threads;
  std::shared_ptr<link_layer> links;
  std::unique_ptr<http_server> http;
  local_handles actors;
  fetch_handle repairs;       ///< scrub's own: replication's fetch is never held up by it
  front_handle orchestrator;  ///< told what fronts are told; null without a label
  supervisor_handle watcher;
  const std::shared_ptr<request_figures> requests = std::make_shared<request_figures>();
  boot_id boot = make_id<boot_id>();
};

status node::impl::load_credentials() {
  const auto load = [](const char* what, tls_use use, const std::optional<tls_files>& files,
                       std::shared_ptr<tls_credentials>& into) -> status {
    if (!files) return success();
    auto loaded = tls_credentials::load(what, use, *files);
    if (!loaded) return loaded.failure();
    into = std::move(*loaded);
    return success();
  };
  if (auto done = load("peer links", tls_use::links, with.peer_tls, peer_tls); !done) return done;
  return load("HTTPS", tls_use::clients, with.http_tls, http_tls);
}

status node::impl::open_ports() {
  link_settings l;
  l.listen_address = with.peers.host;
  l.listen_port = with.peers.port;
  l.self = with.name;
  l.disk = disk->disk();
  l.boot = boot;
  l.secret = with.peer_secret;
  l.tls = peer_tls;
  l.peer_address = to_string(with.advertise_peers);
  l.wants_in = !with.join.empty();
  l.knows_cluster = [d = disk] { return d->members().cluster.known(); };
  if (!l.knows_cluster()) l.ask_at = where_to_ask(with);
  auto started = link_layer::start(*system, std::move(l));
  if (!started) return started.failure();
  links = std::move(*started);
  return success();
}

void node::impl::make_fronts() {
  const auto threads = std::clamp(std::thread::hardware_concurrency(), 2u, 4u);
  for (unsigned i = 0; i < threads; ++i) {
    auto one = std::make_unique<io_thread>();
    one->front =
        spawn_on<front_actor, front_handle>(*system, one->io,
                                            front_settings{with.name, to_string(with.advertise_http),
                                                           with.default_durability, with.election_timeout, redis},
                                            disk);
    actors.fronts.push_back(one->front);
    io_threads.push_back(std::move(one));
  }
}

void node::impl::make_actors() {
  const auto voters = bootstrap_members(with);
  std::set<node_id> names;
  for (const auto& voter : voters) names.insert(voter.id);

  auto& sys = *system;
  const auto steps = std::make_shared<disk_steps>();
  make_fronts();
  actors.storage = sys.spawn<storage_actor, caf::detached>(disk);
  actors.content = sys.spawn<content_actor, caf::detached>(disk, steps, threads::own);
  actors.fetch = sys.spawn<fetch_actor, caf::detached>(disk, steps, threads::own);
  actors.installer = sys.spawn<installer_actor>();
  repairs = sys.spawn<fetch_actor, caf::detached>(disk, steps, threads::own);
  actors.scrub = sys.spawn<scrub_actor, caf::detached>(
      scrub_settings{with.scrub_rate, with.scrub_interval, with.set_aside_age, with.set_aside_bytes}, disk, repairs);
  actors.heartbeat = sys.spawn<heartbeat_actor>(heartbeat_settings{
      with.name, names, with.heartbeat_interval, with.election_timeout, [d = disk] { return d->state().current; }});
  actors.replication = sys.spawn<replication_actor>(replication_settings{.self = with.name,
                                                                         .bootstrap = voters,
                                                                         .new_cluster = make_id<cluster_id>(),
                                                                         .election_timeout = with.election_timeout,
                                                                         .remove_dead_after = with.remove_dead_after},
                                                    disk, steps);
  auto random = [engine = std::make_shared<std::mt19937_64>(std::random_device{}())](std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>{0, bound - 1}(*engine);
  };
  actors.election = sys.spawn<election_actor>(election_settings{with.name, names, with.election_timeout, random},
                                              disk->state(), disk->disk());
  actors.inspector = sys.spawn<inspector_actor>(
      inspector_settings{.self = with.name,
                         .picture = {with.name, to_string(with.advertise_http), with.election_timeout, disk, redis},
                         .version = KAIKU_VERSION,
                         .started = wall_clock(),
                         .requests = requests});
  actors.fronts.push_back(actors.inspector);
  if (with.kubernetes) {
    label = std::make_shared<kubernetes::label_publisher>(*with.kubernetes);
    orchestrator = sys.spawn<orchestrator_actor>(with.name, label);
    actors.fronts.push_back(orchestrator);
  }
  directory_settings d;
  d.self = {with.name,
            boot,
            to_string(with.advertise_http),
            {actors.election, actors.heartbeat, actors.replication, actors.content}};
  d.fronts = actors.fronts;
  d.scrub = actors.scrub;
  d.inspector = actors.inspector;
  d.set_members = [l = links](membership now) { l->set_members(std::move(now)); };
  d.on_link_down = [l = links](const node_id& peer, link_serial link) { l->on_link_down(peer, link); };
  actors.directory = sys.spawn<peer_directory>(std::move(d));
}

void node::impl::watch() {
  std::map<caf::actor_addr, std::string> names;
  auto add = [&](const auto& handle, const char* name) {
    names.emplace(caf::actor_cast<caf::actor_addr>(handle), name);
  };
  add(actors.storage, "storage");
  add(actors.content, "content");
  add(actors.fetch, "fetch");
  add(actors.installer, "installer");
  add(repairs, "fetch for repairs");
  add(actors.scrub, "scrub");
  add(actors.heartbeat, "heartbeat");
  add(actors.replication, "replication");
  add(actors.election, "election");
  add(actors.directory, "peer directory");
  for (const auto& one : io_threads) add(one->front, "front");
  add(actors.inspector, "inspector");
  if (orchestrator) add(orchestrator, "orchestrator");
  watcher = system->spawn<supervisor>(std::move(names), end_process);
}

status node::impl::serve() {
  std::vector<http_worker> workers;
  for (auto& one : io_threads) {
    auto* front = static_cast<front_actor*>(caf::actor_cast<caf::abstract_actor*>(one->front));
    workers.push_back({&one->io, front});
  }
  http_settings h = with.client_side;
  h.address = with.http.host;
  h.port = with.http.port;
  h.tls = http_tls;
  h.peer_tls = peer_tls;
  h.access = access;
  h.figures = requests;
  h.label = label;
  auto started = http_server::start(std::move(h), std::move(workers));
  if (!started) return started.failure();
  http = std::move(*started);
  return success();
}

void node::impl::introduce_everybody() {
  for (const auto& front : actors.fronts) caf::anon_send(front, actors);
  caf::anon_send(actors.content, actors);
  caf::anon_send(actors.heartbeat, actors);
  caf::anon_send(actors.installer, actors);
  caf::anon_send(actors.scrub, actors);
  caf::anon_send(actors.replication, actors);
  caf::anon_send(actors.election, actors);
  for (auto& one : io_threads) one->thread = std::thread([&io = one->io] { io.run(); });
  links->open(actors.directory);
}

result<std::unique_ptr<node>> node::start(const options& with) {
  auto state = std::make_unique<impl>(with);
  if (auto loaded = state->load_credentials(); !loaded) return loaded.failure();
  store::options s;
  s.directory = with.data;
  s.fatal = end_process;
  const auto feed = with.redis ? std::make_shared<change_feed>() : nullptr;
  s.feed = feed;
  auto disk = store::open(std::move(s));
  if (!disk) return disk.failure();
  state->disk = std::move(*disk);
  if (with.redis) state->redis = std::make_shared<redis_mirror>(*with.redis, with.name, state->disk, feed);
  if (!with.auth_file.empty()) {
    auto access = access_control::open(with.auth_file);
    if (!access) return access.failure();
    state->access = std::move(*access);
  }
  state->system = std::make_unique<caf::actor_system>(state->settings);

  std::unique_ptr<node> started{new node(std::move(state))};
  auto& all = *started->impl_;
  if (auto ports = all.open_ports(); !ports) return ports.failure();
  all.make_actors();
  if (auto served = all.serve(); !served) return served.failure();
  all.watch();
  all.introduce_everybody();
  spdlog::info("started version={} http={} peers={} data={} members={}", KAIKU_VERSION, to_string(with.http),
               to_string(with.peers), with.data.string(), with.cluster.size());
  return started;
}

/// Whether it led, and another one does now.
bool node::impl::hand_over_leadership() {
  caf::scoped_actor self{*system};
  bool done = false;
  const auto patience = with.election_timeout + milliseconds(500);
  self->request(actors.replication, patience, hand_over{})
      .receive(
          [&](const handed_over& x) {
            done = x.failure.code == errc::none;
            if (done) spdlog::info("leadership handed over");
            if (x.failure.code == errc::busy) spdlog::warn("leadership not handed over: {}", x.failure.detail);
          },
          [](const caf::error&) { spdlog::warn("leadership could not be handed over in time"); });
  return done;
}

void node::reload(bool all) {
  for (const auto& one : {impl_->peer_tls, impl_->http_tls})
    if (one) one->refresh(all);
  const auto& access = impl_->access;
  if (!access) return;
  if (auto read = all ? access->reload() : access->reload_if_changed(); !read)
    spdlog::error("access control stays as it was: {}", read.failure().detail);
  else if (*read)
    spdlog::info("access control was read anew");
}

void node::shut_down() {
  auto& all = *impl_;
  const auto deadline = std::chrono::steady_clock::now() + milliseconds(limits::shutdown_grace_ms);
  timeline::instance().note(event_kind::stopping, "asked to end");
  const bool handed_over = all.hand_over_leadership();
  all.http->announce_end();
  if (handed_over && all.label) all.label->part_from(kubernetes::pod_role::leader);
  const auto wait_while = [](auto until, const auto& goes_on) {
    while (std::chrono::steady_clock::now() < until && goes_on()) std::this_thread::sleep_for(milliseconds(5));
  };
  if (all.http->is_in_use()) std::this_thread::sleep_for(gateway_notice);
  all.http->drain();
  wait_while(std::chrono::steady_clock::now() + last_requests, [&] { return all.http->connections() != 0; });
  wait_while(deadline, [&] { return all.http->open_requests() != 0; });
  spdlog::info("stopped open_requests={}", all.http->open_requests());
}

void node::impl::stop_actors() {
  if (watcher) caf::anon_send(watcher, stand_down{});
  http.reset();
  end_inspector();
  for (auto& one : io_threads) {
    one->work.reset();
    one->io.stop();
    if (one->thread.joinable()) one->thread.join();
  }
  if (redis) redis->stop();
  if (links) links->stop();
  auto end = [](auto& handle) {
    if (handle) caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
    handle = nullptr;
  };
  end(actors.directory);
  end(actors.election);
  end(actors.heartbeat);
  end(actors.replication);
  end(actors.content);
  end(actors.fetch);
  end(actors.installer);
  end(actors.scrub);
  end(repairs);
  end(actors.storage);
  end(orchestrator);
  watcher = nullptr;
}

/// It speaks to the fronts of its own accord: before their threads end.
void node::impl::end_inspector() {
  if (!actors.inspector) return;
  caf::scoped_actor self{*system};
  caf::anon_send_exit(actors.inspector, caf::exit_reason::user_shutdown);
  self->wait_for(actors.inspector);
  actors.inspector = nullptr;
}

node::node(std::unique_ptr<impl> state) : impl_(std::move(state)) {}

node::~node() {
  impl_->stop_actors();
}

}  // namespace kaiku
