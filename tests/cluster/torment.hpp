#pragma once

/// Purpose: every fault that a test can make, drawn by chance and counted: processes that are killed, frozen or asked
/// to stop, packets that are lost, disks whose power fails or whose content is gone, members that come and go, leaders
/// that are sent away. Lifecycle: for one cluster with a network and disks of its own. Thread: the main thread.

#include <cstddef>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "population.hpp"
#include "support/test_cluster.hpp"

namespace kaiku::test {

class torment {
 public:
  torment(test_cluster& cluster, population& people, std::uint64_t seed);

  /// One fault, or one within another, from beginning to end: afterwards every member runs, every packet arrives; but
  /// one that was wiped, or joins, may not be a voter yet. Gives its name.
  std::string strike();
  /// How often each struck, one line each.
  std::string counts() const;

 private:
  struct fault {
    std::string name;
    unsigned weight = 1;  ///< how often, relative to the others
    std::function<void()> strike;
    std::function<bool()> is_possible = [] { return true; };
    std::size_t count = 0;
  };
  using nodes = std::vector<std::size_t>;

  std::string strike(std::vector<fault>& among);
  /// A time between almost nothing and 4 T, so that some faults are noticed and some are not.
  void hold();
  /// Lets packets be lost for a while, sometimes with another fault meanwhile.
  void hold_cut();
  /// One or more, all of them included.
  nodes some();

  void kill(const nodes& which);
  void freeze(std::size_t node);
  void stop(std::size_t node);
  void cut_power(const nodes& which);

  test_cluster& cluster_;
  population& people_;
  std::mt19937_64 random_;
  std::vector<fault> of_processes_;
  std::vector<fault> of_packets_;
  std::vector<fault> of_members_;
};

}  // namespace kaiku::test
