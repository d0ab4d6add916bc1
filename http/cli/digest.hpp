#pragma once

/// Purpose: SHA-256 as the store names content by it, and its `Repr-Digest` field (RFC 9530).
/// Thread: one at a time.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace kaiku::cli {

using sha256 = std::array<unsigned char, 32>;

class sha256_sum {
 public:
  sha256_sum();
  ~sha256_sum();
  sha256_sum(sha256_sum&&) noexcept;
  sha256_sum& operator=(sha256_sum&&) noexcept;

  void update(std::string_view bytes);
  /// Begins anew.
  void reset();
  /// Of all bytes since the beginning; then begins anew.
  sha256 finish();

 private:
  struct context;
  std::unique_ptr<context> context_;
};

sha256 sha256_of(std::string_view bytes);
/// `sha-256=:base64:`
std::string digest_field(const sha256& sum);
/// The sha-256 of a `Repr-Digest` field; empty when it has none that can be read.
std::optional<sha256> parse_digest_field(std::string_view field);
std::string hexadecimal(std::string_view bytes);
inline std::string hexadecimal(const sha256& sum) {
  return hexadecimal(std::string_view{reinterpret_cast<const char*>(sum.data()), sum.size()});
}
/// A random UUID (RFC 9562, version 4).
std::string new_uuid();

}  // namespace kaiku::cli
