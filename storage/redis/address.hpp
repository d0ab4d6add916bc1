#pragma once

/// Purpose: which Redis a node uses, as `--redis` says it. Thread: values.

#include <cstdint>
#include <string>
#include <string_view>

#include "kaiku/core/error.hpp"

namespace kaiku {

struct redis_address {
  std::string host;  ///< empty: `path`
  std::uint16_t port = 6379;
  std::string path;  ///< of a unix socket
  std::string user;  ///< empty: the default user
  std::string password;
  std::uint32_t database = 0;

  /// As a person may see it: without user and password.
  std::string shown() const;
  friend bool operator==(const redis_address&, const redis_address&) = default;
};

/// Reads `redis://[[user]:password@]host[:port][/database]` or `unix:///path[?db=database]`, user and password percent-
/// encoded. Errors: `bad_request`, which never repeats the text: it may hold a password.
result<redis_address> parse_redis_address(std::string_view text);

}  // namespace kaiku
