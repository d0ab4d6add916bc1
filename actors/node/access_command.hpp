#pragma once

/// Purpose: `kaikud token new` and `kaikud url sign`: what an operator needs to use access control, without a node.
/// Thread: the process's only one.

#include <optional>

namespace kaiku {

/// The exit code, when the command line asks for one of them; the answer is printed. Empty: it does not.
std::optional<int> run_access_command(int argc, const char* const* argv);

}  // namespace kaiku
