/// What an acknowledgement means, at leader and at majority, and what it costs.

#include <atomic>
#include <csignal>
#include <iostream>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

const header_list by_leader = {{"Kaiku-Durability", "leader"}};
const header_list by_majority = {{"Kaiku-Durability", "majority"}};

std::uint64_t syncs(const test_node& node) {
  const auto document = node.cluster_document();
  return document.at("log_syncs").get<std::uint64_t>() + document.at("file_syncs").get<std::uint64_t>();
}

std::string file_name(std::size_t i) {
  return "many/" + std::to_string(i % 100) + "/f" + std::to_string(i);
}
generated_bytes file_content(std::size_t i) {
  return {1'000'000 + i, 4096};
}

/// Puts `files` files over `connections` connections at once, all through one node; how many were acknowledged.
std::size_t put_many(const endpoint& node, std::size_t files, std::size_t connections) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> acknowledged{0};
  std::vector<std::jthread> clients;
  for (std::size_t c = 0; c < connections; ++c) {
    clients.emplace_back([&] {
      http_client client(node, milliseconds{30'000});
      for (std::size_t i = next++; i < files; i = next++) {
        try {
          if (client.put(file_name(i), file_content(i)).status == 201) ++acknowledged;
        } catch (const network_failure&) {
          client.disconnect();
        }
      }
    });
  }
  clients.clear();
  return acknowledged;
}

/// How many of the files the node gives with the right bytes.
std::size_t count_intact(const endpoint& node, std::size_t files) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> intact{0};
  std::vector<std::jthread> readers;
  for (int c = 0; c < 4; ++c) {
    readers.emplace_back([&] {
      http_client client(node, milliseconds{30'000});
      for (std::size_t i = next++; i < files; i = next++)
        if (client.get(file_name(i)).body == file_content(i).all()) ++intact;
    });
  }
  readers.clear();
  return intact;
}

void kill_all(test_cluster& cluster) {
  for (std::size_t i = 0; i < cluster.size(); ++i) cluster.node(i).process().send_signal(SIGKILL);
  for (std::size_t i = 0; i < cluster.size(); ++i) cluster.node(i).kill();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(durability)

BOOST_AUTO_TEST_CASE(ten_thousand_small_files_from_64_connections_share_their_fsyncs_and_are_durable) {
  constexpr std::size_t files = 10'000;
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  const auto before = syncs(cluster.node(leader));
  const auto start = clock::now();
  BOOST_TEST(put_many(cluster.node(leader).http(), files, 64) == files);
  const auto took = since(start);
  const auto used = syncs(cluster.node(leader)) - before;
  std::cout << "  " << files << " files in " << took.count() << " ms with " << used << " fsyncs on the leader"
            << std::endl;
  BOOST_TEST(used <= 2500u);
  BOOST_TEST(used >= files / 1024u);

  cluster.wait_until_converged();
  kill_all(cluster);
  for (std::size_t i = 0; i < cluster.size(); ++i) cluster.node(i).start();
  cluster.wait_until_ready();
  for (std::size_t i = 0; i < cluster.size(); ++i) BOOST_TEST(count_intact(cluster.node(i).http(), files) == files);
}

BOOST_AUTO_TEST_CASE(what_the_leader_acknowledged_is_on_its_own_disk) {
  constexpr std::size_t files = 1000;
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  BOOST_TEST(put_many(cluster.node(leader).http(), files, 16) == files);
  kill_all(cluster);
  // Alone it leads nobody, and still shows what it holds.
  cluster.node(leader).start();
  cluster.wait_for("it answers", milliseconds{10'000}, [&] { return cluster.node(leader).status().has_value(); });
  BOOST_TEST(count_intact(cluster.node(leader).http(), files) == files);
  BOOST_TEST(!cluster.node(leader).is_ready());
}

BOOST_AUTO_TEST_CASE(without_a_majority_nothing_is_acknowledged_at_majority_and_soon_nothing_at_leader) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  const auto followers = cluster.followers();
  auto client = cluster.node(leader).client(milliseconds{30'000});
  BOOST_TEST(client.put("before", "x", by_majority).status == 201);
  for (auto i : followers) cluster.node(i).freeze();
  const auto frozen = clock::now();

  auto early = client.put("early", "x", by_leader);
  if (since(frozen) < election_timeout / 2) BOOST_TEST(early.status == 201, "answered " << early);
  auto majority = cluster.node(leader).client(milliseconds{30'000});
  majority.send_head("PUT", "/files/majority", by_majority, 1);
  majority.send_body("x");

  cluster.wait_for("the leader has been out of contact for T", election_timeout + milliseconds{500}, [&] {
    auto status = cluster.node(leader).status();
    return status && (!status->leads || status->leader_contact >= election_timeout);
  });
  for (int i = 0; i < 3; ++i) {
    auto late = client.put("late", "x", by_leader);
    BOOST_TEST(late.status == 503, "answered " << late);
    BOOST_TEST(!late.problem_code().empty());
    BOOST_TEST(late.has_header("Retry-After"));
  }
  auto answer = majority.read_response("PUT");
  BOOST_TEST((answer.status == 202 || answer.status == 503), "answered " << answer);
  if (answer.status == 202) BOOST_TEST(answer.header("Kaiku-Durability") == "leader");
  BOOST_TEST(!cluster.node(leader).is_ready());
  BOOST_TEST(client.get("before").body == "x");

  for (auto i : followers) cluster.node(i).thaw();
  cluster.wait_until_ready();
  cluster.wait_for("writes go on", milliseconds{10'000},
                   [&] { return client.put("after", "x", by_majority).is_success(); });
  const tree there = check_identical_trees(cluster);
  BOOST_TEST(!there.contains("late"));
}

BOOST_AUTO_TEST_CASE(a_majority_write_needs_only_one_follower) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  const auto followers = cluster.followers();
  cluster.node(followers[0]).freeze();
  for (std::uint64_t i = 0; i < 20; ++i) {
    auto answer = put_or_fail(cluster.node(leader), "f" + std::to_string(i), {i, i * 10'000}, by_majority);
    BOOST_TEST(answer.header("Kaiku-Durability") == "majority");
    BOOST_TEST(answer.header("Kaiku-Replicas") == "2/3");
  }
  cluster.node(followers[0]).thaw();
  cluster.wait_until_ready();
  check_identical_trees(cluster);
}

BOOST_AUTO_TEST_SUITE_END()
