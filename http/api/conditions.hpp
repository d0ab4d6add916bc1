#pragma once

/// Purpose: conditional requests (RFC 9110, 13).
/// Thread: pure functions.

#include "kaiku/core/command.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// What a change asks for, to be checked by the leader. Weak tags stay weak in `if_match` and so match nothing (strong
/// comparison); in `if_none_match` they are compared by their opaque part. A malformed date is passed over. Errors:
/// `bad_request`: a malformed list.
result<precondition> write_precondition(const request& in);

enum class read_verdict { proceed, not_modified, failed };
/// Checks a read in the order of RFC 9110, 13.2.2. A weak `etag` matches no If-Match. Without `modified`, conditions on
/// dates are passed over. Errors: `bad_request`.
result<read_verdict> check_read(const request& in, std::string_view etag, std::optional<unix_time_ms> modified);

/// True when a Range may be honoured: no If-Range, or one that names this very version. A date does so only when it is
/// old enough to be strong (RFC 9110, 8.8.2.2 and 13.1.5).
bool if_range_holds(const request& in, std::string_view etag, unix_time_ms modified, unix_time_ms now);

}  // namespace kaiku
