// What anybody may show for a token: nobody gets in but with what was given out. An input is an Authorization field,
// the end of a line, and a method with a target. The corpus holds one of each that was given out; all that chance makes
// of them has to be refused, or to be the same but for how it is written. With clang this is a libFuzzer target:
// -fsanitize=fuzzer in place of support/fuzz_driver.cpp.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "kaiku/http/access/control.hpp"
#include "kaiku/http/access/signed_url.hpp"
#include "kaiku/http/access/token.hpp"
#include "kaiku/http/api/authorization.hpp"

namespace {

using namespace kaiku;

constexpr unix_time_ms now{1'700'000'000'000};
constexpr std::string_view own_token =
    "kaiku_0a1b2c3d_5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e";
constexpr std::string_view url_secret = "an example of a key that signs URLs";
constexpr std::uint64_t url_expires = 2'000'000'000;

/// Of the pair that signed the corpus's; its other half was thrown away.
constexpr const char* public_key =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQm2Rma17oeZCs0ZOS4KnHn0GF99N\n"
    "iLtaIkzIh3Y7wxlKbWxIObwMGTD9NSGtSzBtkzlEHxtFuIJN6bLScE7kHg==\n"
    "-----END PUBLIC KEY-----\n";
/// All but the signature, which ECDSA lets anybody write in another way.
constexpr std::string_view signed_claims =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJhdWQiOiJrYWlrdSIsImV4cCI6MjAwMDAwMDAwMCwibmJmIjoxNjAwMDAwMDAwLCJpc3MiOiJmdXp6Iiwic3ViIjoiYWxpY2UiLCJzY29wZSI6In"
    "JlYWQgd3JpdGUiLCJrYWlrdV9wYXRocyI6WyIvYSJdfQ.";

void demand(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

const access_control& control() {
  static const auto made = [] {
    auto rules = std::make_shared<access_rules>();
    const auto read = read_token(own_token);
    demand(read.has_value(), "the corpus's token is one");
    rules->tokens.emplace(std::string(read->id), known_token{token_hash::of(read->secret), {"own", {}, {}}, {}});
    auto issuer = jwt_issuer::make("ES256", public_key, "kaiku", "fuzz");
    demand(issuer.ok(), "the corpus's key is one");
    rules->issuers.push_back(std::move(*issuer));
    rules->url_keys["k1"] = {std::string(url_secret), {}};
    return std::make_unique<access_control>(std::move(rules));
  }();
  return *made;
}

void try_token(std::string_view authorization) {
  const auto token = token_shown(authorization);
  if (!token) return;
  demand(token->size() <= authorization.size(), "a token that is longer than its field");
  const auto answer = control().check_token(*token, now);
  if (!answer.who) return demand(answer.why != access_control::doubt::none, "a token is refused without a reason");
  if (answer.who->name == "own") return demand(*token == own_token, "a token that was not given out");
  demand(answer.who->name == "jwt:alice" && token->starts_with(signed_claims), "claims that nobody signed");
  demand(answer.who->below.size() == 1 && !answer.who->may.has(scope::admin), "more than was claimed");
}

void try_url(std::string_view method, std::string_view target) {
  const auto mark = std::min(target.find('?'), target.size());
  const auto path = file_path::parse(target.substr(0, mark));
  if (!path) return;
  std::string query(target.substr(std::min(mark + 1, target.size())));
  const auto before = query;
  const auto answer = control().check_url(method, *path, query, now);
  if (!answer.who) return demand(query == before, "a query is changed without need");
  demand(path->text() == "a/b.txt" && method != "PUT", "a URL that was not given out");
  const auto said = read_signature(before);
  demand(said && said->expires == url_expires && said->key == "k1", "a URL that was signed otherwise");
  demand(!read_signature(query), "a signature that is left over");
  demand(answer.who->below.size() == 1 && answer.who->reaches(*path), "leave for more than one path");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line = std::min(input.find('\n'), input.size());
  try_token(input.substr(0, line));
  const auto request = input.substr(std::min(line + 1, input.size()));
  const auto space = std::min(request.find(' '), request.size());
  // check_access asks for no others.
  for (const std::string_view method : {"GET", "HEAD", "PUT"})
    if (request.substr(0, space) == method) try_url(method, request.substr(std::min(space + 1, request.size())));
  return 0;
}
