#include "kaiku/http/api/digest_field.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {
namespace {

/// Base64 of 32 bytes: 44 characters, of which the last is padding.
constexpr std::size_t encoded_size = 44;

std::optional<digest> decode(std::string_view text) {
  if (text.size() != encoded_size || text.back() != '=' || text[encoded_size - 2] == '=') return std::nullopt;
  std::array<unsigned char, 33> bytes{};
  auto size =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size != 33) return std::nullopt;
  digest out;
  std::copy_n(bytes.begin(), out.bytes.size(), out.bytes.begin());
  return out;
}

/// One field: a dictionary of byte sequences (RFC 8941, 3.2). Base64 holds no comma.
status read_field(std::string_view name, std::string_view value, std::vector<digest>& out) {
  const error malformed{errc::bad_request, std::string(name) + " is malformed: sha-256=:<base64>: is expected"};
  while (!value.empty()) {
    auto end = std::min(value.find(','), value.size());
    auto member = without_space(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    auto equals = member.find('=');
    if (equals == std::string_view::npos) return malformed;
    auto text = member.substr(equals + 1);
    if (text.size() < 2 || text.front() != ':' || text.back() != ':') return malformed;
    if (member.substr(0, equals) != "sha-256") continue;
    auto read = decode(text.substr(1, text.size() - 2));
    if (!read) return malformed;
    out.push_back(*read);
  }
  return success();
}

/// The preference for sha-256 in a dictionary of whole numbers from 0 to 10; empty when there is none.
std::optional<int> preference(std::string_view value) {
  std::optional<int> found;
  while (!value.empty()) {
    auto end = std::min(value.find(','), value.size());
    auto member = without_space(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    auto equals = std::min(member.find('='), member.size());
    auto number = member.substr(std::min(equals + 1, member.size()));
    int read = 0;
    auto [stop, failed] = std::from_chars(number.data(), number.data() + number.size(), read);
    if (failed != std::errc{} || stop != number.data() + number.size() || read < 0 || read > 10) return std::nullopt;
    if (member.substr(0, equals) == "sha-256") found = read;
  }
  return found;
}

}  // namespace

digest sha256_of(std::string_view bytes) {
  digest out;
  unsigned size = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), out.bytes.data(), &size, EVP_sha256(), nullptr);
  INVARIANT(done == 1 && size == out.bytes.size(), "SHA-256 failed");
  return out;
}

running_digest::running_digest() : state_(EVP_MD_CTX_new()) {
  INVARIANT(state_ != nullptr && EVP_DigestInit_ex(state_, EVP_sha256(), nullptr) == 1, "SHA-256 failed");
}

running_digest::~running_digest() {
  EVP_MD_CTX_free(state_);
}

void running_digest::add(std::string_view bytes) {
  INVARIANT(EVP_DigestUpdate(state_, bytes.data(), bytes.size()) == 1, "SHA-256 failed");
}

digest running_digest::finish() {
  digest out;
  unsigned size = 0;
  const int done = EVP_DigestFinal_ex(state_, out.bytes.data(), &size);
  INVARIANT(done == 1 && size == out.bytes.size(), "SHA-256 failed");
  return out;
}

std::string digest_field(const digest& x) {
  std::array<unsigned char, encoded_size + 1> text{};
  EVP_EncodeBlock(text.data(), x.bytes.data(), static_cast<int>(x.bytes.size()));
  std::string out = "sha-256=:";
  out.append(text.begin(), text.begin() + encoded_size);
  out.push_back(':');
  return out;
}

result<std::vector<digest>> promised_digests(const request& in) {
  std::vector<digest> out;
  for (std::string_view name : {"Repr-Digest", "Content-Digest"}) {
    auto value = in.header(name);
    if (!value) continue;
    auto read = read_field(name, *value, out);
    if (!read) return read.failure();
  }
  return out;
}

digest_wishes wanted_digests(const request& in) {
  digest_wishes out;
  if (auto value = in.header("Want-Repr-Digest")) out.repr = preference(*value).value_or(1) > 0;
  if (auto value = in.header("Want-Content-Digest")) out.content = preference(*value).value_or(0) > 0;
  return out;
}

}  // namespace kaiku
