#pragma once

/// Purpose: what pages of other origins may do here: nothing, unless `--cors-origin` names them (Fetch, 3.2).
/// Thread: pure functions.

#include <optional>
#include <string_view>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// Answers a preflight of an origin that is allowed; `allow` lists the methods of the resource. Refuses a change that a
/// page of an origin that is not allowed has a browser send: forms need no preflight. Otherwise nothing.
std::optional<response> check_origin(const request& in, const http_settings& settings, std::string_view allow);

/// Whether a page that was loaded from this node had its browser send this: it can't follow to another.
bool is_of_own_page(const request& in);

/// Lets the page that asked see the answer, if its origin is allowed.
void add_cors(const request& in, const http_settings& settings, response& out);

}  // namespace kaiku
