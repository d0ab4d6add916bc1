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

/// Has the leader know the change by `name`, for the same method, target (but for its signature) and `content` and the
/// same command only: what the command says beside its content, when it is complete.
void name_change(command& what, const exchange& ex, const digest& name, const digest& content);
/// The same for a command that depends on what is there: `said` is what the request says of it.
void name_change(command& what, const exchange& ex, const digest& name, const digest& content, command said);

}  // namespace kaiku
