// POST ?op=append under /files: what stands there, and the body behind it, become the file's next version.

#include "kaiku/http/api/change.hpp"
#include "kaiku/http/api/conditions.hpp"
#include "kaiku/http/api/digest_field.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/property_fields.hpp"
#include "kaiku/http/api/request_name.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

struct append_plan {
  change asked;
  bool make_parents = true;
  file_properties properties;  ///< of a new file
  std::vector<digest> promised;
  std::string first;      ///< the body, or its begin
  bool all_read = false;  ///< `first` is all of it
};

result<append_plan> plan_append(const exchange& ex) {
  auto asked = parse_change(ex, {"op", "parents", "ttl", "durability"});
  if (!asked) return asked.failure();
  if (asked->where.path.is_root()) return {errc::is_a_directory, "the root directory is no file"};
  if (asked->where.trailing_slash) return {errc::invalid_path, "a file's path does not end in '/'"};
  auto parents = asked->query.flag("parents", true);
  if (!parents) return parents.failure();
  auto properties = properties_of(ex.in, asked->query);
  if (!properties) return properties.failure();
  auto promised = promised_digests(ex.in);
  if (!promised) return promised.failure();
  return append_plan{std::move(*asked), *parents, std::move(*properties), std::move(*promised), {}, false};
}

/// The content at hand, and the body behind it; hashes the body.
class appended_body final : public request_body {
 public:
  appended_body(opened_content before, const append_plan& plan, request_body& rest)
      : before_(std::move(before)), plan_(plan), rest_(rest) {
    hash_.add(plan.first);
  }

  std::optional<std::uint64_t> length() const override {
    if (!plan_.all_read) return std::nullopt;
    return *before_.length() + plan_.first.size();
  }
  task<result<std::string>> read(std::size_t max) override {
    auto piece = co_await before_.read(max);
    if (!piece || !piece->empty()) co_return piece;
    piece = plan_.first.substr(at_, max);
    at_ += piece->size();
    if (!piece->empty() || plan_.all_read) co_return piece;
    piece = co_await rest_.read(max);
    if (piece) hash_.add(*piece);
    co_return piece;
  }
  /// Of the body, once all is read.
  digest body_digest() { return hash_.finish(); }

 private:
  content_body before_;
  const append_plan& plan_;
  request_body& rest_;
  std::size_t at_ = 0;
  running_digest hash_;
};

/// What an attempt came to.
struct attempt {
  enum class end { answered, overtaken };
  end how = end::answered;
  response answer;
};

attempt answered(response with) {
  return {attempt::end::answered, std::move(with)};
}
attempt overtaken() {
  return {attempt::end::overtaken, {}};
}

/// Makes the whole next version and proposes it in place of `there` only; `there` null: of nothing. Not `allowed`: only
/// for the leader to see that it knows the request, and to give its first answer again.
task<attempt> propose(exchange& ex, append_plan& plan, const file_info* there, opened_content before, bool allowed) {
  const auto& path = plan.asked.where.path;
  put_file file{path, {}, there != nullptr ? there->properties : plan.properties, {}, plan.make_parents};
  client_write write;
  write.want = plan.asked.write.want;
  if (!allowed) {
    write.when.if_match.emplace_back("\"\"");  // nothing's tag
  } else if (there != nullptr) {
    write.when.if_match.push_back(there->etag());
  } else {
    write.when.if_none_match_any = true;
  }
  appended_body body(std::move(before), plan, ex.body);
  const std::vector<digest> none;  // the promises are of the body alone
  auto taken = co_await take_content(ex, body, none, file, write);
  if (!taken) co_return answered(problem(taken.failure()));
  const auto sent = body.body_digest();
  auto kept = check_promises(plan.promised, sent);
  if (!kept) co_return answered(problem(kept.failure()));
  write.what = std::move(file);
  if (plan.asked.name) {
    const put_file said{path, {}, plan.properties, {}, plan.make_parents};
    name_change(write.what, ex, *plan.asked.name, sent, said);
  }
  auto outcome =
      co_await ask<result<write_outcome>>(ex, [&](auto done) { ex.node.write(std::move(write), std::move(done)); });
  ex.sending.reset();
  if (allowed && !outcome && outcome.failure().code == errc::precondition_failed) co_return overtaken();
  if (!outcome) co_return answered(problem(outcome.failure()));
  co_return answered(write_answer(*outcome, path, true));
}

/// Reads what is there as `how` says, and appends to it. `behind`: that may be old.
task<attempt> try_append(exchange& ex, append_plan& plan, const freshness& how, bool behind) {
  auto view = co_await ask<result<std::shared_ptr<const file_view>>>(
      ex, [&](auto done) { ex.node.read(how, std::move(done)); });
  if (!view) co_return answered(problem(view.failure()));
  auto info = (*view)->stat(plan.asked.where.path);
  const bool absent = !info && info.failure().code == errc::not_found;
  const bool in_the_way = info ? info->is_directory() : !absent;
  if (behind && in_the_way) co_return overtaken();
  if (!info && !absent) co_return answered(problem(info.failure()));
  if (info && info->is_directory())
    co_return answered(problem({errc::is_a_directory, "a directory stands here; nothing can be appended to it"}));
  const auto* there = absent ? nullptr : &*info;
  const bool allowed = check_precondition(plan.asked.write.when, there).ok();
  if (!allowed) {
    if (behind) co_return overtaken();
    // A request that is repeated has itself changed what its condition was about.
    if (!plan.asked.name)
      co_return answered(problem(
          {errc::precondition_failed, there == nullptr ? "nothing is there" : "the file's ETag is " + there->etag()}));
  }
  opened_content before;
  if (there != nullptr) {
    auto opened = ex.node.open(there->content);
    const bool gone =
        !opened && (opened.failure().code == errc::not_found || opened.failure().code == errc::content_missing);
    if (gone) co_return overtaken();
    if (!opened) co_return answered(problem(opened.failure()));
    before = std::move(*opened);
  }
  auto done = co_await propose(ex, plan, there, std::move(before), allowed);
  co_return done;
}

}  // namespace

task<response> append_path(exchange& ex) {
  auto plan = plan_append(ex);
  if (!plan) co_return problem(plan.failure());
  auto first = co_await read_up_to(ex, ex.body, limits::http_append_bytes + 1);
  if (!first) co_return problem(first.failure());
  plan->first = std::move(*first);
  plan->all_read = plan->first.size() <= limits::http_append_bytes;
  // What can be tried again begins with what is at hand; the leader would tell if it was overtaken.
  const bool leads = ex.node.view().now == role::leader;
  freshness how{plan->all_read || leads ? consistency::any : consistency::linearizable, {}, {}};
  for (std::size_t left = plan->all_read ? limits::http_append_attempts : 1; left > 0; --left) {
    const bool behind = how.level == consistency::any && !leads;
    auto done = co_await try_append(ex, *plan, how, behind);
    if (done.how == attempt::end::answered) co_return std::move(done.answer);
    how.level = consistency::linearizable;
  }
  co_return problem({409, "busy", "The file changes too often"},
                    "others changed the file while this was being appended; try again");
}

}  // namespace kaiku
