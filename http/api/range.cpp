#include "kaiku/http/api/range.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {
namespace {

/// About what a part's delimiter and header take: a gap that is smaller is sent along (RFC 9110, 15.3.7.2).
constexpr std::uint64_t part_overhead_bytes = 128;

/// Digits only; more than fits counts as the largest number.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  auto failed = std::from_chars(text.data(), text.data() + text.size(), value).ec;
  return failed == std::errc{} ? value : std::numeric_limits<std::uint64_t>::max();
}

/// One range of a set. Empty when it is malformed; of no length when no byte of it is there.
std::optional<byte_range> parse_one(std::string_view text, std::uint64_t size) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = number(text.substr(0, dash)), last = number(text.substr(dash + 1));
  const bool open_end = dash + 1 == text.size();
  if (dash == 0) {
    if (!last) return std::nullopt;
    const auto length = std::min(*last, size);
    return byte_range{size - length, length};
  }
  if (!first || (!open_end && !last) || (last && *last < *first)) return std::nullopt;
  if (*first >= size) return byte_range{size, 0};
  const auto end = last ? std::min(*last, size - 1) : size - 1;
  return byte_range{*first, end - *first + 1};
}

bool belong_together(const byte_range& a, const byte_range& b) {
  const auto& low = a.first <= b.first ? a : b;
  const auto& high = a.first <= b.first ? b : a;
  return high.first <= low.first + low.length + part_overhead_bytes;
}

/// A range that is taken into an earlier one stands where that one stood.
void add_coalesced(std::vector<byte_range>& parts, byte_range next) {
  auto place = parts.size();
  for (std::size_t i = 0; i < parts.size();) {
    if (!belong_together(parts[i], next)) {
      ++i;
      continue;
    }
    const auto end = std::max(parts[i].first + parts[i].length, next.first + next.length);
    next.first = std::min(parts[i].first, next.first);
    next.length = end - next.first;
    place = std::min(place, i);
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
    i = 0;  // it is larger now, and may reach another
  }
  parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(std::min(place, parts.size())), next);
}

}  // namespace

range_set parse_ranges(std::string_view value, std::uint64_t size, std::size_t most) {
  const range_set whole{};
  const auto equals = value.find('=');
  if (equals == std::string_view::npos || !same_token(value.substr(0, equals), "bytes")) return whole;
  auto rest = value.substr(equals + 1);
  range_set out;
  std::size_t seen = 0;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    const auto text = without_space(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.empty()) continue;  // RFC 9110, 5.6.1.2
    const auto one = parse_one(text, size);
    if (!one || ++seen > most) return whole;
    if (one->length > 0) add_coalesced(out.parts, *one);
  }
  if (seen == 0) return whole;
  out.which = out.parts.empty() ? range_set::kind::unsatisfiable : range_set::kind::parts;
  return out;
}

std::string content_range(const byte_range& part, std::uint64_t size) {
  return "bytes " + std::to_string(part.first) + "-" + std::to_string(part.first + part.length - 1) + "/" +
         std::to_string(size);
}

}  // namespace kaiku
