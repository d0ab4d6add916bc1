#pragma once

/// Purpose: how fresh a read is asked to be, and what every request may say about itself in `Kaiku-*` fields.
/// Thread: pure functions.

#include <optional>
#include <string>
#include <string_view>

#include "kaiku/http/api/target.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// Checks each value by itself, whatever the resource: what nobody understands is refused rather than passed over.
/// Errors: `bad_request`.
status check_kaiku_fields(const request& in);

/// From `Kaiku-Consistency` or `?consistency=` (any, session, bounded=MS, committed, linearizable) and `Kaiku-Token` or
/// `?token=`. A token alone means `session`. Errors: `bad_request`: unknown values, a field and a parameter that
/// differ, `session` without a token, a token with another level.
result<freshness> parse_freshness(const request& in, const query_parameters& query);

std::string_view to_string(consistency level);

}  // namespace kaiku
