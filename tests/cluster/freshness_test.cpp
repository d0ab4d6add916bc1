/// Reads as fresh as asked for on every node, and what the cluster says became of a write.

#include <optional>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

const header_list by_leader = {{"Kaiku-Durability", "leader"}};
const header_list by_majority = {{"Kaiku-Durability", "majority"}};

header_list at_level(const std::string& level) {
  return {{"Kaiku-Consistency", level}};
}
header_list in_session(const std::string& token) {
  return {{"Kaiku-Token", token}};
}

nlohmann::json fate_of(test_node& node, const std::string& token) {
  auto answer = node.client().request("GET", "/writes/" + token);
  BOOST_TEST_REQUIRE(answer.status == 200, "answered " << answer);
  return answer.json();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(freshness)

BOOST_AUTO_TEST_CASE(a_read_with_a_token_shows_its_write_on_every_node) {
  test_cluster cluster;
  auto writer = cluster.node(cluster.wait_for_leader()).client();
  for (int i = 0; i < 50; ++i) {
    const auto bytes = "version " + std::to_string(i);
    auto written = writer.put("f", bytes, by_leader);
    BOOST_TEST_REQUIRE(written.is_success(), "answered " << written);
    for (std::size_t n = 0; n < cluster.size(); ++n) {
      auto got = cluster.node(n).client().get("f", in_session(written.header("Kaiku-Token")));
      BOOST_TEST(got.status == 200, "answered " << got);
      BOOST_TEST(got.body == bytes);
      BOOST_TEST(got.header("Kaiku-Consistency") == "session");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_linearizable_read_on_any_node_shows_what_a_majority_had_before) {
  test_cluster cluster;
  auto writer = cluster.node(cluster.wait_for_leader()).client();
  for (int i = 0; i < 50; ++i) {
    const auto name = "dir/f" + std::to_string(i);
    BOOST_TEST_REQUIRE(writer.put(name, "x", by_majority).is_success());
    auto& node = cluster.node(static_cast<std::size_t>(i) % cluster.size());
    BOOST_TEST(node.client().get(name, at_level("linearizable")).body == "x");
    auto listing = node.client().get("dir/", at_level("linearizable"));
    BOOST_TEST(listing.json()["entries"].size() == static_cast<std::size_t>(i) + 1);
  }
  for (std::size_t n = 0; n < cluster.size(); ++n) {
    BOOST_TEST(cluster.node(n).client().get("dir/f0", at_level("bounded=60000")).status == 200);
    BOOST_TEST(cluster.node(n).client().get("dir/f0", at_level("committed")).status == 200);
  }
}

BOOST_AUTO_TEST_CASE(without_a_majority_only_what_a_node_has_is_read_and_the_rest_is_503) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  auto client = cluster.node(leader).client(milliseconds{20'000});
  BOOST_TEST(client.put("before", "x", by_majority).is_success());
  cluster.wait_until_converged();
  for (auto i : cluster.followers()) cluster.node(i).freeze();
  BOOST_TEST(client.get("before", at_level("committed")).status == 200);
  const auto early = client.put("early", "x", by_leader);
  BOOST_TEST(client.get("before").status == 200);
  if (early.is_success()) {
    BOOST_TEST(client.get("early").status == 200);
    BOOST_TEST(client.get("early", in_session(early.header("Kaiku-Token"))).status == 200);
    BOOST_TEST(client.get("early", at_level("committed")).status == 503);
  }
  for (const auto* level : {"linearizable", "bounded=0"}) {
    auto got = client.get("before", at_level(level));
    BOOST_TEST(got.status == 503, level << " answered " << got);
    BOOST_TEST((got.problem_code() == "not_fresh" || got.problem_code() == "no_leader"), got);
    BOOST_TEST(got.has_header("Retry-After"));
  }
  for (std::size_t i = 0; i < cluster.size(); ++i)
    if (i != leader) cluster.node(i).thaw();
  cluster.wait_until_ready();
  BOOST_TEST(client.get("before", at_level("linearizable")).status == 200);
}

BOOST_AUTO_TEST_CASE(a_write_tells_its_fate_from_every_node_until_all_have_it) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  auto written = cluster.node(leader).client().put("f", "x", by_majority);
  BOOST_TEST_REQUIRE(written.is_success());
  const auto token = written.header("Kaiku-Token");
  for (std::size_t n = 0; n < cluster.size(); ++n) {
    cluster.wait_for("all hold it", milliseconds{10'000},
                     [&] { return fate_of(cluster.node(n), token)["status"] == "all"; });
    auto fate = fate_of(cluster.node(n), token);
    BOOST_TEST(fate["holders"] == 3);
    BOOST_TEST(fate["voters"] == 3);
  }
  const auto next = token.substr(0, token.rfind('.')) + ".999999";
  BOOST_TEST(fate_of(cluster.node(0), next)["status"] == "unknown");
  const auto elsewhere = (token[0] == '0' ? "1" : "0") + token.substr(1);
  BOOST_TEST(cluster.node(0).client().request("GET", "/writes/" + elsewhere).status == 400);
  BOOST_TEST(cluster.node(0).client().get("f", in_session(elsewhere)).status == 400);
}

BOOST_AUTO_TEST_CASE(a_write_that_a_failover_took_back_is_set_aside_for_its_fate_and_its_session) {
  test_cluster cluster({.extra = {"--election-timeout-ms", "3000"}});
  const auto old = cluster.wait_for_leader();
  BOOST_TEST(cluster.node(old).client().put("before", "x", {{"Kaiku-Durability", "all"}}).is_success());
  const auto followers = cluster.followers();
  for (auto i : followers) cluster.node(i).kill();
  auto lost = cluster.node(old).client().put("lost", "x", by_leader);
  BOOST_TEST_REQUIRE(lost.is_success(), "answered " << lost);
  const auto token = lost.header("Kaiku-Token");
  cluster.node(old).kill();
  for (auto i : followers) cluster.node(i).start();
  const auto now = cluster.wait_for_leader(milliseconds{20'000});
  cluster.wait_for("it is known to be set aside", milliseconds{10'000},
                   [&] { return fate_of(cluster.node(now), token)["status"] == "set_aside"; });
  for (auto i : followers) {
    auto got = cluster.node(i).client().get("lost", in_session(token));
    BOOST_TEST(got.status == 409, "answered " << got);
    BOOST_TEST(got.problem_code() == "set_aside");
    BOOST_TEST(cluster.node(i).client().get("lost").status == 404);
  }
}

BOOST_AUTO_TEST_CASE(with_durability_all_by_default_a_frozen_node_makes_a_write_202_with_its_token) {
  test_cluster cluster({.extra = {"--durability", "all"}});
  const auto leader = cluster.wait_for_leader();
  auto client = cluster.node(leader).client(milliseconds{30'000});
  auto whole = client.put("f", "x");
  BOOST_TEST(whole.status == 201);
  BOOST_TEST(whole.header("Kaiku-Durability") == "all");
  BOOST_TEST(whole.header("Kaiku-Replicas") == "3/3");
  const auto frozen = cluster.followers().front();
  cluster.node(frozen).freeze();
  auto part = client.put("g", "x");
  BOOST_TEST(part.status == 202, "answered " << part);
  BOOST_TEST(part.header("Kaiku-Durability") == "majority");
  BOOST_TEST(part.json()["token"] == part.header("Kaiku-Token"));
  cluster.node(frozen).thaw();
  cluster.wait_for("all hold it", milliseconds{15'000},
                   [&] { return fate_of(cluster.node(leader), part.header("Kaiku-Token"))["status"] == "all"; });
}

BOOST_AUTO_TEST_SUITE_END()
