#pragma once

/// Purpose: byte ranges (RFC 9110, 14). Thread: pure functions.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kaiku {

struct byte_range {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

struct range_set {
  enum class kind { whole, parts, unsatisfiable };
  kind which = kind::whole;
  std::vector<byte_range>
      parts;  ///< in the order asked for; no two overlap or lie so close that one is shorter to send
};

/// What of `size` bytes a Range field asks for. Malformed ones, other units and more than `most` ranges are ignored, as
/// the RFC allows: the whole.
range_set parse_ranges(std::string_view value, std::uint64_t size, std::size_t most);

/// `bytes 0-99/1234`.
std::string content_range(const byte_range& part, std::uint64_t size);

}  // namespace kaiku
