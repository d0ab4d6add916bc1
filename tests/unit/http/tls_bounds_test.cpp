// HTTPS: nobody has more of the server than their share, and nothing runs out without a word.

#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "https_fixture.hpp"
#include "kaiku/core/limits.hpp"

using namespace kaiku;
using namespace kaiku::test;

namespace {

/// Both ends of a TLS connection over a pair of sockets, the handshake done.
struct tls_pair {
  tls_pair(const tls_context& server_side, const tls_context& client_side, std::uint64_t records_each_key) {
    BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()) == 0);
    server = std::make_unique<tls_session>(server_side, tls_role::server, sockets[0], records_each_key);
    client = std::make_unique<tls_session>(client_side, tls_role::client, sockets[1]);
    using step = tls_session::step;
    auto c = step::wants_read, s = step::wants_read;
    for (int i = 0; i < 100 && (c != step::done || s != step::done); ++i) {
      c = client->handshake().now;
      s = server->handshake().now;
    }
    BOOST_TEST_REQUIRE((c == step::done && s == step::done));
  }
  ~tls_pair() {
    server.reset();
    client.reset();
    for (const int one : sockets) ::close(one);
  }
  tls_pair(const tls_pair&) = delete;
  tls_pair& operator=(const tls_pair&) = delete;

  /// The TLS records that wait for the client.
  std::size_t records() const {
    std::array<unsigned char, 4096> bytes{};
    const auto got = ::recv(sockets[1], bytes.data(), bytes.size(), MSG_PEEK);
    std::size_t count = 0;
    for (std::size_t at = 0; got > 0 && at + 5 <= static_cast<std::size_t>(got); ++count)
      at += 5 + (std::size_t{bytes[at + 3]} << 8 | bytes[at + 4]);
    return count;
  }

  std::array<int, 2> sockets{-1, -1};
  std::unique_ptr<tls_session> server, client;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(https_bounds, https_fixture)

BOOST_AUTO_TEST_CASE(a_key_is_used_for_no_more_records_than_it_is_good_for) {
  tls_pair both(settings.tls->context(), client(), 2);
  std::array<char, 64> into{};
  while (both.client->read(into.data(), into.size()).now == tls_session::step::done) {
  }  // what the server says behind the handshake
  for (int i = 0; i < 5; ++i) BOOST_TEST((both.server->write("abc", 3).now == tls_session::step::done));
  BOOST_TEST(both.records() == 7u);  // two of them say that there is a new key
  std::string got;
  for (auto last = both.client->read(into.data(), into.size()); last.bytes != 0;
       last = both.client->read(into.data(), into.size()))
    got.append(into.data(), last.bytes);
  BOOST_TEST(got == "abcabcabcabcabc");
}

BOOST_AUTO_TEST_CASE(a_client_that_takes_all_it_is_given_leaves_others_their_turn) {
  node.disk_takes = milliseconds{10};
  node.add_file("large", std::string(200 * limits::chunk_bytes, 'x'));
  std::atomic<bool> whole{false};
  raw_http greedy(port(), 0, client());
  std::jthread reads([&] {
    greedy.request("GET", "/files/large");
    whole = greedy.read(false, false).body_size == 200 * limits::chunk_bytes;
  });
  BOOST_TEST_REQUIRE(eventually([&] { return node.pieces_read > 2; }));
  BOOST_TEST(status_of(client()) == 200);
  BOOST_TEST(!whole);
  reads.join();
  BOOST_TEST(whole);
}

BOOST_AUTO_TEST_CASE(of_too_many_that_do_not_end_their_handshake_the_oldest_makes_room) {
  std::vector<std::unique_ptr<raw_http>> silent;
  for (std::size_t i = 0; i < limits::http_handshakes; ++i)
    silent.push_back(std::make_unique<raw_http>(port(), 0, tls_context{}));
  BOOST_TEST(status_of(client()) == 200);
  // Long before its time is up.
  BOOST_TEST_REQUIRE(silent.front()->has_input(std::chrono::milliseconds{2000}));
  BOOST_TEST(silent.front()->at_end());
  BOOST_TEST(!silent.back()->has_input(std::chrono::milliseconds{0}));
}

BOOST_AUTO_TEST_CASE(metrics_say_when_the_certificate_runs_out_and_how_many_did_not_get_in) {
  settings.peer_tls = settings.tls;
  {
    raw_http noise(port(), 0, {});
    noise.send("noise");
    BOOST_TEST(noise.at_end());
  }
  raw_http one(port(), 0, client());
  const auto text = one.ask("GET", "/metrics").body;
  for (const std::string which : {"http", "peers"}) {
    const auto name = "kaiku_tls_certificate_expiry_timestamp_seconds{port=\"" + which + "\"} ";
    const auto at = text.find(name);
    BOOST_TEST_REQUIRE(at != std::string::npos, text);
    const auto left = std::stod(text.substr(at + name.size())) - static_cast<double>(std::time(nullptr));
    BOOST_TEST(left > 29.0 * 86400);
    BOOST_TEST(left < 31.0 * 86400);
  }
  BOOST_TEST(contains(text, "kaiku_http_handshakes_failed_total 1"), text);
}

BOOST_AUTO_TEST_CASE(a_certificate_that_could_not_be_read_is_tried_again) {
  BOOST_TEST(status_of(client()) == 200);
  const auto before = s_client("-showcerts", get_live);
  made.authority.issue("server", "DNS:localhost");
  rlimit most{};
  ::getrlimit(RLIMIT_NOFILE, &most);
  rlimit none = most;
  none.rlim_cur = 3;
  ::setrlimit(RLIMIT_NOFILE, &none);
  settings.tls->refresh(false);
  ::setrlimit(RLIMIT_NOFILE, &most);
  const auto old = s_client("-showcerts", get_live);
  settings.tls->refresh(false);
  const auto fresh = s_client("-showcerts", get_live);
  const auto shown = [](const std::string& text) { return text.substr(text.find("BEGIN CERTIFICATE"), 400); };
  BOOST_TEST((shown(old) == shown(before)));
  BOOST_TEST((shown(fresh) != shown(before)));
}

BOOST_AUTO_TEST_CASE(who_had_a_certificate_once_shows_it_again_each_time) {
  const auto known = made.authority.issue("known", "DNS:client");
  settings.tls = load_https({made.server.certificate, made.server.key, made.authority.file()});
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    const auto saved = (made.directory.path() / "session").string();
    const auto own = " -cert " + known.certificate + " -key " + known.key;
    BOOST_TEST(contains(s_client(version + own + " -sess_out " + saved, get_live), "HTTP/1.1 200"));
    const auto again = s_client(version + (" -sess_in " + saved), get_live);
    BOOST_TEST(!contains(again, "HTTP/1.1 200"), version << ": " << again);
  }
}

BOOST_AUTO_TEST_SUITE_END()
