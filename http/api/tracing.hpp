#pragma once

/// Purpose: requests that are to be followed (`Kaiku-Trace: 1`) through the actors of all nodes; a caller's own trace
/// is gone on with (W3C Trace Context, `traceparent`). Thread: the session's.

#include <optional>
#include <string_view>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// Begins to follow the request, if it asks for that. Errors: `bad_request` (neither 0 nor 1).
status begin_trace(exchange& ex);
/// It is answered: says in the answer how to find what was seen.
void end_trace(exchange& ex, response& answer);

/// The trace and the span of a caller that samples; empty: another version, not sampled, or none at all.
std::optional<trace_context> parse_traceparent(std::string_view text);

}  // namespace kaiku
