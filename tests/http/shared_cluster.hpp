#pragma once

/// Purpose: the cluster that all cases of the program share, and the files on it that every case may read.
/// Lifecycle: made with the first call of `shared`; ends with the program. Thread: the main thread.

#include <cstdint>
#include <map>
#include <string>

#include "http/conformance.hpp"

namespace kaiku::test {

using names = std::map<std::string, std::string>;

struct shared_state {
  test_cluster cluster;
  std::size_t leader = 0;  ///< as of the last `look`, as the two behind it
  std::size_t follower = 0;
  std::uint64_t term = 0;
  names known;                    ///< what stands for something, of the shared files
  std::uint64_t directories = 0;  ///< of cases, so far

  shared_state();
  /// Sees who leads now.
  void look();

 private:
  void make_many();
  void make(const shared_file& file);
};

shared_state& shared();

}  // namespace kaiku::test
