#pragma once

/// Purpose: JSON documents in answers and requests. Seen by the .cpp files of `http/api` only: the library is large.
/// Thread: pure functions, but for `read_document`, which runs on the session's.

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

using json = nlohmann::ordered_json;  ///< members in the order written

/// `cache` is for Cache-Control.
response json_answer(unsigned code, const json& document, std::string_view cache = "no-store");

/// Adds a member to the document of an answer.
response with_member(response to, const char* name, json value);

/// Counters as numbers, durations as milliseconds, nothing as null.
template <class T>
json or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  if constexpr (std::is_same_v<T, milliseconds>)
    return value->count();
  else
    return value->value;
}

/// Reads an object in which no member comes twice. Errors: `bad_request`.
result<json> parse_object(std::string_view text);

/// The whole body of a request that has to be of `type` (or empty). Whoever sends a form from another site
/// can't say that without asking first (Fetch, CORS preflight). Gives the text, or what to answer instead.
struct document_text {
  std::string text;
  std::optional<response> refused;
};
task<document_text> read_document(exchange& ex, std::string_view type = "application/json");

/// Reads an object of strings with these names, each at most once and any of them absent; an empty text is an empty
/// object. Errors: `bad_request`.
result<json> parse_strings(std::string_view text, std::initializer_list<std::string_view> names);

/// Of what `parse_strings` gave; empty when absent.
std::optional<std::string> string_of(const json& document, const char* name);

}  // namespace kaiku
