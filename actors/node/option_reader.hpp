#pragma once

/// Purpose: turns the texts of options into values, and says which option is wrong, where it stands, and what it takes.
/// Owner: `parse_options`; borrows the texts. Thread: one.

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "kaiku/core/error.hpp"
#include "kaiku/core/ids.hpp"
#include "kaiku/node/option_sources.hpp"

namespace kaiku {

/// `bad_request`, for a person.
inline error usage(std::string detail) {
  return {errc::bad_request, std::move(detail)};
}

/// The whole text as a decimal number.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Keeps the first complaint; each call does nothing once there is one.
class option_reader {
 public:
  explicit option_reader(const sourced_options& texts) : texts_(texts) {}

  const std::optional<error>& complaint() const { return complaint_; }
  bool has(std::string_view name) const { return texts_.find(name) != texts_.end(); }
  /// Where an option was found; null: nowhere.
  const std::string* place(std::string_view name) const {
    const auto found = texts_.find(name);
    return found == texts_.end() ? nullptr : &found->second.place;
  }

  /// Applies `read`, which gives a `result<T>`, to the option's text and stores the value.
  template <class T, class Read>
  void value(std::string_view name, T& into, Read read) {
    auto found = texts_.find(name);
    if (complaint_ || found == texts_.end()) return;
    auto parsed = read(found->second.text);
    if (parsed.ok())
      into = std::move(*parsed);
    else
      complaint_ = usage(found->second.place + ": " + parsed.failure().detail);
  }

  /// A number from `low` to `high`, times `unit`.
  template <class T>
  void number(std::string_view name, T& into, std::uint64_t low, std::uint64_t high, std::uint64_t unit = 1) {
    value(name, into, [&](const std::string& text) -> result<T> {
      auto number = parse_number<std::uint64_t>(text);
      if (number && *number >= low && *number <= high) return T{*number * unit};
      return usage("\"" + text + "\" is not a number from " + std::to_string(low) + " to " + std::to_string(high));
    });
  }

  template <class T, std::size_t N>
  void choice(std::string_view name, T& into, const std::array<std::pair<const char*, T>, N>& known) {
    value(name, into, [&](const std::string& text) -> result<T> {
      std::string names;
      for (const auto& [known_name, meaning] : known) {
        if (text == known_name) return meaning;
        names += (names.empty() ? "" : ", ") + std::string(known_name);
      }
      return usage("\"" + text + "\" is none of " + names);
    });
  }

  void flag(std::string_view name, bool& into) {
    choice<bool, 4>(name, into, {{{"true", true}, {"false", false}, {"1", true}, {"0", false}}});
  }

  void duration(std::string_view name, milliseconds& into, std::uint32_t low, std::uint32_t high, const char* why) {
    value(name, into, [&](const std::string& text) -> result<milliseconds> {
      auto number = parse_number<std::uint32_t>(text);
      if (number && *number >= low && *number <= high) return milliseconds{*number};
      return usage("\"" + text + "\" is not a number from " + std::to_string(low) + " to " + std::to_string(high) +
                   why);
    });
  }

 private:
  const sourced_options& texts_;
  std::optional<error> complaint_;
};

}  // namespace kaiku
