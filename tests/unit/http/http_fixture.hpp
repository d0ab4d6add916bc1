#pragma once

/// Purpose: a real server on loopback over a fake gateway, with one I/O thread, for the tests of this folder. With
/// KAIKU_TEST_TLS in the environment all of them speak HTTPS.

#include <boost/test/unit_test.hpp>
#include <thread>

#include <cstdlib>

#include "fake_gateway.hpp"
#include "kaiku/http/server/server.hpp"
#include "kaiku/tls/credentials.hpp"
#include "raw_http.hpp"
#include "support/certificates.hpp"
#include "temporary_directory.hpp"

namespace kaiku::test {

/// An authority and what one server shows.
struct test_certificates {
  temporary_directory directory;
  test_authority authority{directory.path(), "authority"};
  certificate_files server = authority.issue("server", "DNS:localhost,IP:127.0.0.1");
};

inline std::shared_ptr<tls_credentials> load_https(const tls_files& files) {
  auto loaded = tls_credentials::load("HTTPS", tls_use::clients, files);
  BOOST_REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? "" : loaded.failure().detail));
  return *loaded;
}

/// What the servers of this run speak; empty: plain HTTP.
inline std::shared_ptr<tls_credentials> usual_tls() {
  if (std::getenv("KAIKU_TEST_TLS") == nullptr) return nullptr;
  static const test_certificates made;
  static const auto loaded = load_https({made.server.certificate, made.server.key, {}});
  raw_http::usual_tls = client_context(made.authority.file());
  return loaded;
}

struct http_fixture {
  http_fixture() : http_fixture(http_settings{}) {}
  explicit http_fixture(http_settings with) : settings(std::move(with)) { settings.tls = usual_tls(); }
  ~http_fixture() { stop(); }
  http_fixture(const http_fixture&) = delete;
  http_fixture& operator=(const http_fixture&) = delete;

  /// Starts on first use, so that a test may set up the node before.
  std::uint16_t port() {
    if (!server) {
      settings.port = 0;
      auto started = http_server::start(settings, {{&io, &node}});
      BOOST_REQUIRE_MESSAGE(started.ok(), "the server starts");
      server = std::move(*started);
      thread = std::thread([this] {
        auto guard = boost::asio::make_work_guard(io);
        io.run();
      });
    }
    return server->port();
  }
  void stop() {
    server.reset();
    io.stop();
    if (thread.joinable()) thread.join();
  }
  /// Waits for something that another thread does. Yields; never sleeps for a fixed time.
  template <class Condition>
  bool eventually(Condition holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  http_settings settings;
  boost::asio::io_context io{1};
  fake_gateway node{io};
  std::unique_ptr<http_server> server;
  std::thread thread;
};

}  // namespace kaiku::test
