#pragma once

/// Purpose: JSON Web Tokens (RFC 7519) that somebody else issues, checked with the issuer's public key.
/// Owner: the rules; holds the key. Thread: any.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kaiku/core/error.hpp"
#include "kaiku/core/ids.hpp"
#include "kaiku/http/access/identity.hpp"

namespace kaiku {

class jwt_issuer {
 public:
  /// `algorithm`: RS256, ES256 or EdDSA, and only that one is taken (RFC 8725, 3.1); `public_key`: PEM. `issuer`: as
  /// `iss` must be; empty: anything. Errors: `bad_request`.
  static result<jwt_issuer> make(const std::string& algorithm, const std::string& public_key, std::string audience,
                                 std::string issuer);

  /// Who a token is for: `sub` (or `iss`) names, `scope` says what for, `kaiku_paths` where. Empty unless the signature
  /// is right, `aud` holds the audience, `exp` is there and ahead, and `nbf` is not.
  std::optional<identity> check(const std::string& token, unix_time_ms now) const;

 private:
  struct impl;
  explicit jwt_issuer(std::shared_ptr<const impl> what) : impl_(std::move(what)) {}
  std::shared_ptr<const impl> impl_;
};

}  // namespace kaiku
