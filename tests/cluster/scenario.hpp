#pragma once

/// Purpose: what several cluster tests ask for: seeds, trees that must be equal, histories that must hold.
/// Thread: the main thread, for Boost.Test's checks.

#include <cstdint>
#include <set>
#include <string>

#include <boost/test/unit_test.hpp>

#include "fates.hpp"
#include "support/history.hpp"
#include "support/test_cluster.hpp"

namespace kaiku::test {

/// `KAIKU_TEST_SEED` from the environment, else a random one; printed, so that a failure can be tried again.
std::uint64_t announce_seed(const char* test);

/// Preconditions of tests that need root and more; without it they are reported as skipped, and why.
boost::test_tools::assertion_result may_partition(boost::unit_test::test_unit_id);
boost::test_tools::assertion_result may_cut_power(boost::unit_test::test_unit_id);

/// Waits until all nodes agree on the log's end, then checks that each that is up holds the same tree below `directory`
/// (empty: everything) and that its bytes match their digests. Gives the tree.
tree check_identical_trees(test_cluster& cluster, const std::string& directory = "");

/// That everything `told` promises holds in the tree, and that all that is gone was reported and is kept
/// (`check_fates`). Gives what is gone.
fates check_promises(test_cluster& cluster, const history& told, const tree& there, const std::string& directory,
                     const std::vector<lost_disk>& lost_disks = {});
/// `check_identical_trees` of everything and `check_promises`.
void check_history(test_cluster& cluster, const history& told, const std::string& directory);

/// Waits until the clients were told of `more` further writes that a majority holds.
void wait_for_writes(test_cluster& cluster, const history& told, std::size_t more,
                     milliseconds deadline = milliseconds{15'000});

/// Checks the time a new leader took; the message says how busy the machine was (proc(5), /proc/pressure): a machine
/// that hardly runs the nodes at all can't elect in time either.
void check_in_time(milliseconds took, milliseconds bound);

/// The established connections between members, as the kernel lists them (proc(5), /proc/net/tcp): a link that was
/// dropped and made anew has another port.
std::set<std::string> member_links(test_cluster& cluster);

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
