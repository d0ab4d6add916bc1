#pragma once

/// Purpose: all that one node holds, as its clients see it, to compare nodes with each other and with what they should
/// hold. Thread: values; reading uses connections of its own.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "support/http_client.hpp"

namespace kaiku::test {

struct tree_entry {
  bool is_directory = false;
  std::uint64_t size = 0;
  std::string etag;
  std::string digest;  ///< files: of the bytes that were read, as `digest_of`

  friend bool operator==(const tree_entry&, const tree_entry&) = default;
};

/// By decoded path, without a `/` at either end.
using tree = std::map<std::string, tree_entry>;

/// Lists everything below `directory` (empty: the root; one that is not there holds nothing) and reads every file. A
/// file whose bytes do not match its `Repr-Digest`, its listed size or its listed entity tag is added to `violations`.
tree read_tree(const endpoint& node, const std::string& directory, std::vector<std::string>& violations);

/// What differs, one line each, at most `most` lines; empty when they are equal.
std::vector<std::string> differences(const tree& a, const tree& b, std::size_t most = 10);

}  // namespace kaiku::test
