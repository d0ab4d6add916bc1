#pragma once

/// Purpose: all that one store holds, in forms that can be compared between nodes. Thread: any.

#include <string>
#include <string_view>
#include <vector>

#include "kaiku/storage/store.hpp"

namespace kaiku::test {

/// Everything below the root with its metadata and content, one line each: equal on nodes that agree.
std::vector<std::string> describe_tree(const store& disk);
/// Every entry's position and command.
std::vector<log_entry> whole_log(const store& disk);
/// The bytes at `path`, or the error's name in parentheses.
std::string bytes_at(const store& disk, std::string_view path);

}  // namespace kaiku::test
