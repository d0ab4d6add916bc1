/// The leader is killed, frozen, asked to stop; all nodes are killed at once. What was promised still holds.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <map>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

const header_list by_majority = {{"Kaiku-Durability", "majority"}};

/// Prints the median and the 99th percentile, and checks them when there are enough values to speak of such.
void check_distribution(std::vector<milliseconds> took, milliseconds median, milliseconds slowest) {
  std::sort(took.begin(), took.end());
  const auto p50 = took.at((took.size() - 1) / 2);
  const auto p99 = took.at((took.size() * 99 + 99) / 100 - 1);
  std::cout << "  " << took.size() << " times: p50 " << p50.count() << " ms, p99 " << p99.count() << " ms" << std::endl;
  if (took.size() < 20) return;
  check_in_time(p50, median);
  check_in_time(p99, slowest);
}

/// A write through the node that is acknowledged by a majority, tried until the deadline.
void wait_until_writable(test_cluster& cluster, std::size_t through, milliseconds deadline) {
  cluster.wait_for("a majority takes a write through " + cluster.node(through).name(), deadline, [&] {
    try {
      return cluster.node(through).client().put("probe", "bytes", by_majority).is_success();
    } catch (const network_failure&) {
      return false;
    }
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(failover)

BOOST_AUTO_TEST_CASE(a_killed_leader_is_replaced_in_time_and_no_majority_write_is_lost) {
  const auto seed = announce_seed("kill -9 of the leader");
  const auto runs = number_from_environment("KAIKU_TEST_KILLS", 10);
  std::vector<milliseconds> took;
  test_cluster cluster;
  history told;
  load clients(told, cluster.endpoints(), {.directory = "load", .seed = seed});
  for (std::uint64_t run = 0; run < runs; ++run) {
    const auto old = cluster.wait_for_leader();
    wait_for_writes(cluster, told, 20);

    const auto start = clock::now();
    cluster.node(old).kill();
    const auto now = cluster.wait_for_leader(milliseconds{10'000}, old);
    took.push_back(since(start));
    std::cout << "  run " << run + 1 << ": " << cluster.node(now).name() << " leads " << took.back().count()
              << " ms after " << cluster.node(old).name() << " was killed" << std::endl;
    check_in_time(took.back(), election_bound);
    wait_until_writable(cluster, now, milliseconds{5000});

    cluster.node(old).start();
    cluster.wait_until_ready();
  }
  clients.stop();
  check_distribution(took, election_timeout * 14 / 10, 2 * election_timeout + milliseconds{100});
  check_history(cluster, told, "load");
}

BOOST_AUTO_TEST_CASE(after_a_kill_of_all_nodes_at_once_every_majority_write_is_there) {
  const auto seed = announce_seed("kill -9 of all nodes");
  const auto runs = number_from_environment("KAIKU_TEST_POWER_CUTS", 3);
  test_cluster cluster;
  history told;
  for (std::uint64_t run = 0; run < runs; ++run) {
    load clients(told, cluster.endpoints(), {.directory = "load/run" + std::to_string(run), .seed = seed + run});
    wait_for_writes(cluster, told, 150);
    for (std::size_t i = 0; i < cluster.size(); ++i) cluster.node(i).process().send_signal(SIGKILL);
    for (std::size_t i = 0; i < cluster.size(); ++i) cluster.node(i).kill();
    clients.stop();
    for (std::size_t i = 0; i < cluster.size(); ++i) cluster.node(i).start();
    cluster.wait_until_ready();
    check_history(cluster, told, "load");
  }
}

BOOST_AUTO_TEST_CASE(a_frozen_leader_is_replaced_and_accepts_no_write_of_its_own_when_it_continues) {
  test_cluster cluster;
  for (int run = 0; run < 3; ++run) {
    const auto old = cluster.wait_for_leader();
    auto& frozen = cluster.node(old);
    const std::string directory = "frozen" + std::to_string(run) + "/";
    // One connection that the node has accepted before, one that only its kernel has.
    auto accepted = frozen.client(milliseconds{30'000});
    BOOST_TEST(accepted.put(directory + "before", "before", by_majority).is_success());
    const auto start = clock::now();
    frozen.freeze();
    auto queued = frozen.client(milliseconds{30'000});
    accepted.send_head("PUT", "/files/" + directory + "accepted", {}, 8);
    BOOST_TEST(accepted.send_body("accepted"));
    queued.send_head("PUT", "/files/" + directory + "queued", {}, 6);
    BOOST_TEST(queued.send_body("queued"));

    const auto now = cluster.wait_for_leader(milliseconds{10'000}, old);
    check_in_time(since(start), election_bound);
    wait_until_writable(cluster, now, milliseconds{5000});
    put_or_fail(cluster.node(now), directory + "meanwhile", {1, 1000}, by_majority);

    frozen.thaw();
    auto direct = frozen.client(milliseconds{30'000});
    std::map<std::string, http_response> answers;
    answers["direct"] = direct.put(directory + "direct", "direct");
    answers["accepted"] = accepted.read_response("PUT");
    answers["queued"] = queued.read_response("PUT");
    cluster.wait_until_ready();
    BOOST_TEST(!frozen.status().value().leads);
    cluster.wait_until_converged();
    for (const auto& [name, answer] : answers) {
      BOOST_TEST_CONTEXT(name << " answered " << answer) {
        BOOST_TEST((answer.is_success() || answer.status == 503));
        if (answer.status == 503) BOOST_TEST(answer.has_header("Retry-After"));
        for (std::size_t i = 0; i < cluster.size(); ++i) {
          auto got = cluster.node(i).client().get(directory + name);
          if (answer.is_success()) BOOST_TEST(got.body == name);
          if (classify(answer, false) == outcome::refused) BOOST_TEST(got.status == 404);
        }
      }
    }
    check_identical_trees(cluster);
  }
}

BOOST_AUTO_TEST_CASE(sigterm_of_the_leader_hands_over_at_once_and_loses_nothing) {
  const auto seed = announce_seed("SIGTERM of the leader");
  const auto runs = number_from_environment("KAIKU_TEST_HANDOVERS", 3);
  std::vector<milliseconds> took;
  test_cluster cluster;
  history told;
  load clients(told, cluster.endpoints(), {.directory = "load", .seed = seed});
  for (std::uint64_t run = 0; run < runs; ++run) {
    const auto old = cluster.wait_for_leader();
    wait_for_writes(cluster, told, 20);
    const auto start = clock::now();
    cluster.node(old).process().send_signal(SIGTERM);
    const auto now = cluster.wait_for_leader(milliseconds{10'000}, old);
    took.push_back(since(start));
    std::cout << "  run " << run + 1 << ": " << cluster.node(now).name() << " leads " << took.back().count()
              << " ms after SIGTERM" << std::endl;
    check_in_time(took.back(), election_timeout);
    BOOST_TEST(cluster.node(old).process().wait_for_exit(milliseconds{12'000}).value_or(-1) == 0);
    cluster.node(old).start();
    cluster.wait_until_ready();
  }
  clients.stop();
  check_distribution(took, milliseconds{200}, milliseconds{200});
  check_history(cluster, told, "load");
}

BOOST_AUTO_TEST_CASE(sigterm_lets_requests_in_flight_finish) {
  test_cluster cluster;
  const auto old = cluster.wait_for_leader();
  const generated_bytes large{1, 48 << 20};
  put_or_fail(cluster.node(old), "large", large);
  auto reader = cluster.node(old).client(milliseconds{9000});
  reader.send_head("GET", "/files/large", {});
  BOOST_REQUIRE(reader.read_head("GET").status == 200);
  auto writer = cluster.node(old).client(milliseconds{9000});
  const generated_bytes upload{2, 4 << 20};
  writer.send_head("PUT", "/files/upload", {}, upload.size);
  BOOST_TEST(writer.send_body(upload.piece(0, 2 << 20)));

  cluster.node(old).process().send_signal(SIGTERM);
  cluster.wait_for_leader(milliseconds{10'000}, old);
  digest_sum sum;
  for (auto piece = reader.read_body_piece(); !piece.empty(); piece = reader.read_body_piece()) sum.update(piece);
  BOOST_TEST(sum.finish() == large.digest());
  writer.send_body(upload.piece(2 << 20, 2 << 20));
  auto answer = writer.read_response("PUT");
  BOOST_TEST((answer.status == 201 || answer.status == 503), "the upload was answered " << answer);
  reader.disconnect();
  writer.disconnect();
  BOOST_TEST(cluster.node(old).process().wait_for_exit(milliseconds{12'000}).value_or(-1) == 0);
  if (answer.status == 201) wait_until_everywhere(cluster, "upload", upload);
}

BOOST_AUTO_TEST_CASE(an_upload_whose_leader_dies_is_refused_and_leaves_nothing) {
  test_cluster cluster;
  const generated_bytes content{1, 8 << 20};
  for (bool wait_for_next : {false, true}) {
    const auto old = cluster.wait_for_leader();
    const auto through = cluster.followers()[0];
    auto client = cluster.node(through).client(milliseconds{30'000});
    client.send_head("PUT", "/files/upload", {}, content.size);
    BOOST_TEST(client.send_body(content.piece(0, 6 << 20)));
    cluster.node(old).kill();
    // Either the upload's link breaks under it, or all is sent to a leader that is not there any more.
    if (wait_for_next) cluster.wait_for_leader(milliseconds{10'000}, old);
    client.send_body(content.piece(6 << 20, 2 << 20));
    const auto answer = client.read_response("PUT");
    BOOST_TEST_CONTEXT("answered " << answer) {
      BOOST_TEST(answer.status == 503);
      BOOST_TEST(!answer.problem_code().empty());
      BOOST_TEST(answer.has_header("Retry-After"));
    }
    cluster.node(old).start();
    cluster.wait_until_ready();
    BOOST_TEST(check_identical_trees(cluster).empty());
    cluster.wait_for("nothing is left in staging", milliseconds{30'000}, [&] {
      for (std::size_t i = 0; i < cluster.size(); ++i)
        if (!std::filesystem::is_empty(cluster.node(i).data() / "staging")) return false;
      return true;
    });
  }
  put_or_fail(cluster.node(0), "upload", content, by_majority);
  wait_until_everywhere(cluster, "upload", content);
}

BOOST_AUTO_TEST_CASE(sigterm_of_a_follower_ends_it_and_disturbs_nobody) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  const auto term = cluster.node(leader).status().value().term;
  for (const auto follower : cluster.followers()) {
    BOOST_TEST(cluster.node(follower).terminate(milliseconds{12'000}).value_or(-1) == 0);
    put_or_fail(cluster.node(leader), "while-away", {follower, 100}, by_majority);
    cluster.node(follower).start();
    cluster.wait_until_ready();
  }
  BOOST_TEST(cluster.wait_for_leader() == leader);
  BOOST_TEST(cluster.node(leader).status().value().term == term);
  check_identical_trees(cluster);
}

BOOST_AUTO_TEST_CASE(what_only_a_dead_leader_had_is_set_aside_when_it_returns) {
  test_cluster cluster;
  const auto old = cluster.wait_for_leader();
  const auto followers = cluster.followers();
  put_or_fail(cluster.node(old), "kept", {1, 1000}, by_majority);
  put_or_fail(cluster.node(old), "replaced", {2, 1000}, by_majority);
  // A frozen follower's kernel still takes what the leader sends; killed, it never reads it.
  for (auto i : followers) cluster.node(i).freeze();
  const generated_bytes small{3, 1000};
  const generated_bytes large{4, 200'000};
  put_or_fail(cluster.node(old), "only-there/small", small);
  put_or_fail(cluster.node(old), "only-there/large", large);
  put_or_fail(cluster.node(old), "replaced", {5, 500});
  BOOST_TEST(cluster.node(old).client().remove("kept").status == 204);
  cluster.node(old).kill();
  for (auto i : followers) cluster.node(i).kill();

  for (auto i : followers) cluster.node(i).start();
  cluster.wait_until_ready();
  const auto now = cluster.wait_for_leader();
  put_or_fail(cluster.node(now), "new", {6, 1000}, by_majority);
  cluster.node(old).start();
  cluster.wait_until_ready();
  const tree there = check_identical_trees(cluster);
  BOOST_TEST(!there.contains("only-there"));
  BOOST_TEST(!there.contains("only-there/large"));
  BOOST_TEST(there.at("kept").digest == (generated_bytes{1, 1000}.digest()));
  BOOST_TEST(there.at("replaced").digest == (generated_bytes{2, 1000}.digest()));
  BOOST_TEST(there.contains("new"));
  BOOST_TEST(cluster.node(old).cluster_document().at("set_aside") == 4);
  for (auto i : followers) BOOST_TEST(cluster.node(i).cluster_document().at("set_aside") == 0);
  // It stays counted, on disk, and the node is an ordinary member again.
  cluster.node(old).kill();
  cluster.node(old).start();
  cluster.wait_until_ready();
  BOOST_TEST(cluster.node(old).cluster_document().at("set_aside") == 4);
  put_or_fail(cluster.node(old), "only-there/large", large, by_majority);
  wait_until_everywhere(cluster, "only-there/large", large);
}

BOOST_AUTO_TEST_SUITE_END()
