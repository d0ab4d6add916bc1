// GET and HEAD under /files: content, and the way to listings.

#include <openssl/rand.h>

#include <array>

#include "kaiku/core/wall_clock.hpp"
#include "kaiku/http/api/conditions.hpp"
#include "kaiku/http/api/digest_field.hpp"
#include "kaiku/http/api/freshness.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/property_fields.hpp"
#include "kaiku/http/api/range.hpp"
#include "kaiku/http/api/target.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

/// Stored content is anybody's: in a browser it may show itself, but run nothing, load nothing from elsewhere, and has
/// no origin.
constexpr std::string_view content_policy =
    "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'";

void add_validators(response& out, const file_info& info, std::string_view etag) {
  out.add("ETag", etag);
  out.add("Last-Modified", format_http_date(info.modified));
  out.add("Cache-Control", "no-cache");
}

const std::string& type_of(const file_info& info) {
  static const std::string unknown = "application/octet-stream";
  return info.properties.content_type.empty() ? unknown : info.properties.content_type;
}

void add_content_fields(response& out, const file_path& path, const file_info& info) {
  out.add("Accept-Ranges", "bytes");
  add_properties(out, info.properties);
  out.add("Content-Disposition", "inline; filename*=UTF-8''" + percent_encode_path(path.name()));
  out.add("X-Content-Type-Options", "nosniff");
  out.add("Content-Security-Policy", content_policy);
}

/// What stands between the parts of an answer: long enough that no content holds it, whoever wrote it.
std::string new_boundary() {
  std::array<unsigned char, 16> random{};
  INVARIANT(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1, "no random numbers");
  std::string out;
  for (auto byte : random) {
    out.push_back("0123456789abcdef"[byte >> 4]);
    out.push_back("0123456789abcdef"[byte & 15]);
  }
  return out;
}

/// Fills in a 206: one range as it is, several as `multipart/byteranges` (RFC 9110, 14.6).
void add_parts(response& out, const std::vector<byte_range>& ranges, const file_info& info) {
  const auto size = info.content.size.value;
  out.status = 206;
  if (ranges.size() == 1) {
    out.add("Content-Type", type_of(info));
    out.add("Content-Range", content_range(ranges.front(), size));
    out.parts.push_back({{}, ranges.front().first, ranges.front().length});
    out.length = ranges.front().length;
    return;
  }
  const auto boundary = new_boundary();
  out.add("Content-Type", "multipart/byteranges; boundary=" + boundary);
  std::string start = "--" + boundary;
  out.length = 0;
  for (const auto& range : ranges) {
    auto head =
        start + "\r\nContent-Type: " + type_of(info) + "\r\nContent-Range: " + content_range(range, size) + "\r\n\r\n";
    *out.length += head.size() + range.length;
    out.parts.push_back({std::move(head), range.first, range.length});
    start = "\r\n--" + boundary;
  }
  out.body = start + "--\r\n";
  *out.length += out.body.size();
}

/// Brings the content to the parts: a reader for the session, or the bytes.
void attach(response& out, opened_content& content) {
  if (content.file) {
    out.file = std::move(content.file);
    return;
  }
  if (out.status == 200) {
    out.body = std::move(content.bytes);
    out.parts.clear();
    return;
  }
  std::string body;
  for (const auto& part : out.parts) body.append(part.head).append(content.bytes, part.offset, part.length);
  out.body = std::move(body) + out.body;
  out.parts.clear();
  out.length.reset();
}

response content_answer(exchange& ex, const file_path& path, const file_info& info, opened_content* content) {
  response out;
  const auto size = info.content.size.value;
  const auto etag = info.etag();
  range_set ranges;
  auto asked = ex.in.header("Range");
  if (asked && ex.in.method == http_method::get && if_range_holds(ex.in, etag, info.modified, wall_clock()))
    ranges = parse_ranges(*asked, size, ex.settings.max_ranges);
  if (ranges.which == range_set::kind::unsatisfiable) {
    out = problem({errc::range_not_satisfiable, "the content has " + std::to_string(size) + " bytes"});
    out.add("Content-Range", "bytes */" + std::to_string(size));
    return out;
  }
  const auto wishes = wanted_digests(ex.in);
  add_validators(out, info, etag);
  add_content_fields(out, path, info);
  if (wishes.repr) out.add("Repr-Digest", digest_field(info.content.sha256));
  const bool whole = ranges.which == range_set::kind::whole;
  if (!whole) {
    add_parts(out, ranges.parts, info);
  } else {
    out.add("Content-Type", type_of(info));
    if (size > 0) out.parts.push_back({{}, 0, size});
    out.length = size;
  }
  if (content != nullptr) attach(out, *content);
  // Of a part of large content it would take a second reading; the field may be left out (RFC 9530, 4).
  if (wishes.content && whole) out.add("Content-Digest", digest_field(info.content.sha256));
  if (wishes.content && !whole && !out.file) out.add("Content-Digest", digest_field(sha256_of(out.body)));
  return out;
}

}  // namespace

response read_file(exchange& ex, const file_path& path, const file_info& info, opened_content* content) {
  const auto etag = info.etag();
  auto verdict = check_read(ex.in, etag, info.modified);
  if (!verdict) return problem(verdict.failure());
  if (*verdict == read_verdict::failed) return problem({errc::precondition_failed, "the file's ETag is " + etag});
  if (*verdict == read_verdict::not_modified) {
    response out;
    out.status = 304;
    add_validators(out, info, etag);
    return out;
  }
  return content_answer(ex, path, info, content);
}

namespace {

bool is_gone(errc code) {
  return code == errc::not_found || code == errc::content_missing;
}

struct asked_read {
  file_target where;
  query_parameters query;
  freshness how;
};

result<asked_read> parse_read(const exchange& ex) {
  auto where = parse_file_target(ex);
  if (!where) return where.failure();
  asked_read out{std::move(*where), {}, {}};
  if (!ex.query.empty()) {
    auto query = query_parameters::parse(ex.query, {"limit", "after", "prefix", "recursive", "consistency", "token"});
    if (!query) return query.failure();
    out.query = std::move(*query);
  }
  auto how = parse_freshness(ex.in, out.query);
  if (!how) return how.failure();
  out.how = *how;
  return out;
}

/// The answer as `from` shows the path. Fails when the content is gone since: look again.
result<response> try_read(exchange& ex, const file_view& from, const asked_read& asked) {
  auto info = from.stat(asked.where.path);
  if (!info) return problem(info.failure());
  if (info->is_directory()) return list_directory(ex, from, asked.where, asked.query);
  if (asked.where.trailing_slash)
    return problem({errc::not_found, "a file stands here, and the path asks for a directory"});
  for (auto name : {"limit", "after", "prefix", "recursive"})
    if (asked.query.get(name))
      return problem({errc::bad_request, std::string("a file stands here; ") + name + " is for listings"});
  if (ex.in.method == http_method::head) return read_file(ex, asked.where.path, *info, nullptr);
  auto content = ex.node.open(info->content);
  if (content) return read_file(ex, asked.where.path, *info, &*content);
  if (is_gone(content.failure().code)) return content.failure();
  return problem(content.failure());
}

/// What the answer will be made of. Of a query that is refused, no page.
file_question question_of(const exchange& ex, const asked_read& asked) {
  file_question out{asked.where.path, {}, 0, {}};
  const auto limit = parse_limit(asked.query.get("limit"), ex.settings.max_listing_page);
  const auto recursive = asked.query.flag("recursive", false);
  if (!limit.ok() || !recursive.ok()) return out;
  out.limit = *limit;
  out.after = asked.query.get("after").value_or("");
  out.what = {std::string(asked.query.get("prefix").value_or("")), *recursive};
  return out;
}

task<response> read_path_waiting(exchange& ex) {
  auto asked = parse_read(ex);
  if (!asked) co_return problem(asked.failure());
  const auto question = question_of(ex, *asked);
  for (std::size_t attempt = 1;; ++attempt) {
    auto view = co_await ask<result<std::shared_ptr<const file_view>>>(
        ex, [&](auto done) { ex.node.look_up(asked->how, question, std::move(done)); });
    if (!view) co_return problem(view.failure());
    auto answer = try_read(ex, **view, *asked);
    if (!answer && attempt < limits::http_open_attempts) continue;
    if (!answer) co_return problem(answer.failure());
    if (asked->how.level != consistency::any) answer->add("Kaiku-Consistency", to_string(asked->how.level));
    co_return std::move(*answer);
  }
}

}  // namespace

result<file_target> parse_file_target(const exchange& ex) {
  auto rest = ex.path.substr(std::string_view{"/files"}.size());
  auto path = file_path::parse_percent_encoded(rest);
  if (!path) return path.failure();
  return file_target{std::move(*path), rest.ends_with('/')};
}

routed read_path(exchange& ex) {
  auto asked = parse_read(ex);
  if (!asked) return problem(asked.failure());
  if (asked->how.level != consistency::any || ex.node.fetches()) return read_path_waiting;
  for (std::size_t attempt = 1;; ++attempt) {
    auto answer = try_read(ex, ex.node, *asked);
    if (answer) return std::move(*answer);
    if (attempt == limits::http_open_attempts) return problem(answer.failure());
  }
}

}  // namespace kaiku
