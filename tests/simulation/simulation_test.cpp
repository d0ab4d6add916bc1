// Thousands of short lives of a cluster, on all cores. KAIKU_SIM_SEEDS says how many; KAIKU_SIM_SEED=n replays one and
// prints it. `tests/run simulate` sets them; docs/testing.md says more.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <numeric>
#include <sstream>
#include <string>

#include <boost/test/unit_test.hpp>

#include "processes.hpp"
#include "scenario.hpp"

using namespace kaiku::simulation;

namespace {

constexpr std::uint64_t default_seeds = 2000;
constexpr std::uint64_t seeds_per_process = 20;
constexpr std::size_t diary_lines_shown = 200;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

void show_last(const std::vector<std::string>& lines, std::size_t count) {
  for (auto i = lines.size() - std::min(lines.size(), count); i < lines.size(); ++i) std::cerr << lines[i] << '\n';
}

/// What many seeds came to; travels between processes as text.
struct total {
  enum figure {
    elections,
    committed,
    majority,
    recorded,
    reported,
    refused,
    reads,
    steps,
    changes,
    wiped,
    all,
    installed,
    figures
  };
  std::array<std::size_t, figures> sum{};
  std::uint64_t failed_seed = 0;
  std::string what;

  void add(const verdict& x) {
    const std::array<std::size_t, figures> more{x.elections,       x.committed, x.majority, x.recorded,
                                                x.reported,        x.refused,   x.reads,    x.steps,
                                                x.members_changes, x.wiped,     x.all,      x.installed};
    std::transform(sum.begin(), sum.end(), more.begin(), sum.begin(), std::plus<>{});
  }
  std::string write() const {
    std::ostringstream out;
    for (const auto one : sum) out << one << ' ';
    out << failed_seed << ' ' << what;
    return out.str();
  }
  static total read(const std::string& text) {
    total x;
    std::istringstream in(text);
    for (auto& one : x.sum) in >> one;
    in >> x.failed_seed >> std::ws;
    std::getline(in, x.what);
    return x;
  }
};

/// Seeds `first` to `last`, or to the first that fails.
total run_seeds(std::uint64_t first, std::uint64_t last) {
  total all;
  for (auto seed = first; seed <= last; ++seed) {
    const auto result = scenario(seed, false).run();
    all.add(result);
    if (result.violated.empty()) continue;
    all.failed_seed = seed;
    all.what = result.what;
    break;
  }
  return all;
}

std::string fingerprint(std::uint64_t seed) {
  const auto diary = scenario(seed, true).run().diary;
  return std::to_string(diary.size()) + ' ' +
         std::to_string(std::hash<std::string>{}(std::accumulate(diary.begin(), diary.end(), std::string{})));
}

void replay(std::uint64_t seed) {
  const auto result = scenario(seed, true).run();
  show_last(result.diary, result.diary.size());
  BOOST_TEST(result.violated == "", "seed " << seed << ": " << result.what);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(simulations)

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_trace_in_this_process_and_in_another) {
  constexpr std::uint64_t seeds = 10;
  const auto elsewhere = in_processes(seeds, [](std::size_t seed) { return fingerprint(seed); });
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const auto once = scenario(seed, true).run(), again = scenario(seed, true).run();
    BOOST_TEST(once.diary.size() > 1000u);
    BOOST_TEST((once.diary == again.diary), "seed " << seed);
    BOOST_TEST(fingerprint(seed) == elsewhere[seed], "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(every_invariant_holds_through_every_fault) {
  if (const auto seed = number_from_environment("KAIKU_SIM_SEED", 0); seed > 0) {
    replay(seed);
    return;
  }
  const auto seeds = number_from_environment("KAIKU_SIM_SEEDS", default_seeds);
  const auto results =
      in_processes((seeds + seeds_per_process - 1) / seeds_per_process,
                   [&](std::size_t block) {
                     const auto first = block * seeds_per_process + 1;
                     return run_seeds(first, std::min(first + seeds_per_process - 1, seeds)).write();
                   },
                   [](const std::string& text) { return text.empty() || total::read(text).failed_seed > 0; });
  total all;
  for (std::size_t block = 0; block < results.size(); ++block) {
    BOOST_REQUIRE_MESSAGE(!results[block].empty(),
                          "seeds " << block * seeds_per_process + 1 << " and following ended without a word");
    const auto one = total::read(results[block]);
    std::transform(all.sum.begin(), all.sum.end(), one.sum.begin(), all.sum.begin(), std::plus<>{});
    if (one.failed_seed == 0) continue;
    show_last(scenario(one.failed_seed, true).run().diary, diary_lines_shown);
    BOOST_FAIL("seed " << one.failed_seed << ": " << one.what << "\nAll of it: tests/run simulate --seed "
                       << one.failed_seed);
  }
  std::cout << "simulation: seeds 1 to " << seeds << ", " << all.sum[total::steps] << " steps, "
            << all.sum[total::elections] << " elections, " << all.sum[total::committed] << " entries committed, "
            << all.sum[total::majority] << " majority and " << all.sum[total::all] << " all writes kept, "
            << all.sum[total::recorded] << " leader writes kept or reported, " << all.sum[total::reported]
            << " reported, " << all.sum[total::refused] << " refused, " << all.sum[total::reads]
            << " linearizable reads, " << all.sum[total::changes] << " changes of the members, "
            << all.sum[total::wiped] << " disks lost, " << all.sum[total::installed] << " states installed\n";
  // A simulation in which nothing happens proves nothing.
  BOOST_TEST(all.sum[total::elections] > seeds * 3);
  BOOST_TEST(all.sum[total::committed] > seeds * 50);
  BOOST_TEST(all.sum[total::majority] > seeds * 10);
  BOOST_TEST(all.sum[total::recorded] > seeds * 10);
  BOOST_TEST(all.sum[total::reads] > seeds * 5);
  BOOST_TEST(all.sum[total::all] > seeds * 2);
  BOOST_TEST(all.sum[total::changes] > seeds * 4);
  BOOST_TEST(all.sum[total::wiped] > seeds);
  BOOST_TEST(all.sum[total::installed] > seeds * 2);
  if (seeds >= 100) BOOST_TEST(all.sum[total::reported] > seeds / 10);
}

BOOST_AUTO_TEST_SUITE_END()
