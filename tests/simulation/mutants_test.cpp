// Proves the simulation: each planted bug must be caught within the seeds that docs/testing.md states.
// KAIKU_MUTANT=name with KAIKU_SIM_SEED=n shows how; KAIKU_MUTANT=name alone runs that one.

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>

#include <boost/test/unit_test.hpp>

#include "planted.hpp"
#include "processes.hpp"
#include "scenario.hpp"

using namespace kaiku::simulation;

namespace {

constexpr std::uint64_t seeds_without_a_bug = 40;

std::string environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

std::string row(const planted_bug& bug) {
  return "| `" + std::string(bug.name) + "` | " + std::string(bug.what) + " | " + std::to_string(bug.seeds) + " |";
}

bool fails_without_a_bug(std::uint64_t seed) {
  planted = mutant::none;
  return !scenario(seed, false).run().violated.empty();
}

/// The first seed that catches it, and by what; empty when none does. One that fails anyway catches nothing.
std::string hunt(const planted_bug& bug) {
  for (std::uint64_t seed = 1; seed <= bug.seeds; ++seed) {
    planted = bug.which;
    const auto result = scenario(seed, false).run();
    if (result.violated.empty()) continue;
    if (!fails_without_a_bug(seed)) return "seed " + std::to_string(seed) + ": " + result.what;
  }
  return {};
}

void replay(const planted_bug& bug, std::uint64_t seed) {
  planted = bug.which;
  const auto result = scenario(seed, true).run();
  for (const auto& line : result.diary) std::cerr << line << '\n';
  planted = mutant::none;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(planted_bugs_suite)

BOOST_AUTO_TEST_CASE(nothing_is_caught_where_nothing_is_planted) {
  const auto results = in_processes(seeds_without_a_bug, [](std::size_t i) {
    const auto result = scenario(i + 1, false).run();
    return result.violated.empty() ? std::string{"fine"} : result.what;
  });
  for (std::size_t i = 0; i < results.size(); ++i) BOOST_TEST(results[i] == "fine", "seed " << i + 1);
}

BOOST_AUTO_TEST_CASE(every_planted_bug_is_caught_within_its_seeds) {
  auto bugs = planted_bugs();
  if (const auto only = environment("KAIKU_MUTANT"); !only.empty()) {
    std::erase_if(bugs, [&](const auto& bug) { return bug.name != only; });
    BOOST_REQUIRE_MESSAGE(!bugs.empty(), "no mutant " << only);
    if (const auto seed = environment("KAIKU_SIM_SEED"); !seed.empty()) {
      replay(bugs.front(), std::stoull(seed));
      return;
    }
  }
  const auto results = in_processes(bugs.size(), [&](std::size_t i) { return hunt(bugs[i]); });
  for (std::size_t i = 0; i < bugs.size(); ++i) {
    std::cout << bugs[i].name << ": " << (results[i].empty() ? "SURVIVED" : results[i]) << '\n';
    BOOST_TEST(!results[i].empty(), bugs[i].name << " survived " << bugs[i].seeds << " seeds");
  }
}

BOOST_AUTO_TEST_CASE(the_page_on_testing_lists_every_planted_bug) {
  std::ifstream page(KAIKU_SOURCE_DIR "/docs/testing.md");
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  std::size_t rows = 0;
  for (const auto& bug : planted_bugs()) {
    BOOST_TEST((text.find(row(bug)) != std::string::npos), "docs/testing.md lacks\n" << row(bug));
    ++rows;
  }
  const auto begin = text.find("<!-- mutants -->"), end = text.find("<!-- end of mutants -->");
  BOOST_REQUIRE(begin < end);
  std::istringstream lines(text.substr(begin, end - begin));
  std::size_t listed = 0;
  for (std::string line; std::getline(lines, line);) listed += line.starts_with("| `");
  BOOST_TEST(listed == rows, "docs/testing.md lists " << listed << " mutants, there are " << rows);
}

BOOST_AUTO_TEST_SUITE_END()
