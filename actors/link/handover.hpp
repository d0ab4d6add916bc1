#pragma once

/// Purpose: the only place that touches CAF's network side: gives it connections, and asks whether it still knows a way
/// to a node. CAF is met without its own `publish` and `remote_actor`, which listen and block.
/// Owner: holds the broker, one of our own (`guard.hpp`); a connection is CAF's once it was given.
/// Lifecycle: made with the link layer, `release`d before the actor system goes. Thread: the link layer's.

#include <utility>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/fwd.hpp>
#include <caf/node_id.hpp>

#include "kaiku/core/error.hpp"
#include "kaiku/link/session.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

class caf_handover {
 public:
  enum class route : std::uint8_t { asked, gone, up };

  explicit caf_handover(caf::actor_system& system);

  const caf::node_id& node() const;
  /// Told why, once, when what comes over the connection is of no honest peer. CAF closes it. Thread: CAF's.
  using on_broken = std::function<void(const std::string& why)>;

  /// As the side that accepted: CAF greets the peer, the node `expected`, and offers it `directory`.
  void publish(proven_connection connection, std::uint16_t port, const directory_handle& directory,
               const caf::node_id& expected, on_broken broken);
  /// As the side that dialled. `done` is called once, from a CAF thread, within `timeout`: with the actor that the peer
  /// offers, when its node is `expected`. CAF's own greeting has no deadline: on failure, end the connection.
  void connect(proven_connection connection, const caf::node_id& expected, milliseconds timeout, on_broken broken,
               std::function<void(result<caf::strong_actor_ptr>)> done);
  /// Does CAF have a connection to any of these? Answered by the broker's own thread, so `gone` also means that whoever
  /// monitors an actor there has its DOWN in the mailbox.
  std::shared_ptr<std::atomic<route>> ask_for_route(std::vector<caf::node_id> nodes);
  void release();

 private:
  caf::actor_system& system_;
  caf::actor broker_;
};

}  // namespace kaiku
