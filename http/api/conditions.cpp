#include "kaiku/http/api/conditions.hpp"

#include <algorithm>

#include "kaiku/http/api/http_date.hpp"

namespace kaiku {
namespace {

/// A list of entity tags, or `*`.
struct tag_list {
  bool any = false;
  std::vector<std::string> tags;  ///< as sent, `W/` included
};

bool is_tag_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

void skip(std::string_view& text, std::string_view which) {
  text.remove_prefix(std::min(text.find_first_not_of(which), text.size()));
}

result<tag_list> parse_tags(std::string_view name, std::string_view text) {
  tag_list out;
  const error malformed{errc::bad_request, std::string(name) + " is neither '*' nor a list of entity tags"};
  if (text == "*") {
    out.any = true;
    return out;
  }
  skip(text, " \t,");
  while (!text.empty()) {
    auto quote = text.starts_with("W/") ? std::size_t{2} : std::size_t{0};
    if (quote >= text.size() || text[quote] != '"') return malformed;
    auto end = quote + 1;
    while (end < text.size() && is_tag_char(text[end])) ++end;
    if (end >= text.size() || text[end] != '"') return malformed;
    if (out.tags.size() >= limits::condition_tags)
      return error{errc::bad_request, std::string(name) + " names too many entity tags"};
    out.tags.emplace_back(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
    skip(text, " \t");
    if (!text.empty() && text.front() != ',') return malformed;
    skip(text, " \t,");
  }
  if (out.tags.empty()) return malformed;
  return out;
}

std::string_view opaque(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  return tag;
}

/// Dates carry whole seconds.
std::int64_t seconds(unix_time_ms at) {
  return at.value / 1000;
}

}  // namespace

result<precondition> write_precondition(const request& in) {
  precondition out;
  auto match = in.header("If-Match"), none_match = in.header("If-None-Match");
  if (match) {
    auto list = parse_tags("If-Match", *match);
    if (!list) return list.failure();
    out.if_match_any = list->any;
    out.if_match = std::move(list->tags);
  } else if (auto since = in.header("If-Unmodified-Since")) {
    out.if_unmodified_since = parse_http_date(*since);
  }
  if (none_match) {
    auto list = parse_tags("If-None-Match", *none_match);
    if (!list) return list.failure();
    out.if_none_match_any = list->any;
    for (const auto& tag : list->tags) out.if_none_match.emplace_back(opaque(tag));
  }
  return out;
}

result<read_verdict> check_read(const request& in, std::string_view etag, std::optional<unix_time_ms> modified) {
  if (auto match = in.header("If-Match")) {
    auto list = parse_tags("If-Match", *match);
    if (!list) return list.failure();
    const bool weak = etag.starts_with("W/");
    if (!list->any && (weak || std::find(list->tags.begin(), list->tags.end(), etag) == list->tags.end()))
      return read_verdict::failed;
  } else if (auto unmodified = in.header("If-Unmodified-Since"); unmodified && modified) {
    auto date = parse_http_date(*unmodified);
    if (date && seconds(*modified) > seconds(*date)) return read_verdict::failed;
  }
  if (auto none_match = in.header("If-None-Match")) {
    auto list = parse_tags("If-None-Match", *none_match);
    if (!list) return list.failure();
    auto same = [&](const std::string& tag) { return opaque(tag) == opaque(etag); };
    if (list->any || std::any_of(list->tags.begin(), list->tags.end(), same)) return read_verdict::not_modified;
  } else if (auto since = in.header("If-Modified-Since"); since && modified) {
    auto date = parse_http_date(*since);
    if (date && seconds(*modified) <= seconds(*date)) return read_verdict::not_modified;
  }
  return read_verdict::proceed;
}

bool if_range_holds(const request& in, std::string_view etag, unix_time_ms modified, unix_time_ms now) {
  auto value = in.header("If-Range");
  if (!value) return true;
  if (value->starts_with('"') || value->starts_with("W/")) return *value == etag;
  auto date = parse_http_date(*value);
  return date && seconds(*date) == seconds(modified) && seconds(now) > seconds(modified);
}

}  // namespace kaiku
