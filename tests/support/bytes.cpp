#include "support/bytes.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <openssl/evp.h>

namespace kaiku::test {

namespace {

// Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014).
std::uint64_t split_mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

}  // namespace

struct digest_sum::context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  ~context() { EVP_MD_CTX_free(evp); }
};

digest_sum::digest_sum() : context_(std::make_unique<context>()) {
  EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr);
}

digest_sum::~digest_sum() = default;

void digest_sum::update(std::string_view bytes) {
  EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size());
}

std::string digest_sum::finish() {
  std::array<unsigned char, 32> raw{};
  EVP_DigestFinal_ex(context_->evp, raw.data(), nullptr);
  std::array<unsigned char, 45> text{};
  int length = EVP_EncodeBlock(text.data(), raw.data(), static_cast<int>(raw.size()));
  return "sha-256=:" + std::string(text.begin(), text.begin() + length) + ":";
}

std::string digest_of(std::string_view bytes) {
  digest_sum sum;
  sum.update(bytes);
  return sum.finish();
}

std::string generated_bytes::piece(std::uint64_t offset, std::size_t count) const {
  if (offset >= size) return {};
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, size - offset));
  const std::uint64_t first_word = offset / 8;
  const std::uint64_t last_word = (offset + count + 7) / 8;
  std::string out(static_cast<std::size_t>(last_word - first_word) * 8, '\0');
  char* at = out.data();
  for (std::uint64_t i = first_word; i < last_word; ++i, at += 8) {
    std::uint64_t word = split_mix(seed * 0xd1342543de82ef95ull + i);
    std::memcpy(at, &word, 8);
  }
  out.resize(static_cast<std::size_t>(offset % 8) + count);
  out.erase(0, static_cast<std::size_t>(offset % 8));
  return out;
}

std::string generated_bytes::digest() const {
  constexpr std::size_t piece_bytes = 1 << 20;
  digest_sum sum;
  for (std::uint64_t at = 0; at < size; at += piece_bytes) sum.update(piece(at, piece_bytes));
  return sum.finish();
}

}  // namespace kaiku::test
