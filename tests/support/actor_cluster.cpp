#include "support/actor_cluster.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <spdlog/spdlog.h>
#include <caf/all.hpp>

#include "kaiku/actors/clock.hpp"
#include "kaiku/actors/content_actor.hpp"
#include "kaiku/actors/election_actor.hpp"
#include "kaiku/actors/fetch_actor.hpp"
#include "kaiku/actors/heartbeat_actor.hpp"
#include "kaiku/actors/installer_actor.hpp"
#include "kaiku/actors/replication_actor.hpp"
#include "kaiku/actors/storage_actor.hpp"

namespace kaiku::test {
namespace {

class recording_front : public front_handle::base {
 public:
  recording_front(caf::actor_config& cfg, std::shared_ptr<front_record> record,
                  std::function<void(const role_change&)> announced)
      : front_handle::base(cfg), record_(std::move(record)), announced_(std::move(announced)) {}

  const char* name() const override { return "recording_front"; }

  behavior_type make_behavior() override {
    return {
        [this](const role_change& x) {
          record_->role = x;
          announced_(x);
        },
        [this](const log_progress& x) { record_->progress = x; },
        [this](const quorum_contact& x) { record_->quorum = x; },
        [](const leader_contact&) {},
        [this](const peer_up& x) { record_->up.insert(x.id); },
        [this](const peer_down& x) { record_->up.erase(x.id); },
        [this](const members_changed& x) { record_->members = x.now; },
        [](const local_handles&) {},
        [](const timer_due&) {},
    };
  }

 private:
  std::shared_ptr<front_record> record_;
  std::function<void(const role_change&)> announced_;
};

class quiet_directory : public directory_handle::base {
 public:
  explicit quiet_directory(caf::actor_config& cfg) : directory_handle::base(cfg) {}

  const char* name() const override { return "quiet_directory"; }

  behavior_type make_behavior() override {
    return {
        [](const introduction&) -> caf::result<introduction> { return caf::sec::invalid_argument; },
        [](const link_up&) {},
        [](const members_changed&) {},
        [](const timer_due&) {},
        [](const join_wanted&) {},
        [](const forget_bootstrap&) {},
        [](const inspector_here&) {},
    };
  }
};

/// Asks one thing, notes the answer, and is gone.
template <class Reply, class Handle, class Message>
class asker : public caf::event_based_actor {
 public:
  asker(caf::actor_config& cfg, Handle whom, Message what, asked_ptr<Reply> answer)
      : event_based_actor(cfg), whom_(std::move(whom)), what_(std::move(what)), answer_(std::move(answer)) {}

  const char* name() const override { return "asker"; }

  caf::behavior make_behavior() override {
    request(whom_, caf::infinite, std::move(what_))
        .then([this](const Reply& x) { answer_->reply = x; }, [this](const caf::error&) { answer_->failed = true; });
    whom_ = nullptr;
    return {};
  }

 private:
  Handle whom_;
  Message what_;
  asked_ptr<Reply> answer_;
};

}  // namespace

// --- cluster -------------------------------------------------------------------------------------------------------

actor_cluster::config::config() {
  add_message_types<caf::id_block::kaiku>();
  set("scheduler.policy", caf::atom("testing"));
  set("logger.verbosity", caf::atom("quiet"));
}

actor_cluster::actor_cluster(cluster_settings settings)
    : settings_(settings),
      system_(config_),
      scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())),
      network_(std::make_unique<actor_network>(system_, settings.seed)) {
  if (std::getenv("KAIKU_TEST_LOG") == nullptr) spdlog::set_level(spdlog::level::off);
  if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 0);
  network_->set_disk_delay(settings_.disk_delay / 4, settings_.disk_delay);
  scheduler_.clock().current_time += std::chrono::hours(1);
  for (std::size_t i = 0; i < settings_.nodes; ++i) {
    auto& x = *nodes_.emplace_back(std::make_unique<member_node>());
    x.id = {std::string(1, static_cast<char>('a' + i))};
    x.directory = std::make_unique<temporary_directory>();
    x.chance = std::make_shared<std::mt19937_64>(settings_.seed * 1000 + i);
    x.joins = i >= settings_.nodes - settings_.joining;
  }
  for (std::size_t i = 0; i < size() - settings_.absent; ++i) start(i);
}

actor_cluster::~actor_cluster() {
  for (auto& x : nodes_)
    for (auto& one : x->spawned) caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  for (auto& one : askers_) caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  settle();
  network_->disconnect_all();
  // ~actor_system would trigger what is still set for later, for as long as there is any.
  scheduler_.clock().cancel_all();
  askers_.clear();
  nodes_.clear();
}

void actor_cluster::spawn(member_node& x) {
  store::options how;
  how.directory = *x.directory / "data";
  how.reserve_bytes = settings_.reserve_bytes;
  how.fatal = [](const std::string& why) { throw std::runtime_error("the store stopped the node: " + why); };
  auto opened = store::open(std::move(how));
  if (!opened) throw std::runtime_error(opened.failure().detail);
  x.disk = std::move(*opened);
  x.steps = std::make_shared<disk_steps>();

  std::set<node_id> names;
  std::vector<member> bootstrap;
  for (std::size_t i = 0; i < settings_.nodes - settings_.joining && !x.joins; ++i) {
    const auto& id = nodes_[i]->id;
    names.insert(id);
    bootstrap.push_back({id, {}, id.name + ":7000"});
  }
  const auto storage = system_.spawn<storage_actor>(x.disk);
  auto& a = x.actors;
  a.storage = settings_.disk_delay.count() == 0 ? storage : network_->slow(x.id, storage);
  a.content = system_.spawn<content_actor>(x.disk, x.steps, threads::shared);
  a.fetch = system_.spawn<fetch_actor>(x.disk, x.steps, threads::shared);
  a.installer = system_.spawn<installer_actor>();
  a.heartbeat = system_.spawn<heartbeat_actor>(heartbeat_settings{x.id, names, settings_.heartbeat_interval,
                                                                  settings_.election_timeout,
                                                                  [d = x.disk] { return d->state().current; }});
  cluster_id name;
  name.bytes.fill(static_cast<std::uint8_t>(x.id.name.front()));
  a.replication = system_.spawn<replication_actor>(
      replication_settings{.self = x.id,
                           .bootstrap = bootstrap,
                           .new_cluster = name,
                           .election_timeout = settings_.election_timeout,
                           .durability_wait = settings_.durability_wait,
                           .log_bytes = settings_.log_bytes,
                           .log_bytes_for_followers = settings_.log_bytes_for_followers,
                           .superseded_keep = settings_.superseded_keep,
                           .remove_dead_after = settings_.remove_dead_after},
      x.disk, x.steps);
  auto random = [chance = x.chance](std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>{0, bound - 1}(*chance);
  };
  a.election = system_.spawn<election_actor>(election_settings{x.id, names, settings_.election_timeout, random},
                                             x.disk->state(), x.disk->disk());
  a.directory = system_.spawn<quiet_directory>();
  *x.seen = {};
  a.fronts = {system_.spawn<recording_front>(x.seen, [this, id = x.id](const role_change& y) { announced(id, y); })};
  ++x.boot.bytes[0];

  auto add = [&](const auto& handle) { x.spawned.push_back(caf::actor_cast<caf::actor>(handle)); };
  add(storage), add(a.content), add(a.fetch), add(a.installer), add(a.heartbeat), add(a.replication), add(a.election),
      add(a.directory);
  add(a.fronts.front());
  // As the node does it.
  caf::anon_send(a.fronts.front(), a);
  caf::anon_send(a.content, a);
  caf::anon_send(a.heartbeat, a);
  caf::anon_send(a.installer, a);
  caf::anon_send(a.replication, a);
  caf::anon_send(a.election, a);
}

void actor_cluster::announced(const node_id& by, const role_change& x) {
  trace_.push_back(std::to_string(now().time_since_epoch().count()) + " " + by.name + " " +
                   std::string(to_string(x.now)) + " term=" + to_string(x.in_term) + " leader=" + x.leader.name);
  if (x.leader.name.empty()) return;
  const auto& first = leaders_.emplace(x.in_term, x.leader).first->second;
  if (first != x.leader)
    violations_.push_back("a second leader of one term, after " + first.name + ": " + trace_.back());
}

// --- time ----------------------------------------------------------------------------------------------------------

instant actor_cluster::now() const {
  return std::chrono::time_point_cast<microseconds>(scheduler_.clock().now());
}

void actor_cluster::settle() {
  auto& jobs = scheduler_.jobs;
  while (!jobs.empty()) {
    if (settings_.shuffle) {
      const auto next = std::uniform_int_distribution<std::size_t>(0, jobs.size() - 1)(network_->random());
      std::swap(jobs.front(), jobs[next]);
    }
    scheduler_.run_once();
  }
}

void actor_cluster::step(instant until) {
  auto& clock = scheduler_.clock();
  const auto& later = clock.schedule();
  auto next = later.empty() ? until : std::min<caf::actor_clock::time_point>(until, later.begin()->first);
  clock.advance_time(std::max(next - clock.now(), caf::actor_clock::duration_type{0}));
  settle();
}

void actor_cluster::run_for(milliseconds time) {
  const auto until = now() + time;
  settle();
  while (now() < until) step(until);
}

bool actor_cluster::run_until(const std::function<bool()>& holds, milliseconds at_most) {
  const auto until = now() + at_most;
  settle();
  while (!holds()) {
    if (now() >= until) return false;
    step(until);
  }
  return true;
}

// --- nodes ---------------------------------------------------------------------------------------------------------

std::optional<std::size_t> actor_cluster::leader() const {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < size(); ++i) {
    const auto& role = nodes_[i]->seen->role;
    if (!nodes_[i]->disk || role.now != role::leader) continue;
    if (!found || role.in_term > nodes_[*found]->seen->role.in_term) found = i;
  }
  return found;
}

std::size_t actor_cluster::elect() {
  const bool elected = run_until([&] {
    const auto first = leader();
    if (!first) return false;
    const auto& led = *nodes_[*first]->seen;
    return led.progress.last.in_term == led.role.in_term && std::all_of(nodes_.begin(), nodes_.end(), [&](auto& x) {
             return !x->disk || (x->seen->role.leader == led.role.leader && x->seen->role.in_term == led.role.in_term &&
                                 x->seen->progress.commit == led.progress.last.index);
           });
  });
  if (!elected) throw std::runtime_error("no leader that all nodes follow");
  return *leader();
}

std::vector<std::size_t> actor_cluster::others(std::size_t i) const {
  std::vector<std::size_t> all;
  for (std::size_t j = 0; j < size(); ++j)
    if (j != i) all.push_back(j);
  return all;
}

void actor_cluster::stop(std::size_t i) {
  auto& x = node(i);
  for (auto j : others(i)) disconnect(i, j);
  for (auto& one : x.spawned) caf::anon_send_exit(one, caf::exit_reason::kill);
  network_->forget(x.id);
  x.spawned.clear();
  x.actors = {};
  std::weak_ptr<store> disk = x.disk;
  x.disk.reset();
  // What is on its way to the dead still holds them.
  if (!run_until([&] { return disk.expired(); }, milliseconds{120'000}))
    throw std::runtime_error("somebody holds the disk of a stopped node");
}

void actor_cluster::start(std::size_t i) {
  spawn(node(i));
  for (auto j : others(i))
    if (nodes_[j]->disk) connect(i, j);
}

void actor_cluster::start_wiped(std::size_t i) {
  auto& x = node(i);
  x.directory = std::make_unique<temporary_directory>();
  x.joins = true;
  spawn(x);
}

// --- links ---------------------------------------------------------------------------------------------------------

void actor_cluster::connect(std::size_t a, std::size_t b) {
  disconnect(a, b);
  links_.insert(std::minmax(a, b));
  auto introduce = [&](const member_node& to, const member_node& who) {
    peer_up up{who.id, who.boot, who.id.name + ":8080", {}};
    up.actors.election = network_->link(to.id, who.id, who.actors.election);
    up.actors.heartbeat = network_->link(to.id, who.id, who.actors.heartbeat);
    up.actors.replication = network_->link(to.id, who.id, who.actors.replication);
    up.actors.content = network_->link(to.id, who.id, who.actors.content);
    caf::anon_send(to.actors.election, up);
    caf::anon_send(to.actors.heartbeat, up);
    caf::anon_send(to.actors.replication, up);
    caf::anon_send(to.actors.content, up);
    for (const auto& front : to.actors.fronts) caf::anon_send(front, up);
    caf::anon_send(to.actors.replication, member_seen{who.id, who.disk->disk()});
  };
  introduce(node(a), node(b));
  introduce(node(b), node(a));
}

void actor_cluster::disconnect(std::size_t a, std::size_t b) {
  if (links_.erase(std::minmax(a, b)) == 0) return;
  network_->break_link(node(a).id, node(b).id);
  auto tell = [](const member_node& to, const member_node& who) {
    if (!to.disk) return;
    const peer_down down{who.id};
    caf::anon_send(to.actors.election, down);
    caf::anon_send(to.actors.heartbeat, down);
    caf::anon_send(to.actors.replication, down);
    caf::anon_send(to.actors.content, down);
    for (const auto& front : to.actors.fronts) caf::anon_send(front, down);
  };
  tell(node(a), node(b));
  tell(node(b), node(a));
}

void actor_cluster::cut_off(std::size_t i) {
  for (auto j : others(i)) network_->cut(node(i).id, node(j).id);
}

// --- clients -------------------------------------------------------------------------------------------------------

template <class Reply, class Handle, class Message>
asked_ptr<Reply> actor_cluster::ask(const Handle& whom, Message what) {
  auto answer = std::make_shared<asked<Reply>>();
  askers_.push_back(
      caf::actor_cast<caf::actor>(system_.spawn<asker<Reply, Handle, Message>>(whom, std::move(what), answer)));
  return answer;
}

asked_ptr<write_reply> actor_cluster::write(std::size_t at, write_request what) {
  return ask<write_reply>(node(at).actors.replication, std::move(what));
}

asked_ptr<write_reply> actor_cluster::put(std::size_t at, std::string_view path, std::string_view bytes,
                                          durability want) {
  return write(at, put_request(path, bytes, want));
}

asked_ptr<handed_over> actor_cluster::hand_over(std::size_t at, node_id to) {
  return ask<handed_over>(node(at).actors.replication, kaiku::hand_over{std::move(to)});
}

asked_ptr<change_members_reply> actor_cluster::change(std::size_t at, member_change what, const incarnation& disk) {
  return ask<change_members_reply>(node(at).actors.replication, change_members{std::move(what), disk});
}

asked_ptr<change_members_reply> actor_cluster::add(std::size_t at, std::size_t whom) {
  const auto& id = node(whom).id;
  return change(at, {member_change::kind::add, id, id.name + ":7000"}, disk(whom).disk());
}

asked_ptr<read_index_reply> actor_cluster::read_index(std::size_t at) {
  return ask<read_index_reply>(node(at).actors.replication, kaiku::read_index{});
}

asked_ptr<find_write_reply> actor_cluster::find(std::size_t at, log_position what) {
  return ask<find_write_reply>(node(at).actors.replication, find_write{what});
}

std::unique_ptr<staged_file> actor_cluster::stage(std::size_t at, std::string_view bytes) {
  auto file = disk(at).content().begin({bytes.size()});
  INVARIANT(file.ok(), "content can be staged");
  INVARIANT((*file)->write(bytes).ok(), "content can be written");
  INVARIANT((*file)->finish().ok(), "content can be synced");
  return std::move(*file);
}

// --- helpers -------------------------------------------------------------------------------------------------------

write_request put_request(std::string_view path, std::string_view bytes, durability want) {
  auto where = file_path::parse(path);
  INVARIANT(where.ok(), "tests use legal paths");
  const content_ref content{sha256(bytes), {bytes.size()}};
  write_request x;
  x.encoded_command = encode(put_file{*where, content, {"text/plain"}, {0}, true});
  if (content.is_small()) x.small_content = chunk{std::string{bytes}};
  x.want = want;
  return x;
}

}  // namespace kaiku::test
