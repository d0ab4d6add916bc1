#include "scenario.hpp"

#include <iostream>
#include <random>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

namespace kaiku::test {

std::uint64_t announce_seed(const char* test) {
  const auto seed = number_from_environment("KAIKU_TEST_SEED", std::random_device{}());
  std::cout << test << ": KAIKU_TEST_SEED=" << seed << std::endl;
  return seed;
}

tree check_identical_trees(test_cluster& cluster) {
  cluster.wait_until_converged();
  std::vector<std::string> violations;
  const tree first = read_tree(cluster.node(0).http(), "", violations);
  for (std::size_t i = 1; i < cluster.size(); ++i) {
    const tree other = read_tree(cluster.node(i).http(), "", violations);
    for (const auto& line : differences(first, other))
      BOOST_ERROR("n1 and " + cluster.node(i).name() + " differ: " + line);
  }
  for (const auto& line : violations) BOOST_ERROR(line);
  return first;
}

void check_history(test_cluster& cluster, const history& told, const std::string& directory) {
  const tree there = check_identical_trees(cluster);
  const verdict found = check(told, there, directory);
  for (const auto& line : found.violations) BOOST_ERROR(line);
  BOOST_TEST(found.displaced <= set_aside(cluster),
             "leader-acknowledged writes are gone without being set aside: " << found.displaced << " gone, "
                                                                             << set_aside(cluster) << " set aside");
  std::cout << "  " << told.count(outcome::majority) << " writes acknowledged by a majority, "
            << told.count(outcome::leader) << " by the leader (" << found.displaced << " displaced and set aside), "
            << told.count(outcome::refused) << " refused, " << told.count(outcome::unknown) << " without an answer"
            << std::endl;
}

std::uint64_t set_aside(test_cluster& cluster) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < cluster.size(); ++i)
    out += cluster.node(i).cluster_document().at("set_aside").get<std::uint64_t>();
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
