#pragma once

/// Purpose: completions for shells, made from the commands and options that there are. Thread: pure functions.

#include <string>
#include <string_view>

#include "kaiku/cli/arguments.hpp"

namespace kaiku::cli {

/// For `bash`, `zsh` or `fish`.
std::string completion_script(const command_words& program, std::string_view shell);

}  // namespace kaiku::cli
