#include "kaiku/http/api/freshness.hpp"

#include <charconv>

namespace kaiku {
namespace {

struct kaiku_fields {
  std::optional<std::string_view> consistency;
  std::optional<std::string_view> token;
  std::optional<std::string_view> durability;
};

/// One pass, since every read goes through it.
kaiku_fields find_kaiku_fields(const request& in) {
  constexpr std::string_view prefix = "Kaiku-";
  kaiku_fields out;
  for (const auto& field : in.fields) {
    if (field.name.size() <= prefix.size() || !same_token(field.name.substr(0, prefix.size()), prefix)) continue;
    const auto rest = field.name.substr(prefix.size());
    if (same_token(rest, "Consistency")) out.consistency = field.value;
    if (same_token(rest, "Token")) out.token = field.value;
    if (same_token(rest, "Durability")) out.durability = field.value;
  }
  return out;
}

struct asked_level {
  consistency level = consistency::any;
  milliseconds bound{};
  friend bool operator==(const asked_level&, const asked_level&) = default;
};

result<asked_level> parse_level(std::string_view text) {
  for (auto level : {consistency::any, consistency::session, consistency::committed, consistency::linearizable})
    if (text == to_string(level)) return asked_level{level, {}};
  constexpr std::string_view bounded = "bounded=";
  if (text.starts_with(bounded)) {
    std::uint32_t bound = 0;
    const auto digits = text.substr(bounded.size());
    auto [stop, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), bound);
    if (failed == std::errc{} && stop == digits.data() + digits.size())
      return asked_level{consistency::bounded, milliseconds{bound}};
  }
  return {errc::bad_request, "consistency is any, session, bounded=MILLISECONDS, committed or linearizable, not '" +
                                 std::string(text) + "'"};
}

result<write_token> parse_token(std::string_view text) {
  auto token = parse_write_token(text);
  if (!token) return {errc::bad_request, "'" + std::string(text) + "' is not a token that a write was answered with"};
  return *token;
}

/// Reads what a field and a parameter say alike.
template <class T>
result<std::optional<T>> agreed(std::optional<std::string_view> field, std::optional<std::string_view> parameter,
                                result<T> (*parse)(std::string_view), const char* differ) {
  std::optional<T> out;
  for (const auto& text : {field, parameter}) {
    if (!text) continue;
    auto one = parse(*text);
    if (!one) return one.failure();
    if (out && !(*out == *one)) return {errc::bad_request, differ};
    out = std::move(*one);
  }
  return out;
}

}  // namespace

status check_kaiku_fields(const request& in) {
  const auto fields = find_kaiku_fields(in);
  if (fields.consistency) {
    auto level = parse_level(*fields.consistency);
    if (!level) return level.failure();
  }
  if (fields.token) {
    auto token = parse_token(*fields.token);
    if (!token) return token.failure();
  }
  if (fields.durability && !parse_durability(*fields.durability))
    return {errc::bad_request,
            "durability is 'leader', 'majority' or 'all', not '" + std::string(*fields.durability) + "'"};
  return success();
}

result<freshness> parse_freshness(const request& in, const query_parameters& query) {
  const auto fields = find_kaiku_fields(in);
  auto level =
      agreed(fields.consistency, query.get("consistency"), parse_level, "Kaiku-Consistency and ?consistency= differ");
  if (!level) return level.failure();
  auto token = agreed(fields.token, query.get("token"), parse_token, "Kaiku-Token and ?token= differ");
  if (!token) return token.failure();
  freshness out;
  if (*level) {
    out.level = (*level)->level;
    out.bound = (*level)->bound;
  } else if (*token) {
    out.level = consistency::session;
  }
  if (*token && out.level != consistency::session)
    return {errc::bad_request,
            "a token goes with consistency 'session' only, not with '" + std::string(to_string(out.level)) + "'"};
  if (!*token && out.level == consistency::session)
    return {errc::bad_request, "consistency 'session' needs the token of a write"};
  out.token = *token;
  return out;
}

std::string_view to_string(consistency level) {
  switch (level) {
    case consistency::any: return "any";
    case consistency::session: return "session";
    case consistency::bounded: return "bounded";
    case consistency::committed: return "committed";
    case consistency::linearizable: return "linearizable";
  }
  return "unknown";
}

}  // namespace kaiku
