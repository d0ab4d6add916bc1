#include "kaiku/http/access/token.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "kaiku/core/invariant.hpp"
#include "kaiku/http/api/digest_field.hpp"

namespace kaiku {
namespace {

constexpr std::string_view token_prefix = "kaiku_", hash_prefix = "sha256:";
constexpr std::size_t id_bytes = 4, secret_bytes = 32, salt_bytes = 16;

template <std::size_t size>
std::string random_hex() {
  std::array<std::uint8_t, size> bytes{};
  INVARIANT(RAND_bytes(bytes.data(), static_cast<int>(size)) == 1, "the system has random bytes");
  return to_hex(bytes.data(), bytes.size());
}

bool is_hex(std::string_view text, std::size_t bytes) {
  return text.size() == 2 * bytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

digest hash_of(std::string_view salt, std::string_view secret) {
  return sha256_of(std::string(salt).append(secret));
}

}  // namespace

std::optional<shown_token> read_token(std::string_view text) {
  if (!text.starts_with(token_prefix)) return std::nullopt;
  text.remove_prefix(token_prefix.size());
  const auto end = text.find('_');
  if (end == std::string_view::npos) return std::nullopt;
  const shown_token out{text.substr(0, end), text.substr(end + 1)};
  if (!is_hex(out.id, id_bytes) || !is_hex(out.secret, secret_bytes)) return std::nullopt;
  return out;
}

std::optional<token_hash> token_hash::parse(std::string_view text) {
  if (!text.starts_with(hash_prefix)) return std::nullopt;
  text.remove_prefix(hash_prefix.size());
  const auto end = text.find(':');
  if (end == std::string_view::npos || !is_hex(text.substr(0, end), salt_bytes)) return std::nullopt;
  token_hash out;
  out.salt_ = text.substr(0, end);
  if (!from_hex(text.substr(end + 1), out.hash_.bytes.data(), out.hash_.bytes.size())) return std::nullopt;
  return out;
}

token_hash token_hash::of(std::string_view secret) {
  token_hash out;
  out.salt_ = random_hex<salt_bytes>();
  out.hash_ = hash_of(out.salt_, secret);
  return out;
}

std::string token_hash::text() const {
  return std::string(hash_prefix) + salt_ + ":" + to_string(hash_);
}

bool token_hash::is_of(std::string_view secret) const {
  const auto other = hash_of(salt_, secret);
  return CRYPTO_memcmp(other.bytes.data(), hash_.bytes.data(), hash_.bytes.size()) == 0;
}

new_token make_token() {
  const auto secret = random_hex<secret_bytes>();
  auto id = random_hex<id_bytes>();
  auto text = std::string(token_prefix) + id + "_" + secret;
  return {std::move(id), std::move(text), token_hash::of(secret)};
}

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace kaiku
