#pragma once

/// Purpose: the one way in which Kaiku turns values into bytes for its disk and its log: big-endian fixed-width numbers
/// (so that keys sort), LEB128 lengths, no padding. Formats are described in `docs/storage-format.md`.
/// Thread: values.

#include <cstdint>
#include <string>
#include <string_view>

#include "kaiku/core/ids.hpp"

namespace kaiku {

class encoder {
 public:
  encoder& u8(std::uint8_t x);
  encoder& u64(std::uint64_t x);  ///< 8 bytes, big-endian
  encoder& varint(std::uint64_t x);
  encoder& text(std::string_view x);  ///< length as varint, then the bytes
  encoder& raw(std::string_view x);   ///< the bytes alone
  template <std::size_t N>
  encoder& bytes(const std::array<std::uint8_t, N>& x) {
    out_.append(x.begin(), x.end());
    return *this;
  }

  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// Reads what an encoder wrote. After the first failure every read gives zero or empty and `ok()` is false.
class decoder {
 public:
  explicit decoder(std::string_view in) : in_(in) {}

  std::uint8_t u8();
  std::uint64_t u64();
  std::uint64_t varint();
  /// Fails above `max` bytes.
  std::string_view text(std::size_t max);
  std::string_view raw(std::size_t size);
  template <std::size_t N>
  void bytes(std::array<std::uint8_t, N>& x) {
    auto got = raw(N);
    for (std::size_t i = 0; i < got.size(); ++i) x[i] = static_cast<std::uint8_t>(got[i]);
  }

  bool ok() const { return ok_; }
  /// All read, and nothing failed.
  bool done() const { return ok_ && in_.empty(); }
  void fail() {
    ok_ = false;
    in_ = {};
  }

 private:
  std::string_view in_;
  bool ok_ = true;
};

}  // namespace kaiku
