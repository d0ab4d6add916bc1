#pragma once

/// Purpose: URLs that carry leave for one request of one path until a time: `?key=<id>&expires=<seconds since
/// 1970>&signature=<HMAC-SHA-256 in hexadecimal>` over the method, the path and the time.
/// Thread: pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kaiku/core/path.hpp"

namespace kaiku {

/// What a URL says for itself, and the query without it.
struct url_signature {
  std::string key;
  std::uint64_t expires = 0;  ///< seconds since 1970
  std::string signature;
  std::string rest;  ///< of the query
};
/// Empty when the query holds no `signature`; a malformed one fails every check.
std::optional<url_signature> read_signature(std::string_view query);

/// `method` is GET or PUT; HEAD goes with GET.
std::string sign_url(std::string_view secret, std::string_view method, const file_path& path, std::uint64_t expires);

}  // namespace kaiku
