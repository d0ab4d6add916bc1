#include "kaiku/http/api/range.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {
namespace {

/// Digits only; more than fits counts as the largest number.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  auto failed = std::from_chars(text.data(), text.data() + text.size(), value).ec;
  return failed == std::errc{} ? value : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

byte_range parse_range(std::string_view value, std::uint64_t size) {
  constexpr byte_range whole{};
  auto equals = value.find('=');
  if (equals == std::string_view::npos || !same_token(value.substr(0, equals), "bytes")) return whole;
  auto range = value.substr(equals + 1);
  while (range.starts_with(' ') || range.starts_with('\t')) range.remove_prefix(1);
  auto dash = range.find('-');
  if (dash == std::string_view::npos || range.find(',') != std::string_view::npos) return whole;
  auto first = number(range.substr(0, dash)), last = number(range.substr(dash + 1));
  const bool open_end = dash + 1 == range.size();
  if (dash == 0) {
    if (!last) return whole;
    if (*last == 0 || size == 0) return {byte_range::kind::unsatisfiable, 0, 0};
    auto length = std::min(*last, size);
    return {byte_range::kind::part, size - length, length};
  }
  if (!first || (!open_end && !last) || (last && *last < *first)) return whole;
  if (*first >= size) return {byte_range::kind::unsatisfiable, 0, 0};
  const auto end = last ? std::min(*last, size - 1) : size - 1;
  return {byte_range::kind::part, *first, end - *first + 1};
}

}  // namespace kaiku
