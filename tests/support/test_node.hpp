#pragma once

/// Purpose: one `kaikud` as a test sees it: a process, its data directory, its ports and its log.
/// Lifecycle: `start` and stop as often as needed, on the same data; the destructor kills it.
/// Thread: start, stop, freeze from the main thread; the questions over HTTP from any.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/child_process.hpp"
#include "support/http_client.hpp"

namespace kaiku::test {

/// The election timeout T that test nodes run with, and the time in which a new leader must stand.
inline constexpr milliseconds election_timeout{1000};
inline constexpr milliseconds election_bound = 2 * election_timeout + milliseconds{300};

/// The daemon under test: `KAIKU_KAIKUD` from the environment, else the one this build made.
std::string kaikud_program();

struct node_options {
  std::string name = "n1";
  std::filesystem::path data;
  std::filesystem::path log;
  endpoint http;
  endpoint peers;
  std::string cluster;                   ///< `n1=host:port,...`; empty: the option is left out
  std::string join;                      ///< `host:port,...`; likewise
  std::vector<std::string> extra = {};   ///< pairs of option and value; one given here replaces the usual one
  std::vector<std::string> run_in = {};  ///< the command that runs it, such as `test_network::enter`
  tls_context tls = {};                  ///< what its clients speak; empty: plain HTTP
};

/// What a node says about itself in the header of an answer.
struct node_status {
  bool leads = false;  ///< `/healthz/leader` is 200
  std::uint64_t term = 0;
  std::uint64_t applied = 0;
  std::uint64_t committed = 0;
  milliseconds leader_contact{};  ///< its age; on the leader, of its contact with a majority; 0 when not known
};

class test_node {
 public:
  explicit test_node(node_options options);

  /// Runs it; returns at once. `under` is a command that runs the daemon and becomes it, such as `strace -D`.
  void start(const std::vector<std::string>& under = {});
  /// Throws when `/healthz/ready` is not 200 within the deadline; the message has the log's end.
  void wait_until_ready(milliseconds deadline);

  /// kill -9.
  void kill();
  /// SIGTERM; the exit code, or empty when it still runs after the deadline.
  std::optional<int> terminate(milliseconds deadline);
  /// kill -9, and its data directory is emptied for good: a power cut does not bring it back.
  void wipe();
  /// From the next start on `--join` with these addresses, instead of `--cluster`.
  void join_by(const std::string& addresses);
  void freeze() { process_->freeze(); }
  void thaw() { process_->thaw(); }

  /// Started, and neither ended nor frozen.
  bool is_up() const { return process_ && process_->is_running() && !process_->is_frozen(); }
  child_process& process() { return *process_; }
  process_usage usage() const { return process_->usage(); }

  const std::string& name() const { return options_.name; }
  const std::filesystem::path& data() const { return options_.data; }
  const endpoint& http() const { return options_.http; }
  const endpoint& peers() const { return options_.peers; }
  std::string log() const { return read_file(options_.log); }
  std::string log_tail(std::size_t lines = 25) const { return tail_of(options_.log, lines); }

  http_client client(milliseconds deadline = milliseconds{10'000}) const {
    return http_client(options_.http, deadline, options_.tls);
  }
  /// From now on its clients speak this.
  void set_tls(tls_context tls) { options_.tls = std::move(tls); }
  bool is_ready() const;
  /// Empty when it does not answer.
  std::optional<node_status> status() const;
  /// The document at `/cluster`. Throws when there is none.
  nlohmann::json cluster_document() const;

 private:
  node_options options_;
  std::unique_ptr<child_process> process_;
};

}  // namespace kaiku::test
