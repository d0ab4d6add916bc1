/// The power fails, or the disk: what was not synced is gone, or nothing can be written any more.

#include <algorithm>
#include <iostream>
#include <random>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "chronicle.hpp"
#include "scenario.hpp"
#include "support/command.hpp"

namespace {

using namespace kaiku::test;

/// How long a node may run on a disk that fails every write, while it is written to.
constexpr milliseconds end_deadline{15'000};
/// A mount can hold up everybody's syncs for seconds when the real disk is busy.
constexpr milliseconds writes_deadline{60'000};

/// The node has ended by itself, with a code that says failure and a line that says why.
void check_ended_with_a_message(test_cluster& cluster, std::size_t node) {
  const auto code = cluster.node(node).process().wait_for_exit(end_deadline);
  BOOST_TEST_CONTEXT(cluster.node(node).name() << " printed:\n" << cluster.node(node).log_tail(6)) {
    BOOST_REQUIRE(code.has_value());
    BOOST_TEST((*code > 0 && *code < 126), "exit code " << *code);
    BOOST_TEST(cluster.node(node).log_tail(6).find("the node ends and can be started again") != std::string::npos);
  }
}

/// A node that ends gives no answer.
bool is_taken(const test_node& by, std::string_view path, const generated_bytes& content) {
  try {
    return by.client().put(path, content).is_success();
  } catch (const network_failure&) {
    return false;
  }
}

load_options writers(const std::string& directory, std::uint64_t seed) {
  return {.directory = directory, .seed = seed, .clients = 4, .per_second = 200, .large_every = 15};
}

/// The power of these nodes fails while clients write. A node that runs on sees that its disk is gone, and must not
/// acknowledge anything more.
void cut_power(test_cluster& cluster, const std::vector<std::size_t>& nodes, bool runs_on) {
  cluster.cut_power(nodes, runs_on);
  if (runs_on)
    for (auto i : nodes) check_ended_with_a_message(cluster, i);
  for (auto i : nodes) cluster.node(i).kill();
}

void give_power_back(test_cluster& cluster, const std::vector<std::size_t>& nodes) {
  for (auto i : nodes) cluster.disk(i).restore();
  for (auto i : nodes) cluster.node(i).start();
  cluster.wait_until_ready(milliseconds{30'000});
}

/// strace's options with which some thread's n-th sync fails.
std::vector<std::string> failing_sync(std::uint64_t n) {
  return {"-f", "-o", "/dev/null", "-e", "inject=fsync,fdatasync:error=EIO:when=" + std::to_string(n)};
}

/// The command that runs the daemon so: it becomes the daemon, and traces it from a grandchild.
std::vector<std::string> with_failing_sync(std::uint64_t n) {
  std::vector<std::string> out = {find_program("strace"), "-D", "-q", "--seccomp-bpf", "-e", "trace=fsync,fdatasync"};
  const auto inject = failing_sync(n);
  out.insert(out.end(), inject.begin(), inject.end());
  return out;
}

/// Makes syncs of a running node fail.
class sync_breaker {
 public:
  sync_breaker(test_cluster& cluster, std::size_t node, std::uint64_t n) {
    const auto log = cluster.directory() / "strace.log";
    std::vector<std::string> command = {find_program("strace"), "-p",
                                        std::to_string(cluster.node(node).process().pid())};
    const auto inject = failing_sync(n);
    command.insert(command.end(), inject.begin(), inject.end());
    tracer_ = std::make_unique<child_process>(command, log);
    cluster.wait_for("strace is attached", milliseconds{10'000},
                     [&] { return read_file(log).find("attached") != std::string::npos; });
  }

 private:
  std::unique_ptr<child_process> tracer_;
};

boost::test_tools::assertion_result may_inject(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result out(test_disk::unavailable().empty());
  out.message() << test_disk::unavailable();
  if (!out) return out;
  try {
    run_command({"strace", "-f", "-o", "/dev/null", "true"});
  } catch (const std::runtime_error& e) {
    out = false;
    out.message() << e.what();
  }
  return out;
}

std::uint64_t cuts() {
  return number_from_environment("KAIKU_TEST_CUTS", 10);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(power, *boost::unit_test::precondition(may_cut_power))

BOOST_AUTO_TEST_CASE(what_a_lone_node_acknowledged_survives_every_power_cut) {
  const auto seed = announce_seed("power cuts of one node");
  std::mt19937_64 random(seed);
  test_cluster cluster({.nodes = 1, .disks = true});
  chronicle told(cluster);
  for (std::size_t cut = 0; cut < (cuts() + 1) / 2; ++cut) {
    history& now = told.begin();
    load clients(now, cluster.endpoints(), writers(told.directory(), seed + cut));
    wait_for_writes(cluster, now, 20 + random() % 300, writes_deadline);
    cut_power(cluster, {0}, random() % 2 == 0);
    clients.stop();
    give_power_back(cluster, {0});
    told.check_last();
  }
  told.check_all();
  BOOST_TEST(set_aside(cluster) == 0u);
}

BOOST_AUTO_TEST_CASE(what_three_nodes_acknowledged_survives_power_cuts_of_some_or_all) {
  const auto seed = announce_seed("power cuts of three nodes");
  std::mt19937_64 random(seed);
  test_cluster cluster({.disks = true});
  chronicle told(cluster);
  for (std::size_t cut = 0; cut < cuts() / 2; ++cut) {
    history& now = told.begin();
    load clients(now, cluster.endpoints(), writers(told.directory(), seed + cut));
    wait_for_writes(cluster, now, 20 + random() % 200, writes_deadline);
    std::vector<std::size_t> nodes = {0, 1, 2};
    std::shuffle(nodes.begin(), nodes.end(), random);
    nodes.resize(cut % 2 == 0 ? 3 : 1 + random() % 2);
    // On all at once nobody would be left to write to them.
    cut_power(cluster, nodes, nodes.size() == 1 && random() % 2 == 0);
    clients.stop();
    give_power_back(cluster, nodes);
    told.check_last();
  }
  told.check_all();
}

BOOST_AUTO_TEST_CASE(a_node_whose_sync_fails_ends_and_has_acknowledged_nothing_that_a_power_cut_takes,
                     *boost::unit_test::precondition(may_inject)) {
  const auto seed = announce_seed("failing syncs");
  std::mt19937_64 random(seed);
  test_cluster cluster({.nodes = 1, .disks = true});
  chronicle told(cluster);
  // The first few are those of a start.
  for (std::uint64_t n :
       {std::uint64_t{1}, std::uint64_t{2}, 3 + random() % 5, 8 + random() % 20, 30 + random() % 60}) {
    cluster.node(0).terminate(milliseconds{12'000});
    cluster.node(0).start(with_failing_sync(n));
    history& now = told.begin();
    {
      load clients(now, cluster.endpoints(), writers(told.directory(), seed + n));
      const auto code = cluster.node(0).process().wait_for_exit(end_deadline);
      BOOST_TEST_CONTEXT("sync " << n << " fails; it printed:\n" << cluster.node(0).log_tail(6)) {
        BOOST_REQUIRE(code.has_value());
        BOOST_TEST((*code == 1 || *code == 70), "exit code " << *code);
        BOOST_TEST(cluster.node(0).log_tail(6).find("Input/output error") != std::string::npos);
      }
    }
    // What the failed sync left in memory only is gone then.
    cluster.disk(0).cut_power();
    cluster.disk(0).restore();
    cluster.node(0).start();
    cluster.wait_until_ready(milliseconds{30'000});
    told.check_last();
  }
  told.check_all();
}

BOOST_AUTO_TEST_CASE(a_leader_whose_sync_fails_is_replaced_and_no_majority_write_is_lost,
                     *boost::unit_test::precondition(may_inject)) {
  const auto seed = announce_seed("failing sync of a leader");
  test_cluster cluster({.disks = true});
  const auto old = cluster.wait_for_leader();
  history told;
  load clients(told, cluster.endpoints(), writers("load", seed));
  wait_for_writes(cluster, told, 50);
  const sync_breaker breaker(cluster, old, 1 + seed % 50);
  check_ended_with_a_message(cluster, old);
  const auto ended = clock::now();
  const auto now = cluster.wait_for_leader(milliseconds{10'000}, old);
  check_in_time(since(ended), election_bound);
  BOOST_TEST(now != old);
  wait_for_writes(cluster, told, 50);
  clients.stop();
  cluster.disk(old).cut_power();
  give_power_back(cluster, {old});
  check_history(cluster, told, "load");
}

BOOST_AUTO_TEST_CASE(a_node_whose_disk_becomes_read_only_ends_and_says_so_at_its_next_start_too) {
  const auto seed = announce_seed("read-only disk");
  test_cluster cluster({.disks = true});
  const auto old = cluster.wait_for_leader();
  history told;
  load clients(told, cluster.endpoints(), writers("load", seed));
  wait_for_writes(cluster, told, 50);
  cluster.disk(old).fail_to_read_only();
  check_ended_with_a_message(cluster, old);
  cluster.node(old).start();
  const auto code = cluster.node(old).process().wait_for_exit(milliseconds{10'000});
  BOOST_TEST_CONTEXT("it printed:\n" << cluster.node(old).log_tail(6)) {
    BOOST_REQUIRE(code.has_value());
    BOOST_TEST((*code > 0 && *code < 126), "exit code " << *code);
    BOOST_TEST(cluster.node(old).log_tail(2).find("Read-only file system") != std::string::npos);
  }
  wait_for_writes(cluster, told, 50);
  clients.stop();
  give_power_back(cluster, {old});
  check_history(cluster, told, "load");
}

BOOST_AUTO_TEST_CASE(a_node_whose_disk_is_gone_ends_at_the_next_large_content_though_no_entry_was_written) {
  constexpr generated_bytes large{1, 256 * 1024};
  test_cluster cluster({.disks = true});
  const auto leader = cluster.wait_for_leader();
  const auto follower = (leader + 1) % cluster.size();
  // So that nothing of a start is still to be written.
  BOOST_TEST(cluster.node(leader).client().put("small", "x", {{"Kaiku-Durability", "all"}}).status == 201);
  cluster.wait_until_converged();
  cluster.disk(follower).cut_power();
  BOOST_TEST(cluster.node(leader).client().put("large", large).status == 201);
  check_ended_with_a_message(cluster, follower);
  BOOST_TEST(cluster.node(follower).log_tail(6).find("/staging/incoming.0: Input/output error; the node ends") !=
             std::string::npos);
  give_power_back(cluster, {follower});
  BOOST_TEST(cluster.node(follower).client().get_digest("large").body_digest == large.digest());

  const auto now = cluster.wait_for_leader();
  cluster.disk(now).cut_power();
  BOOST_TEST(!is_taken(cluster.node(now), "never", large));
  check_ended_with_a_message(cluster, now);
  give_power_back(cluster, {now});
  BOOST_TEST(cluster.node(now).client().get("never").status == 404);
  check_identical_trees(cluster);
}

BOOST_AUTO_TEST_SUITE_END()
