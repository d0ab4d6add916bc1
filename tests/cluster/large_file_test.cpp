/// A file far larger than any buffer, through a follower, while small writes go on.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

constexpr std::uint64_t mebibyte = 1024 * 1024;

/// Three copies and their staging must fit with room to spare.
std::uint64_t file_size() {
  const auto space = std::filesystem::space(std::filesystem::temp_directory_path()).available;
  return number_from_environment("KAIKU_TEST_LARGE_MIB", space < 8 * 1024 * mebibyte ? 512 : 1024) * mebibyte;
}

/// The longest that a small write may wait beside a large upload. 250 ms is what an idle machine keeps; the default
/// also holds where others compile beside the test.
milliseconds small_write_bound() {
  return milliseconds(number_from_environment("KAIKU_TEST_SMALL_WRITE_MS", 2000));
}

/// Looks at a node's resident memory again and again.
class memory_watch {
 public:
  explicit memory_watch(test_cluster& cluster) {
    for (std::size_t i = 0; i < cluster.size(); ++i) {
      nodes_.push_back(&cluster.node(i));
      before_.push_back(cluster.node(i).usage().resident_bytes);
      most_.push_back(before_.back());
    }
    thread_ = std::jthread([this](const std::stop_token& stopped) {
      wait_until(std::chrono::hours{1}, [&] {
        for (std::size_t i = 0; i < nodes_.size(); ++i)
          most_[i] = std::max(most_[i], nodes_[i]->usage().resident_bytes);
        return stopped.stop_requested();
      });
    });
  }

  /// Ends the watch; by how many MiB each node grew at most.
  std::vector<std::uint64_t> growth_mib() {
    thread_.request_stop();
    thread_.join();
    std::vector<std::uint64_t> out;
    for (std::size_t i = 0; i < nodes_.size(); ++i) out.push_back((most_[i] - before_[i]) / mebibyte);
    return out;
  }

 private:
  std::vector<const test_node*> nodes_;
  std::vector<std::uint64_t> before_;
  std::vector<std::uint64_t> most_;
  std::jthread thread_;
};

/// Small writes through one node, each held by a majority, one after the other, until stopped.
class trickle {
 public:
  explicit trickle(const endpoint& node) {
    thread_ = std::jthread([this, node](const std::stop_token& stopped) {
      http_client client(node, milliseconds{10'000});
      for (std::uint64_t i = 0; !stopped.stop_requested(); ++i) {
        const auto start = clock::now();
        bool ok = false;
        try {
          const auto path = "small/f" + std::to_string(i % 1000);
          const auto answer = client.put(path, generated_bytes{i, 500}, {{"Kaiku-Durability", "majority"}});
          ok = answer.status == 201 || answer.status == 204;
        } catch (const network_failure&) {
          client.disconnect();
        }
        std::lock_guard guard{mutex_};
        if (!ok) ++failed_;
        took_.push_back(since(start));
      }
    });
  }
  void stop() {
    thread_.request_stop();
    thread_.join();
  }

  std::size_t done() const {
    std::lock_guard guard{mutex_};
    return took_.size();
  }
  std::size_t failed() const {
    std::lock_guard guard{mutex_};
    return failed_;
  }
  /// What a part of the writes kept; 1: all.
  milliseconds quantile(double part) const {
    std::lock_guard guard{mutex_};
    auto sorted = took_;
    std::sort(sorted.begin(), sorted.end());
    return sorted.empty() ? milliseconds{0} : sorted[static_cast<std::size_t>(part * (sorted.size() - 1))];
  }

 private:
  mutable std::mutex mutex_;
  std::vector<milliseconds> took_;
  std::size_t failed_ = 0;
  std::jthread thread_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(large_file)

BOOST_AUTO_TEST_CASE(goes_through_a_follower_in_bounded_memory_while_small_writes_go_on) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  const auto term = cluster.node(leader).status().value().term;
  const auto follower = cluster.followers()[0];
  const generated_bytes content{4711, file_size()};
  const auto patience = milliseconds(60'000 + content.size / mebibyte * 100);  // 10 MiB/s and a minute
  put_or_fail(cluster.node(follower), "small/first", {1, 100});
  cluster.wait_until_converged();

  memory_watch memory(cluster);
  trickle small(cluster.node(leader).http());
  auto client = cluster.node(follower).client(patience);
  const auto start = clock::now();
  const auto answer = client.put("large", content);
  const auto stored = since(start);
  BOOST_REQUIRE_MESSAGE(answer.status == 201, "answered " << answer);
  const std::string digest = content.digest();
  cluster.wait_for("the large file stands on every node", patience, [&] {
    for (std::size_t i = 0; i < cluster.size(); ++i)
      if (cluster.node(i).client().head("large").header("Repr-Digest") != digest) return false;
    return true;
  });
  const auto everywhere = since(start);
  const auto meanwhile = small.done();
  cluster.wait_for("small writes go on behind it", milliseconds{30'000},
                   [&] { return small.done() >= meanwhile + 20; });
  small.stop();
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    auto got = cluster.node(i).client(patience).get_digest("large");
    BOOST_TEST(got.body_bytes == content.size);
    BOOST_TEST(got.body_digest == digest);
  }
  const auto growth = memory.growth_mib();

  std::cout << "  " << content.size / mebibyte << " MiB stored in " << stored.count() << " ms, everywhere after "
            << everywhere.count() << " ms; " << meanwhile << " small majority writes meanwhile, p50 "
            << small.quantile(0.5).count() << " ms, p99 " << small.quantile(0.99).count() << " ms, the slowest "
            << small.quantile(1).count() << " ms; growth in MiB:";
  for (auto x : growth) std::cout << " " << x;
  std::cout << std::endl;
  for (std::size_t i = 0; i < growth.size(); ++i)
    BOOST_TEST(growth[i] <= 64u, cluster.node(i).name() << " grew " << growth[i]);
  BOOST_TEST(small.failed() == 0u);
  BOOST_TEST(small.quantile(1).count() < small_write_bound().count());
  BOOST_TEST(meanwhile > static_cast<std::size_t>(everywhere.count()) / 1000);
  // Nobody lost the leader over it.
  BOOST_TEST(cluster.wait_for_leader() == leader);
  BOOST_TEST(cluster.node(leader).status().value().term == term);
  check_identical_trees(cluster);
}

BOOST_AUTO_TEST_SUITE_END()
