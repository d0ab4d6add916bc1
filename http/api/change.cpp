#include "kaiku/http/api/change.hpp"

#include <algorithm>

#include "kaiku/http/api/access.hpp"
#include "kaiku/http/api/conditions.hpp"
#include "kaiku/http/api/digest_field.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/request_name.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
response write_answer(const write_outcome& outcome, const file_path& path, bool gives_file) {
  response out;
  out.status = outcome.created ? 201 : 204;
  out.add("Kaiku-Token", to_string(outcome.token));
  out.add("Kaiku-Durability", to_string(outcome.achieved));
  out.add("Kaiku-Replicas", std::to_string(outcome.holders) + "/" + std::to_string(outcome.voters));
  if (gives_file) {
    out.add("ETag", outcome.file.etag());
    out.add("Last-Modified", format_http_date(outcome.file.modified));
    if (outcome.file.properties.expires) out.add("Kaiku-Expires", format_http_date(*outcome.file.properties.expires));
  }
  if (outcome.achieved >= outcome.asked) return out;
  const json document{
      {"path", "/" + path.text()},
      {"token", to_string(outcome.token)},
      {"asked", to_string(outcome.asked)},
      {"achieved", to_string(outcome.achieved)},
      {"holders", outcome.holders},
      {"voters", outcome.voters},
      {"detail",
       outcome.achieved == durability::leader
           ? "recorded by the leader, but not by as many nodes as asked for within the wait; it is replicated "
             "further, and lost only when the leader fails before that"
           : "recorded by a majority, which keeps it for good, but not by all within the wait; it is "
             "replicated further"}};
  out.status = 202;
  out.add("Content-Type", "application/json");
  out.body = document.dump() + "\n";
  return out;
}

result<change> parse_change(const exchange& ex, std::initializer_list<std::string_view> parameters) {
  auto where = parse_file_target(ex);
  if (!where) return where.failure();
  auto query = query_parameters::parse(ex.query, parameters);
  if (!query) return query.failure();
  auto want = parse_want(ex.in, *query);
  if (!want) return want.failure();
  auto when = write_precondition(ex.in);
  if (!when) return when.failure();
  auto name = request_name(ex.in);
  if (!name) return name.failure();
  change out{std::move(*where), std::move(*query), {}, *name};
  out.write.want = *want;
  out.write.when = std::move(*when);
  return out;
}

response root_problem() {
  return method_problem(root_methods);
}

response slash_problem() {
  return problem({errc::invalid_path, "a file's path does not end in '/'; POST ?op=mkdir makes a directory"});
}

task<result<std::string>> content_body::read(std::size_t max) {
  std::string piece;
  if (!content_.file) {
    piece = content_.bytes.substr(at_, max);
  } else {
    piece.resize(std::min<std::uint64_t>(max, piece_at(at_, content_.size.value - at_)));
    auto read = content_.file->read(at_, piece);
    if (!read) co_return read.failure();
  }
  at_ += piece.size();
  co_return piece;
}

result<std::optional<durability>> parse_want(const request& in, const query_parameters& query) {
  std::optional<durability> want;
  for (auto text : {in.header("Kaiku-Durability"), query.get("durability")}) {
    if (!text) continue;
    auto known = parse_durability(*text);
    if (!known)
      return {errc::bad_request, "durability is 'leader', 'majority' or 'all', not '" + std::string(*text) + "'"};
    if (want && *want != *known) return {errc::bad_request, "Kaiku-Durability and ?durability= differ"};
    want = known;
  }
  return want;
}

task<result<content_ref>> stream_content(exchange& ex, request_body& from, std::string first) {
  if (!ex.upload_place.take(ex.settings.max_uploads_each))
    co_return error{errc::overloaded,
                    "as many uploads of one address as are taken at once are under way; try again shortly"};
  auto opened = co_await ask<result<std::unique_ptr<upload>>>(
      ex, [&](auto done) { ex.node.begin_upload({from.length().value_or(0)}, std::move(done)); });
  if (!opened) co_return opened.failure();
  ex.sending = std::move(*opened);
  std::string piece = std::move(first);
  std::uint64_t size = 0;
  for (;;) {
    if (!piece.empty()) {
      size += piece.size();
      auto ready = co_await ask<status>(ex, [&](auto done) { ex.sending->write(std::move(piece), std::move(done)); });
      if (!ready) co_return ready.failure();
    }
    auto next = co_await from.read(limits::chunk_bytes);
    if (ex.abandoned) throw session_abandoned{};
    if (!next) co_return next.failure();
    if (next->empty()) break;
    piece = std::move(*next);
  }
  auto named = co_await ask<result<content_ref>>(ex, [&](auto done) { ex.sending->finish(std::move(done)); });
  if (named.ok() && named->size.value != size)
    co_return error{errc::corrupt, "the leader received another number of bytes than were sent"};
  co_return named;
}

status check_promises(const std::vector<digest>& promised, const digest& actual) {
  for (const auto& one : promised)
    if (one != actual) return {errc::digest_mismatch, "the body's digest is " + digest_field(actual)};
  return success();
}

task<result<std::string>> read_up_to(exchange& ex, request_body& from, std::size_t most) {
  std::string out;
  while (out.size() < most) {
    auto read = co_await from.read(most - out.size());
    if (ex.abandoned) throw session_abandoned{};
    if (!read) co_return read.failure();
    if (read->empty()) break;
    out += *read;
  }
  co_return out;
}

task<result<digest>> take_content(exchange& ex, request_body& from, const std::vector<digest>& promised, put_file& file,
                                  client_write& write) {
  const auto length = from.length();
  std::string first;
  if (!length || *length <= limits::small_content_bytes) {
    auto read = co_await read_up_to(ex, from, limits::small_content_bytes + 1);
    if (!read) co_return read.failure();
    first = std::move(*read);
    if (first.size() <= limits::small_content_bytes) {
      // The gateway names small content itself.
      const auto actual = promised.empty() && !names_request(ex.in) ? digest{} : sha256_of(first);
      auto kept = check_promises(promised, actual);
      if (!kept) co_return kept.failure();
      write.small_content = std::move(first);
      co_return actual;
    }
  }
  auto named = co_await stream_content(ex, from, std::move(first));
  if (!named) co_return named.failure();
  file.content = *named;
  auto kept = check_promises(promised, named->sha256);
  if (!kept) co_return kept.failure();
  co_return named->sha256;
}

task<response> send_change(exchange& ex, client_write write, file_path path, bool gives_file) {
  if (ex.abandoned) throw session_abandoned{};
  if (auto refused = check_reach(ex, write.what)) co_return std::move(*refused);
  auto outcome =
      co_await ask<result<write_outcome>>(ex, [&](auto done) { ex.node.write(std::move(write), std::move(done)); });
  if (!outcome) co_return problem(outcome.failure());
  co_return write_answer(*outcome, path, gives_file);
}

task<response> send_named(exchange& ex, change asked, command what, file_path path, bool gives_file) {
  if (asked.name) name_change(what, ex, *asked.name, sha256_of({}));
  asked.write.what = std::move(what);
  auto answer = co_await send_change(ex, std::move(asked.write), std::move(path), gives_file);
  co_return answer;
}

}  // namespace kaiku
