#pragma once

/// Purpose: links between the actors of several nodes that share one actor_system under CAF's test scheduler. A handle
/// given out by `link` stands for another node's actor: what is sent to it, and what is answered, is serialized, then
/// delayed, dropped or cut off as the test says, in virtual time and from a seed.
/// Owner: the test's cluster; owns every proxy. Thread: the test's.

#include <chrono>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "kaiku/core/ids.hpp"

namespace kaiku::test {

using std::chrono::microseconds;

struct link_quality {
  double drop = 0;  ///< probability of each message to vanish
  microseconds min_delay{100};
  microseconds max_delay{500};
  bool in_order = true;  ///< as a TCP connection delivers
};

class actor_network {
 public:
  actor_network(caf::actor_system& system, std::uint64_t seed);
  ~actor_network();
  actor_network(const actor_network&) = delete;
  actor_network& operator=(const actor_network&) = delete;

  void set_quality(const link_quality& x) { quality_ = x; }
  std::mt19937_64& random() { return random_; }

  /// `target`, an actor of `to`, as `from` reaches it.
  template <class Handle>
  Handle link(const node_id& from, const node_id& to, const Handle& target) {
    return caf::actor_cast<Handle>(proxy(from, to, caf::actor_cast<caf::strong_actor_ptr>(target), false));
  }
  /// `target`, an actor of the same node that takes `quality`'s delay to hear and to answer: a disk.
  template <class Handle>
  Handle slow(const node_id& self, const Handle& target) {
    return caf::actor_cast<Handle>(proxy(self, self, caf::actor_cast<caf::strong_actor_ptr>(target), true));
  }
  void set_disk_delay(microseconds min, microseconds max) { disk_ = {0, min, max, true}; }

  /// Nothing passes any more, in neither direction, and nobody is told.
  void cut(const node_id& a, const node_id& b);
  void heal(const node_id& a, const node_id& b);
  void heal_all() { cut_.clear(); }
  /// The connection is gone: monitors of the proxies are told, requests to them fail.
  void break_link(const node_id& a, const node_id& b);
  /// A node has ended: nothing more to and from its disk.
  void forget(const node_id& x) { break_link(x, x); }
  /// Lets go of all actors: proxies and actors hold each other.
  void disconnect_all();

  std::uint64_t delivered() const { return delivered_; }
  /// Of messages between nodes, as they travel.
  std::uint64_t delivered_bytes() const { return delivered_bytes_; }

 private:
  class link_proxy;
  using direction = std::pair<node_id, node_id>;

  /// The proxy that `link` gave out for this before, if there is one.
  caf::strong_actor_ptr known_proxy(const node_id& from, const node_id& to, const caf::strong_actor_ptr& target);
  template <class Handle>
  Handle known_link(const node_id& from, const node_id& to, const Handle& target) {
    return caf::actor_cast<Handle>(known_proxy(from, to, caf::actor_cast<caf::strong_actor_ptr>(target)));
  }
  caf::strong_actor_ptr proxy(const node_id& from, const node_id& to, caf::strong_actor_ptr target, bool local);
  void carry(link_proxy& over, caf::mailbox_element& x);
  caf::message over_the_wire(const caf::message& x);

  caf::actor_system& system_;
  caf::scheduler::test_coordinator& scheduler_;
  std::mt19937_64 random_;
  link_quality quality_;
  link_quality disk_{0, microseconds{0}, microseconds{0}, true};
  std::set<direction> cut_;
  std::map<direction, caf::actor_clock::time_point> last_delivery_;
  std::vector<caf::strong_actor_ptr> proxies_;
  std::uint64_t delivered_ = 0;
  std::uint64_t delivered_bytes_ = 0;
};

}  // namespace kaiku::test
