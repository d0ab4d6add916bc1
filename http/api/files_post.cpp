// POST ?op=... under /files: make a directory, move, copy.

#include "kaiku/http/api/change.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/problem.hpp"

namespace kaiku {
namespace {

task<response> make(exchange& ex) {
  auto asked = parse_change(ex, {"op", "parents", "durability"});
  if (!asked) co_return problem(asked.failure());
  const auto path = asked->where.path;
  if (path.is_root()) co_return problem({errc::already_exists, "the root directory is always there"});
  auto parents = asked->query.flag("parents", true);
  if (!parents) co_return problem(parents.failure());
  command what = make_directory{path, {}, *parents};
  auto answer = co_await send_named(ex, std::move(*asked), std::move(what), path, true);
  co_return answer;
}

/// `move_path` or `copy_path`: they say the same.
template <class Transfer>
task<response> transfer(exchange& ex) {
  auto asked = parse_change(ex, {"op", "to", "overwrite", "parents", "durability"});
  if (!asked) co_return problem(asked.failure());
  const auto to_text = asked->query.get("to");
  if (!to_text) co_return problem({errc::bad_request, "?to= says where to"});
  auto to = file_path::parse(*to_text);
  if (!to) co_return problem(to.failure());
  // Whether a directory stands there only the leader knows, and it is not asked that.
  if (asked->where.trailing_slash || to_text->ends_with('/'))
    co_return problem(
        {errc::invalid_path, "what is moved or copied, and its new place, are named without '/' at the end"});
  if (asked->where.path.is_root() || to->is_root())
    co_return problem({errc::invalid_path, "the root directory can't be moved, copied or replaced"});
  auto overwrite = asked->query.flag("overwrite", true), parents = asked->query.flag("parents", true);
  if (!overwrite) co_return problem(overwrite.failure());
  if (!parents) co_return problem(parents.failure());
  Transfer of;
  of.from = asked->where.path;
  of.to = *to;
  of.overwrite = *overwrite;
  of.make_parents = *parents;
  command what = std::move(of);
  auto answer = co_await send_named(ex, std::move(*asked), std::move(what), *to, true);
  if (answer.status < 300) answer.add("Location", "/files/" + percent_encode_path(to->text()));
  co_return answer;
}

}  // namespace

task<response> post_path(exchange& ex) {
  task<response> (*handler)(exchange&) = nullptr;
  const auto op = plain_parameter(ex.query, "op");
  if (!op) handler = post_form;
  if (op == "mkdir") handler = make;
  if (op == "move") handler = transfer<move_path>;
  if (op == "copy") handler = transfer<copy_path>;
  if (op == "append") handler = append_path;
  if (handler == nullptr) co_return problem({errc::bad_request, "op is mkdir, move, copy or append"});
  auto answer = co_await handler(ex);
  co_return answer;
}

}  // namespace kaiku
