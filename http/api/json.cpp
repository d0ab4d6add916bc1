#include "kaiku/http/api/json.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

bool is_of_type(std::string_view given, std::string_view type) {
  given = given.substr(0, given.find(';'));
  while (given.ends_with(' ') || given.ends_with('\t')) given.remove_suffix(1);
  return same_token(given, type);
}

response wrong_type(std::string_view type) {
  return problem({415, "unsupported_media_type", "The body is not of the type this resource takes"},
                 "send it with Content-Type: " + std::string(type));
}

}  // namespace

response json_answer(unsigned code, const json& document, std::string_view cache) {
  response out;
  out.status = code;
  out.add("Content-Type", "application/json");
  out.add("Cache-Control", cache);
  out.add("X-Content-Type-Options", "nosniff");
  out.body = document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return out;
}

response with_member(response to, const char* name, json value) {
  auto document = json::parse(to.body);
  document[name] = std::move(value);
  to.body = document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return to;
}

task<document_text> read_document(exchange& ex, std::string_view type) {
  document_text out;
  const auto length = ex.body.length();
  if (length && *length == 0) co_return out;
  const error too_large{errc::body_too_large,
                        "this document has at most " + std::to_string(limits::http_document_bytes) + " bytes"};
  if (length && *length > limits::http_document_bytes) {
    out.refused = problem(too_large);
    co_return out;
  }
  if (!is_of_type(ex.in.header("Content-Type").value_or(""), type)) {
    out.refused = wrong_type(type);
    co_return out;
  }
  while (out.text.size() <= limits::http_document_bytes) {
    auto piece = co_await ex.body.read(limits::http_document_bytes + 1 - out.text.size());
    if (ex.abandoned) throw session_abandoned{};
    if (!piece) {
      out.refused = problem(piece.failure());
      co_return out;
    }
    if (piece->empty()) co_return out;
    out.text += *piece;
  }
  out.refused = problem(too_large);
  co_return out;
}

result<json> parse_object(std::string_view text) {
  std::vector<std::set<std::string>> seen;
  std::string twice;
  const auto look = [&](int depth, json::parse_event_t event, json& parsed) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == json::parse_event_t::object_start) {
      seen.resize(level + 1);
      seen.emplace_back();
    }
    if (event == json::parse_event_t::key && !seen.at(level).insert(parsed.get<std::string>()).second)
      twice = parsed.get<std::string>();
    return true;
  };
  auto document = json::parse(text, look, false);
  if (document.is_discarded() || !document.is_object()) return {errc::bad_request, "the body is not a JSON object"};
  if (!twice.empty()) return {errc::bad_request, "a member that comes twice: " + twice};
  return document;
}

result<json> parse_strings(std::string_view text, std::initializer_list<std::string_view> names) {
  if (text.empty()) return json::object();
  auto parsed = parse_object(text);
  if (!parsed) return parsed.failure();
  const auto& document = *parsed;
  for (const auto& [name, value] : document.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      return {errc::bad_request, "not a member of this object: " + name};
    if (!value.is_string()) return {errc::bad_request, name + " is not a string"};
  }
  return document;
}

std::optional<std::string> string_of(const json& document, const char* name) {
  auto found = document.find(name);
  if (found == document.end()) return std::nullopt;
  return found->get<std::string>();
}

}  // namespace kaiku
