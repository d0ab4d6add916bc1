// A node with a dead actor is no node; and what can be seen of actors from outside.

#include <caf/all.hpp>

#include "fixture.hpp"
#include "kaiku/actors/observed.hpp"
#include "kaiku/actors/supervisor.hpp"

namespace kaiku::test {

BOOST_AUTO_TEST_SUITE(supervision)

namespace {

struct watched_cluster : checked_cluster {
  watched_cluster() {
    std::map<caf::actor_addr, std::string> names;
    names.emplace(caf::actor_cast<caf::actor_addr>(node(0).actors.replication), "replication");
    names.emplace(caf::actor_cast<caf::actor_addr>(node(0).actors.fetch), "fetch");
    watcher =
        system().spawn<supervisor>(std::move(names), [this](const std::string& why) { complaints.push_back(why); });
    elect();
  }

  supervisor_handle watcher;
  std::vector<std::string> complaints;
};

actor_view counters_of(const caf::actor_addr& who) {
  for (const auto& one : actor_registry::instance().snapshot())
    if (one.id == who.id()) return one;
  return {};
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_actor_that_dies_ends_the_node_with_its_name) {
  watched_cluster nodes;
  BOOST_TEST(nodes.complaints.empty());
  caf::anon_send_exit(nodes.node(0).actors.fetch, caf::exit_reason::out_of_workers);
  nodes.settle();
  BOOST_REQUIRE(nodes.complaints.size() == 1u);
  BOOST_TEST(nodes.complaints.front().find("fetch") != std::string::npos);
  caf::anon_send_exit(nodes.watcher, caf::exit_reason::user_shutdown);
  nodes.settle();
}

BOOST_AUTO_TEST_CASE(actors_that_end_after_stand_down_are_expected_to) {
  watched_cluster nodes;
  caf::anon_send(nodes.watcher, stand_down{});
  nodes.settle();
  caf::anon_send_exit(nodes.node(0).actors.fetch, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(nodes.node(0).actors.replication, caf::exit_reason::kill);
  nodes.settle();
  BOOST_TEST(nodes.complaints.empty());
}

BOOST_AUTO_TEST_CASE(what_actors_receive_and_process_is_counted) {
  watched_cluster nodes;
  const auto first = nodes.elect();
  const auto storage = caf::actor_cast<caf::actor_addr>(nodes.node(first).actors.storage);
  const auto before = counters_of(storage);
  BOOST_TEST(before.name == "storage");
  BOOST_TEST(before.received > 0u);
  BOOST_TEST(before.received == before.processed);
  nodes.put(first, "a", "x");
  nodes.settle();
  const auto after = counters_of(storage);
  BOOST_TEST(after.received == before.received + 1);
  BOOST_TEST(after.processed == before.processed + 1);
  caf::anon_send(nodes.watcher, stand_down{});
  nodes.settle();
}

BOOST_AUTO_TEST_CASE(an_actor_that_is_gone_is_not_counted_any_more) {
  checked_cluster nodes;
  nodes.elect();
  const auto id = caf::actor_cast<caf::actor_addr>(nodes.node(0).actors.election).id();
  nodes.stop(0);
  nodes.run_for(milliseconds{3000});  // until its last timer is due
  for (const auto& one : actor_registry::instance().snapshot()) BOOST_TEST(one.id != id);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
