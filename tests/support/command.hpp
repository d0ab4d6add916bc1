#pragma once

/// Purpose: programs of the system that a test uses: ip, nft, mount, strace.
/// Thread: any.

#include <string>
#include <vector>

namespace kaiku::test {

/// The absolute path of a program, given as one or looked for in PATH and where administrators' programs are; empty
/// when it is not there.
std::string find_program(const std::string& name);

/// The name of the first of these programs that is not there; empty when all are.
std::string missing_program(const std::vector<std::string>& names);

/// Runs a program (a name as `find_program` takes it, then its arguments) to its end and gives what it printed.
/// Throws std::runtime_error with that when it can't be run or fails.
std::string run_command(std::vector<std::string> arguments);

}  // namespace kaiku::test
