#pragma once

/// Purpose: what several cluster tests ask for: seeds, trees that must be equal, histories that must hold.
/// Thread: the main thread, for Boost.Test's checks.

#include <cstdint>
#include <string>

#include "support/history.hpp"
#include "support/test_cluster.hpp"

namespace kaiku::test {

/// `KAIKU_TEST_SEED` from the environment, else a random one; printed, so that a failure can be tried again.
std::uint64_t announce_seed(const char* test);

/// Waits until all nodes agree on the log's end, then checks that each holds the same tree and that its bytes match
/// their digests. Gives the tree.
tree check_identical_trees(test_cluster& cluster);

/// `check_identical_trees`, and that everything `told` promises holds: no violation, and no more leader-acknowledged
/// writes displaced than the nodes say they have set aside.
void check_history(test_cluster& cluster, const history& told, const std::string& directory);

/// Entries set aside on all disks, as `/cluster` says.
std::uint64_t set_aside(test_cluster& cluster);

/// A put that must succeed, on the node; the answer.
http_response put_or_fail(test_node& node, const std::string& path, const generated_bytes& content,
                          const header_list& headers = {});
/// Waits until a GET of the path on every node that is up gives these bytes, whole and intact.
void wait_until_everywhere(test_cluster& cluster, const std::string& path, const generated_bytes& content,
                           milliseconds deadline = milliseconds{10'000});
void wait_until_gone_everywhere(test_cluster& cluster, const std::string& path);

}  // namespace kaiku::test
