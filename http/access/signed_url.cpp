#include "kaiku/http/access/signed_url.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "kaiku/core/ids.hpp"
#include "kaiku/core/invariant.hpp"

namespace kaiku {

std::optional<url_signature> read_signature(std::string_view query) {
  url_signature out;
  bool is_signed = false;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto one = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(one.find('='), one.size());
    const auto name = one.substr(0, equals);
    const auto value = one.substr(std::min(equals + 1, one.size()));
    if (name == "signature") {
      is_signed = true;
      out.signature = value;
    } else if (name == "key") {
      out.key = value;
    } else if (name == "expires") {
      const auto read = std::from_chars(value.data(), value.data() + value.size(), out.expires);
      if (read.ec != std::errc{} || read.ptr != value.data() + value.size()) out.expires = 0;
    } else {
      if (!out.rest.empty()) out.rest += '&';
      out.rest += one;
    }
  }
  if (!is_signed) return std::nullopt;
  return out;
}

std::string sign_url(std::string_view secret, std::string_view method, const file_path& path, std::uint64_t expires) {
  // No part holds a line end, so none can pass for two.
  const auto what = "kaiku-url-1\n" + std::string(method) + "\n/" + path.text() + "\n" + std::to_string(expires);
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  const auto* done = HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                          reinterpret_cast<const unsigned char*>(what.data()), what.size(), out.data(), &size);
  INVARIANT(done != nullptr, "OpenSSL has HMAC-SHA-256");
  return to_hex(out.data(), size);
}

}  // namespace kaiku
