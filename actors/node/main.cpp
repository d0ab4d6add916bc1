// kaikud: one node of a Kaiku cluster.

#include <sys/resource.h>

#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <ctime>

#include "kaiku/node/access_command.hpp"
#include "kaiku/node/lockdown.hpp"
#include "kaiku/node/log.hpp"
#include "kaiku/node/node.hpp"
#include "kaiku/node/offline_command.hpp"
#include "kaiku/node/options.hpp"

namespace {

constexpr int start_failed_exit_code = 1;

int fail(const std::string& why, int code) {
  std::fprintf(stderr, "kaikud: %s\n", why.c_str());
  return code;
}

/// As many files and connections as the system lets this process have: the usual soft limit is 1024.
void allow_all_files() {
  rlimit bound{};
  if (::getrlimit(RLIMIT_NOFILE, &bound) != 0 || bound.rlim_cur == bound.rlim_max) return;
  bound.rlim_cur = bound.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &bound) != 0) spdlog::warn("the limit of open files stays as it is");
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto code = kaiku::run_access_command(argc, argv)) return *code;
  if (const auto code = kaiku::run_offline_command(argc, argv)) return *code;
  // Every thread inherits the mask, so the signals wait for this one.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto parsed = kaiku::parse_options(argc, argv);
  if (!parsed) return fail(parsed.failure().detail, kaiku::usage_exit_code);
  if (const auto* answer = std::get_if<kaiku::answer_and_exit>(&*parsed)) {
    std::fputs(answer->text.c_str(), stdout);
    return 0;
  }
  const auto& options = std::get<kaiku::options>(*parsed);
  kaiku::set_up_log(options.name, options.level, options.format);

  kaiku::lock_down(options.core_dumps);
  allow_all_files();
  for (const auto& warning : options.warnings) spdlog::warn("{}", warning);
  auto node = kaiku::node::start(options);
  if (!node) return fail(node.failure().detail, start_failed_exit_code);
  const timespec look{kaiku::limits::access_look_ms / 1000, kaiku::limits::access_look_ms % 1000 * 1'000'000};
  int signal = -1;
  while (signal != SIGTERM && signal != SIGINT) {
    signal = sigtimedwait(&signals, nullptr, &look);
    (*node)->reload(signal == SIGHUP);
  }
  spdlog::info("stopping signal={}", signal);
  (*node)->shut_down();
  // Everything acknowledged is on disk. What is left are actors and connections of a process that ends.
  spdlog::shutdown();
  std::_Exit(0);
}
