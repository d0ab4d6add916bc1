#pragma once

/// Purpose: the status line and the fields that every answer has.
/// Thread: pure functions, but for the clock.

#include <string>
#include <string_view>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// The phrase of a status code that this server gives (RFC 9110, 15).
std::string_view reason_phrase(unsigned code);

/// Appends the whole head, empty line included: status line, `Date`, the node's `Kaiku-*` fields, the answer's own,
/// `Content-Length`, unless the end of the body is not known, and `Connection`.
void write_reply_head(const response& what, const node_view& node, int request_version, bool keep, std::string& out);

}  // namespace kaiku
