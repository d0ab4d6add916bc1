#include "kaiku/http/server/exchange.hpp"

#include <algorithm>

namespace kaiku {

bool same_token(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view without_space(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::string_view name_of(http_method method) {
  switch (method) {
    case http_method::get: return "GET";
    case http_method::head: return "HEAD";
    case http_method::put: return "PUT";
    case http_method::post: return "POST";
    case http_method::patch: return "PATCH";
    case http_method::remove: return "DELETE";
    case http_method::options: return "OPTIONS";
    case http_method::other: break;
  }
  return "";
}

std::optional<std::string_view> request::header(std::string_view name) const {
  for (const auto& field : fields)
    if (same_token(field.name, name)) return field.value;
  return std::nullopt;
}

void response::add(std::string_view name, std::string_view value) {
  // Two searches: find_first_of() calls memchr for every character.
  INVARIANT(value.find('\r') == std::string_view::npos && value.find('\n') == std::string_view::npos,
            "a line break in an answer's field");
  fields.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace kaiku
