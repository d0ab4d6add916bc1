// Thousands of short lives of a cluster. KAIKU_SIM_SEEDS says how many, KAIKU_SIM_SEED=n replays one and prints it.

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

#include <boost/test/unit_test.hpp>

#include "scenario.hpp"

using namespace kaiku::simulation;

namespace {

constexpr std::uint64_t default_seeds = 300;
constexpr std::size_t diary_lines_shown = 200;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

/// Ten seconds after a start without faults or writes: all logs are equal, so none keeps its owner from being elected.
struct calm_cluster {
  explicit calm_cluster(std::uint64_t seed) : story(seed, false, scenario::weather::calm) {
    story.advance_to(10);
    BOOST_REQUIRE(story.leaders().size() == 1u);
    leader = *story.leaders().begin();
    follower =
        *std::find_if(story.members().begin(), story.members().end(), [&](const auto& x) { return x != leader; });
    elections = story.elections();
  }
  void cut(const kaiku::node_id& one, const kaiku::node_id& other) {
    story.net().cut(one, other);
    story.net().cut(other, one);
  }

  scenario story;
  kaiku::node_id leader, follower;
  std::size_t elections = 0;
};

void show_last(const std::vector<std::string>& lines, std::size_t count) {
  for (auto i = lines.size() - std::min(lines.size(), count); i < lines.size(); ++i) std::cerr << lines[i] << '\n';
}

}  // namespace

BOOST_AUTO_TEST_SUITE(simulations)

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_run) {
  for (std::uint64_t seed : {1, 2, 3}) {
    const auto once = scenario(seed, true).run(), again = scenario(seed, true).run();
    BOOST_TEST(once.diary.size() > 1000u);
    BOOST_TEST((once.diary == again.diary), "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(a_member_that_returns_does_not_depose_the_leader) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    calm_cluster x(seed);
    for (const auto& other : x.story.members()) x.cut(x.follower, other);
    x.story.advance_to(25);
    x.story.net().heal();
    x.story.advance_to(35);
    BOOST_TEST(x.story.elections() == x.elections, "seed " << seed);
    BOOST_TEST((x.story.leaders() == std::set{x.leader}), "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(a_member_that_loses_only_its_link_to_the_leader_does_not_depose_it) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    calm_cluster x(seed);
    x.cut(x.follower, x.leader);
    x.story.advance_to(25);
    BOOST_TEST(x.story.elections() == x.elections, "seed " << seed);
    BOOST_TEST((x.story.leaders() == std::set{x.leader}), "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(every_invariant_holds_through_every_fault) {
  if (std::getenv("KAIKU_SIM_SEED") != nullptr) {
    const auto seed = number_from_environment("KAIKU_SIM_SEED", 0);
    const auto result = scenario(seed, true).run();
    show_last(result.diary, result.diary.size());
    BOOST_TEST(result.violated == "", "seed " << seed << ": " << result.what);
    return;
  }
  const auto seeds = number_from_environment("KAIKU_SIM_SEEDS", default_seeds);
  std::size_t elections = 0, committed = 0, acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto result = scenario(seed, false).run();
    elections += result.elections;
    committed += result.committed;
    acknowledged += result.acknowledged;
    if (result.violated.empty()) continue;
    show_last(scenario(seed, true).run().diary, diary_lines_shown);
    BOOST_FAIL("KAIKU_SIM_SEED=" << seed << ": " << result.what);
  }
  std::cout << "simulation: seeds 1 to " << seeds << ", " << elections << " elections, " << committed
            << " entries committed, " << acknowledged << " majority writes kept\n";
  // A simulation in which nothing happens proves nothing.
  BOOST_TEST(elections > seeds * 3);
  BOOST_TEST(committed > seeds * 50);
  BOOST_TEST(acknowledged > seeds * 10);
}

BOOST_AUTO_TEST_SUITE_END()
