#pragma once

/// Purpose: where to listen or connect, and how a person writes it. Looks nothing up. Thread: pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include "kaiku/core/error.hpp"

namespace kaiku {

/// `host` is an IPv4 or IPv6 address (without brackets) or a name; `port` is never 0.
struct endpoint {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// `host:port`, with brackets round an IPv6 address.
std::string to_string(const endpoint& x);
/// Reads `127.0.0.1:8000`, `[::1]:8000` or `n1.example:8000`. Errors: `bad_request`, saying what is wrong with it.
result<endpoint> parse_endpoint(std::string_view text);
/// True when only this machine reaches it: 127.0.0.0/8, ::1, localhost. Any other name counts as reachable from
/// outside.
bool is_loopback(const endpoint& x);
/// Listens on every address of the machine: 0.0.0.0 or ::.
bool is_any_address(const endpoint& x);

}  // namespace kaiku
