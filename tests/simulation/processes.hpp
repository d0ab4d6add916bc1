#pragma once

/// Purpose: work spread over the machine's cores, each piece in a process of its own: what one breaks stays with it.
/// Thread: the test's, which must be the only one.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace kaiku::simulation {

/// `work(0)` to `work(count - 1)`, as many at once as there are cores; what each returned (a few kilobytes at most), in
/// this order. Empty for one that ended otherwise, and for those left out after `enough` said so of another's.
std::vector<std::string> in_processes(std::size_t count, const std::function<std::string(std::size_t)>& work,
                                      const std::function<bool(const std::string&)>& enough = {});

}  // namespace kaiku::simulation
