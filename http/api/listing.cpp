// GET on a directory under /files.

#include <charconv>

#include "kaiku/http/api/accept.hpp"
#include "kaiku/http/api/conditions.hpp"
#include "kaiku/http/api/digest_field.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/api/listing_html.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/target.hpp"

namespace kaiku {
namespace {

json describe(const directory_entry& entry) {
  const auto& info = entry.info;
  json out{{"name", entry.name}, {"type", info.is_directory() ? "directory" : "file"}};
  if (!info.is_directory()) out["size"] = info.content.size.value;
  out["etag"] = info.etag();
  out["modified"] = format_rfc3339(info.modified);
  if (info.is_directory()) return out;
  const auto& more = info.properties;
  out["content_type"] = more.content_type.empty() ? "application/octet-stream" : more.content_type;
  if (!more.content_encoding.empty()) out["content_encoding"] = more.content_encoding;
  if (more.expires) out["expires"] = format_rfc3339(*more.expires);
  for (const auto& [name, value] : more.metadata) out["metadata"][name] = value;
  return out;
}

/// A listing has no date, since a change below leaves its directory as it is; its tag names its bytes. The tag is weak,
/// so that nobody takes it for the directory's own in a change.
response with_validator(const request& in, response listing) {
  std::string etag = "W/\"" + to_string(sha256_of(listing.body)).substr(0, 32) + "\"";
  auto verdict = check_read(in, etag, std::nullopt);
  if (!verdict) return problem(verdict.failure());
  if (*verdict == read_verdict::failed)
    return problem({errc::precondition_failed, "the listing's ETag is " + etag + ", which is weak: no tag matches it"});
  if (*verdict == read_verdict::not_modified) {
    listing.status = 304;
    listing.body.clear();
  }
  listing.add("ETag", etag);
  return listing;
}

response json_listing(const file_path& path, const directory_page& page) {
  json entries = json::array();
  for (const auto& entry : page.entries) entries.push_back(describe(entry));
  json document{{"path", "/" + path.text()}, {"entries", std::move(entries)}, {"next", nullptr}};
  if (page.more) document["next"] = page.next;
  return json_answer(200, document, "no-cache");
}

/// What the query of the next page repeats.
std::string kept_query(const query_parameters& query) {
  std::string out;
  for (std::string_view name : {"limit", "prefix", "recursive", "consistency", "token"})
    if (auto value = query.get(name)) out.append(name).append("=").append(percent_encode_path(*value)).append("&");
  return out;
}

}  // namespace

result<std::size_t> parse_limit(std::optional<std::string_view> text, std::size_t most) {
  if (!text) return most;
  std::size_t value = 0;
  auto [stop, failed] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (failed != std::errc{} || stop != text->data() + text->size() || value == 0 || value > most)
    return {errc::bad_request, "limit is a number from 1 to " + std::to_string(most)};
  return value;
}

response list_directory(exchange& ex, const file_view& from, const file_target& where, const query_parameters& query) {
  const bool browser = prefers_html(ex.in);
  if (browser && !where.trailing_slash) return to_trailing_slash(where.path, ex.query);
  auto limit = parse_limit(query.get("limit"), ex.settings.max_listing_page);
  if (!limit) return problem(limit.failure());
  auto recursive = query.flag("recursive", false);
  if (!recursive) return problem(recursive.failure());
  const list_filter what{std::string(query.get("prefix").value_or("")), *recursive};
  auto page = from.list(where.path, query.get("after").value_or(""), *limit, what);
  if (!page) return problem(page.failure());
  auto listing = browser ? html_listing(where.path, *page, kept_query(query)) : json_listing(where.path, *page);
  listing.add("Vary", "Accept");
  return with_validator(ex.in, std::move(listing));
}

}  // namespace kaiku
