/// Packets between nodes are lost: between all, one way, around one node. Clients reach every node all the time.

#include <iostream>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

const header_list by_leader = {{"Kaiku-Durability", "leader"}};
const header_list by_majority = {{"Kaiku-Durability", "majority"}};

/// After healing, every node must be ready within this: the longest wait between two attempts to connect, an ordinary
/// election, and what there is to catch up.
constexpr milliseconds heal_deadline{15'000};

/// Three nodes on a network of their own, and clients that write through all of them and keep the answers.
struct scene {
  explicit scene(const char* test)
      : seed(announce_seed(test)),
        cluster({.networked = true, .in_memory = true}),
        clients(told, cluster.endpoints(),
                {.directory = "load", .seed = seed, .clients = 3, .per_second = 30, .one_node_each = true}) {
    wait_for_writes(cluster, told, 20);
    leader = cluster.wait_for_leader();
    followers = cluster.followers();
    term = cluster.node(leader).status().value().term;
  }

  /// Everything arrives again: all are ready soon, hold the same, and what was promised holds.
  void heal_and_check() {
    const auto start = clock::now();
    cluster.network().heal();
    cluster.wait_until_ready(heal_deadline);
    std::cout << "  all ready " << since(start).count() << " ms after healing" << std::endl;
    wait_for_writes(cluster, told, 20);
    clients.stop();
    check_history(cluster, told, "load");
  }

  std::uint64_t seed;
  test_cluster cluster;
  history told;
  load clients;
  std::size_t leader = 0;
  std::vector<std::size_t> followers;
  std::uint64_t term = 0;
};

/// Writes straight to the node are refused with 503, a code, and `Retry-After` when nothing came of it.
void check_refuses_writes(test_node& node) {
  std::vector<http_client> waiting;
  for (const auto& durability : {by_leader, by_majority}) {
    auto& client = waiting.emplace_back(node.client(milliseconds{20'000}));
    client.send_head("PUT", "/files/refused", durability, 1);
    client.send_body("x");
  }
  for (auto& client : waiting) {
    auto answer = client.read_response("PUT");
    BOOST_TEST_CONTEXT(node.name() << " answered " << answer) {
      BOOST_TEST(answer.status == 503);
      BOOST_TEST(!answer.problem_code().empty());
      BOOST_TEST((answer.has_header("Retry-After") || answer.problem_code() == "outcome_unknown"));
    }
  }
}

/// Whether the node takes itself for a leader, as whoever sends clients to leaders asks it.
bool is_in_office(const test_node& node) {
  const auto status = node.status();
  return status && status->leads;
}

/// The old leader gives up within T; the others have a new one in time, writes go on, and the old one takes none.
void check_replaced(scene& s, clock::time_point cut, milliseconds bound) {
  std::optional<milliseconds> gave_up;
  std::size_t now = s.leader;
  s.cluster.wait_for("another node leads and the old leader has given up", milliseconds{10'000}, [&] {
    if (!gave_up && !is_in_office(s.cluster.node(s.leader))) gave_up = since(cut);
    now = s.cluster.leader(s.leader).value_or(s.leader);
    return gave_up && now != s.leader;
  });
  const auto took = since(cut);
  std::cout << "  " << s.cluster.node(now).name() << " leads after " << took.count()
            << " ms, the old leader gave up after " << gave_up->count() << " ms" << std::endl;
  check_in_time(*gave_up, election_timeout + milliseconds{500});
  check_in_time(took, bound);
  wait_for_writes(s.cluster, s.told, 40);
  check_refuses_writes(s.cluster.node(s.leader));
  BOOST_TEST(!s.cluster.node(s.leader).is_ready());
  // However long it lasts, nobody disturbs the new leader.
  const auto term = s.cluster.node(now).status().value().term;
  s.cluster.wait_for("the partition lasts 3 T", milliseconds{10'000},
                     [&] { return since(cut) > 3 * election_timeout; });
  BOOST_TEST(s.cluster.node(now).status().value().term == term);
  s.heal_and_check();
  BOOST_TEST(s.cluster.node(now).status().value().term == term);
  BOOST_TEST(s.cluster.node(now).status().value().leads);
}

/// A node that does not hear the leader neither takes writes nor disturbs anybody.
void check_undisturbed_by(scene& s, std::size_t away, clock::time_point cut) {
  auto& node = s.cluster.node(away);
  s.cluster.wait_for("it has noticed", 8 * election_timeout, [&] { return !node.is_ready(); });
  const auto before = s.told.count(outcome::majority);
  s.cluster.wait_for("writes go on for 4 T", milliseconds{20'000}, [&] {
    return since(cut) > 4 * election_timeout && s.told.count(outcome::majority) >= before + 60;
  });
  check_refuses_writes(node);
  auto reader = node.client();
  BOOST_TEST(!list_directory(reader, "").empty());
  BOOST_TEST(s.cluster.node(s.leader).status().value().term == s.term);
  s.heal_and_check();
  BOOST_TEST(s.cluster.node(s.leader).status().value().term == s.term);
  BOOST_TEST(s.cluster.node(s.leader).status().value().leads);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(partition, *boost::unit_test::precondition(may_partition))

BOOST_AUTO_TEST_CASE(a_leader_that_is_cut_off_refuses_writes_within_T_and_the_majority_goes_on) {
  scene s("leader cut off");
  auto waiting = s.cluster.node(s.leader).client(milliseconds{30'000});
  const auto cut = clock::now();
  s.cluster.network().isolate(s.leader);
  waiting.send_head("PUT", "/files/waiting", by_majority, 1);
  waiting.send_body("x");
  check_replaced(s, cut, election_bound);
  auto answer = waiting.read_response("PUT");
  BOOST_TEST((answer.status == 202 || answer.status == 503), "answered " << answer);
}

BOOST_AUTO_TEST_CASE(a_leader_whom_nobody_hears_is_replaced) {
  scene s("leader not heard");
  const auto cut = clock::now();
  for (auto follower : s.followers) s.cluster.network().cut(s.leader, follower);
  check_replaced(s, cut, election_bound);
}

BOOST_AUTO_TEST_CASE(a_leader_who_hears_nobody_steps_down_and_is_replaced) {
  scene s("leader does not hear");
  const auto cut = clock::now();
  for (auto follower : s.followers) s.cluster.network().cut(follower, s.leader);
  // Until it steps down after T its heartbeats may still arrive.
  check_replaced(s, cut, election_timeout + election_bound);
}

BOOST_AUTO_TEST_CASE(a_follower_that_is_cut_off_disturbs_nobody_when_it_returns) {
  scene s("follower cut off");
  const auto cut = clock::now();
  s.cluster.network().isolate(s.followers[0]);
  check_undisturbed_by(s, s.followers[0], cut);
}

BOOST_AUTO_TEST_CASE(a_follower_that_hears_the_third_node_but_not_the_leader_disturbs_nobody) {
  scene s("follower hears only the third node");
  const auto cut = clock::now();
  s.cluster.network().cut_both_ways(s.followers[0], s.leader);
  check_undisturbed_by(s, s.followers[0], cut);
}

BOOST_AUTO_TEST_CASE(a_follower_that_hears_and_is_not_heard_disturbs_nobody) {
  scene s("follower not heard");
  const auto cut = clock::now();
  s.cluster.network().cut(s.followers[0], s.leader);
  s.cluster.network().cut(s.followers[0], s.followers[1]);
  check_undisturbed_by(s, s.followers[0], cut);
}

BOOST_AUTO_TEST_SUITE_END()
