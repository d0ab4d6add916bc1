#pragma once

/// Purpose: byte ranges (RFC 9110, 14). Thread: pure functions.

#include <cstdint>
#include <string_view>

namespace kaiku {

struct byte_range {
  enum class kind { whole, part, unsatisfiable };
  kind which = kind::whole;
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

/// What of `size` bytes a Range field asks for. Malformed ones, other units and several ranges are ignored, as the RFC
/// allows: the whole.
byte_range parse_range(std::string_view value, std::uint64_t size);

}  // namespace kaiku
