#include "scenario.hpp"

#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include <nlohmann/json.hpp>

namespace kaiku::test {

std::uint64_t announce_seed(const char* test) {
  const auto seed = number_from_environment("KAIKU_TEST_SEED", std::random_device{}());
  std::cout << test << ": KAIKU_TEST_SEED=" << seed << std::endl;
  return seed;
}

boost::test_tools::assertion_result may_partition(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result out(test_network::unavailable().empty());
  out.message() << test_network::unavailable();
  return out;
}

boost::test_tools::assertion_result may_cut_power(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result out(test_disk::unavailable().empty());
  out.message() << test_disk::unavailable();
  return out;
}

tree check_identical_trees(test_cluster& cluster, const std::string& directory) {
  cluster.wait_until_converged();
  std::vector<std::string> violations;
  tree first;
  std::string of;  // whose it is
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    auto& node = cluster.node(i);
    if (!node.is_up()) continue;
    tree there = read_tree(node.http(), directory, violations);
    if (of.empty()) {
      first = std::move(there);
      of = node.name();
      continue;
    }
    for (const auto& line : differences(first, there)) BOOST_ERROR(of + " and " + node.name() + " differ: " + line);
  }
  for (const auto& line : violations) BOOST_ERROR(line);
  return first;
}

fates check_promises(test_cluster& cluster, const history& told, const tree& there, const std::string& directory,
                     const std::vector<lost_disk>& lost_disks) {
  const verdict found = check(told, there, directory);
  for (const auto& line : found.violations) BOOST_ERROR(line);
  const auto gone = check_fates(cluster, told, found.displaced, lost_disks);
  std::cout << "  " << told.count(outcome::majority) << " writes acknowledged by a majority, "
            << told.count(outcome::leader) << " by the leader (" << gone.kept.size() << " displaced and set aside, "
            << gone.lost_with_disk.size() << " lost with a wiped disk), " << told.count(outcome::refused)
            << " refused, " << told.count(outcome::unknown) << " without an answer" << std::endl;
  return gone;
}

void check_history(test_cluster& cluster, const history& told, const std::string& directory) {
  check_promises(cluster, told, check_identical_trees(cluster), directory);
}

void wait_for_writes(test_cluster& cluster, const history& told, std::size_t more, milliseconds deadline) {
  const auto before = told.count(outcome::majority);
  cluster.wait_for("writes go on", deadline, [&] { return told.count(outcome::majority) >= before + more; });
}

void check_in_time(milliseconds took, milliseconds bound) {
  BOOST_TEST(took.count() <= bound.count(), took.count()
                                                << " ms for a new leader, " << bound.count()
                                                << " allowed; CPU pressure " << read_file("/proc/pressure/cpu"));
}

std::set<std::string> member_links(test_cluster& cluster) {
  std::set<std::string> ports;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    std::ostringstream hex;
    hex << std::uppercase << std::hex << cluster.node(i).peers().port;
    ports.insert(hex.str());
  }
  std::set<std::string> out;
  std::ifstream in("/proc/net/tcp");
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string slot, local, remote, state;
    fields >> slot >> local >> remote >> state;
    if (state == "01" && ports.contains(remote.substr(remote.find(':') + 1))) out.insert(local + " " + remote);
  }
  return out;
}

std::uint64_t set_aside(test_cluster& cluster) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < cluster.size(); ++i)
    if (cluster.node(i).is_up()) out += cluster.node(i).cluster_document().at("set_aside").get<std::uint64_t>();
  return out;
}

http_response put_or_fail(test_node& node, const std::string& path, const generated_bytes& content,
                          const header_list& headers) {
  auto answer = node.client(milliseconds{30'000}).put(path, content, headers);
  BOOST_REQUIRE_MESSAGE(answer.status == 201 || answer.status == 204,
                        "PUT " << path << " on " << node.name() << " answered " << answer);
  return answer;
}

void wait_until_everywhere(test_cluster& cluster, const std::string& path, const generated_bytes& content,
                           milliseconds deadline) {
  const std::string digest = content.digest();
  cluster.wait_for("/" + path + " stands on every node", deadline, [&] {
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      if (!cluster.node(i).is_up()) continue;
      auto answer = cluster.node(i).client(milliseconds{30'000}).get_digest(path);
      if (answer.status != 200 || answer.body_digest != digest) return false;
    }
    return true;
  });
}

void wait_until_gone_everywhere(test_cluster& cluster, const std::string& path) {
  cluster.wait_for("/" + path + " is gone from every node", milliseconds{10'000}, [&] {
    for (std::size_t i = 0; i < cluster.size(); ++i)
      if (cluster.node(i).is_up() && cluster.node(i).client().get(path).status != 404) return false;
    return true;
  });
}

}  // namespace kaiku::test
