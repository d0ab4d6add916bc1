/// Compare-and-swap by many clients at once, through failovers: no increment is lost and none counts twice.

#include <atomic>
#include <iostream>
#include <memory>
#include <numeric>
#include <random>
#include <sstream>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "support/test_cluster.hpp"

namespace {

using namespace kaiku::test;

constexpr std::size_t clients = 64;

/// The file: how often each client has counted, and the sum. A client changes its own number alone, so it can tell from
/// any version whether a request of its own whose outcome it never heard was made.
struct counter {
  std::vector<std::uint64_t> counts = std::vector<std::uint64_t>(clients);

  std::uint64_t sum() const { return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}); }
  std::string text() const {
    std::ostringstream out;
    out << sum();
    for (auto count : counts) out << " " << count;
    return out.str();
  }
  static counter read(const std::string& text) {
    counter out;
    std::istringstream in(text);
    std::uint64_t sum = 0;
    in >> sum;
    for (auto& count : out.counts) in >> count;
    if (!in || sum != out.sum()) throw std::runtime_error("this is no counter: " + text);
    return out;
  }
};

/// What one client knows.
struct client {
  std::uint64_t counted = 0;  ///< increments that it knows were made
  std::uint64_t open = 0;     ///< requests since then, any of which may have been made
  std::uint64_t successes = 0, refused = 0, unclear = 0;
  std::string wrong;  ///< the first promise that did not hold
};

class counting {
 public:
  explicit counting(std::vector<endpoint> nodes) : nodes_(std::move(nodes)) {}

  void run(client& who, std::size_t number) {
    std::mt19937 chance(static_cast<unsigned>(number));
    while (!stop_) {
      http_client node(nodes_[chance() % nodes_.size()], milliseconds{20'000});
      try {
        for (int i = 0; i < 20 && !stop_; ++i) count_once(node, who, number);
      } catch (const network_failure&) {  // the node was killed
      }
    }
  }
  void end() { stop_ = true; }
  std::uint64_t successes() const { return successes_; }

 private:
  void count_once(http_client& node, client& who, std::size_t number) {
    const auto before = node.get("counter");
    if (before.status != 200) return;
    auto value = counter::read(before.body);
    const auto mine = value.counts[number];
    ++value.counts[number];
    ++who.open;
    ++who.unclear;
    const auto answer =
        node.put("counter", value.text(), {{"If-Match", before.header("ETag")}, {"Kaiku-Durability", "majority"}});
    // From here on the outcome is known, unless the answer says otherwise.
    const auto code = answer.status == 412 ? "precondition_failed" : answer.problem_code();
    const bool never_made = answer.status == 412 || code == "no_leader" || code == "not_leader" || code == "overloaded";
    if (never_made) {
      --who.open;
      --who.unclear;
      ++who.refused;
      return;
    }
    // 202: recorded, and perhaps displaced later. 503: it may have been made.
    if (answer.status != 204) return;
    --who.open;
    --who.unclear;
    // The version that was replaced is the truth: it has all of this client's increments that were made.
    if ((mine < who.counted || mine > who.counted + who.open) && who.wrong.empty())
      who.wrong = "client " + std::to_string(number) + " replaced a counter with " + std::to_string(mine) +
                  " of its increments, and knows of " + std::to_string(who.counted) + " to " +
                  std::to_string(who.counted + who.open);
    who.successes += 1 + (mine - who.counted);
    who.counted = mine + 1;
    who.open = 0;
    ++successes_;
  }

  std::vector<endpoint> nodes_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> successes_{0};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(concurrency)

BOOST_AUTO_TEST_CASE(increments_by_64_clients_with_if_match_are_all_counted_once_though_the_leader_is_killed_twice) {
  test_cluster cluster;
  BOOST_REQUIRE(cluster.node(0).client().put("counter", counter{}.text(), {{"Kaiku-Durability", "all"}}).status == 201);
  counting all(cluster.endpoints());
  std::vector<client> told(clients);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < clients; ++i) threads.emplace_back([&, i] { all.run(told[i], i); });
  const auto wait_for_more = [&](const char* what) {
    const auto enough = all.successes() + 200;
    cluster.wait_for(what, milliseconds{30'000}, [&] { return all.successes() >= enough; });
  };

  wait_for_more("200 increments");
  for (int kill = 0; kill < 2; ++kill) {
    const auto leader = cluster.wait_for_leader();
    cluster.node(leader).kill();
    wait_for_more("200 increments under the next leader");
    cluster.node(leader).start();
    cluster.node(leader).wait_until_ready(milliseconds{30'000});
    wait_for_more("200 increments by three nodes");
  }
  all.end();
  threads.clear();

  cluster.wait_until_converged();
  const auto last =
      cluster.node(cluster.wait_for_leader()).client().get("counter", {{"Kaiku-Consistency", "linearizable"}});
  BOOST_REQUIRE(last.status == 200);
  const auto value = counter::read(last.body);
  std::uint64_t successes = 0, refused = 0, unclear = 0;
  for (std::size_t i = 0; i < clients; ++i) {
    auto& who = told[i];
    BOOST_TEST(who.wrong == "");
    // What was never heard of is decided now: nothing is under way any more.
    BOOST_TEST(value.counts[i] >= who.counted);
    BOOST_TEST(value.counts[i] <= who.counted + who.open);
    who.successes += value.counts[i] - who.counted;
    successes += who.successes;
    refused += who.refused;
    unclear += who.unclear;
  }
  BOOST_TEST(value.sum() == successes);
  BOOST_TEST(value.sum() >= 1000U);
  for (std::size_t i = 0; i < cluster.size(); ++i)
    BOOST_TEST(cluster.node(i).client().get("counter").body == last.body);
  std::cout << "  " << successes << " increments, " << refused << " refused, " << unclear
            << " without a clear answer\n";
}

BOOST_AUTO_TEST_SUITE_END()
