#include "kaiku/http/api/target.hpp"

#include <algorithm>

#include "kaiku/core/path.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku {
namespace {

result<std::string> decode_form(std::string_view encoded) {
  std::string spaced(encoded);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decode(spaced);
}

}  // namespace

result<target_parts> split_target(std::string_view target) {
  if (target.find('#') != std::string_view::npos) return {errc::bad_request, "the target holds a fragment"};
  for (std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() || !same_token(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    auto end = target.find_first_of("/?");
    if (end == 0 || target.empty()) return {errc::bad_request, "the target names no host"};
    target.remove_prefix(std::min(end, target.size()));
    if (target.empty() || target.front() == '?') return target_parts{"/", target.substr(target.empty() ? 0 : 1)};
    break;
  }
  if (!target.starts_with('/')) return {errc::bad_request, "the target is neither a path nor an http URL"};
  auto mark = target.find('?');
  if (mark == std::string_view::npos) return target_parts{target, {}};
  return target_parts{target.substr(0, mark), target.substr(mark + 1)};
}

std::optional<std::string_view> plain_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    auto end = std::min(query.find('&'), query.size());
    auto part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(part.find('='), part.size());
    if (part.substr(0, equals) == name) return part.substr(std::min(equals + 1, part.size()));
  }
  return std::nullopt;
}

result<query_parameters> query_parameters::parse(std::string_view query,
                                                 std::initializer_list<std::string_view> allowed) {
  query_parameters out;
  while (!query.empty()) {
    auto end = std::min(query.find('&'), query.size());
    auto part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part.empty()) continue;
    auto equals = std::min(part.find('='), part.size());
    auto name = decode_form(part.substr(0, equals));
    auto value = decode_form(part.substr(std::min(equals + 1, part.size())));
    if (!name) return name.failure();
    if (!value) return value.failure();
    if (std::find(allowed.begin(), allowed.end(), *name) == allowed.end())
      return {errc::bad_request, "not a query parameter here: " + *name};
    if (out.get(*name)) return {errc::bad_request, "a query parameter that comes twice: " + *name};
    out.all_.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

std::optional<std::string_view> query_parameters::get(std::string_view name) const {
  for (const auto& [known, value] : all_)
    if (known == name) return value;
  return std::nullopt;
}

result<bool> query_parameters::flag(std::string_view name, bool otherwise) const {
  auto value = get(name);
  if (!value) return otherwise;
  if (*value == "true") return true;
  if (*value == "false") return false;
  return {errc::bad_request, std::string(name) + " is 'true' or 'false'"};
}

}  // namespace kaiku
