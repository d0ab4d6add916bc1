#pragma once

/// Purpose: what a file has beside its bytes, as clients say it; and a change of it (RFC 7396, merge patch).
/// Thread: values.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kaiku/core/codec.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/core/ids.hpp"

namespace kaiku {

/// Properties as one client gives them to one file.
struct file_properties {
  std::string content_type{};      ///< a media type; empty: not said
  std::string content_encoding{};  ///< as sent; empty: none
  /// Names in lower case, tokens of RFC 9110, each once and in byte order; values without control characters.
  std::vector<std::pair<std::string, std::string>> metadata{};
  std::optional<unix_time_ms> expires{};  ///< from then on the file counts as absent; never negative
  /// What a client asks for: so long from when the leader dates the change (`set_time`). Then without `expires`.
  std::optional<milliseconds> ttl{};

  friend bool operator==(const file_properties&, const file_properties&) = default;
};

/// What a change of the properties says; what it does not name stays.
struct properties_patch {
  std::optional<std::string> content_type{};
  std::optional<std::string> content_encoding{};
  /// Names as in `file_properties::metadata`; no value: the name goes.
  std::vector<std::pair<std::string, std::optional<std::string>>> metadata{};
  std::optional<std::optional<unix_time_ms>> expires{};  ///< a time, or never any more
  std::optional<milliseconds> ttl{};                     ///< as in `file_properties`
  bool no_metadata = false;                              ///< what `metadata` does not give goes

  friend bool operator==(const properties_patch&, const properties_patch&) = default;
};

/// Whether they are as described, within the limits. Errors: `bad_request`, in words for the client.
status check(const file_properties& x);
status check(const properties_patch& x);
/// `x` with the changes made. Errors: `bad_request`: more metadata than a file may have.
result<file_properties> apply(const properties_patch& changes, file_properties x);

void write(encoder& out, const file_properties& x);
void write(encoder& out, const properties_patch& x);
/// Fail the decoder on anything that does not pass `check`.
file_properties read_properties(decoder& in);
properties_patch read_properties_patch(decoder& in);

}  // namespace kaiku
