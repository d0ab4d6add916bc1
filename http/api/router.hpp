#pragma once

/// Purpose: which handler answers which request: the one list of routes, which the OpenAPI document repeats.
/// Thread: any; handlers run on the session's thread.

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

/// Answers after the body was read or the node was asked.
using asking_handler = task<response> (*)(exchange&);

/// Either an answer, or the handler that will give it.
struct routed {
  routed(response answer) : now(std::move(answer)) {}        // NOLINT(google-explicit-constructor)
  routed(asking_handler handler) : now(), later(handler) {}  // NOLINT(google-explicit-constructor)

  response now;
  asking_handler later = nullptr;
};

/// Answers at once when it can. HEAD comes here as GET does: the session leaves the body out.
using read_handler = routed (*)(exchange&);

/// What a request needs once access control is on. Nothing goes without it but what is `open`.
enum class permission : std::uint8_t {
  open,     ///< nobody is asked who they are
  any,      ///< any token
  files,    ///< `read`, or `write` for changes, and the path
  outcome,  ///< `read` or `write`: what became of a write
  watch,    ///< `metrics`, or `admin` for changes
  admin,
};

struct route {
  /// As OpenAPI writes it. `{path}` at the end stands for any rest, also none; another name in braces for one segment,
  /// which the handler finds in `exchange::segment`.
  std::string_view pattern;
  permission needs;
  read_handler read = nullptr;
  asking_handler put = nullptr;
  asking_handler post = nullptr;
  asking_handler remove = nullptr;
  asking_handler patch = nullptr;
  bool probe = false;    ///< answered however many requests are under way
  bool audited = false;  ///< to read it is an action of an administrator
};

std::span<const route> routes();

/// A request that changes something: GET, HEAD and OPTIONS do not.
bool is_change(http_method method);

/// The methods a route knows, as `Allow` lists them.
std::string allowed_methods(const route& one);

routed route_request(exchange& ex);

}  // namespace kaiku
