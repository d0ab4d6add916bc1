#pragma once

/// Purpose: file contents for tests: made from a seed instead of kept, and known by their digest.
/// Thread: values.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kaiku::test {

/// SHA-256, piece by piece; the result as a `Repr-Digest` field has it (RFC 9530): `sha-256=:base64:`.
class digest_sum {
 public:
  digest_sum();
  ~digest_sum();
  digest_sum(const digest_sum&) = delete;
  digest_sum& operator=(const digest_sum&) = delete;

  void update(std::string_view bytes);
  /// Ends the computation; no other call may follow.
  std::string finish();

 private:
  struct context;
  std::unique_ptr<context> context_;
};

std::string digest_of(std::string_view bytes);

/// Content whose every byte follows from the seed and its offset, so that any piece of it can be made at any time.
struct generated_bytes {
  std::uint64_t seed = 0;
  std::uint64_t size = 0;

  /// Up to `count` bytes from `offset`; fewer at the end.
  std::string piece(std::uint64_t offset, std::size_t count) const;
  std::string all() const { return piece(0, static_cast<std::size_t>(size)); }
  std::string digest() const;

  friend bool operator==(const generated_bytes&, const generated_bytes&) = default;
};

}  // namespace kaiku::test
