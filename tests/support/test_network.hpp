#pragma once

/// Purpose: a network of a test's own, whose packets can be lost: each node in a network namespace, all on one bridge,
/// the bridge in a namespace too, so that neither the firewall nor the bridges of the machine have a say. The test
/// reaches every node, whatever is cut.
/// Lifecycle: there from the constructor on. The namespaces have no names: they go with the object and the processes in
/// them, also when the test is killed.
/// Thread: one.

#include <cstddef>
#include <string>
#include <vector>

namespace kaiku::test {

class test_network {
 public:
  /// Throws std::runtime_error.
  explicit test_network(std::size_t nodes);
  ~test_network();
  test_network(const test_network&) = delete;
  test_network& operator=(const test_network&) = delete;

  /// Why there can be none on this machine (needs root, iproute2, nftables); empty when there can.
  static const std::string& unavailable();

  /// One more node, with the next number.
  void add_node();
  /// Of the node, numeric IPv4, in 198.18.0.0/15 (RFC 2544).
  std::string address(std::size_t node) const;
  /// The command that runs what is appended to it among the node's interfaces.
  std::vector<std::string> enter(std::size_t node) const;

  /// From now on packets from one node to the other are lost. The other way they still go.
  void cut(std::size_t from, std::size_t to);
  /// Both ways, at one moment.
  void cut_both_ways(std::size_t node, std::size_t other);
  /// From and to all other nodes, at one moment.
  void isolate(std::size_t node);
  /// Everything arrives again.
  void heal();

 private:
  std::vector<std::string> enter_namespace(int descriptor) const;
  std::string path_of(int descriptor) const;
  void connect_host();
  void lose(std::size_t at, const std::string& commands);
  /// A command that adds the other node to what is lost at a node's end, coming (`in`) or going (`out`).
  std::string losing(const char* way, std::size_t other) const;

  unsigned subnet_ = 0;  ///< 198.18.`subnet_`.0/24
  int bridge_ = -1;      ///< namespaces, as descriptors
  std::vector<int> nodes_;
};

}  // namespace kaiku::test
