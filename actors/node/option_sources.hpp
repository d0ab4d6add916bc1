#pragma once

/// Purpose: gathers option values, still text, from command line, environment and config file, and remembers where each
/// was found, so that a complaint names the place to mend.
/// Owner: the list of option names and their help. Thread: any.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "kaiku/core/error.hpp"
#include "kaiku/node/options.hpp"

namespace kaiku {

/// An option's text and the place it came from: `--http`, `KAIKU_HTTP` or `/etc/kaiku.toml: http`.
struct sourced_text {
  std::string text;
  std::string place;
};

/// By option name without the dashes. Flags hold `true` or whatever text the environment or the file gave.
using sourced_options = std::map<std::string, sourced_text, std::less<>>;

/// Errors: `bad_request`: unknown option or key, missing or surplus value, config file that can't be read.
result<std::variant<sourced_options, answer_and_exit>> gather_options(int argc, const char* const* argv,
                                                                      const surroundings& around);

}  // namespace kaiku
