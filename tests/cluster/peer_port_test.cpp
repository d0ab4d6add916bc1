/// Strangers on the peer port: refused or timed out, and no member notices.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "kaiku/link/hello.hpp"
#include "scenario.hpp"

namespace {

using namespace kaiku::test;

/// How long a connection that proves nothing may stay: `limits::link_handshake_timeout_ms` and some.
constexpr milliseconds stranger_deadline{6000};

/// A write every few milliseconds, to see whether anybody is held up.
class steady_writer {
 public:
  explicit steady_writer(const endpoint& node) {
    thread_ = std::jthread([this, node](const std::stop_token& stopped) {
      http_client client(node, milliseconds{5000});
      while (!stopped.stop_requested()) {
        try {
          if (!client.put("steady", "bytes", {{"Kaiku-Durability", "majority"}}).is_success()) ++failed_;
        } catch (const network_failure&) {
          client.disconnect();
          ++failed_;
        }
        wait_until(milliseconds{20}, [&] { return stopped.stop_requested(); });
      }
    });
  }
  std::size_t failed() {
    thread_.request_stop();
    thread_.join();
    return failed_;
  }

 private:
  std::atomic<std::size_t> failed_{0};
  std::jthread thread_;
};

/// Sends what it can of `bytes`, for a server may hang up before all is sent, and sees the connection end.
bool is_turned_away(const endpoint& peers, std::string_view bytes) {
  tcp_connection stranger(peers, milliseconds{5000});
  try {
    stranger.send_all(bytes, clock::now() + stranger_deadline);
  } catch (const network_failure& e) {
    return e.which() == network_failure::kind::cut_off;
  }
  return stranger.is_closed_within(stranger_deadline);
}

kaiku::hello stranger_named(const std::string& name) {
  kaiku::hello out;
  out.cluster.bytes.fill(0xab);
  out.name.name = name;
  out.disk.bytes.fill(0xcd);
  out.boot.bytes.fill(0xef);
  out.caf_node = "0123456789ABCDEF0123456789ABCDEF01234567#4711";
  return out;
}

/// Why a node refuses a hello.
kaiku::refusal_reason refusal_of(const endpoint& peers, const kaiku::hello& hello) {
  tcp_connection stranger(peers, milliseconds{5000});
  const auto end = clock::now() + stranger_deadline;
  stranger.send_all(kaiku::encode(hello), end);
  std::string received;
  for (auto piece = stranger.receive(4096, end); !piece.empty(); piece = stranger.receive(4096, end)) received += piece;
  BOOST_REQUIRE(received.size() > kaiku::frame_prefix_bytes);
  auto frame = kaiku::decode_frame(std::string_view(received).substr(kaiku::frame_prefix_bytes));
  BOOST_REQUIRE(frame.ok());
  BOOST_REQUIRE(std::holds_alternative<kaiku::refusal>(*frame));
  return std::get<kaiku::refusal>(*frame).reason;
}

/// Connects to the peer ports of the nodes that are up, some 500 times a second each, and says nothing; the newest 300
/// of each node stay.
class silent_crowd {
 public:
  explicit silent_crowd(const std::vector<endpoint>& ports) {
    connect(ports, 300);
    thread_ = std::jthread([this, ports](const std::stop_token& stopped) {
      std::mutex mutex;
      std::condition_variable_any pace;
      std::unique_lock lock(mutex);
      while (!stopped.stop_requested()) {
        connect(ports, 1);
        pace.wait_for(lock, stopped, milliseconds{2}, [] { return false; });
      }
    });
  }

 private:
  void connect(const std::vector<endpoint>& ports, int times) {
    for (int i = 0; i < times; ++i)
      for (const auto& one : ports) all_.emplace_back(one, milliseconds{5000});
    while (all_.size() > 300 * ports.size()) all_.pop_front();
  }

  std::deque<tcp_connection> all_;
  std::jthread thread_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(peer_port)

BOOST_AUTO_TEST_CASE(strangers_are_turned_away_and_no_member_notices) {
  const auto seed = announce_seed("strangers on the peer port");
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  const auto term = cluster.node(leader).status().value().term;
  put_or_fail(cluster.node(leader), "steady", {1, 5}, {{"Kaiku-Durability", "majority"}});
  cluster.wait_until_converged();
  const auto links = member_links(cluster);
  BOOST_TEST(links.size() == 3u);
  std::vector<process_usage> before;
  for (std::size_t i = 0; i < cluster.size(); ++i) before.push_back(cluster.node(i).usage());
  const auto start = clock::now();
  steady_writer writer(cluster.node(leader).http());

  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto peers = cluster.node(i).peers();
    BOOST_TEST_CONTEXT("on " << cluster.node(i).name()) {
      std::mt19937_64 random(seed + i);
      for (int n = 0; n < 20; ++n)
        BOOST_TEST(is_turned_away(peers, generated_bytes{random(), random() % 65'536}.all()));
      for (int n = 0; n < 20; ++n) {
        // A legal length, then nonsense.
        const auto size = 1 + random() % 4096;
        const std::string prefix{'\0', '\0', static_cast<char>(size >> 8), static_cast<char>(size)};
        BOOST_TEST(is_turned_away(peers, prefix + generated_bytes{random(), size}.all()));
      }
      BOOST_TEST(is_turned_away(peers, "GET /files/steady HTTP/1.1\r\nHost: n1\r\n\r\n"));
    }
  }
  // The smaller name dials, so n1 may knock at n3; but not of another cluster, nor may anybody unknown.
  const auto& n3 = cluster.node(2).peers();
  BOOST_TEST((refusal_of(n3, stranger_named("n1")) == kaiku::refusal_reason::cluster));
  auto unknown = stranger_named("m1");
  unknown.cluster = {};
  BOOST_TEST((refusal_of(n3, unknown) == kaiku::refusal_reason::unknown_name));

  std::vector<tcp_connection> silent;
  for (int n = 0; n < 200; ++n)
    for (std::size_t i = 0; i < cluster.size(); ++i) silent.emplace_back(cluster.node(i).peers(), milliseconds{5000});
  std::size_t still_open = 0;
  for (auto& stranger : silent)
    if (!stranger.is_closed_within(stranger_deadline)) ++still_open;
  BOOST_TEST(still_open == 0u);
  silent.clear();

  BOOST_TEST(writer.failed() == 0u);
  const auto took = since(start);
  BOOST_TEST((member_links(cluster) == links), "a link between members was dropped");
  BOOST_TEST(cluster.wait_for_leader() == leader);
  BOOST_TEST(cluster.node(leader).status().value().term == term);
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto after = cluster.node(i).usage();
    BOOST_TEST_CONTEXT(cluster.node(i).name() << " after " << took.count() << " ms") {
      BOOST_TEST((after.cpu_time - before[i].cpu_time).count() < took.count() / 4 + 300);
      BOOST_TEST(after.resident_bytes < before[i].resident_bytes + (16u << 20));
      BOOST_TEST(after.open_files < before[i].open_files + 20);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stranger_that_sends_a_byte_now_and_then_is_timed_out) {
  test_cluster cluster({1});
  tcp_connection slow(cluster.node(0).peers(), milliseconds{5000});
  const std::string hello = kaiku::encode(stranger_named("n0"));
  const auto start = clock::now();
  bool closed = false;
  for (std::size_t i = 0; i < hello.size() && !closed && since(start) < stranger_deadline; ++i) {
    try {
      slow.send_all(std::string_view(hello).substr(i, 1), clock::now() + milliseconds{1000});
      closed = slow.is_closed_within(milliseconds{100});
    } catch (const network_failure&) {
      closed = true;
    }
  }
  BOOST_TEST(closed);
}

BOOST_AUTO_TEST_CASE(a_member_links_again_while_strangers_hold_every_place) {
  for (const bool tls : {false, true}) {
    BOOST_TEST_CONTEXT((tls ? "certificates" : "plain")) {
      test_cluster cluster({.tls = tls});
      const auto away = cluster.followers()[0];
      cluster.node(away).kill();
      const auto leader = cluster.wait_for_leader();
      std::vector<endpoint> ports;
      for (std::size_t i = 0; i < cluster.size(); ++i)
        if (cluster.node(i).is_up()) ports.push_back(cluster.node(i).peers());
      const silent_crowd strangers(ports);
      cluster.node(away).start();
      cluster.wait_until_ready();
      BOOST_TEST(cluster.wait_for_leader() == leader);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
