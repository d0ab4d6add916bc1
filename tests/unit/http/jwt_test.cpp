// Tokens of other issuers. They are made here with OpenSSL alone, so that two implementations meet.

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <boost/test/unit_test.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "kaiku/http/access/jwt.hpp"

namespace kaiku::test {
namespace {

using nlohmann::json;
constexpr unix_time_ms now{1'800'000'000'000};

std::string base64url(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                                      reinterpret_cast<const unsigned char*>(text.data()),
                                                      static_cast<int>(text.size()))));
  while (out.ends_with('=')) out.pop_back();
  for (auto& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

struct key_pair {
  explicit key_pair(const std::string& algorithm) : name(algorithm) {
    key.reset(algorithm == "RS256"   ? EVP_RSA_gen(2048)
              : algorithm == "ES256" ? EVP_EC_gen("P-256")
                                     : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    BOOST_REQUIRE(key != nullptr);
  }

  std::string public_key() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), BIO_free};
    BOOST_REQUIRE(PEM_write_bio_PUBKEY(out.get(), key.get()) == 1);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }
  std::string sign(const std::string& what) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    const auto* hash = name == "EdDSA" ? nullptr : EVP_sha256();
    BOOST_REQUIRE(EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key.get()) == 1);
    std::size_t size = 1024;
    std::string out(size, '\0');
    BOOST_REQUIRE(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                                 reinterpret_cast<const unsigned char*>(what.data()), what.size()) == 1);
    out.resize(size);
    return name == "ES256" ? two_numbers(out) : out;
  }
  /// As JWS wants it (RFC 7518, 3.4): not in DER.
  static std::string two_numbers(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> both{
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free};
    std::string out(64, '\0');
    auto* into = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(both.get()), into, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(both.get()), into + 32, 32);
    return out;
  }
  std::string token(const json& claims, json header = {}) const {
    if (header.is_null()) header = {{"alg", name}, {"typ", "JWT"}};
    const auto text = base64url(header.dump()) + "." + base64url(claims.dump());
    return text + "." + base64url(sign(text));
  }

  std::string name;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{nullptr, EVP_PKEY_free};
};

json good_claims() {
  return {{"sub", "ana"},
          {"iss", "https://sso.example"},
          {"aud", "kaiku"},
          {"scope", "read mail write"},
          {"exp", now.value / 1000 + 60}};
}

jwt_issuer issuer_of(const key_pair& of, const std::string& issuer = {}) {
  auto made = jwt_issuer::make(of.name, of.public_key(), "kaiku", issuer);
  BOOST_REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.failure().detail));
  return *made;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_web_tokens)

BOOST_AUTO_TEST_CASE(a_good_token_of_each_algorithm_says_who_and_what_for) {
  for (const std::string algorithm : {"RS256", "ES256", "EdDSA"}) {
    BOOST_TEST_CONTEXT(algorithm) {
      const key_pair own(algorithm), other(algorithm);
      const auto issuer = issuer_of(own, "https://sso.example");
      const auto who = issuer.check(own.token(good_claims()), now);
      BOOST_REQUIRE(who.has_value());
      BOOST_TEST(who->name == "jwt:ana");
      BOOST_TEST(who->may.has(scope::read));
      BOOST_TEST(who->may.has(scope::write));
      BOOST_TEST(!who->may.has(scope::admin));
      BOOST_TEST(!who->may.has(scope::metrics));
      BOOST_TEST(who->reaches(*file_path::parse("anything")));
      BOOST_TEST(!issuer.check(other.token(good_claims()), now).has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_token_for_somebody_else_or_of_another_time_is_none) {
  const key_pair own("ES256");
  const auto issuer = issuer_of(own, "https://sso.example");
  const auto seconds = now.value / 1000;
  const std::vector<std::pair<const char*, json>> changed{{"aud", "other"},
                                                          {"aud", nullptr},
                                                          {"aud", json::array({"x", "y"})},
                                                          {"iss", "https://evil.example"},
                                                          {"exp", seconds},
                                                          {"exp", "4000000000"},
                                                          {"exp", nullptr},
                                                          {"nbf", seconds + 1},
                                                          {"nbf", "0"},
                                                          {"kaiku_paths", "x"},
                                                          {"kaiku_paths", json::array({1})},
                                                          {"kaiku_paths", json::array()},
                                                          {"kaiku_paths", json::array({"/a/../b"})},
                                                          {"kaiku_paths", json::array({""})},
                                                          {"kaiku_paths", json::array({"a"})}};
  for (const auto& [name, value] : changed) {
    BOOST_TEST_CONTEXT(name << " is " << value) {
      auto claims = good_claims();
      claims[name] = value;
      BOOST_TEST(!issuer.check(own.token(claims), now).has_value());
    }
  }
  for (const auto* name : {"aud", "exp", "iss"}) {
    auto claims = good_claims();
    claims.erase(name);
    BOOST_TEST(!issuer.check(own.token(claims), now).has_value(), name << " is missing");
  }
  auto claims = good_claims();
  claims["aud"] = {"other", "kaiku"};
  claims["nbf"] = seconds;
  claims["kaiku_paths"] = {"/a/b"};
  const auto who = issuer.check(own.token(claims), now);
  BOOST_REQUIRE(who.has_value());
  BOOST_TEST(who->reaches(*file_path::parse("a/b/c")));
  BOOST_TEST(!who->reaches(*file_path::parse("a/c")));
}

BOOST_AUTO_TEST_CASE(a_token_does_not_choose_how_it_is_checked) {
  const key_pair own("RS256"), other("RS256");
  const auto issuer = issuer_of(own);
  const auto claims = good_claims();
  BOOST_REQUIRE(issuer.check(own.token(claims), now).has_value());
  const auto unsigned_text = base64url(R"({"alg":"none"})") + "." + base64url(claims.dump()) + ".";
  BOOST_TEST(!issuer.check(unsigned_text, now).has_value());
  // The public key, which everybody may know, as the secret of an HMAC.
  const auto text = base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + base64url(claims.dump());
  const auto secret = own.public_key();
  std::string mac(32, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), reinterpret_cast<unsigned char*>(mac.data()),
       &size);
  BOOST_TEST(!issuer.check(text + "." + base64url(mac), now).has_value());
  // Another algorithm of the same key, and a key of its own.
  BOOST_TEST(!issuer.check(own.token(claims, {{"alg", "PS256"}}), now).has_value());
  BOOST_TEST(!issuer.check(other.token(claims, {{"alg", "RS256"}, {"jku", "https://evil.example/keys"}}), now));
  for (const json& header : {json{{"alg", "RS256"}, {"zip", "DEF"}}, json{{"alg", "RS256"}, {"crit", {"exp-thing"}}},
                             json{{"alg", "RS256"}, {"b64", false}}, json{{"typ", "JWT"}}})
    BOOST_TEST(!issuer.check(own.token(claims, header), now).has_value(), header);
  auto damaged = own.token(claims);
  damaged[damaged.size() / 2] = damaged[damaged.size() / 2] == 'A' ? 'B' : 'A';
  BOOST_TEST(!issuer.check(damaged, now).has_value());
  for (const std::string nonsense : {"", ".", "..", "...", "a.b.c", "e30.e30.", "e30.e30.e30"})
    BOOST_TEST(!issuer.check(nonsense, now).has_value(), nonsense);
}

BOOST_AUTO_TEST_CASE(a_token_is_written_in_one_way) {
  const key_pair own("ES256");
  const auto issuer = issuer_of(own);
  auto claims = good_claims();
  while (claims.dump().size() % 3 == 0) claims["sub"] = claims["sub"].get<std::string>() + "a";
  const auto good = own.token(claims, {{"alg", "ES256"}, {"typ", "JOSE"}});
  BOOST_REQUIRE(issuer.check(good, now).has_value());
  // Each part ends with bits that belong to no byte. Others there decode to the same bytes, as padding and blanks do.
  const auto first = good.find('.'), second = good.rfind('.');
  for (const auto end : {first, second, good.size()}) {
    BOOST_TEST_CONTEXT("the part that ends at " << end) {
      auto other = good;
      ++other[end - 1];
      BOOST_TEST(!issuer.check(other, now).has_value());
      for (const std::string more : {"=", "==", " ", "\n", "A"})
        BOOST_TEST(!issuer.check(std::string(good).insert(end, more), now).has_value(), more);
    }
  }
  BOOST_TEST(!issuer.check(" " + good, now).has_value());
}

BOOST_AUTO_TEST_CASE(a_key_of_another_kind_is_no_issuers) {
  const key_pair elliptic("ES256");
  BOOST_TEST(!jwt_issuer::make("RS256", elliptic.public_key(), "kaiku", "").ok());
  BOOST_TEST(!jwt_issuer::make("ES256", "", "kaiku", "").ok());
  BOOST_TEST(!jwt_issuer::make("ES256", elliptic.public_key(), "", "").ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
