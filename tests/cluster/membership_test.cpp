/// Nodes that come, come back with an empty disk, and are refused.

#include <atomic>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "population.hpp"
#include "scenario.hpp"

namespace {

using namespace kaiku::test;

const header_list by_majority = {{"Kaiku-Durability", "majority"}};

/// Nobody leads, and no write is taken, for three times as long as an election may take, once a leader of before has
/// noticed that it is alone.
void check_nobody_leads(test_cluster& cluster, const std::vector<std::size_t>& asked) {
  cluster.wait_for("the old leader steps down", 3 * election_bound, [&] { return !cluster.leader(); });
  const bool led = wait_until(3 * election_bound, [&] { return cluster.leader().has_value(); });
  BOOST_TEST(!led, "a node leads without a majority of the disks");
  for (const auto i : asked) {
    const auto answer = cluster.node(i).client().put("too-few", "bytes", by_majority);
    BOOST_TEST(answer.status == 503, cluster.node(i).name() << " answered " << answer);
  }
}

/// Majority writes, one after the other through each of the nodes, and what was wrong with the answers: only success
/// and "not now, try again" are right.
class majority_writers {
 public:
  explicit majority_writers(const std::vector<endpoint>& nodes) {
    for (const auto& node : nodes)
      threads_.emplace_back([this, node](const std::stop_token& stopped) { run(node, stopped); });
  }
  std::size_t written() const { return written_; }
  std::vector<std::string> stop() {
    for (auto& x : threads_) x.request_stop();
    threads_.clear();
    return wrong_;
  }

 private:
  void run(const endpoint& node, const std::stop_token& stopped) {
    http_client client(node, milliseconds{30'000});
    for (std::uint64_t i = 0; !stopped.stop_requested(); ++i) {
      try {
        const auto path = "steady/" + std::to_string(node.port) + "/" + std::to_string(i % 50);
        const auto answer = client.put(path, generated_bytes{i, 500}, by_majority);
        if (answer.is_success() && answer.status != 202)
          ++written_;
        else if (answer.status != 503 || !answer.has_header("Retry-After"))
          complain(std::to_string(answer.status) + " " + answer.problem_code());
      } catch (const network_failure& e) {
        client.disconnect();
        complain(e.what());
      }
    }
  }
  void complain(std::string what) {
    std::lock_guard lock(mutex_);
    wrong_.push_back(std::move(what));
  }

  std::mutex mutex_;
  std::vector<std::string> wrong_;
  std::atomic<std::size_t> written_{0};
  std::vector<std::jthread> threads_;
};

std::set<std::string> voters_as_the_leader_sees_them(test_cluster& cluster) try {
  std::set<std::string> out;
  const auto leader = cluster.leader();
  if (!leader) return out;
  const auto document = cluster.node(*leader).cluster_document();
  for (const auto& member : document.at("members"))
    if (member.at("voter") == true) out.insert(member.at("id").get<std::string>());
  return out;
} catch (const network_failure&) {
  return {};
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
  auto& fourth = cluster.add_node({cluster.followers()[0]});
  wait_until_full_voter(cluster, 3);
  const auto writes = told.count(outcome::majority);
  cluster.wait_for("writes go on", milliseconds{30'000}, [&] { return told.count(outcome::majority) >= writes + 20; });
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

BOOST_AUTO_TEST_CASE(from_three_nodes_to_five_and_back_to_three_without_a_failed_majority_write) {
  test_cluster cluster;
  put_or_fail(cluster.node(0), "before", {1, 300'000}, by_majority);
  majority_writers writers({cluster.node(0).http(), cluster.node(2).http()});
  for (std::size_t i : {3u, 4u}) {
    cluster.add_node({0});
    wait_until_full_voter(cluster, i);
  }
  BOOST_TEST((voters_as_the_leader_sees_them(cluster) == std::set<std::string>{"n1", "n2", "n3", "n4", "n5"}));
  for (std::size_t i : {1u, 3u}) remove_member(cluster, 0, i);
  cluster.wait_for("three are left", milliseconds{10'000}, [&] {
    return voters_as_the_leader_sees_them(cluster) == std::set<std::string>{"n1", "n3", "n5"};
  });
  for (std::size_t i : {1u, 3u}) {
    cluster.wait_for(cluster.node(i).name() + " says that it was removed", milliseconds{20'000},
                     [&] { return cluster.node(i).log().find("start it with --join") != std::string::npos; });
    cluster.node(i).kill();
  }
  const auto written = writers.written();
  cluster.wait_for("writes go on", milliseconds{30'000}, [&] { return writers.written() >= written + 20; });
  for (const auto& line : writers.stop()) BOOST_ERROR("a majority write was answered " + line);
  std::cout << "  " << writers.written() << " majority writes meanwhile" << std::endl;
  cluster.wait_until_converged();
  std::vector<std::string> violations;
  const tree first = read_tree(cluster.node(0).http(), "", violations);
  for (std::size_t i : {2u, 4u})
    for (const auto& line : differences(first, read_tree(cluster.node(i).http(), "", violations))) BOOST_ERROR(line);
  for (const auto& line : violations) BOOST_ERROR(line);
  // Two of the three are a majority.
  cluster.node(0).kill();
  cluster.wait_for_leader(milliseconds{10'000}, 0);
  put_or_fail(cluster.node(4), "after", {2, 1000}, by_majority);
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
    cluster.node(wiped).wipe();
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
  cluster.node(wiped).wipe();
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
  cluster.node(wiped).wipe();
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
  for (std::size_t i : {1u, 2u}) cluster.node(i).wipe();
  for (std::size_t i : {1u, 2u}) cluster.node(i).start();
  check_nobody_leads(cluster, {0, 1, 2});
  // A leader that has not noticed yet that it is alone may have begun to take one in: then that one knows its cluster.
  const auto old = cluster.node(0).cluster_document().at("cluster");
  BOOST_TEST(!old.is_null());
  for (std::size_t i : {1u, 2u}) {
    const auto known = cluster.node(i).cluster_document().at("cluster");
    BOOST_TEST((known.is_null() || known == old), cluster.node(i).name() << " knows " << known);
  }
  BOOST_TEST(cluster.node(0).client().get("before").status == 200);
}

/// They are a majority of the names that they were started with.
BOOST_AUTO_TEST_CASE(two_wiped_nodes_found_no_cluster_while_the_one_with_the_files_is_away) {
  test_cluster cluster;
  put_or_fail(cluster.node(0), "before", {1, 1000}, by_majority);
  cluster.wait_until_converged();
  for (std::size_t i : {0u, 1u, 2u}) cluster.node(i).kill();
  for (std::size_t i : {1u, 2u}) {
    cluster.node(i).wipe();
    cluster.node(i).start();
  }
  check_nobody_leads(cluster, {1, 2});
  cluster.node(0).start();
  check_nobody_leads(cluster, {0, 1, 2});
  for (std::size_t i : {1u, 2u}) BOOST_TEST(cluster.node(i).log().find("joins in its place") != std::string::npos);
  BOOST_TEST(cluster.node(0).client().get("before").status == 200);
}

BOOST_AUTO_TEST_CASE(a_node_that_joins_alone_waits_and_serves_nothing) {
  test_cluster cluster({1});
  cluster.node(0).kill();
  auto& second = cluster.add_node({0});
  cluster.wait_for("it asks", milliseconds{10'000}, [&] { return second.log().find("asked") != std::string::npos; });
  BOOST_TEST(!second.is_ready());
  BOOST_TEST(second.client().put("file", "bytes").status == 503);
  cluster.node(0).start();
  wait_until_full_voter(cluster, 1);
  put_or_fail(second, "file", {1, 1000}, by_majority);
  wait_until_everywhere(cluster, "file", {1, 1000});
}

BOOST_AUTO_TEST_SUITE_END()
