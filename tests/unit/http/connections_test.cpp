// Streams, order, timeouts, caps and ends of connections.

#include <future>
#include <memory>

#include <nlohmann/json.hpp>

#include "http_fixture.hpp"

namespace {

using namespace kaiku;
using namespace kaiku::test;

constexpr std::size_t mebibyte = 1 << 20;

/// Resident memory of this process, in bytes.
std::size_t resident() {
  std::size_t pages = 0, all = 0;
  if (auto* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%zu %zu", &all, &pages) != 2) pages = 0;
    std::fclose(file);
  }
  return pages * 4096;
}

/// Sanitizers keep freed memory: under them only the rest of such a test counts.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool measures_memory = false;
#else
constexpr bool measures_memory = true;
#endif

http_settings impatient() {
  http_settings out;
  out.header_timeout = out.idle_timeout = out.body_stall_timeout = out.linger_timeout = milliseconds{60};
  return out;
}

struct impatient_fixture : http_fixture {
  impatient_fixture() : http_fixture(impatient()) {}
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_connections, http_fixture)

BOOST_AUTO_TEST_CASE(large_uploads_stream_with_bounded_memory) {
  node.keep_uploads = false;
  const std::string piece(mebibyte, 'x');
  raw_http client(port());
  const auto before = resident();
  std::size_t most = 0;
  for (auto framing : {"Content-Length: 67108864\r\n", "Transfer-Encoding: chunked\r\n"}) {
    const bool chunked = framing[0] == 'T';
    client.send(std::string("PUT /files/large HTTP/1.1\r\nHost: a\r\n") + framing + "\r\n");
    for (int i = 0; i < 64; ++i) {
      if (chunked) client.send("100000\r\n");
      BOOST_REQUIRE(client.send(piece));
      if (chunked) client.send("\r\n");
      most = std::max(most, resident());
    }
    if (chunked) client.send("0\r\n\r\n");
    BOOST_TEST(client.read().status < 300);
  }
  BOOST_TEST(node.uploaded_bytes == 128 * mebibyte);
  BOOST_TEST(node.largest_piece <= limits::chunk_bytes);
  BOOST_TEST(node.uploads_open == 0);
  BOOST_TEST((!measures_memory || most < before + 16 * mebibyte), "grew by " << (most - before));
}

BOOST_AUTO_TEST_CASE(large_content_streams_with_bounded_memory) {
  {
    std::string bytes(64 * mebibyte, '\0');
    for (std::size_t i = 0; i < bytes.size(); i += 4096) bytes[i] = static_cast<char>(i / 4096);
    node.add_file("large", std::move(bytes));
  }
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "/files/large", "Range: bytes=4096-4096\r\n").body == "\x01");
  const auto before = resident();
  client.request("GET", "/files/large");
  auto got = client.read(false, false);
  BOOST_TEST(got.status == 200);
  BOOST_TEST(got.body_size == 64 * mebibyte);
  // Answered once the content, of which the fake reader holds a copy, is let go.
  BOOST_TEST(client.ask("GET", "/healthz/live").status == 200);
  BOOST_TEST((!measures_memory || resident() < before + 16 * mebibyte));
}

BOOST_AUTO_TEST_CASE(a_body_that_is_cut_off_leaves_nothing) {
  struct row {
    const char* framing;
    std::string sent;
  };
  for (const auto& one :
       {row{"Content-Length: 100", "some"}, row{"Content-Length: 1000000", std::string(300'000, 'x')},
        row{"Transfer-Encoding: chunked", "5\r\nabc"}, row{"Transfer-Encoding: chunked", "5\r\nabcde\r\n"},
        row{"Transfer-Encoding: chunked", "7a120\r\n" + std::string(400'000, 'x')}}) {
    for (bool hard : {false, true}) {
      BOOST_TEST_CONTEXT(one.framing << (hard ? ", reset" : ", closed")) {
        raw_http client(port());
        client.send(std::string("PUT /files/f HTTP/1.1\r\nHost: a\r\n") + one.framing + "\r\n\r\n" + one.sent);
        if (hard) {
          client.reset();
        } else {
          client.finish_sending();
          auto got = client.read();
          BOOST_TEST(got.status == 400);
          BOOST_TEST(nlohmann::json::parse(got.body)["code"] == "body_incomplete");
          BOOST_TEST(got.closes());
        }
        BOOST_TEST(eventually([&] { return server->open_requests() == 0 && node.uploads_open == 0; }));
      }
    }
  }
  BOOST_TEST(node.writes == 0);
}

BOOST_AUTO_TEST_CASE(a_chunk_header_that_does_not_end_is_refused_however_large_headers_may_be) {
  settings.max_header_bytes = mebibyte;
  for (std::size_t size : {65'520UL, 100'000UL, 900'000UL}) {
    for (const auto& front : {std::string("5;x="), std::string("0\r\nX: ")}) {
      raw_http client(port());
      client.send("PUT /files/f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + front);
      client.send(std::string(size, 'x'));
      const bool refused = size > 64 * 1024;
      if (!refused) client.send(front[0] == '5' ? "\r\nhello\r\n0\r\n\r\n" : "\r\n\r\n");
      const auto status = client.read().status;
      BOOST_TEST((refused ? status == 400 : status < 300), front << size << " " << status);
      BOOST_TEST(eventually([&] { return server->open_requests() == 0; }));
    }
  }
  // The request's own header may be larger, but no field of it.
  std::string fields;
  for (int i = 0; i < 3; ++i) fields += "X" + std::to_string(i) + ": " + std::string(65'000, 'x') + "\r\n";
  BOOST_TEST(raw_http(port()).ask("GET", "/files/f", fields).status == 200);
  BOOST_TEST(raw_http(port()).ask("GET", "/files/f", "X: " + std::string(65'531, 'x') + "\r\n").status == 431);
}

// What a follower passes on to the leader has a bound too, and a follower that breaks it loses its link.
BOOST_AUTO_TEST_CASE(a_condition_may_name_as_many_tags_as_a_leader_takes_and_no_more) {
  settings.max_header_bytes = mebibyte;
  const auto status_of = [&](const std::string& name, std::size_t tags) {
    std::string list = "\"\"";
    for (std::size_t i = 1; i < tags; ++i) list += ",\"\"";
    return raw_http(port()).ask("PUT", "/files/f", name + ": " + list + "\r\n", "x").status;
  };
  BOOST_TEST(status_of("If-Match", limits::condition_tags) == 412);
  BOOST_TEST(status_of("If-Match", limits::condition_tags + 1) == 400);
  BOOST_TEST(status_of("If-None-Match", limits::condition_tags + 1) == 400);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
  node.add_file("a", "first");
  node.add_file("b", std::string(200'000, 'b'));
  raw_http client(port());
  client.send(
      "\r\nGET /files/a HTTP/1.1\r\nHost: k\r\n\r\n"
      "GET /files/b HTTP/1.1\r\nHost: k\r\n\r\n"
      "PUT /files/c HTTP/1.1\r\nHost: k\r\nContent-Length: 5\r\n\r\nthird"
      "PUT /files/d HTTP/1.1\r\nHost: k\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfourth\r\n0\r\n\r\n"
      "GET /files/c HTTP/1.1\r\nHost: k\r\n\r\n"
      "DELETE /files/none HTTP/1.1\r\nHost: k\r\nContent-Length: 4\r\n\r\nbody"
      "GET /files/d HTTP/1.1\r\nHost: k\r\nConnection: close\r\n\r\n");
  BOOST_TEST(client.read().body == "first");
  BOOST_TEST(client.read().body.size() == 200'000U);
  BOOST_TEST(client.read().status == 201);
  BOOST_TEST(client.read().status == 201);
  BOOST_TEST(client.read().body == "third");
  BOOST_TEST(client.read().status == 404);
  auto last = client.read();
  BOOST_TEST(last.body == "fourth");
  BOOST_TEST(last.closes());
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_CASE(requests_byte_by_byte_are_whole_requests) {
  raw_http client(port());
  const std::string text =
      "PUT /files/f HTTP/1.1\r\nHost: k\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n1\r\n!\r\n0\r\nA: "
      "b\r\n\r\n"
      "GET /files/f HTTP/1.1\r\nHost: k\r\n\r\n";
  for (char c : text) client.send({&c, 1});
  BOOST_TEST(client.read().status == 201);
  BOOST_TEST(client.read().body == "hello!");
}

BOOST_AUTO_TEST_CASE(http_1_0_closes_unless_it_asks_not_to) {
  node.add_file("f", "x");
  {
    raw_http client(port());
    client.send("GET /files/f HTTP/1.0\r\n\r\n");
    auto got = client.read();
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.closes());
    BOOST_TEST(client.at_end());
  }
  raw_http client(port());
  for (int i = 0; i < 2; ++i) {
    client.send("GET /files/f HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    BOOST_TEST(client.read().header("Connection") == "keep-alive");
  }
}

BOOST_AUTO_TEST_CASE(continue_is_said_after_the_checks_that_need_no_body) {
  raw_http client(port());
  const std::string tail = " HTTP/1.1\r\nHost: k\r\nExpect: 100-continue\r\nContent-Length: 5\r\n";
  client.send("PUT /files/f" + tail + "\r\n");
  BOOST_TEST(client.read().status == 100);
  client.send("hello");
  BOOST_TEST(client.read().status == 201);
  // Sent at once: no 100 is owed.
  client.send("PUT /files/f" + tail + "\r\nhello");
  BOOST_TEST(client.read().status == 204);
  for (auto start : {"PUT /files/..", "PUT /files/f?x=1", "PUT /files/f?durability=x", "PUT /cluster"}) {
    raw_http refused(port());
    refused.send(start + tail + "\r\n");
    auto got = refused.read();
    BOOST_TEST(got.status >= 400);
    BOOST_TEST(got.closes());
  }
  boost::asio::post(io, [this] { node.fail_upload_open = errc::no_leader; });
  raw_http refused(port());
  refused.send("PUT /files/f HTTP/1.1\r\nHost: k\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n");
  BOOST_TEST(refused.read().status == 503);
}

BOOST_AUTO_TEST_CASE(a_refused_upload_is_answered_while_the_client_still_sends) {
  node.fail_upload_piece = errc::disk_full;
  raw_http client(port());
  client.send("PUT /files/f HTTP/1.1\r\nHost: k\r\nContent-Length: 20000000\r\n\r\n");
  const std::string piece(100'000, 'x');
  for (int i = 0; i < 200; ++i)
    if (!client.send(piece)) break;
  auto got = client.read();
  BOOST_TEST(got.status == 507);
  BOOST_TEST(got.closes());
  BOOST_TEST(node.uploads_open == 0);
  BOOST_TEST(node.writes == 0);
}

BOOST_AUTO_TEST_CASE(a_small_body_nobody_reads_is_drained_and_a_large_one_ends_the_connection) {
  raw_http client(port());
  for (int i = 0; i < 2; ++i) {
    auto got = client.ask("PUT", "/files/..", {}, std::string(60'000, 'x'));
    BOOST_TEST(got.status == 400);
    BOOST_TEST(!got.closes());
  }
  auto got = client.ask("PUT", "/files/..", {}, std::string(200'000, 'x'));
  BOOST_TEST(got.status == 400);
  BOOST_TEST(got.closes());
}

BOOST_AUTO_TEST_CASE(a_body_above_the_bound_is_413) {
  settings.max_body_bytes = 100'000;
  raw_http client(port());
  BOOST_TEST(client.ask("PUT", "/files/f", {}, std::string(100'000, 'x')).status == 201);
  client.send("PUT /files/g HTTP/1.1\r\nHost: k\r\nContent-Length: 100001\r\n\r\n");
  BOOST_TEST(client.read().status == 413);
  raw_http chunked(port());
  chunked.send("PUT /files/g HTTP/1.1\r\nHost: k\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 3; ++i) chunked.send("8000\r\n" + std::string(0x8000, 'x') + "\r\n");
  chunked.send("8000\r\n" + std::string(0x8000, 'x'));
  auto got = chunked.read();
  BOOST_TEST(got.status == 413);
  BOOST_TEST(got.closes());
  BOOST_TEST(node.uploads_open == 0);
  BOOST_TEST(node.writes == 1);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_drip_fed_is_cut_off_although_it_never_stands_still) {
  settings.body_stall_timeout = milliseconds{100};
  settings.min_body_rate = 100'000;
  settings.linger_timeout = milliseconds{50};
  for (auto framing : {"Content-Length: 1000000", "Transfer-Encoding: chunked"}) {
    raw_http client(port());
    client.send(std::string("PUT /files/f HTTP/1.1\r\nHost: a\r\n") + framing + "\r\n\r\n");
    BOOST_REQUIRE(eventually([&] { return server->open_requests() == 1; }));
    // Much more often than once in the time that a body may stand still.
    auto next = std::chrono::steady_clock::now();
    BOOST_TEST(eventually([&] {
      if (std::chrono::steady_clock::now() >= next) {
        client.send(framing[0] == 'T' ? "1\r\nx\r\n" : "x");
        next += milliseconds{5};
      }
      return server->open_requests() == 0;
    }));
    auto got = client.read();
    BOOST_TEST(got.status == 400);
    BOOST_TEST(nlohmann::json::parse(got.body)["code"] == "body_incomplete");
  }
  // As many bytes at once are no trouble.
  raw_http client(port());
  BOOST_TEST(client.ask("PUT", "/files/f", {}, std::string(1'000'000, 'x')).status == 201);
}

BOOST_AUTO_TEST_CASE(connections_above_the_cap_are_closed_at_once) {
  settings.max_connections = 2;
  raw_http one(port()), two(port());
  BOOST_TEST(one.ask("GET", "/healthz/live").status == 200);
  {
    raw_http again(port());
    BOOST_TEST(two.ask("GET", "/healthz/live").status == 200);
    BOOST_TEST(again.at_end());
  }
  two.reset();
  BOOST_TEST(eventually([&] { return raw_http(port()).ask("GET", "/healthz/live").status == 200; }));
}

BOOST_AUTO_TEST_CASE(drain_refuses_new_connections_closes_idle_ones_and_lets_requests_finish) {
  node.hold_writes = true;
  raw_http idle(port()), busy(port());
  BOOST_TEST(idle.ask("GET", "/healthz/live").status == 200);
  busy.request("PUT", "/files/f", {}, "x");
  BOOST_TEST(eventually([&] { return node.held == 1; }));
  BOOST_TEST(server->open_requests() == 1U);
  server->drain();
  BOOST_TEST(idle.at_end());
  BOOST_TEST(eventually([&] { return !raw_http(server->port()).connected(); }));
  node.release_writes();
  auto got = busy.read();
  BOOST_TEST(got.status == 201);
  BOOST_TEST(got.closes());
  BOOST_TEST(busy.at_end());
  BOOST_TEST(eventually([&] { return server->open_requests() == 0; }));
}

BOOST_AUTO_TEST_CASE(before_it_drains_probes_say_so_and_everybody_is_served) {
  BOOST_TEST(raw_http(port()).ask("GET", "/healthz/ready").status == 200);
  server->announce_end();
  for (const std::string probe : {"ready", "leader", "replica"}) {
    BOOST_TEST(eventually([&] { return raw_http(port()).ask("GET", "/healthz/" + probe).status == 503; }), probe);
    const auto told = raw_http(port()).ask("GET", "/healthz/" + probe);
    BOOST_TEST(told.body.find("is stopping") != std::string::npos, told.body);
  }
  const auto served = raw_http(port()).ask("GET", "/healthz/live");
  BOOST_TEST(served.status == 200);
  BOOST_TEST(served.closes());
}

BOOST_AUTO_TEST_CASE(a_connection_that_was_to_be_kept_serves_one_more_request_before_the_drain) {
  raw_http kept(port());
  BOOST_TEST(!kept.ask("GET", "/healthz/live").closes());
  server->announce_end();
  const auto last = kept.ask("GET", "/healthz/live");
  BOOST_TEST(last.status == 200);
  BOOST_TEST(eventually([&] { return raw_http(port()).ask("GET", "/healthz/ready").status == 503; }));
}

BOOST_AUTO_TEST_CASE(drain_answers_whoever_the_system_has_connected_by_then) {
  if (settings.tls) return;  // a handshake needs the thread that stands still here
  const auto where = port();
  std::promise<void> begun, over;
  boost::asio::post(io, [&] {
    begun.set_value();
    over.get_future().wait();
  });
  begun.get_future().wait();
  std::vector<std::unique_ptr<raw_http>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<raw_http>(where));
    clients.back()->request("GET", "/healthz/live", {}, "");
  }
  server->drain();
  over.set_value();
  for (auto& one : clients) {
    const auto got = one->read();
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.closes());
  }
}

BOOST_AUTO_TEST_CASE(drain_answers_a_first_request_that_is_on_its_way) {
  settings.first_request_wait = std::chrono::minutes{1};
  raw_http late(port());
  BOOST_TEST(eventually([&] { return server->connections() == 1; }));
  server->drain();
  BOOST_TEST(eventually([&] { return !raw_http(server->port()).connected(); }));
  const auto got = late.ask("GET", "/healthz/live");
  BOOST_TEST(got.status == 200);
  BOOST_TEST(got.closes());
  BOOST_TEST(eventually([&] { return server->connections() == 0; }));
}

BOOST_AUTO_TEST_CASE(drain_closes_what_stays_silent) {
  settings.first_request_wait = milliseconds{50};
  raw_http silent(port());
  BOOST_TEST(eventually([&] { return server->connections() == 1; }));
  server->drain();
  BOOST_TEST(silent.at_end());
  BOOST_TEST(eventually([&] { return server->connections() == 0; }));
}

BOOST_AUTO_TEST_CASE(the_server_may_go_while_requests_are_under_way) {
  node.hold_writes = true;
  raw_http held(port()), sending(port()), half(port());
  held.request("PUT", "/files/f", {}, "x");
  sending.send("PUT /files/g HTTP/1.1\r\nHost: k\r\nContent-Length: 1000000\r\n\r\n" + std::string(500'000, 'x'));
  half.send("GET /files/");
  BOOST_TEST(eventually([&] { return node.held == 1 && node.uploads_open == 1 && node.uploaded_bytes > 0; }));
  server.reset();
  BOOST_TEST(node.uploads_open == 0);
  BOOST_TEST(held.at_end());
  BOOST_TEST(half.at_end());
  node.release_writes();  // the answer comes too late for anybody
  stop();
  BOOST_TEST(node.writes == 1);
}

BOOST_AUTO_TEST_CASE(an_answer_of_the_node_may_be_dropped_when_even_the_thread_is_gone) {
  auto loop = std::make_unique<boost::asio::io_context>(1);
  fake_gateway late(*loop);
  late.hold_writes = true;
  settings.port = 0;
  auto started = http_server::start(settings, {{loop.get(), &late}});
  BOOST_REQUIRE(started.ok());
  std::thread runs([&] { loop->run(); });
  raw_http client((*started)->port());
  client.request("PUT", "/files/f", {}, "x");
  BOOST_TEST(eventually([&] { return late.held == 1; }));
  started->reset();
  BOOST_TEST(client.at_end());
  loop->stop();
  runs.join();
  loop.reset();
}

BOOST_AUTO_TEST_CASE(an_address_in_use_is_said_so) {
  http_settings same;
  same.port = port();
  auto second = http_server::start(same, {{&io, &node}});
  BOOST_REQUIRE(!second.ok());
  BOOST_TEST((second.failure().code == errc::in_use));
  same.address = "not a host";
  auto third = http_server::start(same, {{&io, &node}});
  BOOST_REQUIRE(!third.ok());
  BOOST_TEST((third.failure().code == errc::bad_request));
}

BOOST_AUTO_TEST_CASE(workers_take_connections_in_turn) {
  boost::asio::io_context other_io{1};
  fake_gateway other(other_io);
  other.view_.self.name = "node-1";
  settings.port = 0;
  auto started = http_server::start(settings, {{&io, &node}, {&other_io, &other}});
  BOOST_REQUIRE(started.ok());
  auto run = [](boost::asio::io_context& one) {
    auto guard = boost::asio::make_work_guard(one);
    one.run();
  };
  std::thread first([&] { run(io); }), second([&] { run(other_io); });
  std::vector<std::string> names;
  for (int i = 0; i < 4; ++i)
    names.push_back(raw_http((*started)->port()).ask("GET", "/healthz/live").header("Kaiku-Node"));
  BOOST_TEST((names == std::vector<std::string>{"node-0", "node-1", "node-0", "node-1"}));
  started->reset();
  io.stop();
  other_io.stop();
  first.join();
  second.join();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(http_timeouts, impatient_fixture)

BOOST_AUTO_TEST_CASE(a_header_that_takes_too_long_is_408) {
  raw_http client(port());
  client.send("GET /files/ HTTP/1.1\r\nHost:");
  auto got = client.read();
  BOOST_TEST(got.status == 408);
  BOOST_TEST(got.closes());
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_closed_without_a_word) {
  raw_http fresh(port()), used(port());
  BOOST_TEST(fresh.at_end());
  used.ask("GET", "/healthz/live");
  BOOST_TEST(used.at_end());
}

BOOST_AUTO_TEST_CASE(a_body_that_stands_still_leaves_nothing) {
  raw_http client(port());
  client.send("PUT /files/f HTTP/1.1\r\nHost: k\r\nContent-Length: 1000000\r\n\r\n" + std::string(300'000, 'x'));
  auto got = client.read();
  BOOST_TEST(got.status == 400);
  BOOST_TEST(nlohmann::json::parse(got.body)["code"] == "body_incomplete");
  BOOST_TEST(client.at_end());
  BOOST_TEST(node.uploads_open == 0);
  BOOST_TEST(node.writes == 0);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_is_cut_off) {
  node.add_file("large", std::string(32 * mebibyte, 'x'));
  raw_http client(port(), 4096);
  client.request("GET", "/files/large");
  BOOST_TEST(eventually([&] { return server->open_requests() == 1; }));
  BOOST_TEST(eventually([&] { return server->open_requests() == 0; }));
  BOOST_CHECK_THROW(client.read(false, false), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(waiting_for_the_node_is_not_a_timeout_of_the_client) {
  node.hold_writes = true;
  raw_http slow(port()), other(port());
  slow.request("PUT", "/files/f", {}, "x");
  BOOST_TEST(eventually([&] { return node.held == 1; }));
  BOOST_TEST(other.at_end());  // its idle time has passed meanwhile
  node.release_writes();
  BOOST_TEST(slow.read().status == 201);
}

BOOST_AUTO_TEST_SUITE_END()
