#include "kaiku/link/handover.hpp"

#include <algorithm>
#include <set>

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <caf/io/scribe.hpp>
#include <caf/send.hpp>

#include "kaiku/link/guard.hpp"
#include "kaiku/link/tls_scribe.hpp"

namespace kaiku {
namespace {

/// Waits for CAF's greeting over one connection, says how that ended, and ends.
class greeter : public caf::event_based_actor {
 public:
  greeter(caf::actor_config& cfg, caf::actor broker, caf::io::scribe_ptr connection, caf::node_id expected,
          milliseconds timeout, std::function<void(result<caf::strong_actor_ptr>)> when_done)
      : event_based_actor(cfg),
        broker_(std::move(broker)),
        connection_(std::move(connection)),
        expected_(std::move(expected)),
        timeout_(timeout),
        done_(std::move(when_done)) {}

  caf::behavior make_behavior() override {
    // The port is only a label in BASP's books: the peer offers one actor whatever it is.
    request(broker_, timeout_, caf::connect_atom_v, std::move(connection_), std::uint16_t{0})
        .then(
            [this](const caf::node_id& node, caf::strong_actor_ptr& remote, const std::set<std::string>&) {
              if (node == expected_ && remote)
                done_(std::move(remote));
              else
                done_(error{errc::corrupt,
                            "CAF reached " + to_string(node) + ", the hello said " + to_string(expected_)});
            },
            [this](const caf::error& e) {
              done_(error{errc::io_error, "CAF's greeting failed: " + system().render(e)});
            });
    return {};
  }

 private:
  caf::actor broker_;
  caf::io::scribe_ptr connection_;
  caf::node_id expected_;
  milliseconds timeout_;
  std::function<void(result<caf::strong_actor_ptr>)> done_;
};

/// CAF's end of the connection.
caf::io::scribe_ptr scribe_for(caf::actor_system& system, proven_connection connection) {
  auto& backend = system.middleman().backend();
  if (!connection.tls) return backend.new_scribe(connection.socket);
  return make_tls_scribe(backend, std::move(connection));
}

/// Before CAF hears of the connection.
caf::io::scribe_ptr expect(const caf::actor& broker, caf::io::scribe_ptr connection, link_guard::expected_peer peer) {
  auto* guard = static_cast<link_guard*>(caf::actor_cast<caf::abstract_actor*>(broker));
  guard->expect(connection->hdl(), std::move(peer));
  return connection;
}

}  // namespace

caf_handover::caf_handover(caf::actor_system& system)
    : system_(system), broker_(system.middleman().named_broker<link_guard>(caf::atom("kaiku"))) {}

const caf::node_id& caf_handover::node() const {
  return system_.node();
}

void caf_handover::publish(proven_connection connection, std::uint16_t port, const directory_handle& directory,
                           const caf::node_id& expected, on_broken broken) {
  auto scribe = expect(broker_, scribe_for(system_, std::move(connection)), {expected, false, std::move(broken)});
  caf::anon_send(broker_, caf::publish_atom_v, std::move(scribe), port,
                 caf::actor_cast<caf::strong_actor_ptr>(directory), system_.message_types(directory));
}

void caf_handover::connect(proven_connection connection, const caf::node_id& expected, milliseconds timeout,
                           on_broken broken, std::function<void(result<caf::strong_actor_ptr>)> done) {
  auto scribe = expect(broker_, scribe_for(system_, std::move(connection)), {expected, true, std::move(broken)});
  system_.spawn<greeter, caf::hidden>(broker_, std::move(scribe), expected, timeout, std::move(done));
}

std::shared_ptr<std::atomic<caf_handover::route>> caf_handover::ask_for_route(std::vector<caf::node_id> nodes) {
  auto answer = std::make_shared<std::atomic<route>>(route::asked);
  system_.middleman().backend().post([answer, nodes = std::move(nodes), broker = broker_] {
    auto* basp = static_cast<caf::io::basp_broker*>(caf::actor_cast<caf::abstract_actor*>(broker));
    if (basp->getf(caf::abstract_actor::is_terminated_flag)) return;
    auto known = [&](const caf::node_id& x) { return static_cast<bool>(basp->instance.tbl().lookup_direct(x)); };
    answer->store(std::any_of(nodes.begin(), nodes.end(), known) ? route::up : route::gone);
  });
  return answer;
}

void caf_handover::release() {
  broker_ = nullptr;
}

}  // namespace kaiku
