// Changes that are sent again, to another node than before: after a failover, and where a follower says so.

#include <boost/test/unit_test.hpp>

#include "support/test_cluster.hpp"

namespace {

using namespace kaiku::test;

header_list named(const std::string& name) {
  return {{"Idempotency-Key", name}, {"Kaiku-Durability", "majority"}};
}

void check_same(const http_response& first, const http_response& again) {
  BOOST_TEST(again.status == first.status);
  for (const char* field : {"ETag", "Last-Modified", "Kaiku-Token", "Kaiku-Expires"})
    BOOST_TEST(again.header(field) == first.header(field));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(repeats)

BOOST_AUTO_TEST_CASE(a_named_put_and_append_are_made_once_though_the_leader_that_answered_was_killed) {
  test_cluster cluster;
  const auto old_leader = cluster.wait_for_leader();
  auto before = cluster.node(old_leader).client();
  const auto put = before.put("f", "one", named("put"));
  BOOST_REQUIRE(put.status == 201);
  BOOST_REQUIRE(before.put("f", "two", {{"Kaiku-Durability", "majority"}}).status == 204);
  BOOST_REQUIRE(before.put("log", "a\n", {{"Kaiku-Durability", "majority"}}).status == 201);
  auto for_a_while = named("for a while");
  for_a_while.push_back({"Kaiku-TTL", "3600"});
  const auto short_lived = before.put("g", "one", for_a_while);
  BOOST_REQUIRE(short_lived.header("Kaiku-Expires") != "");
  const auto append = before.request("POST", "/files/log?op=append", named("append"), "b\n");
  BOOST_REQUIRE(append.status == 204);

  cluster.node(old_leader).kill();
  const auto leader = cluster.wait_for_leader(milliseconds{10'000}, old_leader);
  const auto follower = 3 - leader - old_leader;
  cluster.wait_for("the follower knows the new leader", milliseconds{10'000},
                   [&] { return cluster.node(follower).is_ready(); });
  for (const auto node : {follower, leader, follower}) {
    auto client = cluster.node(node).client();
    check_same(put, client.put("f", "one", named("put")));
    check_same(short_lived, client.put("g", "one", for_a_while));
    check_same(append, client.request("POST", "/files/log?op=append", named("append"), "b\n"));
    BOOST_TEST(client.get("f", {{"Kaiku-Consistency", "linearizable"}}).body == "two");
    BOOST_TEST(client.get("log", {{"Kaiku-Consistency", "linearizable"}}).body == "a\nb\n");
  }
  auto client = cluster.node(follower).client();
  BOOST_TEST(client.put("f", "three", named("put")).problem_code() == "key_reused");
}

BOOST_AUTO_TEST_CASE(a_follower_that_redirects_leads_to_the_leader_and_takes_no_change) {
  cluster_options with;
  with.extra = {"--follower-writes", "redirect"};
  test_cluster cluster(with);
  const auto leader = cluster.wait_for_leader();
  auto asked = cluster.node(cluster.followers().front()).client();
  const auto told = asked.request("PUT", "/files/a%20b?parents=false", {}, "x");
  BOOST_TEST(told.status == 307);
  const auto place = "http://" + to_string(cluster.node(leader).http());
  BOOST_TEST(told.header("Location") == place + "/files/a%20b?parents=false");
  auto leading = cluster.node(leader).client();
  BOOST_TEST(leading.get("a%20b").status == 404);
  BOOST_TEST(leading.request("PUT", told.header("Location").substr(place.size()), {}, "x").status == 201);
}

BOOST_AUTO_TEST_SUITE_END()
