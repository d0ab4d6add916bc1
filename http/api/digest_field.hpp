#pragma once

/// Purpose: SHA-256 in HTTP: digest fields (RFC 9530).
/// Thread: pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/ids.hpp"
#include "kaiku/http/server/exchange.hpp"

struct evp_md_ctx_st;  // OpenSSL's

namespace kaiku {

digest sha256_of(std::string_view bytes);

/// The same, of bytes that come piece by piece.
class running_digest {
 public:
  running_digest();
  ~running_digest();
  running_digest(const running_digest&) = delete;
  running_digest& operator=(const running_digest&) = delete;

  void add(std::string_view bytes);
  /// Once, at the end.
  digest finish();

 private:
  evp_md_ctx_st* state_;
};

/// `sha-256=:...:`, as Repr-Digest says it.
std::string digest_field(const digest& x);

/// The sha-256 digests that Repr-Digest and Content-Digest promise; other algorithms are passed over. Errors:
/// `bad_request` for a malformed field.
result<std::vector<digest>> promised_digests(const request& in);

/// What a request wants to be told (RFC 9530, 4).
struct digest_wishes {
  bool repr = true;  ///< Repr-Digest is given unless sha-256 is declined
  bool content = false;
};
/// A malformed field is passed over: these are preferences.
digest_wishes wanted_digests(const request& in);

}  // namespace kaiku
