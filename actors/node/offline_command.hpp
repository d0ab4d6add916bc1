#pragma once

/// Purpose: `kaikud backup`, `kaikud restore` and `kaikud recover`: what an operator does to a store's data as a whole.
/// `docs/operations.md` says when. Thread: the process's only one.

#include <optional>

namespace kaiku {

/// The exit code, when the command line asks for one of them; the answer is printed. Empty: it does not.
std::optional<int> run_offline_command(int argc, const char* const* argv);

}  // namespace kaiku
