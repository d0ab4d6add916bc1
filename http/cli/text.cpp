#include "kaiku/cli/text.hpp"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "kaiku/core/path.hpp"

namespace kaiku::cli {
namespace {

/// The length of the character that begins `text`; 0: it does not begin with one.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return length <= text.size() && is_utf8(text.substr(0, length)) ? length : 0;
}

std::uint32_t code_point(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return lead;
  std::uint32_t out = lead & (0x7fU >> character.size());
  for (char c : character.substr(1)) out = out << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return out;
}

/// Columns of one character, as the C library knows them; one for what it does not know.
std::size_t width_of(std::uint32_t c) {
  if (c < 0x300) return 1;
  static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (utf8 == nullptr) return 1;
  const auto before = ::uselocale(utf8);
  const int width = ::wcwidth(static_cast<wchar_t>(c));
  ::uselocale(before);
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

/// The character that begins `text`, and its columns; a byte that begins none is one.
std::pair<std::string_view, std::size_t> first_character(std::string_view text) {
  const auto length = character_length(text);
  if (length == 0) return {text.substr(0, 1), 1};
  return {text.substr(0, length), width_of(code_point(text.substr(0, length)))};
}

bool is_harmful(std::uint32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
  const bool separates = c == 0x2028 || c == 0x2029;
  const bool directs =
      c == 0x200e || c == 0x200f || c == 0x61c || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  return control || separates || directs;
}

std::string formatted(const char* how, auto... values) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), how, values...);
  return text.data();
}

std::string escaped(std::uint32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '\r') return "\\r";
  return c < 0x80 ? formatted("\\x%02x", c) : formatted("\\u{%x}", c);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto length = character_length(text);
    const auto character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0)
      out += formatted("\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(text.front())));
    else if (const auto c = code_point(character); is_harmful(c))
      out += escaped(c);
    else
      out += character;
    text.remove_prefix(character.size());
  }
  return out;
}

std::size_t columns_of(std::string_view text) {
  std::size_t out = 0;
  while (!text.empty()) {
    const auto [character, columns] = first_character(text);
    out += columns;
    text.remove_prefix(character.size());
  }
  return out;
}

std::string fitted(std::string_view text, std::size_t columns) {
  auto left = columns_of(text);
  if (left <= columns) return std::string(text);
  if (columns == 0) return {};
  while (left >= columns && !text.empty()) {
    const auto [character, has] = first_character(text);
    text.remove_prefix(character.size());
    left -= has;
  }
  return "\u2026" + std::string(text);
}

std::string cut(std::string_view text, std::size_t columns) {
  std::size_t kept = 0;
  while (kept < text.size()) {
    const auto [character, has] = first_character(text.substr(kept));
    if (has > columns) break;
    columns -= has;
    kept += character.size();
  }
  return std::string(text.substr(0, kept));
}

std::string padded(std::string text, std::size_t columns) {
  const auto has = columns_of(text);
  if (has < columns) text.append(columns - has, ' ');
  return text;
}

std::string right(std::string text, std::size_t columns) {
  const auto has = columns_of(text);
  if (has < columns) text.insert(0, columns - has, ' ');
  return text;
}

std::string in_bytes(std::uint64_t count) {
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (count < 1024) return std::to_string(count) + " B";
  auto value = static_cast<double>(count) / 1024;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < units.size(); ++unit) value /= 1024;
  return formatted("%.1f %s", value, units[unit]);
}

std::string with_commas(std::uint64_t count) {
  auto digits = std::to_string(count);
  for (auto at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string as_clock(std::chrono::seconds time) {
  const auto all = static_cast<long long>(time.count());
  if (all >= 3600) return formatted("%lld:%02lld:%02lld", all / 3600, all / 60 % 60, all % 60);
  return formatted("%lld:%02lld", all / 60, all % 60);
}

std::string iso_date(const std::string& http_date) {
  std::tm at{};
  const char* end = ::strptime(http_date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &at);
  if (end == nullptr || *end != 0) return {};
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.000Z", &at);
  return text.data();
}

std::string as_ms(std::uint64_t microseconds) {
  return formatted("%.3f ms", static_cast<double>(microseconds) / 1000);
}

std::string counted(std::uint64_t count, std::string_view what) {
  return with_commas(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace kaiku::cli
