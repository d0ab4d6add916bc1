#pragma once

/// Purpose: request targets (RFC 9112, 3.2) and their queries.
/// Thread: pure functions.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kaiku/core/error.hpp"

namespace kaiku {

/// Views of a raw target.
struct target_parts {
  std::string_view path;   ///< from the first `/`, still percent-encoded
  std::string_view query;  ///< without the `?`
};

/// Reads origin-form and absolute-form; of an absolute form only the path counts. Errors: `bad_request`.
result<target_parts> split_target(std::string_view target);

/// A parameter whose name and value need no decoding; the first of that name.
std::optional<std::string_view> plain_parameter(std::string_view query, std::string_view name);

class query_parameters {
 public:
  /// Decodes a query: `+` is a space, as HTML forms send it. A name that is not `allowed` or comes twice is refused, so
  /// that no parameter is silently without effect. Errors: `bad_request`.
  static result<query_parameters> parse(std::string_view query, std::initializer_list<std::string_view> allowed);

  std::optional<std::string_view> get(std::string_view name) const;
  /// `true` or `false`; `otherwise` when absent. Errors: `bad_request`.
  result<bool> flag(std::string_view name, bool otherwise) const;

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

}  // namespace kaiku
