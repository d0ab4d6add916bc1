#pragma once

/// Purpose: numbers and versions as others keep them for a node in text: archives, Redis, clients their tokens.
/// Thread: pure functions.

#include <charconv>
#include <string>
#include <string_view>

#include "kaiku/core/ids.hpp"

namespace kaiku {

/// Decimal digits, behind a minus sign where `Number` has one, and nothing else. False: `text` is no such number, or
/// one that does not fit; `into` is as it was then.
template <class Number>
bool read_decimal(std::string_view text, Number& into) {
  Number read{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (failed != std::errc{} || end != text.data() + text.size()) return false;
  into = read;
  return true;
}

/// TERM.INDEX of the entry that last changed something, as entity tags begin.
inline std::string write_version(log_position x) {
  return to_string(x.in_term) + '.' + to_string(x.index);
}
inline bool read_version(std::string_view text, log_position& into) {
  const auto dot = text.find('.');
  return dot != std::string_view::npos && read_decimal(text.substr(0, dot), into.in_term.value) &&
         read_decimal(text.substr(dot + 1), into.index.value);
}

}  // namespace kaiku
