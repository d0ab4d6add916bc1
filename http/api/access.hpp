#pragma once

/// Purpose: who a request comes from, and whether they may do what it asks (RFC 6750; RFC 7617 with the token as
/// password). Thread: the session's.

#include <optional>
#include <string_view>

#include "kaiku/core/command.hpp"
#include "kaiku/http/api/router.hpp"

namespace kaiku {

/// The answer to a request that is refused; sets `exchange::who`. `to`: null when there is no such resource, which only
/// who has a token is told. `allow`: for a browser's preflight, which carries no token.
std::optional<response> check_access(exchange& ex, const route* to, std::string_view allow);
/// Whether a request that was let in, and has no end, would be let in now: a token expires, and is taken away.
bool still_allowed(exchange& ex, permission needs);
/// The answer when who asks may not reach everything that a change names, also where its target does not say so.
std::optional<response> check_reach(const exchange& ex, const command& what);
/// The logger of `audit`, if there is one by this name; else the default one.
inline constexpr char audit_log[] = "audit";
/// A line for every change and every backup that was asked for, done or refused.
void audit(const exchange& ex, unsigned code);

}  // namespace kaiku
