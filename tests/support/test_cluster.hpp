#pragma once

/// Purpose: several `kaikud` on this machine as one cluster, in a directory of their own.
/// Lifecycle: the constructor starts all and waits until all are ready; the destructor kills them. When the test case
/// has failed by then, the logs' ends are printed and the directory stays (always with KAIKU_TEST_KEEP=1).
/// Thread: the main thread; `node(i)`'s questions over HTTP from any.

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/certificates.hpp"
#include "support/test_disk.hpp"
#include "support/test_network.hpp"
#include "support/test_node.hpp"
#include "support/test_redis.hpp"

namespace kaiku::test {

struct cluster_options {
  std::size_t nodes = 3;
  std::vector<std::string> extra = {};  ///< as `node_options::extra`, for every node
  /// Called with each data directory's path before the node starts.
  std::function<void(const std::filesystem::path&)> prepare = {};
  bool networked = false;  ///< on a `test_network`, instead of loopback
  bool disks = false;      ///< each data directory on a `test_disk`
  /// Everything in memory (needs root): for tests that count on who leads. A busy machine's disk can take longer for a
  /// sync than a leader may stall.
  bool in_memory = false;
  /// A Redis of its own beside each node. In the whole program with KAIKU_TEST_REDIS=1.
  bool redis = false;
  /// TLS everywhere: each node has a certificate of its own, for its name and its address.
  bool tls = false;
};

class test_cluster {
 public:
  explicit test_cluster(const cluster_options& options = {});
  ~test_cluster();
  test_cluster(const test_cluster&) = delete;
  test_cluster& operator=(const test_cluster&) = delete;

  /// Starts one more node, called after its number, that joins by the peer ports of these.
  test_node& add_node(const std::vector<std::size_t>& through);
  /// `--join` with the peer ports of these: how a node without data comes in, from its next start on.
  void let_join(std::size_t i, const std::vector<std::size_t>& through);

  std::size_t size() const { return nodes_.size(); }
  test_node& node(std::size_t i) { return *nodes_.at(i); }
  std::vector<endpoint> endpoints() const;
  const std::filesystem::path& directory() const { return directory_; }
  /// Only with `networked`.
  test_network& network() { return *network_; }
  /// Only with `disks`.
  test_disk& disk(std::size_t i) { return *disks_.at(i); }
  /// The power of these nodes fails at one moment. They stop with it, and are to be killed; or they run on, each with a
  /// dead disk.
  void cut_power(const std::vector<std::size_t>& nodes, bool runs_on);
  /// Only with `tls`: who signed the certificates. Its files and the nodes' (`n1-tls.pem`) are in `directory()`.
  test_authority& authority() { return *authority_; }
  /// What node `i` needs a certificate for, as `test_authority::issue` takes it.
  std::string certified_names(std::size_t i) const;
  /// Only with `redis`.
  test_redis& redis(std::size_t i) { return *redises_.at(i); }

  /// Waits for a condition. On the deadline throws std::runtime_error with `what` and the ends of all logs.
  void wait_for(const std::string& what, milliseconds deadline, const std::function<bool()>& holds);
  /// Until every node that is up is ready.
  void wait_until_ready(milliseconds deadline = milliseconds{15'000});
  /// Until every node that is up holds the same log end and knows all of it committed.
  void wait_until_converged(milliseconds deadline = milliseconds{30'000});

  /// The node that leads in the highest term, of those that are up and answer. `except` is not asked.
  std::optional<std::size_t> leader(std::optional<std::size_t> except = std::nullopt) const;
  /// Waits for a leader other than `except`.
  std::size_t wait_for_leader(milliseconds deadline = milliseconds{10'000},
                              std::optional<std::size_t> except = std::nullopt);
  /// All but the leader, in order.
  std::vector<std::size_t> followers();

  /// The ends of all logs, for messages.
  std::string log_tails() const;

 private:
  struct ports;
  node_options next_node();
  void add_tls(node_options& to);

  void unmount(bool keep);

  std::filesystem::path directory_;
  std::unique_ptr<test_authority> authority_;
  std::unique_ptr<test_network> network_;
  std::vector<std::unique_ptr<test_disk>> disks_;
  std::vector<std::unique_ptr<test_redis>> redises_;
  cluster_options options_;
  std::vector<std::unique_ptr<ports>> ports_;
  std::vector<std::unique_ptr<test_node>> nodes_;
};

/// A directory of a test's own below the system's one for temporary files; the caller removes it.
std::filesystem::path make_test_directory();
/// Whether the running Boost test case has failed so far.
bool has_test_failed();

}  // namespace kaiku::test
