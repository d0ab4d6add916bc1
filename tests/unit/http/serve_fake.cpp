// An HTTP server over the fake gateway, for load generators and for trying things by hand:
//   serve_fake [port] [threads]    then: wrk -t2 -c64 -d5 http://127.0.0.1:PORT/files/4k

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "fake_gateway.hpp"
#include "kaiku/http/server/server.hpp"

int main(int argc, char** argv) {
  using namespace kaiku;
  struct thread_of_io {
    boost::asio::io_context io{1};
    std::unique_ptr<test::fake_gateway> node = std::make_unique<test::fake_gateway>(io);
  };
  http_settings settings;
  settings.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  std::vector<std::unique_ptr<thread_of_io>> all;
  std::vector<http_worker> workers;
  for (int i = 0; i < (argc > 2 ? std::atoi(argv[2]) : 1); ++i) {
    auto& one = *all.emplace_back(std::make_unique<thread_of_io>());
    one.node->add_file("4k", std::string(4096, 'x'));
    one.node->add_file("1m", std::string(1 << 20, 'x'));
    one.node->keep_uploads = false;
    workers.push_back({&one.io, one.node.get()});
  }
  auto server = http_server::start(settings, workers);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.failure().detail.c_str());
    return 1;
  }
  std::printf("%u\n", (*server)->port());
  std::fflush(stdout);
  std::vector<std::thread> threads;
  for (auto& one : all) {
    threads.emplace_back([&one] {
      auto guard = boost::asio::make_work_guard(one->io);
      one->io.run();
    });
  }
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  int got = 0;
  sigwait(&stop, &got);
  for (auto& one : all) one->io.stop();
  for (auto& one : threads) one.join();
  std::quick_exit(0);
}
