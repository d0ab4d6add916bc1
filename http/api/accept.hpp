#pragma once

/// Purpose: what a client wants to be answered with (RFC 9110, 12.5.1). Thread: pure functions.

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// True when Accept gives `text/html` more weight than `application/json`, as browsers do. Without Accept, and when it
/// weighs both the same, JSON is what a program expects.
bool prefers_html(const request& in);

}  // namespace kaiku
