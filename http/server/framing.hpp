#pragma once

/// Purpose: what a request header must be before anything is made of it: the strict reading of RFC 9112 that keeps a
/// proxy in front and this server from seeing different requests in the same bytes. Beast 1.74 lets obsolete folding,
/// repeated lengths, codings other than chunked and repeated hosts through; here they end.
/// Thread: pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kaiku {

/// Why a request is not served at all; the connection ends with it.
struct request_refusal {
  unsigned status = 400;
  std::string detail;
};

struct header_scan {
  enum class state { incomplete, complete, bad };
  state now = state::incomplete;
  std::size_t size = 0;  ///< complete: of the header with its empty line; incomplete: scan again from here
};

/// Looks for the empty line; `from` is what the scan before gave. Bad: a line feed without a carriage return.
header_scan find_header_end(std::string_view input, std::size_t from);

/// How long the body is.
struct body_framing {
  bool chunked = false;
  std::uint64_t length = 0;
};

/// Checks a complete header, empty line included. Errors are statuses 400, 431 and 501.
std::optional<request_refusal> check_framing(std::string_view header, std::size_t max_fields, body_framing& out);

}  // namespace kaiku
