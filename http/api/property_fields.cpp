#include "kaiku/http/api/property_fields.hpp"

#include <algorithm>
#include <charconv>

#include "kaiku/http/api/http_date.hpp"
#include "kaiku/http/api/json.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku {
namespace {

constexpr std::string_view metadata_prefix = "Kaiku-Meta-";

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

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

/// Codings in the order applied. `identity` is none (RFC 9110, 8.4.1).
result<std::string> stored_coding(std::string_view given) {
  if (given.empty() || same_token(given, "identity")) return std::string();
  for (auto rest = given; !rest.empty();) {
    const auto end = std::min(rest.find(','), rest.size());
    const auto coding = without_space(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (coding.empty() || !std::all_of(coding.begin(), coding.end(), is_token_char))
      return {errc::bad_request, "Content-Encoding is not a list of content codings"};
  }
  return std::string(given);
}

/// The leader makes a time of it when the change is made: not this node, and not before a body that takes long.
result<milliseconds> in_seconds(std::uint64_t seconds) {
  if (seconds == 0 || seconds > limits::ttl_most_seconds)
    return {errc::bad_request, "a ttl is a number of seconds from 1 to " + std::to_string(limits::ttl_most_seconds)};
  return milliseconds{static_cast<std::int64_t>(seconds) * 1000};
}

result<milliseconds> parse_ttl(std::string_view text) {
  std::uint64_t seconds = 0;
  auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return in_seconds(failed == std::errc{} && stop == text.data() + text.size() ? seconds : 0);
}

/// A member that is a text, or null, which stands for an empty one.
result<std::string> text_or_null(const json& value, const char* name) {
  if (value.is_null()) return std::string();
  if (!value.is_string()) return {errc::bad_request, std::string(name) + " is a string or null"};
  return value.get<std::string>();
}

status read_metadata(const json& value, properties_patch& out) {
  if (value.is_null()) {
    out.no_metadata = true;
    return success();
  }
  if (!value.is_object()) return {errc::bad_request, "metadata is an object of strings, or of null for what is to go"};
  for (const auto& [name, one] : value.items()) {
    if (!one.is_string() && !one.is_null()) return {errc::bad_request, "metadata " + name + " is a string or null"};
    out.metadata.emplace_back(lower(name),
                              one.is_null() ? std::nullopt : std::optional<std::string>(one.get<std::string>()));
  }
  std::sort(out.metadata.begin(), out.metadata.end());
  return success();
}

status read_member(const std::string& name, const json& value, properties_patch& out) {
  if (name == "metadata") return read_metadata(value, out);
  if (name == "ttl") {
    if (value.is_null()) {
      out.expires.emplace();
      return success();
    }
    auto ttl = in_seconds(value.is_number_unsigned() ? value.get<std::uint64_t>() : 0);
    if (!ttl) return ttl.failure();
    out.ttl = *ttl;
    return success();
  }
  if (name != "content_type" && name != "content_encoding")
    return {errc::bad_request, "not a member of this object: " + name};
  auto text = text_or_null(value, name.c_str());
  if (!text) return text.failure();
  auto stored = name == "content_type" ? stored_type(*text) : stored_coding(*text);
  if (!stored) return stored.failure();
  (name == "content_type" ? out.content_type : out.content_encoding) = std::move(*stored);
  return success();
}

}  // namespace

result<std::string> stored_type(std::string_view given) {
  if (given.empty()) return std::string("application/octet-stream");
  if (given.size() > limits::content_type_bytes || !is_media_type(given))
    return {errc::bad_request, "Content-Type is not a media type of at most 255 bytes"};
  return std::string(given);
}

result<std::optional<milliseconds>> ttl_of(const request& in, const query_parameters& query) {
  auto field = in.header("Kaiku-TTL"), parameter = query.get("ttl");
  if (field && parameter && *field != *parameter) return {errc::bad_request, "Kaiku-TTL and ?ttl= differ"};
  if (!field && !parameter) return std::optional<milliseconds>{};
  auto ttl = parse_ttl(field ? *field : *parameter);
  if (!ttl) return ttl.failure();
  return std::optional<milliseconds>(*ttl);
}

result<file_properties> properties_of(const request& in, const query_parameters& query) {
  file_properties out;
  auto type = stored_type(in.header("Content-Type").value_or(""));
  if (!type) return type.failure();
  auto coding = stored_coding(in.header("Content-Encoding").value_or(""));
  if (!coding) return coding.failure();
  auto ttl = ttl_of(in, query);
  if (!ttl) return ttl.failure();
  out.content_type = std::move(*type);
  out.content_encoding = std::move(*coding);
  out.ttl = *ttl;
  for (const auto& field : in.fields)
    if (field.name.size() > metadata_prefix.size() &&
        same_token(field.name.substr(0, metadata_prefix.size()), metadata_prefix))
      out.metadata.emplace_back(lower(field.name.substr(metadata_prefix.size())), field.value);
  std::sort(out.metadata.begin(), out.metadata.end());
  auto fine = check(out);
  if (!fine) return fine.failure();
  return out;
}

result<properties_patch> parse_properties_patch(std::string_view text) {
  auto document = parse_object(text);
  if (!document) return document.failure();
  properties_patch out;
  for (const auto& [name, value] : document->items()) {
    auto read = read_member(name, value, out);
    if (!read) return read.failure();
  }
  auto fine = check(out);
  if (!fine) return fine.failure();
  return out;
}

void add_properties(response& out, const file_properties& x) {
  if (!x.content_encoding.empty()) out.add("Content-Encoding", x.content_encoding);
  for (const auto& [name, value] : x.metadata) out.add(std::string(metadata_prefix) + name, value);
  if (x.expires) out.add("Kaiku-Expires", format_http_date(*x.expires));
}

}  // namespace kaiku
