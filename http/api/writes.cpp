// GET /writes/{token}: what became of a write.

#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {

task<response> show_write(exchange& ex) {
  auto none = query_parameters::parse(ex.query, {});
  if (!none) co_return problem(none.failure());
  const auto token = parse_write_token(ex.segment);
  if (!token) co_return problem({errc::bad_request, "this is not a token that a write was answered with"});
  auto fate = co_await ask<result<write_status>>(ex, [&](auto done) { ex.node.find_write(*token, std::move(done)); });
  if (!fate) co_return problem(fate.failure());
  const bool kept = fate->what == write_status::fate::set_aside && ex.node.set_aside_at(token->at).ok();
  const json document{{"token", to_string(*token)},
                      {"status", to_string(fate->what)},
                      {"holders", fate->holders},
                      {"voters", fate->voters},
                      {"kept", kept ? json("/set-aside/" + to_string(*token)) : json(nullptr)}};
  co_return json_answer(200, document);
}

}  // namespace kaiku
