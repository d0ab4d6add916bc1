#pragma once

/// Purpose: a place in the tree of files, checked once at the edge so that nothing behind it checks again.
/// Thread: any.

#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/error.hpp"

namespace kaiku {

/// Names joined by `/`, without one at either end; the empty path is the root directory. Every name is UTF-8 of 1 to
/// 255 bytes without control characters, `/`, and is neither `.` nor `..`; the whole is at most 255 names and 4,096
/// bytes, but for what comes from `parse_any_length`.
class file_path {
 public:
  /// The root directory.
  file_path() = default;

  /// Reads a decoded path. A leading `/` and a trailing `/` are dropped; empty names inside are refused.
  /// Errors: `invalid_path`, saying which rule.
  static result<file_path> parse(std::string_view decoded);
  /// The same without the bounds of the whole. A move takes all below a directory along and looks at none of it, so
  /// that a tree can have paths which no request names: for what writes and reads whole trees.
  static result<file_path> parse_any_length(std::string_view decoded);

  /// Reads the path of a request target behind `/files/`: percent-decodes once (RFC 3986, 2.1), then `parse`.
  /// An encoded slash (`%2f`) and a malformed escape are refused. Errors: `invalid_path`.
  static result<file_path> parse_percent_encoded(std::string_view encoded);

  bool is_root() const { return text_.empty(); }
  const std::string& text() const { return text_; }
  /// The names from the top down; views into this object.
  std::vector<std::string_view> names() const;
  /// The last name; empty for the root.
  std::string_view name() const;
  file_path parent() const;

  friend auto operator<=>(const file_path&, const file_path&) = default;

 private:
  std::string text_;
};

/// Percent-decodes once. Errors: `bad_request` for a malformed escape.
result<std::string> percent_decode(std::string_view encoded);
/// Encodes all but RFC 3986 unreserved characters and `/`.
std::string percent_encode_path(std::string_view decoded);
/// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no over-long forms).
bool is_utf8(std::string_view text);

}  // namespace kaiku
