#pragma once

/// Purpose: what kaikud was told: command line, `KAIKU_...` environment and config file become one checked value.
/// Owner: the defaults and the meaning of every option; `option_sources.hpp` owns where a value came from.
/// Lifecycle: parsed once, before anything else starts. Thread: any; touches no global state and never ends the
/// process. The command line wins over the environment, the environment over the config file.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kaiku/core/command.hpp"
#include "kaiku/core/endpoint.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/core/ids.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/http/server/settings.hpp"
#include "kaiku/kubernetes/settings.hpp"
#include "kaiku/storage/redis/address.hpp"
#include "kaiku/tls/context.hpp"

namespace kaiku {

/// One name of `--cluster` and where its peers reach it.
struct initial_member {
  node_id id;
  endpoint peers;
  friend bool operator==(const initial_member&, const initial_member&) = default;
};

enum class log_level : std::uint8_t { trace, debug, info, warn, error };
enum class log_format : std::uint8_t { text, json };

/// A complete and consistent set: what one option says does not contradict another.
struct options {
  node_id name;
  std::filesystem::path data = "./kaiku-data";
  endpoint http{"127.0.0.1", 8000};
  endpoint peers{"127.0.0.1", 9000};
  endpoint advertise_http;              ///< what clients and other members are told
  endpoint advertise_peers;             ///< where other members dial
  std::vector<initial_member> cluster;  ///< voters of the first start, by name; holds `name`; empty with `join`
  std::vector<endpoint> join;           ///< peer addresses of members of the cluster to join at the first start
  durability default_durability = durability::leader;
  milliseconds election_timeout{limits::election_timeout_ms};
  milliseconds heartbeat_interval{limits::heartbeat_interval_ms};
  std::string peer_secret;            ///< content of `--peer-secret-file` without the line end; empty: none
  std::optional<tls_files> peer_tls;  ///< empty: links are not encrypted
  std::optional<tls_files> http_tls;  ///< empty: plain HTTP
  bool insecure = false;
  bool core_dumps = false;  ///< the kernel may write the process's memory, secrets included, to a file
  byte_count scrub_rate{limits::scrub_bytes_per_second};
  std::chrono::hours scrub_interval{limits::scrub_interval_hours};  ///< 0: only when asked
  std::chrono::hours set_aside_age{24 * limits::set_aside_days};
  byte_count set_aside_bytes{limits::set_aside_bytes};
  std::chrono::minutes remove_dead_after{};        ///< members silent for so long are removed; 0: never
  std::optional<redis_address> redis;              ///< empty: none
  std::filesystem::path auth_file;                 ///< empty: no access control
  std::optional<kubernetes::settings> kubernetes;  ///< empty: its pod has no label to keep
  http_settings client_side;                       ///< address and port apart: `http`
  log_level level = log_level::info;
  log_format format = log_format::text;
  std::vector<std::string> warnings;  ///< to be logged once there is a log
};

/// `--help` or `--version`: print `text` to standard output and exit 0.
struct answer_and_exit {
  std::string text;
};
using parse_outcome = std::variant<options, answer_and_exit>;

/// What the parser may ask of the machine; a test brings its own.
struct surroundings {
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::string host_name;
};
/// The process's environment and the machine's host name.
surroundings real_surroundings();

/// Exit code of a usage or configuration error.
inline constexpr int usage_exit_code = 2;

/// Reads the command line (`argv[0]` is the program), the environment, the config file and the secret file.
/// Errors: `bad_request` with one line for a person, without the leading `kaikud: ` and without a line end; the caller
/// prints it to standard error and exits with `usage_exit_code`.
result<parse_outcome> parse_options(int argc, const char* const* argv, const surroundings& around);
inline result<parse_outcome> parse_options(int argc, const char* const* argv) {
  return parse_options(argc, argv, real_surroundings());
}

}  // namespace kaiku
