#include "kaiku/http/access/jwt.hpp"

#include <openssl/evp.h>
#include <rhonabwy.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <nlohmann/json.hpp>

namespace kaiku {
namespace {

using nlohmann::json;

struct jwk_freer {
  void operator()(jwk_t* x) const { r_jwk_free(x); }
};
struct jwt_freer {
  void operator()(jwt_t* x) const { r_jwt_free(x); }
};
using jwk_ptr = std::unique_ptr<jwk_t, jwk_freer>;
using jwt_ptr = std::unique_ptr<jwt_t, jwt_freer>;

struct known_algorithm {
  std::string_view name;
  jwa_alg code;
  int key_type;
};
constexpr std::array algorithms{known_algorithm{"RS256", R_JWA_ALG_RS256, R_KEY_TYPE_RSA},
                                known_algorithm{"ES256", R_JWA_ALG_ES256, R_KEY_TYPE_EC},
                                known_algorithm{"EdDSA", R_JWA_ALG_EDDSA, R_KEY_TYPE_EDDSA}};
constexpr unsigned least_rsa_bits = 2048, es256_bits = 256;

constexpr std::string_view base64url_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The one way to write its bytes (RFC 7515, 2; RFC 4648, 3.5): no padding, and no bit that is left over is set. The
/// library checks the signature of what it decoded and wrote again, so that it would take every other way, too.
bool is_base64url(std::string_view text) {
  if (text.find_first_not_of(base64url_digits) != std::string_view::npos) return false;
  const auto last = text.empty() ? 0 : base64url_digits.find(text.back());
  switch (text.size() % 4) {
    case 2: return last % 16 == 0;
    case 3: return last % 4 == 0;
    default: return text.size() % 4 == 0;
  }
}

/// Of what is_base64url.
std::string decode_base64url(std::string_view text) {
  std::string padded(text);
  for (auto& c : padded) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const auto missing = (4 - padded.size() % 4) % 4;
  padded.append(missing, '=');
  std::string out(padded.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(padded.data()),
                  static_cast<int>(padded.size()));
  out.resize(out.size() - missing);
  return out;
}

/// Seconds since 1970, with or without a fraction (RFC 7519, 2).
std::optional<double> time_of(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  const auto value = found->get<double>();
  return std::isfinite(value) ? std::optional{value} : std::nullopt;
}

std::string text_of(const json& claims, const char* name) {
  const auto found = claims.find(name);
  return found != claims.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

bool is_for(const json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (found->is_array()) return std::find(found->begin(), found->end(), json(audience)) != found->end();
  return *found == json(audience);
}

/// Empty if they are not a list of paths: then the token is of no use.
std::optional<std::vector<file_path>> paths_of(const json& claims) {
  std::vector<file_path> out;
  const auto found = claims.find("kaiku_paths");
  if (found == claims.end()) return out;
  if (!found->is_array() || found->empty()) return std::nullopt;
  for (const auto& one : *found) {
    if (!one.is_string()) return std::nullopt;
    const auto text = one.get<std::string>();
    auto path = file_path::parse(text);
    if (!path || !text.starts_with('/')) return std::nullopt;
    out.push_back(std::move(*path));
  }
  return out;
}

}  // namespace

struct jwt_issuer::impl {
  std::string name;  ///< of the algorithm
  jwa_alg algorithm = R_JWA_ALG_UNKNOWN;
  jwk_ptr key;
  std::string audience, issuer;
  mutable std::mutex mutex;  ///< the library counts uses of the key

  /// The library would inflate, without a bound, before it looks at a signature; and passes over what must be
  /// understood (RFC 7515, 4.1.11).
  bool is_plain(const std::string& token) const {
    const std::string_view all = token;
    const auto first = all.find('.'), last = all.rfind('.');
    if (std::count(all.begin(), all.end(), '.') != 2) return false;
    const auto encoded = all.substr(0, first);
    if (!is_base64url(encoded) || !is_base64url(all.substr(first + 1, last - first - 1)) ||
        !is_base64url(all.substr(last + 1)))
      return false;
    const auto header = json::parse(decode_base64url(encoded), nullptr, false);
    if (!header.is_object() || header.contains("zip") || header.contains("crit") || header.contains("b64"))
      return false;
    return text_of(header, "alg") == name;
  }

  std::string claims_of(const std::string& token) const {
    if (!is_plain(token)) return {};
    jwt_t* raw = nullptr;
    if (r_jwt_init(&raw) != RHN_OK) return {};
    const jwt_ptr parsed{raw};
    // No key, and no address of one, is taken from the token itself; none is unsigned.
    if (r_jwt_advanced_parsen(raw, token.data(), token.size(), R_PARSE_NONE, 0) != RHN_OK) return {};
    if (r_jwt_get_type(raw) != R_JWT_TYPE_SIGN || r_jwt_get_sign_alg(raw) != algorithm) return {};
    {
      std::lock_guard guard{mutex};
      if (r_jwt_verify_signature(raw, key.get(), 0) != RHN_OK) return {};
    }
    const std::unique_ptr<char, void (*)(void*)> claims{r_jwt_get_full_claims_str(raw), r_free};
    return claims ? std::string{claims.get()} : std::string{};
  }
};

result<jwt_issuer> jwt_issuer::make(const std::string& algorithm, const std::string& public_key, std::string audience,
                                    std::string issuer) {
  static const bool ready = r_global_init() == RHN_OK;
  if (!ready) return {errc::bad_request, "the library for JSON Web Tokens does not start"};
  const auto known =
      std::find_if(algorithms.begin(), algorithms.end(), [&](const auto& x) { return x.name == algorithm; });
  if (known == algorithms.end())
    return {errc::bad_request, "algorithms are RS256, ES256 and EdDSA, not \"" + algorithm + "\""};
  if (audience.empty()) return {errc::bad_request, "an audience is needed: whom its tokens are for"};
  auto own = std::make_shared<impl>();
  jwk_t* raw = nullptr;
  if (r_jwk_init(&raw) != RHN_OK) return {errc::bad_request, "no memory for a key"};
  own->key.reset(raw);
  const auto* bytes = reinterpret_cast<const unsigned char*>(public_key.data());
  if (r_jwk_import_from_pem_der(raw, R_X509_TYPE_PUBKEY, R_FORMAT_PEM, bytes, public_key.size()) != RHN_OK)
    return {errc::bad_request, "the key is not a public key in PEM"};
  unsigned bits = 0;
  if ((r_jwk_key_type(raw, &bits, 0) & known->key_type) == 0)
    return {errc::bad_request, "the key is not one for " + algorithm};
  if (known->code == R_JWA_ALG_ES256 && bits != es256_bits)
    return {errc::bad_request, "the key is not one for ES256, which is of the curve P-256"};
  if (known->code == R_JWA_ALG_RS256 && bits < least_rsa_bits)
    return {errc::bad_request, "the key has " + std::to_string(bits) + " bits; at least " +
                                   std::to_string(least_rsa_bits) + " are needed"};
  own->name = algorithm;
  own->algorithm = known->code;
  own->audience = std::move(audience);
  own->issuer = std::move(issuer);
  return jwt_issuer{std::move(own)};
}

std::optional<identity> jwt_issuer::check(const std::string& token, unix_time_ms now) const {
  const auto claims = json::parse(impl_->claims_of(token), nullptr, false);
  if (!claims.is_object()) return std::nullopt;
  const auto seconds = static_cast<double>(now.value) / 1000;
  const auto until = time_of(claims, "exp"), from = time_of(claims, "nbf");
  if (!until || seconds >= *until || (claims.contains("nbf") && (!from || seconds < *from))) return std::nullopt;
  if (!is_for(claims, impl_->audience)) return std::nullopt;
  auto issuer = text_of(claims, "iss");
  if (!impl_->issuer.empty() && issuer != impl_->issuer) return std::nullopt;
  auto below = paths_of(claims);
  if (!below) return std::nullopt;
  auto subject = text_of(claims, "sub");
  return identity{"jwt:" + (subject.empty() ? issuer : subject), scopes::of_claim(text_of(claims, "scope")),
                  std::move(*below)};
}

}  // namespace kaiku
