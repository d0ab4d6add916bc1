#pragma once

/// Purpose: what the commands that work on an operator's files share. Thread: any.

#include <filesystem>
#include <string>

#include "kaiku/core/error.hpp"

namespace kaiku {

/// For a store that no node runs on (`store::options::fatal`): says why and ends the process, and nothing else, since
/// the thread that it is called on is anybody's. What is on the disk stays as it is.
[[noreturn]] void end_command(const std::string& why);

/// Gives `from` a name that nothing has, in one step. Errors: `already_exists`, and `from` stays where it is;
/// `io_error`, `disk_full`.
status rename_new(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace kaiku
