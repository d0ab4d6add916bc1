// kaikud: one node of a Kaiku cluster.

#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <ctime>

#include "kaiku/node/access_command.hpp"
#include "kaiku/node/lockdown.hpp"
#include "kaiku/node/log.hpp"
#include "kaiku/node/node.hpp"
#include "kaiku/node/offline_command.hpp"
#include "kaiku/node/open_files.hpp"
#include "kaiku/node/options.hpp"

namespace {

constexpr int start_failed_exit_code = 1;

int fail(const std::string& why, int code) {
  std::fprintf(stderr, "kaikud: %s\n", why.c_str());
  return code;
}

/// Fewer connections than were asked for, where the system allows too few files for them.
void bound_connections(kaiku::http_settings& of) {
  const auto files = kaiku::allow_all_files();
  const auto room = kaiku::connections_within(files, of.max_connections, of.max_requests);
  if (room == of.max_connections) return;
  spdlog::warn(
      "{} open files, the limit of this process, leave room for {} client connections, not {}: raise the limit "
      "(ulimit -Hn, LimitNOFILE of systemd, --ulimit of a container), or lower --http-connections",
      files, room, of.max_connections);
  of.max_connections = room;
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
  auto& options = std::get<kaiku::options>(*parsed);
  kaiku::set_up_log(options.name, options.level, options.format);

  kaiku::lock_down(options.core_dumps);
  bound_connections(options.client_side);
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
