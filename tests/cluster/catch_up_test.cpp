/// A node that was away takes what it missed from the others.

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

/// Small and large files, replaced and removed ones, and directories.
void write_while_away(test_node& node) {
  auto client = node.client(milliseconds{30'000});
  for (std::uint64_t i = 0; i < 400; ++i)
    BOOST_TEST(
        client.put("away/" + std::to_string(i % 7) + "/f" + std::to_string(i), generated_bytes{i, i * 20}).status ==
        201);
  for (std::uint64_t size : {65'536u, 65'537u, 1'000'000u, 20'000'000u})
    BOOST_TEST(client.put("away/large/" + std::to_string(size), generated_bytes{size, size}).status == 201);
  // The same large content twice: held once.
  BOOST_TEST(client.put("away/large/again", generated_bytes{1'000'000, 1'000'000}).status == 201);
  BOOST_TEST(client.put("before/replaced", generated_bytes{9, 90'000}).status == 204);
  BOOST_TEST(client.remove("before/removed").status == 204);
  BOOST_TEST(client.remove("away/3?recursive=true").status == 204);
  BOOST_TEST(client.request("POST", "/files/away/empty?op=mkdir").status == 201);
}

void write_before(test_cluster& cluster) {
  auto& node = cluster.node(cluster.wait_for_leader());
  put_or_fail(node, "before/replaced", {7, 70'000});
  put_or_fail(node, "before/removed", {8, 80'000});
  cluster.wait_until_converged();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(catch_up)

BOOST_AUTO_TEST_CASE(a_follower_that_was_down_holds_everything_after_its_return) {
  test_cluster cluster;
  write_before(cluster);
  const auto away = cluster.followers()[0];
  cluster.node(away).kill();
  write_while_away(cluster.node(cluster.wait_for_leader()));
  cluster.node(away).start();
  cluster.wait_until_ready(milliseconds{30'000});
  const tree there = check_identical_trees(cluster);
  BOOST_TEST(there.at("before/replaced").digest == (generated_bytes{9, 90'000}.digest()));
  BOOST_TEST(!there.contains("before/removed"));
  BOOST_TEST(there.at("away/large/20000000").digest == (generated_bytes{20'000'000, 20'000'000}.digest()));
  BOOST_TEST(cluster.node(away).cluster_document().at("set_aside") == 0);
}

BOOST_AUTO_TEST_CASE(a_follower_that_stood_still_holds_everything_after_it_continues) {
  test_cluster cluster;
  write_before(cluster);
  const auto away = cluster.followers()[0];
  cluster.node(away).freeze();
  write_while_away(cluster.node(cluster.wait_for_leader()));
  cluster.node(away).thaw();
  cluster.wait_until_ready(milliseconds{30'000});
  check_identical_trees(cluster);
}

BOOST_AUTO_TEST_CASE(a_follower_killed_while_it_catches_up_begins_again_where_it_was) {
  test_cluster cluster;
  write_before(cluster);
  const auto away = cluster.followers()[0];
  cluster.node(away).kill();
  write_while_away(cluster.node(cluster.wait_for_leader()));
  std::uint64_t reached = cluster.node(cluster.wait_for_leader()).status().value().applied;
  for (int kill = 0; kill < 5; ++kill) {
    cluster.node(away).start();
    cluster.wait_for("it answers", milliseconds{10'000}, [&] { return cluster.node(away).status().has_value(); });
    const auto begin = cluster.node(away).status().value().applied;
    cluster.wait_for("it has moved on, or is done", milliseconds{30'000}, [&] {
      auto status = cluster.node(away).status();
      return status && (status->applied > begin || status->applied == reached);
    });
    cluster.node(away).kill();
  }
  cluster.node(away).start();
  cluster.wait_until_ready(milliseconds{30'000});
  check_identical_trees(cluster);
}

BOOST_AUTO_TEST_CASE(a_node_is_not_ready_before_it_has_caught_up) {
  test_cluster cluster;
  write_before(cluster);
  const auto away = cluster.followers()[0];
  const auto leader = cluster.wait_for_leader();
  cluster.node(away).kill();
  write_while_away(cluster.node(leader));
  const auto reached = cluster.node(leader).status().value().committed;
  cluster.node(away).start();
  cluster.wait_for("it is ready", milliseconds{30'000}, [&] {
    if (!cluster.node(away).is_ready()) return false;
    BOOST_TEST(cluster.node(away).status().value().applied >= reached);
    return true;
  });
}

BOOST_AUTO_TEST_SUITE_END()
