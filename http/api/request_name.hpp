#pragma once

/// Purpose: `Idempotency-Key`: what a client calls a request, so that it can be repeated without changing more.
/// Thread: pure functions.

#include <optional>
#include <string_view>

#include "kaiku/core/command.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// Digest of the name, as it was sent; empty without one. Errors: `bad_request`.
result<std::optional<digest>> request_name(const request& in);

bool names_request(const request& in);

/// For one of several changes that a request makes.
digest name_of_part(const digest& name, std::size_t number);

/// Has the leader know the change by `name`, for the same method, target and `content` only.
void name_change(command& what, const request& in, const digest& name, const digest& content);

}  // namespace kaiku
