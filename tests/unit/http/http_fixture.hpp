#pragma once

/// Purpose: a real server on loopback over a fake gateway, with one I/O thread, for the tests of this folder.

#include <boost/test/unit_test.hpp>
#include <thread>

#include "fake_gateway.hpp"
#include "kaiku/http/server/server.hpp"
#include "raw_http.hpp"

namespace kaiku::test {

struct http_fixture {
  http_fixture() = default;
  explicit http_fixture(http_settings with) : settings(std::move(with)) {}
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
