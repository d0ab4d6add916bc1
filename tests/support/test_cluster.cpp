#include "support/test_cluster.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <system_error>

#include <sys/mount.h>
#include <boost/test/framework.hpp>
#include <boost/test/results_collector.hpp>
#include <boost/test/tree/test_unit.hpp>

namespace kaiku::test {

struct test_cluster::ports {
  reserved_port http;
  reserved_port peers;
};

std::filesystem::path make_test_directory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "kaiku-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + pattern);
  return pattern;
}

bool has_test_failed() {
  if (std::uncaught_exceptions() > 0) return true;
  if (!boost::unit_test::framework::test_in_progress()) return false;
  auto id = boost::unit_test::framework::current_test_case_id();
  return !boost::unit_test::results_collector.results(id).passed();
}

test_cluster::test_cluster(const cluster_options& options) : directory_(make_test_directory()), options_(options) {
  if (options.in_memory && ::mount("kaiku-test", directory_.c_str(), "tmpfs", 0, "size=1g,mode=0700") != 0)
    throw std::system_error(errno, std::generic_category(), "mount tmpfs at " + directory_.string());
  if (options.tls) authority_ = std::make_unique<test_authority>(directory_, "authority");
  if (options.networked) network_ = std::make_unique<test_network>(options.nodes);
  std::vector<node_options> all;
  std::string members;
  for (std::size_t i = 0; i < options.nodes; ++i) {
    all.push_back(next_node());
    members += (i == 0 ? "" : ",") + all.back().name + "=" + to_string(all.back().peers);
  }
  for (auto& node : all) {
    node.cluster = members;
    if (options.disks) disks_.push_back(std::make_unique<test_disk>(node.data));
    if (options.prepare) options.prepare(node.data);
    nodes_.push_back(std::make_unique<test_node>(node));
    nodes_.back()->start();
  }
  wait_until_ready();
}

/// With ports of its own.
node_options test_cluster::next_node() {
  const auto i = ports_.size();
  const auto address = network_ ? network_->address(i) : "127.0.0.1";
  ports_.push_back(std::make_unique<ports>());
  node_options node;
  node.name = "n" + std::to_string(i + 1);
  node.data = directory_ / node.name;
  node.log = directory_ / (node.name + ".log");
  node.http = {address, ports_.back()->http.number()};
  node.peers = {address, ports_.back()->peers.number()};
  node.extra = options_.extra;
  if (options_.redis || std::getenv("KAIKU_TEST_REDIS") != nullptr) {
    redises_.push_back(std::make_unique<test_redis>(directory_ / (node.name + "-redis")));
    node.extra.insert(node.extra.end(), {"--redis", redises_.back()->url()});
  }
  if (authority_) add_tls(node);
  if (network_) {
    node.extra.emplace_back("--insecure");  // there are no strangers on this network
    node.run_in = network_->enter(i);
  }
  return node;
}

std::string test_cluster::certified_names(std::size_t i) const {
  return "DNS:n" + std::to_string(i + 1) + ",IP:" + (network_ ? network_->address(i) : "127.0.0.1");
}

/// One pair of files for both ports: `directory()` has `n1-tls.pem` and `n1-tls.key`.
void test_cluster::add_tls(node_options& to) {
  const auto own = authority_->issue(to.name + "-tls", certified_names(ports_.size() - 1));
  for (const std::string port : {"--peer-tls", "--http-tls"})
    to.extra.insert(to.extra.end(), {port + "-cert", own.certificate, port + "-key", own.key});
  to.extra.insert(to.extra.end(), {"--peer-tls-ca", authority_->file()});
  to.tls = client_context(authority_->file());
}

test_node& test_cluster::add_node(const std::vector<std::size_t>& through) {
  if (network_) network_->add_node();
  const auto node = next_node();
  if (options_.disks) disks_.push_back(std::make_unique<test_disk>(node.data));
  nodes_.push_back(std::make_unique<test_node>(node));
  let_join(nodes_.size() - 1, through);
  nodes_.back()->start();
  return *nodes_.back();
}

void test_cluster::let_join(std::size_t i, const std::vector<std::size_t>& through) {
  std::string addresses;
  for (auto one : through) addresses += (addresses.empty() ? "" : ",") + to_string(node(one).peers());
  node(i).join_by(addresses);
}

test_cluster::~test_cluster() {
  const bool failed = has_test_failed();
  for (auto& node : nodes_)
    if (node->is_up() || node->process().is_frozen()) node->kill();
  const bool keep = failed || std::getenv("KAIKU_TEST_KEEP") != nullptr;
  const auto tails = failed ? log_tails() : "";
  if (options_.in_memory) unmount(keep);
  if (failed) std::cerr << tails << "\nThe nodes' data and logs are kept in " << directory_ << "\n";
  if (keep) return;
  disks_.clear();  // unmounts them
  redises_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

/// What is to be kept goes to a directory on disk.
void test_cluster::unmount(bool keep) {
  const auto mounted = directory_;
  std::error_code ignored;
  if (keep) {
    directory_ = make_test_directory();
    std::filesystem::copy(mounted, directory_, std::filesystem::copy_options::recursive, ignored);
  }
  ::umount2(mounted.c_str(), MNT_DETACH);
  if (keep) std::filesystem::remove(mounted, ignored);
}

/// ext4 lets a sync succeed whose journal commit the shutdown aborts. No node may hear of that: syncs under way are
/// waited for, or their nodes run no more.
void test_cluster::cut_power(const std::vector<std::size_t>& nodes, bool runs_on) {
  for (auto i : nodes) {
    if (runs_on)
      node(i).process().freeze();
    else
      node(i).process().send_signal(SIGSTOP);
  }
  for (auto i : nodes) disk(i).cut_power();
  if (runs_on)
    for (auto i : nodes) node(i).process().thaw();
}

std::vector<endpoint> test_cluster::endpoints() const {
  std::vector<endpoint> out;
  for (const auto& node : nodes_) out.push_back(node->http());
  return out;
}

void test_cluster::wait_for(const std::string& what, milliseconds deadline, const std::function<bool()>& holds) {
  if (wait_until(deadline, holds)) return;
  throw std::runtime_error("not within " + std::to_string(deadline.count()) + " ms: " + what + "\n" + log_tails());
}

void test_cluster::wait_until_ready(milliseconds deadline) {
  wait_for("every node is ready", deadline, [this] {
    for (const auto& node : nodes_)
      if (node->is_up() && !node->is_ready()) return false;
    return true;
  });
}

void test_cluster::wait_until_converged(milliseconds deadline) {
  wait_for("every node holds all of the log and knows it committed", deadline, [this] {
    std::set<std::uint64_t> ends;
    for (const auto& node : nodes_) {
      if (!node->is_up()) continue;
      auto status = node->status();
      if (!status) return false;
      ends.insert(status->applied);
      ends.insert(status->committed);
    }
    return ends.size() == 1 && leader().has_value();
  });
}

std::optional<std::size_t> test_cluster::leader(std::optional<std::size_t> except) const {
  std::optional<std::size_t> out;
  std::uint64_t term = 0;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (i == except || !nodes_[i]->is_up()) continue;
    auto status = nodes_[i]->status();
    if (!status || !status->leads || status->term < term) continue;
    term = status->term;
    out = i;
  }
  return out;
}

std::size_t test_cluster::wait_for_leader(milliseconds deadline, std::optional<std::size_t> except) {
  std::optional<std::size_t> found;
  wait_for(except ? "another node leads" : "a node leads", deadline, [&] {
    found = leader(except);
    return found.has_value();
  });
  return *found;
}

std::vector<std::size_t> test_cluster::followers() {
  const auto leading = wait_for_leader();
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (i != leading) out.push_back(i);
  return out;
}

std::string test_cluster::log_tails() const {
  std::string out;
  for (const auto& node : nodes_) out += "--- end of the log of " + node->name() + "\n" + node->log_tail() + "\n";
  return out;
}

}  // namespace kaiku::test
