// GET on a directory under /files.

#include <charconv>

#include "kaiku/http/api/conditions.hpp"
#include "kaiku/http/api/handlers.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/http/api/json.hpp"
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
  if (!info.is_directory())
    out["content_type"] =
        info.properties.content_type.empty() ? "application/octet-stream" : info.properties.content_type;
  return out;
}

}  // namespace

result<std::size_t> parse_limit(std::optional<std::string_view> text) {
  if (!text) return limits::listing_page;
  std::size_t value = 0;
  auto [stop, failed] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (failed != std::errc{} || stop != text->data() + text->size() || value == 0 || value > limits::listing_page)
    return {errc::bad_request, "limit is a number from 1 to " + std::to_string(limits::listing_page)};
  return value;
}

response list_directory(exchange& ex, const file_view& from, const file_path& path, const file_info& info,
                        const query_parameters& query) {
  auto limit = parse_limit(query.get("limit"));
  if (!limit) return problem(limit.failure());
  // A listing has no validators: `*` matches it, a tag does not, and dates are passed over.
  auto verdict = ex.in.header("If-Match") || ex.in.header("If-None-Match")
                     ? check_read(ex.in, {}, info.modified)
                     : result<read_verdict>(read_verdict::proceed);
  if (!verdict) return problem(verdict.failure());
  if (*verdict == read_verdict::failed) return problem({errc::precondition_failed, "a listing has no ETag"});
  if (*verdict == read_verdict::not_modified) {
    response out;
    out.status = 304;
    return out;
  }
  auto page = from.list(path, query.get("after").value_or(""), *limit);
  if (!page) return problem(page.failure());
  json entries = json::array();
  for (const auto& entry : page->entries) entries.push_back(describe(entry));
  json document{{"path", "/" + path.text()}, {"entries", std::move(entries)}, {"next", nullptr}};
  if (page->more) document["next"] = page->next;
  return json_answer(200, document);
}

}  // namespace kaiku
