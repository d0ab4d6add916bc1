#pragma once

/// Purpose: dates as HTTP writes them (RFC 9110, 5.6.7) and as JSON does (RFC 3339).
/// Thread: pure functions.

#include <optional>
#include <string>
#include <string_view>

#include "kaiku/core/ids.hpp"

namespace kaiku {

/// `Sun, 06 Nov 1994 08:49:37 GMT`; milliseconds are cut off.
std::string format_http_date(unix_time_ms at);
/// Reads all three forms of the RFC; empty when it is none of them.
std::optional<unix_time_ms> parse_http_date(std::string_view text);
/// `1994-11-06T08:49:37.000Z`.
std::string format_rfc3339(unix_time_ms at);
/// Reads that form in UTC, with or without a fraction; empty when it is none.
std::optional<unix_time_ms> parse_rfc3339(std::string_view text);

}  // namespace kaiku
