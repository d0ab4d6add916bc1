#include "kaiku/cli/digest.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

#include "kaiku/core/invariant.hpp"

namespace kaiku::cli {

struct sha256_sum::context {
  EVP_MD_CTX* of = EVP_MD_CTX_new();
  context() = default;
  context(const context&) = delete;
  context& operator=(const context&) = delete;
  ~context() { EVP_MD_CTX_free(of); }
};

sha256_sum::sha256_sum() : context_(std::make_unique<context>()) {
  reset();
}
sha256_sum::~sha256_sum() = default;
sha256_sum::sha256_sum(sha256_sum&&) noexcept = default;
sha256_sum& sha256_sum::operator=(sha256_sum&&) noexcept = default;

void sha256_sum::reset() {
  INVARIANT(EVP_DigestInit_ex(context_->of, EVP_sha256(), nullptr) == 1, "no SHA-256");
}

void sha256_sum::update(std::string_view bytes) {
  INVARIANT(EVP_DigestUpdate(context_->of, bytes.data(), bytes.size()) == 1, "SHA-256 failed");
}

sha256 sha256_sum::finish() {
  sha256 out{};
  INVARIANT(EVP_DigestFinal_ex(context_->of, out.data(), nullptr) == 1, "SHA-256 failed");
  reset();
  return out;
}

sha256 sha256_of(std::string_view bytes) {
  sha256_sum sum;
  sum.update(bytes);
  return sum.finish();
}

std::string digest_field(const sha256& sum) {
  std::array<unsigned char, 64> text{};
  const int length = EVP_EncodeBlock(text.data(), sum.data(), static_cast<int>(sum.size()));
  return "sha-256=:" + std::string(text.begin(), text.begin() + length) + ":";
}

std::optional<sha256> parse_digest_field(std::string_view field) {
  constexpr std::string_view opening = "sha-256=:";
  constexpr std::size_t encoded = 44;  // 32 bytes, with one `=`
  const auto begin = field.find(opening);
  if (begin == std::string_view::npos) return std::nullopt;
  const auto text = field.substr(begin + opening.size());
  if (text.size() <= encoded || text[encoded] != ':') return std::nullopt;
  std::array<unsigned char, 48> decoded{};
  if (EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(text.data()), encoded) != 33)
    return std::nullopt;
  sha256 out{};
  std::copy_n(decoded.begin(), out.size(), out.begin());
  return out;
}

std::string hexadecimal(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back("0123456789abcdef"[byte >> 4]);
    out.push_back("0123456789abcdef"[byte & 15]);
  }
  return out;
}

std::string new_uuid() {
  std::array<unsigned char, 16> random{};
  INVARIANT(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1, "no random numbers");
  random[6] = static_cast<unsigned char>((random[6] & 0x0f) | 0x40);
  random[8] = static_cast<unsigned char>((random[8] & 0x3f) | 0x80);
  auto text = hexadecimal(std::string_view{reinterpret_cast<const char*>(random.data()), random.size()});
  for (std::size_t at : {8, 13, 18, 23}) text.insert(at, "-");
  return text;
}

}  // namespace kaiku::cli
