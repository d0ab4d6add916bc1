#pragma once

/// Purpose: the tokens that clients show: `kaiku_<id>_<secret>`, an id of 8 hexadecimal digits to find it by and 32
/// random bytes in hexadecimal. What is kept of one is a salted hash: whoever reads the access file can't use it. So
/// many random bytes need no slow hash.
/// Thread: pure functions, but for `make`, which asks the system for random bytes.

#include <optional>
#include <string>
#include <string_view>

#include "kaiku/core/ids.hpp"

namespace kaiku {

/// Of a text that a client sent; views into it.
struct shown_token {
  std::string_view id;
  std::string_view secret;
};
std::optional<shown_token> read_token(std::string_view text);

class token_hash {
 public:
  /// Reads `sha256:<salt>:<hash>`; empty when it is none.
  static std::optional<token_hash> parse(std::string_view text);
  /// With a salt of its own.
  static token_hash of(std::string_view secret);

  std::string text() const;
  /// In a time that does not say how much of it is right.
  bool is_of(std::string_view secret) const;

 private:
  std::string salt_;
  digest hash_;
};

struct new_token {
  std::string id;
  std::string text;  ///< to be shown once
  token_hash hash;
};
new_token make_token();

/// Compares in a time that depends on the lengths only.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace kaiku
