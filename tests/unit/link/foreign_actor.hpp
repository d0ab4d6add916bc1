#pragma once

/// Purpose: a handle of an actor that lives on another node, without one. Thread: any.

#include <string>

#include <boost/test/unit_test.hpp>

#include <caf/actor_proxy.hpp>
#include <caf/actor_system.hpp>
#include <caf/make_actor.hpp>

namespace kaiku::test {

/// Whatever is sent to it is lost.
class foreign_actor final : public caf::actor_proxy {
 public:
  explicit foreign_actor(caf::actor_config& cfg) : actor_proxy(cfg) {}

  void enqueue(caf::mailbox_element_ptr, caf::execution_unit*) override {}
  void kill_proxy(caf::execution_unit*, caf::error) override {}

  static caf::strong_actor_ptr make(caf::actor_system& system) {
    caf::node_id elsewhere;
    BOOST_REQUIRE(!caf::parse(std::string(40, 'a') + "#4711", elsewhere));
    caf::actor_config config;
    return caf::make_actor<foreign_actor, caf::strong_actor_ptr>(1, elsewhere, &system, config);
  }
};

}  // namespace kaiku::test
