#pragma once

/// Purpose: who asks, and what they may do. Thread: values.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/error.hpp"
#include "kaiku/core/ids.hpp"
#include "kaiku/core/path.hpp"

namespace kaiku {

/// `admin` may everything, everywhere.
enum class scope : std::uint8_t { read = 1, write = 2, admin = 4, metrics = 8 };
std::string_view to_string(scope x);

class scopes {
 public:
  scopes() = default;
  explicit scopes(scope one) : bits_(static_cast<std::uint8_t>(one)) {}
  /// Names with spaces between, as the scope of a JWT is (RFC 8693, 4.2). Unknown ones are somebody else's and are
  /// passed over.
  static scopes of_claim(std::string_view names);

  void add(scopes other) { bits_ |= other.bits_; }
  bool has(scope one) const {
    return (bits_ & (static_cast<std::uint8_t>(one) | static_cast<std::uint8_t>(scope::admin))) != 0;
  }
  bool empty() const { return bits_ == 0; }

 private:
  std::uint8_t bits_ = 0;
};
/// Errors: `bad_request`.
result<scopes> parse_scope(std::string_view name);

struct identity {
  std::string name;  ///< for people and the audit log
  scopes may;
  std::vector<file_path> below;  ///< only these and what is in them; empty: everything

  bool reaches(const file_path& path) const;
};

}  // namespace kaiku
