#pragma once

/// Purpose: which handler answers which request: the one list of routes, which the OpenAPI document repeats.
/// Thread: any; handlers run on the session's thread.

#include <span>
#include <string_view>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// Answers at once. HEAD comes here as GET does: the session leaves the body out.
using read_handler = response (*)(exchange&);
/// Answers after the body was read or the node was asked.
using write_handler = task<response> (*)(exchange&);

struct route {
  std::string_view pattern;  ///< as OpenAPI writes it; `{path}` at the end stands for any rest, also none
  read_handler read = nullptr;
  write_handler put = nullptr;
  write_handler post = nullptr;
  write_handler remove = nullptr;
};

std::span<const route> routes();

/// The methods a route knows, as `Allow` lists them.
std::string allowed_methods(const route& one);

/// Either an answer, or the handler that will give it.
struct routed {
  response now;
  write_handler later = nullptr;
};
routed route_request(exchange& ex);

}  // namespace kaiku
