#pragma once

/// Purpose: how many files and connections the process may have open, and how many of them are for clients. What the
/// node itself can't open ends it, so clients get what is left.
/// Thread: the main thread, before any other.

#include <cstddef>
#include <cstdint>

namespace kaiku {

/// Raises the soft limit to the hard one: the usual soft limit is 1024. The limit as it is then.
std::uint64_t allow_all_files();

/// How many connections of `wanted` clients there is room for when `files` may be open and `requests` be under way:
/// each of these may read a file. At least one.
std::size_t connections_within(std::uint64_t files, std::size_t wanted, std::size_t requests);

}  // namespace kaiku
