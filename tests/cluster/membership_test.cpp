/// Nodes that come, come back with an empty disk, and are refused.

#include <filesystem>
#include <iostream>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

const header_list by_majority = {{"Kaiku-Durability", "majority"}};

/// What the leader says of a member; empty when there is no leader or no such member.
nlohmann::json member_as_the_leader_sees_it(test_cluster& cluster, const std::string& name) try {
  const auto leader = cluster.leader();
  if (!leader) return {};
  for (auto& member : cluster.node(*leader).cluster_document().at("members"))
    if (member.at("id") == name) return member;
  return {};
} catch (const network_failure&) {
  return {};
}

/// Links stand only with the disk that the log names: a connected voter counts with what it has now.
void wait_until_full_voter(test_cluster& cluster, std::size_t i) {
  const auto& name = cluster.node(i).name();
  cluster.wait_for(name + " is a connected voter", milliseconds{30'000}, [&] {
    const auto member = member_as_the_leader_sees_it(cluster, name);
    const auto leader = cluster.leader();
    return leader && !member.is_null() && member.at("voter") == true &&
           (*leader == i || member.at("connected") == true);
  });
}

void wipe(test_node& node) {
  node.kill();
  std::filesystem::remove_all(node.data());
}

/// Nobody leads, and no write is taken, for three times as long as an election may take.
void check_nobody_leads(test_cluster& cluster, const std::vector<std::size_t>& asked) {
  const bool led = wait_until(3 * election_bound, [&] { return cluster.leader().has_value(); });
  BOOST_TEST(!led, "a node leads without a majority of the disks");
  for (const auto i : asked) {
    const auto answer = cluster.node(i).client().put("too-few", "bytes", by_majority);
    BOOST_TEST(answer.status == 503, cluster.node(i).name() << " answered " << answer);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(membership)

BOOST_AUTO_TEST_CASE(a_fourth_node_joins_under_load_and_becomes_a_voter_that_holds_everything) {
  const auto seed = announce_seed("a node joins");
  test_cluster cluster;
  put_or_fail(cluster.node(0), "before/small", {1, 1000}, by_majority);
  put_or_fail(cluster.node(0), "before/large", {2, 5'000'000}, by_majority);
  history told;
  load clients(told, cluster.endpoints(), {.directory = "load", .seed = seed});
  // By a follower: it passes the wish on.
  auto& fourth = cluster.add_node(cluster.followers()[0]);
  wait_until_full_voter(cluster, 3);
  const auto writes = told.count(outcome::majority);
  cluster.wait_for("writes go on", milliseconds{10'000}, [&] { return told.count(outcome::majority) >= writes + 50; });
  clients.stop();
  check_history(cluster, told, "load");
  BOOST_TEST((fourth.client().get_digest("before/large").body_digest == generated_bytes{2, 5'000'000}.digest()));

  // It counts: two of four are no majority, three are; and it needs no --join any more.
  const auto leader = cluster.wait_for_leader();
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < 3; ++i)
    if (i != leader) others.push_back(i);
  if (leader != 3) cluster.node(others[0]).kill();
  put_or_fail(fourth, "three-of-four", {3, 100}, by_majority);
  cluster.node(3).kill();
  check_nobody_leads(cluster, {others[1]});
  cluster.node(3).start();
  cluster.wait_until_ready();
  put_or_fail(fourth, "three-of-four", {4, 100}, by_majority);
}

BOOST_AUTO_TEST_CASE(a_wiped_node_comes_back_as_a_full_voter_without_help) {
  const auto seed = announce_seed("a wiped node");
  test_cluster cluster;
  put_or_fail(cluster.node(0), "before", {1, 300'000}, by_majority);
  cluster.wait_until_converged();
  history told;
  for (int run = 0; run < 2; ++run) {
    load clients(told, cluster.endpoints(), {.directory = "load/run" + std::to_string(run), .seed = seed});
    // First a follower, then whoever leads.
    const auto wiped = run == 0 ? cluster.followers()[1] : cluster.wait_for_leader();
    wipe(cluster.node(wiped));
    cluster.wait_for_leader(milliseconds{10'000}, wiped);
    const auto start = clock::now();
    cluster.node(wiped).start();
    wait_until_full_voter(cluster, wiped);
    std::cout << "  " << cluster.node(wiped).name() << " is a voter again after " << since(start).count() << " ms"
              << std::endl;
    clients.stop();
    // What only the lost disk had is lost; what a majority had is not.
    for (const auto& line : check(told, check_identical_trees(cluster), "load").violations) BOOST_ERROR(line);
    wait_until_everywhere(cluster, "before", {1, 300'000});
  }
  // A majority of which it is needed.
  const auto wiped = cluster.followers()[0];
  wipe(cluster.node(wiped));
  cluster.node(wiped).start();
  wait_until_full_voter(cluster, wiped);
  cluster.node(cluster.followers()[wiped == cluster.followers()[0] ? 1 : 0]).kill();
  cluster.wait_for_leader();
  put_or_fail(cluster.node(wiped), "after", {5, 1000}, by_majority);
}

/// The wiped node may have voted in this term, and held what was committed: one survivor and it are no majority.
BOOST_AUTO_TEST_CASE(a_wiped_node_counts_for_nothing_until_the_others_have_taken_it_in) {
  test_cluster cluster;
  put_or_fail(cluster.node(0), "before", {1, 1000}, by_majority);
  cluster.wait_until_converged();
  const auto survivor = cluster.followers()[0], wiped = cluster.followers()[1], away = cluster.wait_for_leader();
  cluster.node(away).kill();
  wipe(cluster.node(wiped));
  cluster.node(wiped).start();
  check_nobody_leads(cluster, {survivor, wiped});
  cluster.node(away).start();
  cluster.wait_for_leader();
  wait_until_full_voter(cluster, wiped);
  put_or_fail(cluster.node(wiped), "after", {2, 1000}, by_majority);
  check_identical_trees(cluster);
  wait_until_everywhere(cluster, "before", {1, 1000});
}

BOOST_AUTO_TEST_CASE(two_wiped_nodes_found_no_cluster_beside_a_survivor) {
  test_cluster cluster;
  put_or_fail(cluster.node(0), "before", {1, 1000}, by_majority);
  cluster.wait_until_converged();
  for (std::size_t i : {1u, 2u}) wipe(cluster.node(i));
  for (std::size_t i : {1u, 2u}) cluster.node(i).start();
  check_nobody_leads(cluster, {0, 1, 2});
  for (std::size_t i : {0u, 1u, 2u}) {
    const bool knows_none = cluster.node(i).cluster_document().at("cluster").is_null();
    BOOST_TEST(knows_none == (i != 0), cluster.node(i).name());
  }
  BOOST_TEST(cluster.node(0).client().get("before").status == 200);
}

BOOST_AUTO_TEST_CASE(a_node_that_joins_alone_waits_and_serves_nothing) {
  test_cluster cluster({1});
  cluster.node(0).kill();
  auto& second = cluster.add_node(0);
  cluster.wait_for("it asks", milliseconds{10'000}, [&] { return second.log().find("asked") != std::string::npos; });
  BOOST_TEST(!second.is_ready());
  BOOST_TEST(second.client().put("file", "bytes").status == 503);
  cluster.node(0).start();
  wait_until_full_voter(cluster, 1);
  put_or_fail(second, "file", {1, 1000}, by_majority);
  wait_until_everywhere(cluster, "file", {1, 1000});
}

BOOST_AUTO_TEST_SUITE_END()
