#pragma once

/// Purpose: what the cluster itself says became of the writes it acknowledged, asked over HTTP as a user would: every
/// write that is lost has to be reported, and kept by somebody.
/// Thread: asks with threads of its own; the checks are the main thread's.

#include <set>
#include <string>
#include <vector>

#include "population.hpp"
#include "support/history.hpp"
#include "support/test_cluster.hpp"

namespace kaiku::test {

/// Names of writes that were acknowledged by the leader and are gone.
struct fates {
  std::set<std::string> kept;            ///< set aside, on some node that is up
  std::set<std::string> lost_with_disk;  ///< the leader that acknowledged them had its disk wiped before it came back
};

/// Asks the nodes that are up about every write that was acknowledged with a token. Checks:
///   - GET /writes/{token} calls those acknowledged by a majority `majority` or `all`;
///   - it calls those acknowledged by the leader so too, and then they are not among the `displaced`; or `set_aside`,
///   as
///     all of `displaced`;
///   - each that is set aside is in some node's GET /set-aside, with its path and its bytes, unless the disk of whoever
///     led its term is among `lost_disks` since.
/// The cluster must have converged.
fates check_fates(test_cluster& cluster, const history& told, const std::vector<operation>& displaced,
                  const std::vector<lost_disk>& lost_disks = {});

/// By the nodes' logs, no term had two leaders: a voter that votes twice is seen even when nothing was lost by it.
void check_one_leader_per_term(test_cluster& cluster);

}  // namespace kaiku::test
