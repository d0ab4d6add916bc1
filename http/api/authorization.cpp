#include "kaiku/http/api/authorization.hpp"

#include <algorithm>

#include <openssl/evp.h>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {

std::optional<std::string> token_shown(std::string_view authorization) {
  const auto space = std::min(authorization.find(' '), authorization.size());
  const auto scheme = authorization.substr(0, space);
  const auto rest = without_space(authorization.substr(space));
  if (same_token(scheme, "Bearer")) return std::string(rest);
  if (!same_token(scheme, "Basic") || rest.size() % 4 != 0) return std::nullopt;
  std::string text(rest.size() / 4 * 3, '\0');
  const auto* from = reinterpret_cast<const unsigned char*>(rest.data());
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(text.data()), from, static_cast<int>(rest.size())) < 0)
    return std::nullopt;
  const auto padding = rest.size() - std::min(rest.find_last_not_of('=') + 1, rest.size());
  if (padding > 2) return std::nullopt;
  text.resize(text.size() - padding);
  const auto colon = text.find(':');
  return colon == std::string::npos ? std::nullopt : std::optional{text.substr(colon + 1)};
}

}  // namespace kaiku
