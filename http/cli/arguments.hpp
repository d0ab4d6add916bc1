#pragma once

/// Purpose: what the command line and the environment ask for, as one checked value.
/// Owner: names, defaults and meaning of every option; the help, the completions and a test of the man page read them
/// from here. Lifecycle: read once, at the start. Thread: the process's only one.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "kaiku/cli/addresses.hpp"
#include "kaiku/cli/limits.hpp"
#include "kaiku/cli/outcome.hpp"

namespace kaiku::cli {

struct session;

struct arguments {
  exit_code (*run)(session& with) = nullptr;  ///< the command; null: `completion`
  // Whom to ask, as whom.
  std::string url = "http://127.0.0.1:8000";
  addresses nodes;
  std::string token_file, token;
  std::string ca_file, certificate_file, key_file;
  unsigned wait_s = limits::patience_s;
  // How to say it.
  bool json = false, quiet = false, verbose = false;
  // What every change or read can be asked for.
  std::string durability, consistency, after, if_match;
  bool no_overwrite = false;
  // Copies.
  bool recursive = false, again = false, trace = false;
  unsigned parallel = limits::parallel;
  std::uint64_t limit_rate = 0;  ///< bytes a second, of all transfers together; 0: no bound
  std::string content_type;
  std::vector<std::string> metadata;  ///< NAME=VALUE
  std::uint64_t ttl_s = 0;            ///< 0: for ever
  // Views.
  bool details = false, once = false;
  std::uint64_t depth = limits::folder_depth;
  /// Paths as they were given: of the store, but for those of files on this machine.
  std::vector<std::string> paths;
  std::string name, address, id, shell;
};

/// `--help`, `--version` or `completion`: text for standard output. Or what is wrong with the command line.
struct early_end {
  std::string text;
  exit_code code = exit_code::done;
};

/// Whether trouble is to be told as JSON, also when the rest makes no sense.
bool wants_json(int argc, const char* const* argv);
/// `argv[0]` is the program. A failure's text is one line without `kaiku: ` in front.
std::variant<arguments, early_end> parse_arguments(int argc, const char* const* argv);

// --- the same for completions and tests --------------------------------------------------------------------------

struct option_words {
  std::vector<std::string> names;    ///< with their dashes; empty for what stands by its place
  std::string kind;                  ///< what its value is; empty: a flag
  std::vector<std::string> choices;  ///< the values it can have, when these are few
  std::string help;
  bool is_local() const { return kind == "FILE" || kind == "LOCAL"; }
};

struct command_words {
  std::string name, help;
  std::vector<option_words> options, places;
  std::vector<command_words> commands;
};

/// The program itself, its global options, and all below.
command_words all_commands();

}  // namespace kaiku::cli
