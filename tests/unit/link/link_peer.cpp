/// One member for `link_test.cpp`: a link layer and a directory, and listeners in place of all other actors. Arguments
/// are `key=value`: name, port, disk, cluster, boot (small numbers; 0: not known), secret, timeout (ms of a handshake),
/// rtt (round trips to measure), chunks (of content to fetch from the peer, as a follower does, and to measure),
/// members (`name@host:port@disk`, separated by commas), learners (how many of the last members are), since (the entry
/// that names them), undialled (ms), ask_at (addresses), wants_in, takes_in (whoever asks is made a member), log
/// (members as this node's own log says once it has a link), log_since (the entry that names those, which is not known
/// committed), version_min, version_max, lie (the number of one to tell every peer), tls (the files of certificate, key
/// and authority, separated by commas). Prints what happens, one line each, with the time in front; reads the
/// certificates again on SIGHUP, ends cleanly on SIGTERM.

#include <algorithm>
#include <atomic>
#include <csignal>
#include <iterator>
#include <map>
#include <random>
#include <sstream>

#include <spdlog/spdlog.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/middleman.hpp>
#include <caf/stateful_actor.hpp>

#include "kaiku/actors/observed.hpp"
#include "kaiku/actors/peer_directory.hpp"
#include "kaiku/link/link.hpp"
#include "kaiku/tls/credentials.hpp"
#include "lies.hpp"

namespace kaiku {
namespace {

using arguments = std::map<std::string, std::string>;

arguments parse(int count, char** texts) {
  arguments out;
  for (int i = 1; i < count; ++i) {
    std::string text = texts[i];
    auto equals = text.find('=');
    out[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return out;
}

template <class Id>
Id small_id(const std::string& text) {
  Id out;
  out.bytes.back() = static_cast<std::uint8_t>(std::stoi(text));
  return out;
}

std::vector<member> parse_members(const std::string& text) {
  std::vector<member> out;
  std::istringstream list{text};
  for (std::string one; std::getline(list, one, ',');) {
    auto first = one.find('@'), second = one.rfind('@');
    out.push_back({{one.substr(0, first)},
                   small_id<incarnation>(one.substr(second + 1)),
                   one.substr(first + 1, second - first - 1)});
  }
  return out;
}

membership as_membership(arguments& given) {
  membership out;
  out.cluster = small_id<cluster_id>(given["cluster"]);
  out.voters = parse_members(given["members"]);
  out.confirmed = given.count("unsettled") == 0;
  if (given.count("since") != 0) out.since = {std::stoull(given["since"])};
  for (int left = given.count("learners") != 0 ? std::stoi(given["learners"]) : 0; left > 0; --left) {
    out.learners.push_back(out.voters.back());
    out.voters.pop_back();
  }
  return out;
}

struct listener_state {
  content_handle peer;
  std::size_t trips_left = 0;
  std::chrono::steady_clock::time_point sent;
  std::vector<std::int64_t> trips_us;
  std::size_t chunks_left = 0, chunks_under_way = 0;
  std::uint64_t bytes = 0;
  std::chrono::steady_clock::time_point begun;
};
using listener_actor = observed<caf::stateful_actor<listener_state>>;

/// Asks the peer's content actor one thing after the other and prints how long that took.
void next_trip(listener_actor* self) {
  auto& state = self->state;
  if (state.trips_left-- == 0) {
    std::sort(state.trips_us.begin(), state.trips_us.end());
    spdlog::info("rtt p50 {} us p99 {} us", state.trips_us[state.trips_us.size() / 2],
                 state.trips_us[state.trips_us.size() * 99 / 100]);
    return;
  }
  state.sent = std::chrono::steady_clock::now();
  self->request(state.peer, std::chrono::seconds{2}, read_content{})
      .then(
          [self](const content_range&) {
            auto took = std::chrono::steady_clock::now() - self->state.sent;
            self->state.trips_us.push_back(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
            next_trip(self);
          },
          [](const caf::error&) { spdlog::info("no answer of the peer's content actor"); });
}

/// Keeps a window of chunks on their way, and says how fast they came.
void fetch_more(listener_actor* self) {
  auto& state = self->state;
  while (state.chunks_left != 0 && state.chunks_under_way < limits::chunk_window) {
    --state.chunks_left;
    ++state.chunks_under_way;
    self->request(state.peer, std::chrono::seconds{10}, read_content{})
        .then(
            [self](const content_range& x) {
              self->state.bytes += x.bytes.view().size();
              --self->state.chunks_under_way;
              fetch_more(self);
            },
            [](const caf::error&) { spdlog::info("no answer of the peer's content actor"); });
  }
  if (state.chunks_under_way != 0) return;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - state.begun;
  spdlog::info("fetched {} bytes, {:.0f} MB/s", state.bytes, static_cast<double>(state.bytes) / 1e6 / took.count());
}

/// In place of election, heartbeat and content: what comes from peers is looked at as in those.
class silent : public observed<caf::event_based_actor> {
 public:
  explicit silent(caf::actor_config& cfg) : observed(cfg) {}
  const char* name() const override { return "silent"; }
  caf::behavior make_behavior() override {
    return {
        [](const peer_up&) {},
        [](const peer_down&) {},
        [this](const read_content&) {
          return content_range{{errc::none, {}}, content_};
        },
    };
  }

 private:
  const chunk content_{std::string(limits::chunk_bytes, 'x')};
};

struct listener_settings {
  std::size_t round_trips = 0;
  std::size_t chunks = 0;
  std::function<void(const member&)> on_wanted;
  std::function<void()> on_up;
  caf::message lie = {};  ///< empty: it tells none
};

/// In place of replication.
caf::behavior listener(listener_actor* self, listener_settings settings) {
  const auto round_trips = settings.round_trips;
  return {
      [=](const peer_up& x) {
        spdlog::info("up {} http {}", x.id.name, x.http_address);
        settings.on_up();
        if (!settings.lie.empty()) self->send(caf::actor_cast<caf::actor>(x.actors.content), settings.lie);
        self->state.peer = x.actors.content;
        if (settings.chunks != 0) {
          self->state.chunks_left = settings.chunks;
          self->state.begun = std::chrono::steady_clock::now();
          fetch_more(self);
        }
        if (round_trips == 0) return;
        self->state.trips_left = round_trips;
        next_trip(self);
      },
      [](const peer_down& x) { spdlog::info("down {}", x.id.name); },
      [](const member_seen& x) { spdlog::info("seen {} disk {}", x.id.name, to_string(x.disk)); },
      [](const forget_bootstrap& x) { spdlog::info("founds nothing{}", x.latecomer ? ", comes late" : ""); },
      [](const peer_inspector& x) { spdlog::info("inspector of {}", x.id.name); },
      [=](const change_members& x) {
        spdlog::info("to be taken in: {} at {} disk {}", x.what.id.name, x.what.peer_address, to_string(x.disk));
        settings.on_wanted({x.what.id, x.disk, x.what.peer_address});
        return change_members_reply{};
      },
  };
}

std::shared_ptr<tls_credentials> load_credentials(const std::string& text) {
  tls_files files;
  std::istringstream list{text};
  for (auto* file : {&files.certificate, &files.key, &files.authority}) std::getline(list, *file, ',');
  auto loaded = tls_credentials::load("peer links", tls_use::links, files);
  INVARIANT(loaded.ok(), loaded.failure().detail);
  return *loaded;
}

int run(arguments given) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  sigaddset(&wanted, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);

  caf::actor_system_config config;
  config.add_message_types<caf::id_block::kaiku>();
  config.load<caf::io::middleman>();
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{2});
  config.set("middleman.workers", std::size_t{0});
  caf::actor_system system{config};

  link_settings settings;
  settings.self = {given["name"]};
  settings.listen_port = static_cast<std::uint16_t>(std::stoi(given["port"]));
  settings.disk = small_id<incarnation>(given["disk"]);
  if (given.count("boot") != 0) {
    settings.boot = small_id<boot_id>(given["boot"]);
  } else {
    std::random_device random;
    for (auto& byte : settings.boot.bytes) byte = static_cast<std::uint8_t>(random());
  }
  settings.secret = given["secret"];
  settings.peer_address = "127.0.0.1:" + given["port"];
  settings.wants_in = given.count("wants_in") != 0;
  const auto knows_cluster = std::make_shared<std::atomic<bool>>(given["cluster"] != "0");
  settings.knows_cluster = [knows_cluster] { return knows_cluster->load(); };
  std::istringstream addresses{given["ask_at"]};
  for (std::string one; std::getline(addresses, one, ',');) settings.ask_at.push_back(one);
  if (given.count("version_min") != 0)
    settings.version_min = static_cast<std::uint8_t>(std::stoi(given["version_min"]));
  if (given.count("version_max") != 0)
    settings.version_max = static_cast<std::uint8_t>(std::stoi(given["version_max"]));
  if (given.count("undialled") != 0) settings.undialled_wait = milliseconds{std::stoi(given["undialled"])};
  if (given.count("timeout") != 0) settings.handshake_timeout = milliseconds{std::stoi(given["timeout"])};
  if (given.count("tls") != 0) settings.tls = load_credentials(given["tls"]);
  auto links = link_layer::start(system, settings);
  if (!links) {
    spdlog::info("not started: {}", links.failure().detail);
    return 1;
  }

  std::shared_ptr<link_layer> layer = std::move(*links);
  listener_settings listening_to;
  listening_to.round_trips = given.count("rtt") != 0 ? std::stoul(given["rtt"]) : std::size_t{0};
  listening_to.chunks = given.count("chunks") != 0 ? std::stoul(given["chunks"]) : std::size_t{0};
  listening_to.on_wanted = [=](const member& who) mutable {
    if (given.count("takes_in") == 0) return;
    auto now = as_membership(given);
    std::erase_if(now.voters, [&](const member& x) { return x.id == who.id; });
    now.learners.push_back(who);
    layer->set_members(now);
  };
  listening_to.on_up = [=]() mutable {
    if (given.count("log") == 0) return;
    membership now;
    now.cluster = small_id<cluster_id>("1");
    now.voters = parse_members(given["log"]);
    now.confirmed = given.count("log_since") == 0;
    if (!now.confirmed) now.since = {std::stoull(given["log_since"])};
    *knows_cluster = true;
    layer->set_members(now);
  };
  const auto quiet = system.spawn<silent>();
  const auto silence = caf::actor_cast<caf::strong_actor_ptr>(quiet);
  directory_settings directory;
  directory.self = {settings.self, settings.boot, settings.self.name + ".example:8080", {}};
  directory.self.actors.election = caf::actor_cast<election_handle>(silence);
  directory.self.actors.heartbeat = caf::actor_cast<heartbeat_handle>(silence);
  directory.self.actors.content = caf::actor_cast<content_handle>(silence);
  directory.self.actors.replication = caf::actor_cast<replication_handle>(silence);
  if (given.count("lie") != 0) listening_to.lie = test::lies(directory.self).at(std::stoul(given["lie"])).what;
  const std::vector<caf::actor> actors{system.spawn(listener, listening_to), quiet};
  directory.self.actors.replication =
      caf::actor_cast<replication_handle>(caf::actor_cast<caf::strong_actor_ptr>(actors[0]));
  directory.inspector = caf::actor_cast<inspector_handle>(caf::actor_cast<caf::strong_actor_ptr>(actors[0]));
  directory.set_members = [=](membership now) { layer->set_members(std::move(now)); };
  directory.on_link_down = [=](const node_id& peer, link_serial link) { layer->on_link_down(peer, link); };
  directory.introduction_timeout = settings.handshake_timeout;
  auto handle = system.spawn<peer_directory>(std::move(directory));

  layer->set_members(as_membership(given));
  layer->open(handle);
  spdlog::info("started");

  for (int signal = 0; signal != SIGTERM;) {
    sigwait(&wanted, &signal);
    if (signal == SIGHUP && settings.tls) settings.tls->refresh(true);
  }
  layer->stop();
  caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
  for (const auto& x : actors) caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  return 0;
}

}  // namespace
}  // namespace kaiku

int main(int count, char** texts) {
  spdlog::set_pattern("%E.%f %v");
  spdlog::flush_on(spdlog::level::info);
  auto code = kaiku::run(kaiku::parse(count, texts));
  spdlog::info("ended");
  return code;
}
