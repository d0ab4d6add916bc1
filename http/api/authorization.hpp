#pragma once

/// Purpose: takes the token out of an Authorization field. Thread: pure functions.

#include <optional>
#include <string>
#include <string_view>

namespace kaiku {

/// Of `Bearer` (RFC 6750, 2.1), or the password of `Basic`, whatever the user is called (RFC 7617, 2). Empty: it shows
/// none. What it gives is a client's text and may hold anything.
std::optional<std::string> token_shown(std::string_view authorization);

}  // namespace kaiku
