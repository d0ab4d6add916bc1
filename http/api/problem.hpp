#pragma once

/// Purpose: errors as problem documents (RFC 9457), and the one table from `errc` to an HTTP status.
/// Thread: pure functions.

#include <string>
#include <string_view>

#include "kaiku/http/server/exchange.hpp"
#include "kaiku/http/server/framing.hpp"

namespace kaiku {

struct problem_kind {
  unsigned status = 500;
  std::string_view code;   ///< stable, for programs
  std::string_view title;  ///< the same for every occurrence
};

/// The status, code and title of an expected failure.
problem_kind kind_of(errc code);

response problem(const problem_kind& kind, std::string_view detail);
/// 503 carries `Retry-After`.
response problem(const error& failure);
/// A request refused by its framing: the connection ends with it.
response refusal_problem(const request_refusal& why);
/// 405 with `Allow`.
response method_problem(std::string_view allow);

}  // namespace kaiku
