#pragma once

/// Purpose: a file's properties as HTTP says them: fields of a request and of an answer, and merge patches (RFC 7396).
/// Thread: pure functions, but for the clock.

#include "kaiku/core/properties.hpp"
#include "kaiku/http/api/target.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// The type that is stored with content that came with `given`. Errors: `bad_request`.
result<std::string> stored_type(std::string_view given);

/// From `Content-Type`, `Content-Encoding`, `Kaiku-Meta-...` and `Kaiku-TTL` or `?ttl=`. Errors: `bad_request`.
result<file_properties> properties_of(const request& in, const query_parameters& query);

/// How long a file stays, in `Kaiku-TTL` or `?ttl=`, from when the change is made; empty: for good. Errors:
/// `bad_request`.
result<std::optional<milliseconds>> ttl_of(const request& in, const query_parameters& query);

/// Reads a merge patch with the members `content_type`, `content_encoding`, `metadata` and `ttl`. Errors:
/// `bad_request`.
result<properties_patch> parse_properties_patch(std::string_view text);

/// All but the content type, which stands elsewhere in an answer of several parts.
void add_properties(response& out, const file_properties& x);

}  // namespace kaiku
