/// Members and the leader, changed over HTTP through any node.

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

const header_list as_json = {{"Content-Type", "application/json"}};

http_response add(test_node& through, const std::string& id, const std::string& address) {
  const nlohmann::json body{{"id", id}, {"peer_address", address}};
  return through.client(milliseconds{20'000}).request("POST", "/cluster/members", as_json, body.dump());
}

http_response lead(test_node& through, const std::string& id) {
  const auto body = id.empty() ? nlohmann::json::object() : nlohmann::json{{"id", id}};
  return through.client(milliseconds{20'000}).request("POST", "/cluster/leader", as_json, body.dump());
}

/// One member as the node knows it; null when it does not.
nlohmann::json member(test_node& node, const std::string& id) {
  auto got = node.client().request("GET", "/cluster/members/" + id);
  return got.status == 200 ? got.json() : nlohmann::json();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(members_api)

BOOST_AUTO_TEST_CASE(leadership_goes_where_it_is_sent_through_any_node) {
  test_cluster cluster;
  for (std::size_t to = 0; to < cluster.size(); ++to) {
    cluster.wait_until_ready();
    const auto name = cluster.node(to).name();
    auto got = lead(cluster.node((to + 1) % cluster.size()), name);
    BOOST_TEST_REQUIRE(got.status == 200, "answered " << got);
    BOOST_TEST(got.json()["leader"] == name);
    BOOST_TEST(cluster.wait_for_leader() == to);
  }
  const auto old = cluster.wait_for_leader();
  cluster.wait_until_ready();
  auto any = lead(cluster.node(0), "");
  BOOST_TEST(any.status == 200, "answered " << any);
  BOOST_TEST(any.json()["leader"] != cluster.node(old).name());
  BOOST_TEST(lead(cluster.node(0), "n9").status == 404);
}

BOOST_AUTO_TEST_CASE(leadership_stays_when_the_one_named_does_not_come_up_to_date) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  const auto gone = cluster.followers().front();
  cluster.node(gone).kill();
  BOOST_TEST(cluster.node(leader).client().put("f", "x", {{"Kaiku-Durability", "majority"}}).is_success());
  auto got = lead(cluster.node(leader), cluster.node(gone).name());
  BOOST_TEST(got.status == 409, "answered " << got);
  BOOST_TEST(got.problem_code() == "busy");
  BOOST_TEST(cluster.wait_for_leader() == leader);
  BOOST_TEST(cluster.node(leader).client().put("g", "x").is_success());
}

BOOST_AUTO_TEST_CASE(a_new_member_is_a_learner_everywhere_until_it_comes_and_can_be_removed_again) {
  test_cluster cluster;
  const reserved_port nobody;
  const auto address = "127.0.0.1:" + std::to_string(nobody.number());
  auto& through = cluster.node(cluster.followers().front());
  auto added = add(through, "n4", address);
  BOOST_TEST_REQUIRE(added.status == 201, "answered " << added);
  BOOST_TEST(added.header("Location") == "/cluster/members/n4");
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    cluster.wait_for("it is known everywhere", milliseconds{5000},
                     [&] { return !member(cluster.node(i), "n4").is_null(); });
    auto known = member(cluster.node(i), "n4");
    BOOST_TEST(known["voter"] == false);
    BOOST_TEST(known["peer_address"] == address);
    BOOST_TEST(known["connected"] == false);
  }
  BOOST_TEST(add(through, "n4", address).status == 409);
  BOOST_TEST(add(through, "N 4", address).status == 400);
  // A learner that is not there holds up nothing.
  auto written = through.client().put("f", "x", {{"Kaiku-Durability", "all"}});
  BOOST_TEST(written.header("Kaiku-Replicas") == "3/3");
  BOOST_TEST(through.client().request("DELETE", "/cluster/members/n4").status == 204);
  BOOST_TEST(through.client().request("DELETE", "/cluster/members/n4").status == 404);
  cluster.wait_for("it is gone", milliseconds{5000}, [&] { return member(through, "n4").is_null(); });
}

BOOST_AUTO_TEST_CASE(a_removed_voter_does_not_count_any_more) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  const auto leaving = cluster.followers().front();
  auto client = cluster.node(leader).client(milliseconds{20'000});
  auto removed = client.request("DELETE", "/cluster/members/" + cluster.node(leaving).name());
  BOOST_TEST_REQUIRE(removed.status == 204, "answered " << removed);
  auto written = client.put("f", "x", {{"Kaiku-Durability", "all"}});
  BOOST_TEST(written.header("Kaiku-Replicas") == "2/2", "answered " << written);
  BOOST_TEST(client.request("GET", "/cluster/members").json()["members"].size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
