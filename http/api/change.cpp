#include "kaiku/http/api/change.hpp"

#include <algorithm>

#include "kaiku/http/api/digest_field.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

/// 204 for what was there before, 201 for what is new; 202 when less is known durable than was asked for.
response write_answer(const write_outcome& outcome, const file_path& path, bool gives_file) {
  response out;
  out.status = outcome.created ? 201 : 204;
  out.add("Kaiku-Token", to_string(outcome.token));
  out.add("Kaiku-Durability", to_string(outcome.achieved));
  out.add("Kaiku-Replicas", std::to_string(outcome.holders) + "/" + std::to_string(outcome.voters));
  if (gives_file) {
    out.add("ETag", outcome.file.etag());
    out.add("Last-Modified", format_http_date(outcome.file.modified));
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

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

/// `type/subtype`, with parameters of printable ASCII behind it: it is sent back as a header field.
bool is_media_type(std::string_view text) {
  auto end = std::min(text.find(';'), text.size());
  auto essence = text.substr(0, end);
  while (essence.ends_with(' ') || essence.ends_with('\t')) essence.remove_suffix(1);
  auto slash = essence.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == essence.size()) return false;
  auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
  return std::all_of(essence.begin(), essence.begin() + static_cast<std::ptrdiff_t>(slash), is_token_char) &&
         std::all_of(essence.begin() + static_cast<std::ptrdiff_t>(slash) + 1, essence.end(), is_token_char) &&
         std::all_of(text.begin(), text.end(), printable);
}

status check_promises(const std::vector<digest>& promised, const digest& actual) {
  for (const auto& one : promised)
    if (one != actual) return {errc::digest_mismatch, "the body's digest is " + digest_field(actual)};
  return success();
}

}  // namespace

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

task<status> take_content(exchange& ex, request_body& from, const std::vector<digest>& promised, put_file& file,
                          client_write& write) {
  const auto length = from.length();
  std::string first;
  if (!length || *length <= limits::small_content_bytes) {
    while (first.size() <= limits::small_content_bytes) {
      auto read = co_await from.read(limits::small_content_bytes + 1 - first.size());
      if (ex.abandoned) throw session_abandoned{};
      if (!read) co_return read.failure();
      if (read->empty()) break;
      first += *read;
    }
    if (first.size() <= limits::small_content_bytes) {
      if (!promised.empty()) {
        auto kept = check_promises(promised, sha256_of(first));
        if (!kept) co_return kept;
      }
      write.small_content = std::move(first);
      co_return success();
    }
  }
  auto named = co_await stream_content(ex, from, std::move(first));
  if (!named) co_return named.failure();
  file.content = *named;
  co_return check_promises(promised, named->sha256);
}

result<std::string> stored_type(std::string_view given) {
  if (given.empty()) return std::string("application/octet-stream");
  if (given.size() > limits::content_type_bytes || !is_media_type(given))
    return {errc::bad_request, "Content-Type is not a media type of at most 255 bytes"};
  return std::string(given);
}

task<response> send_change(exchange& ex, client_write write, file_path path, bool gives_file) {
  if (ex.abandoned) throw session_abandoned{};
  auto outcome =
      co_await ask<result<write_outcome>>(ex, [&](auto done) { ex.node.write(std::move(write), std::move(done)); });
  if (!outcome) co_return problem(outcome.failure());
  co_return write_answer(*outcome, path, gives_file);
}

}  // namespace kaiku
