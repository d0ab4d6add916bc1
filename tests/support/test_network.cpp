#include "support/test_network.hpp"

#include <cerrno>
#include <cstring>
#include <random>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "support/command.hpp"

namespace kaiku::test {

namespace {

/// A new network namespace, as a descriptor that keeps it alive. Made by a thread of its own, which ends in it.
int make_namespace() {
  int out = -1;
  int failure = 0;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) == 0) out = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (out < 0) failure = errno;
  }).join();
  if (out < 0) throw std::runtime_error(std::string("no network namespace: ") + std::strerror(failure));
  return out;
}

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::string try_network() {
  if (::geteuid() != 0) return "only root can make network namespaces";
  const std::string missing = missing_program({"ip", "nft", "nsenter"});
  if (!missing.empty()) return missing + " is not installed (packages iproute2, nftables, util-linux)";
  try {
    test_network(1).isolate(0);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return {};
}

/// What a node's namespace does with packets: those from and to the addresses in the sets are lost.
constexpr const char* loss_rules = R"(table ip faults {
  set in { type ipv4_addr; }
  set out { type ipv4_addr; }
  chain come {
    type filter hook input priority 0
    ip saddr @in drop
  }
  chain go {
    type filter hook output priority 0
    ip daddr @out drop
  }
})";

}  // namespace

test_network::test_network(std::size_t nodes) {
  bridge_ = make_namespace();
  const auto in_bridge = enter_namespace(bridge_);
  run_command(in_bridge + std::vector<std::string>{"ip", "link", "add", "bridge", "type", "bridge"});
  run_command(in_bridge + std::vector<std::string>{"ip", "link", "set", "bridge", "up"});
  connect_host();
  for (std::size_t i = 0; i < nodes; ++i) add_node();
}

test_network::~test_network() {
  for (int descriptor : nodes_) ::close(descriptor);
  ::close(bridge_);
}

const std::string& test_network::unavailable() {
  static const std::string why = try_network();
  return why;
}

void test_network::connect_host() {
  // The interface's name is the claim on the subnet: there can't be two of it.
  std::random_device random;
  for (int attempt = 0;; ++attempt) {
    subnet_ = 64 + random() % 128;
    const std::string name = "kaiku-t" + std::to_string(subnet_);
    try {
      run_command({"ip", "link", "add", name, "type", "veth", "peer", "name", "host", "netns", path_of(bridge_)});
    } catch (const std::runtime_error&) {
      if (attempt == 20) throw;
      continue;
    }
    run_command({"ip", "addr", "add", "198.18." + std::to_string(subnet_) + ".1/24", "dev", name});
    run_command({"ip", "link", "set", name, "up"});
    break;
  }
  run_command(enter_namespace(bridge_) +
              std::vector<std::string>{"ip", "link", "set", "host", "master", "bridge", "up"});
}

void test_network::add_node() {
  const auto node = nodes_.size();
  nodes_.push_back(make_namespace());
  const std::string port = "node" + std::to_string(node);
  const auto in_bridge = enter_namespace(bridge_);
  run_command(in_bridge + std::vector<std::string>{"ip", "link", "add", port, "type", "veth", "peer", "name", "eth0",
                                                   "netns", path_of(nodes_[node])});
  run_command(in_bridge + std::vector<std::string>{"ip", "link", "set", port, "master", "bridge", "up"});
  const auto in_node = enter(node);
  run_command(in_node + std::vector<std::string>{"ip", "addr", "add", address(node) + "/24", "dev", "eth0"});
  run_command(in_node + std::vector<std::string>{"ip", "link", "set", "lo", "up"});
  run_command(in_node + std::vector<std::string>{"ip", "link", "set", "eth0", "up"});
  run_command(in_node + std::vector<std::string>{"nft", loss_rules});
}

std::string test_network::path_of(int descriptor) const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor);
}

std::vector<std::string> test_network::enter_namespace(int descriptor) const {
  return {find_program("nsenter"), "--net=" + path_of(descriptor)};
}

std::string test_network::address(std::size_t node) const {
  return "198.18." + std::to_string(subnet_) + "." + std::to_string(10 + node);
}

std::vector<std::string> test_network::enter(std::size_t node) const {
  return enter_namespace(nodes_.at(node));
}

std::string test_network::losing(const char* way, std::size_t other) const {
  return std::string("add element ip faults ") + way + " { " + address(other) + " }; ";
}

void test_network::lose(std::size_t at, const std::string& commands) {
  run_command(enter(at) + std::vector<std::string>{"nft", commands});
}

void test_network::cut(std::size_t from, std::size_t to) {
  lose(to, losing("in", from));
}

void test_network::cut_both_ways(std::size_t node, std::size_t other) {
  lose(node, losing("in", other) + losing("out", other));
}

void test_network::isolate(std::size_t node) {
  std::string commands;
  // Addresses of nodes that are not there do no harm, and a network of one node must be able to try.
  for (std::size_t other = 0; other < nodes_.size() + 1; ++other)
    if (other != node) commands += losing("in", other) + losing("out", other);
  lose(node, commands);
}

void test_network::heal() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) lose(i, "flush set ip faults in; flush set ip faults out");
}

}  // namespace kaiku::test
