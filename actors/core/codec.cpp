#include "kaiku/core/codec.hpp"

namespace kaiku {

encoder& encoder::u8(std::uint8_t x) {
  out_.push_back(static_cast<char>(x));
  return *this;
}

encoder& encoder::u64(std::uint64_t x) {
  for (int shift = 56; shift >= 0; shift -= 8) out_.push_back(static_cast<char>(x >> shift));
  return *this;
}

encoder& encoder::varint(std::uint64_t x) {
  while (x >= 0x80) {
    out_.push_back(static_cast<char>(x | 0x80));
    x >>= 7;
  }
  out_.push_back(static_cast<char>(x));
  return *this;
}

encoder& encoder::text(std::string_view x) {
  return varint(x.size()).raw(x);
}

encoder& encoder::raw(std::string_view x) {
  out_.append(x);
  return *this;
}

std::string_view decoder::raw(std::size_t size) {
  if (size > in_.size()) {
    fail();
    return {};
  }
  auto bytes = in_.substr(0, size);
  in_.remove_prefix(size);
  return bytes;
}

std::uint8_t decoder::u8() {
  auto byte = raw(1);
  return byte.empty() ? 0 : static_cast<std::uint8_t>(byte[0]);
}

std::uint64_t decoder::u64() {
  std::uint64_t x = 0;
  for (char c : raw(8)) x = x << 8 | static_cast<std::uint8_t>(c);
  return x;
}

std::uint64_t decoder::varint() {
  std::uint64_t x = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    auto byte = u8();
    if (shift == 63 && byte > 1) break;
    x |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return x;
  }
  fail();
  return 0;
}

std::string_view decoder::text(std::size_t max) {
  auto size = varint();
  if (size > max) {
    fail();
    return {};
  }
  return raw(size);
}

}  // namespace kaiku
