/// A disk completes nothing, without an error, and only large files come, of which storage hears when they are there.

#include <boost/test/unit_test.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

constexpr generated_bytes large{1, 256 * 1024};
/// Above `limits::storage_timeout_ms`.
constexpr milliseconds end_deadline{75'000};

/// So that nothing of a start is still to be written.
std::size_t settled_leader(test_cluster& cluster) {
  const auto leader = cluster.wait_for_leader();
  BOOST_TEST(cluster.node(leader).client().put("small", "x", {{"Kaiku-Durability", "all"}}).status == 201);
  cluster.wait_until_converged();
  return leader;
}

/// Has ended, but for the threads that wait for the disk.
bool has_said_its_end(const test_node& node) {
  return node.log_tail(6).find("the node ends and can be started again") != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hung_disk, *boost::unit_test::precondition(may_cut_power))

BOOST_AUTO_TEST_CASE(a_leader_whose_disk_hangs_hands_over_though_only_a_large_file_comes) {
  test_cluster cluster({.disks = true});
  const auto old = settled_leader(cluster);
  auto client = cluster.node(old).client();
  {
    const test_disk::hang hung(cluster.disk(old));
    const auto began = clock::now();
    client.send_head("PUT", "/files/stuck", {}, large.size);
    client.send_body(large.all());
    const auto now = cluster.wait_for_leader(milliseconds{10'000}, old);
    check_in_time(since(began), election_timeout + election_bound);
    BOOST_TEST(cluster.node(now).client().put("large", large).status == 201);
  }
  cluster.wait_until_converged();
  check_identical_trees(cluster);
}

BOOST_AUTO_TEST_CASE(a_follower_whose_disk_hangs_ends_though_only_a_large_file_comes) {
  test_cluster cluster({.disks = true});
  const auto leader = settled_leader(cluster);
  auto& follower = cluster.node((leader + 1) % cluster.size());
  {
    const test_disk::hang hung(cluster.disk((leader + 1) % cluster.size()));
    BOOST_TEST(cluster.node(leader).client().put("large", large).status == 201);
    cluster.wait_for("the follower's end", end_deadline, [&] { return has_said_its_end(follower); });
  }
  BOOST_TEST((follower.process().wait_for_exit(milliseconds{10'000}) == 70));
  follower.start();
  cluster.wait_until_converged();
  BOOST_TEST(follower.client().get_digest("large").body_digest == large.digest());
}

BOOST_AUTO_TEST_SUITE_END()
