/// What a failover displaced is kept by the node that had it: told, fetched, restored, purged.

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

const header_list by_leader = {{"Kaiku-Durability", "leader"}};
const header_list by_majority = {{"Kaiku-Durability", "majority"}};

nlohmann::json kept_by(test_node& node) {
  return node.client().request("GET", "/set-aside").json()["entries"];
}

/// The entry of this kind of change, as the node lists it.
nlohmann::json find_kept(test_node& node, const std::string& path) {
  for (const auto& one : kept_by(node))
    if (one.value("path", "") == path) return one;
  return nullptr;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(set_aside_api)

BOOST_AUTO_TEST_CASE(what_a_failover_displaced_is_listed_fetched_restored_and_purged) {
  test_cluster cluster({.extra = {"--election-timeout-ms", "3000"}});
  const auto old = cluster.wait_for_leader();
  const generated_bytes large{7, 300'000};
  BOOST_TEST(cluster.node(old).client().put("taken", "first", {{"Kaiku-Durability", "all"}}).is_success());
  const auto followers = cluster.followers();
  for (auto i : followers) cluster.node(i).kill();
  auto client = cluster.node(old).client();
  auto small = client.put("dir/small", "kept", by_leader);
  auto big = client.put("dir/large", large, by_leader);
  auto over = client.put("taken", "second", by_leader);
  for (const auto& answer : {small, big, over}) BOOST_TEST_REQUIRE(answer.is_success(), "answered " << answer);
  cluster.node(old).kill();
  for (auto i : followers) cluster.node(i).start();
  const auto now = cluster.wait_for_leader(milliseconds{20'000});
  put_or_fail(cluster.node(now), "since", {1, 10}, by_majority);
  cluster.node(old).start();
  cluster.wait_until_ready();
  cluster.wait_until_converged();

  auto& keeper = cluster.node(old);
  BOOST_TEST(kept_by(cluster.node(now)).empty());
  const auto one = find_kept(keeper, "/dir/small"), two = find_kept(keeper, "/dir/large");
  BOOST_REQUIRE(!one.is_null());
  BOOST_REQUIRE(!two.is_null());
  const std::string token = one["token"], large_token = two["token"];
  BOOST_TEST(token == small.header("Kaiku-Token"));
  BOOST_TEST(keeper.client().request("GET", one["content"].get<std::string>()).body == "kept");
  BOOST_TEST(keeper.client().request("GET", two["content"].get<std::string>()).body == large.all());
  BOOST_TEST(keeper.client().request("GET", "/writes/" + token).json()["kept"] == "/set-aside/" + token);
  BOOST_TEST(cluster.node(now).client().request("GET", "/writes/" + token).json()["kept"].is_null());

  for (const auto& [which, path] : {std::pair{token, "dir/small"}, std::pair{large_token, "dir/large"}}) {
    auto back = keeper.client().request("POST", "/set-aside/" + which + "?op=restore&durability=majority");
    BOOST_TEST(back.status == 201, "answered " << back);
    BOOST_TEST(back.header("Location") == "/files/" + std::string(path));
  }
  wait_until_everywhere(cluster, "dir/large", large);
  for (std::size_t i = 0; i < cluster.size(); ++i) BOOST_TEST(cluster.node(i).client().get("dir/small").body == "kept");

  // What stands there since is not replaced, unless it is named.
  const auto third = over.header("Kaiku-Token");
  BOOST_TEST(keeper.client().request("POST", "/set-aside/" + third + "?op=restore").status == 412);
  BOOST_TEST(keeper.client().get("taken").body == "first");
  BOOST_TEST(keeper.client().request("POST", "/set-aside/" + third + "?op=restore&to=elsewhere").status == 201);
  const auto etag = keeper.client().head("taken").header("ETag");
  auto replaced = keeper.client().request("POST", "/set-aside/" + third + "?op=restore", {{"If-Match", etag}});
  BOOST_TEST(replaced.status == 204, "answered " << replaced);

  BOOST_TEST(keeper.client().request("DELETE", "/set-aside/" + token).status == 204);
  BOOST_TEST(keeper.client().request("GET", "/set-aside/" + token).status == 404);
  BOOST_TEST(find_kept(keeper, "/dir/small").is_null());
  check_identical_trees(cluster);
}

BOOST_AUTO_TEST_SUITE_END()
