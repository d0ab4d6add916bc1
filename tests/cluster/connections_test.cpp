/// Many clients: idle ones cost little, busy ones are all served, who only drips is cut off, and who is greedy gets
/// its share.

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "kaiku/core/limits.hpp"
#include "support/command.hpp"
#include "support/raw_http.hpp"
#include "support/test_cluster.hpp"

namespace {

using namespace kaiku::test;

constexpr std::size_t idle_clients = 5000;
constexpr std::size_t busy_clients = 500;
constexpr std::size_t threads = 4;

using clients = std::vector<std::unique_ptr<raw_http>>;

clients connect(std::uint16_t port, std::size_t count) {
  clients out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(std::make_unique<raw_http>(port));
  return out;
}

/// Each asks once, and then the next; how many got the whole file.
std::size_t ask_all(clients& of, std::size_t size) {
  return static_cast<std::size_t>(
      std::count_if(of.begin(), of.end(), [&](auto& one) { return one->ask("GET", "/files/f").body_size == size; }));
}

/// All at once ask, then all read, again and again; how many answers were whole.
std::size_t keep_busy(std::uint16_t port, std::size_t count, int rounds, std::size_t size) {
  auto own = connect(port, count);
  std::size_t whole = 0;
  for (int i = 0; i < rounds; ++i) {
    for (auto& one : own) one->request("GET", "/files/f");
    for (auto& one : own) whole += one->read().body_size == size ? 1 : 0;
  }
  return whole;
}

/// One byte after the other until the server ends it; how long that took.
std::chrono::milliseconds drip(std::uint16_t port, std::string_view begin) {
  const auto began = std::chrono::steady_clock::now();
  raw_http client(port);
  client.send(begin);
  while (client.send("x") && !client.has_input(std::chrono::milliseconds{50})) {
  }
  client.read();
  BOOST_TEST(client.at_end());
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(connections)

BOOST_AUTO_TEST_CASE(idle_connections_cost_little_and_busy_ones_beside_them_are_all_served) {
  test_cluster cluster({.nodes = 1, .extra = {"--http-idle-timeout-ms", "300000"}});
  auto& node = cluster.node(0);
  const auto port = node.http().port;
  const std::string content(20'000, 'x');
  BOOST_TEST_REQUIRE(node.client().put("f", content).status == 201);
  // What the busy ones need stays with the process: first them, so that it is not taken for the idle ones'.
  BOOST_TEST(keep_busy(port, busy_clients, 2, content.size()) == 2 * busy_clients);
  const auto before = node.usage().resident_bytes;
  auto idle = connect(port, idle_clients);
  BOOST_TEST(ask_all(idle, content.size()) == idle_clients);
  const auto after = node.usage().resident_bytes;
  const auto each = after > before ? (after - before) / idle_clients : 0;
  std::cout << "  an idle connection takes " << each << " bytes" << std::endl;
  BOOST_TEST(each < 32u * 1024);

  std::vector<std::size_t> whole(threads);
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i)
    running.emplace_back([&, i] { whole[i] = keep_busy(port, busy_clients / threads, 20, content.size()); });
  for (auto& one : running) one.join();
  for (auto count : whole) BOOST_TEST(count == 20 * busy_clients / threads);
  BOOST_TEST(ask_all(idle, content.size()) == idle_clients);
}

BOOST_AUTO_TEST_CASE(a_client_that_drips_its_header_or_its_body_is_cut_off) {
  test_cluster cluster(
      {.nodes = 1,
       .extra = {"--http-header-timeout-ms", "1000", "--http-body-stall-ms", "1000", "--http-body-rate", "4096"}});
  const auto port = cluster.node(0).http().port;
  const std::chrono::milliseconds soon{8000};
  BOOST_TEST(drip(port, "GET /files/ HTTP/1.1\r\nHost: k\r\nX: ").count() < soon.count());
  BOOST_TEST(drip(port, "PUT /files/f HTTP/1.1\r\nHost: k\r\nContent-Length: 1000000\r\n\r\n").count() < soon.count());
  BOOST_TEST(cluster.node(0).client().get("f").status == 404);
}

BOOST_AUTO_TEST_CASE(more_connections_than_the_system_allows_files_keep_no_file_from_being_written) {
  test_cluster cluster({.nodes = 1});
  auto& node = cluster.node(0);
  BOOST_TEST_REQUIRE(node.terminate(std::chrono::milliseconds{10'000}).has_value());
  node.start({find_program("prlimit"), "--nofile=512:512"});
  node.wait_until_ready(std::chrono::milliseconds{10'000});
  BOOST_TEST(
      node.log().find("512 open files, the limit of this process, leave room for 64 client connections, not 10000") !=
      std::string::npos);
  auto first = std::make_unique<raw_http>(node.http().port);
  BOOST_TEST(first->ask("GET", "/healthz/live").status == 200);
  const auto crowd = connect(node.http().port, 1000);
  for (std::size_t i = 0; i < 200; ++i) {
    const std::string large(kaiku::limits::small_content_bytes + 1 + i, 'x');
    BOOST_TEST_REQUIRE(first->ask("PUT", "/files/f" + std::to_string(i), {}, large).status == 201);
    BOOST_TEST_REQUIRE(first->ask("PUT", "/files/small", {}, std::to_string(i)).status / 100 == 2);
  }
  BOOST_TEST(node.is_up());
}

BOOST_AUTO_TEST_CASE(who_holds_all_uploads_open_that_it_can_keeps_nobody_else_from_uploading) {
  test_cluster cluster;
  const auto leader = cluster.wait_for_leader();
  const auto followers = cluster.followers();
  const std::string large(kaiku::limits::small_content_bytes + 1, 'x');
  const auto port = [&](std::size_t node) { return cluster.node(node).http().port; };
  // They begin, and then nothing more comes.
  const auto begin = [&](clients& into, std::size_t node, const char* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      into.push_back(std::make_unique<raw_http>(port(node), 0, raw_http::usual_tls, from));
      into.back()->send("PUT /files/held HTTP/1.1\r\nHost: k\r\nContent-Length: 1000000\r\n\r\n" + large);
    }
  };
  const auto wait_until_held = [&](clients& all, std::size_t share) {
    cluster.wait_for("their share is open and the rest refused", std::chrono::milliseconds{15'000}, [&] {
      const auto answered = std::count_if(all.begin(), all.end(), [](auto& one) { return one->has_input({}); });
      const auto open = "\nkaiku_uploads_in_flight " + std::to_string(share) + "\n";
      const auto told = cluster.node(leader).client().request("GET", "/metrics").body;
      return all.size() - static_cast<std::size_t>(answered) == share && told.find(open) != std::string::npos;
    });
  };
  const auto upload = [&](std::size_t node, const char* from) {
    return raw_http(port(node), 0, raw_http::usual_tls, from).ask("PUT", "/files/f", {}, large).status;
  };
  {
    clients greedy;
    begin(greedy, leader, "127.0.0.1", kaiku::limits::uploads_of_peer + 30);
    wait_until_held(greedy, kaiku::limits::uploads_of_peer);
    BOOST_TEST(upload(leader, "127.0.0.1") == 503);
    BOOST_TEST(upload(leader, "127.0.0.2") == 201);
    BOOST_TEST(upload(followers[0], "127.0.0.2") == 204);
  }
  // Who is refused does not come again: so not before the leader has heard that those are gone.
  clients greedy;
  wait_until_held(greedy, 0);
  // From two addresses, all by one follower.
  const auto half = kaiku::limits::uploads_of_peer / 2;
  begin(greedy, followers[0], "127.0.0.1", half + 15);
  begin(greedy, followers[0], "127.0.0.2", half + 15);
  wait_until_held(greedy, kaiku::limits::uploads_of_peer);
  BOOST_TEST(upload(followers[0], "127.0.0.3") == 503);
  BOOST_TEST(upload(followers[1], "127.0.0.3") == 204);
  BOOST_TEST(upload(leader, "127.0.0.3") == 204);
}

BOOST_AUTO_TEST_SUITE_END()
