#include "kaiku/http/access/rules.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "kaiku/core/limits.hpp"
#include "kaiku/http/api/http_date.hpp"
#include "kaiku/secrets/secret_file.hpp"

namespace kaiku {
namespace {

using nlohmann::json;

/// Said to the operator: where in the file, and what is wrong there.
struct complaint {
  std::string what;
};
[[noreturn]] void complain(const std::string& where, const std::string& what) {
  throw complaint{where + ": " + what};
}

std::string read_file(const std::filesystem::path& file, std::size_t most, const std::string& where) {
  // A pipe would hold up whoever opens it.
  std::error_code missing;
  if (!std::filesystem::is_regular_file(file, missing))
    complain(where, file.string() + " can't be read: it is no file");
  std::ifstream in(file, std::ios::binary);
  std::string text(most + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (!in.eof() && in.fail()) || !in.is_open()) complain(where, file.string() + " can't be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > most) complain(where, file.string() + " is larger than " + std::to_string(most) + " bytes");
  return text;
}

/// One object of the file: every member is asked for once, and what nobody asked for is refused.
class object {
 public:
  object(const json& from, std::string where) : from_(from), where_(std::move(where)) {
    if (!from.is_object()) complain(where_, "an object is expected");
  }

  const std::string& where() const { return where_; }
  const json* find(const char* name) {
    asked_.insert(name);
    const auto found = from_.find(name);
    return found == from_.end() ? nullptr : &*found;
  }
  std::optional<std::string> text(const char* name) {
    const auto* found = find(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_string()) complain(where_, std::string(name) + " is a text");
    return found->get<std::string>();
  }
  std::string needed(const char* name) {
    auto found = text(name);
    if (!found || found->empty()) complain(where_, std::string(name) + " is missing");
    return std::move(*found);
  }
  std::vector<std::string> texts(const char* name) {
    const auto* found = find(name);
    if (found == nullptr) return {};
    std::vector<std::string> out;
    if (!found->is_array() || found->empty()) complain(where_, std::string(name) + " is a list of texts");
    for (const auto& one : *found) {
      if (!one.is_string()) complain(where_, std::string(name) + " is a list of texts");
      out.push_back(one.get<std::string>());
    }
    return out;
  }
  std::vector<file_path> paths() {
    std::vector<file_path> out;
    for (const auto& text : texts("paths")) {
      auto path = file_path::parse(text);
      if (!path || !text.starts_with('/')) complain(where_, "\"" + text + "\" is no path that begins with /");
      out.push_back(std::move(*path));
    }
    return out;
  }
  void end() const {
    for (const auto& [name, value] : from_.items())
      if (!asked_.contains(name)) complain(where_, "\"" + name + "\" is not known here");
  }

 private:
  const json& from_;
  std::string where_;
  std::set<std::string> asked_;
};

template <class Read>
void each(object& of, const char* name, std::size_t most, Read read) {
  const auto* all = of.find(name);
  if (all == nullptr) return;
  if (!all->is_array()) complain(of.where(), std::string(name) + " is a list");
  if (all->size() > most) complain(of.where(), "more than " + std::to_string(most) + " " + name);
  std::size_t number = 0;
  for (const auto& one : *all) {
    object x(one, std::string(name) + "[" + std::to_string(number++) + "]");
    read(x);
    x.end();
  }
}

void read_token(object& from, access_rules& into) {
  const auto id = from.needed("id");
  auto hash = token_hash::parse(from.needed("hash"));
  if (!hash) complain(from.where(), "hash is not as `kaikud token new` prints it");
  known_token token{std::move(*hash), {from.needed("name"), {}, from.paths()}, std::nullopt};
  for (const auto& name : from.texts("scopes")) {
    auto known = parse_scope(name);
    if (!known) complain(from.where(), known.failure().detail);
    token.who.may.add(*known);
  }
  if (token.who.may.empty()) complain(from.where(), "scopes are missing");
  if (const auto until = from.text("expires")) {
    token.until = parse_rfc3339(*until);
    if (!token.until) complain(from.where(), "expires is a time like 2030-01-31T12:00:00Z");
  }
  if (!into.tokens.emplace(id, std::move(token)).second) complain(from.where(), "another token has the id " + id);
}

}  // namespace

result<std::shared_ptr<const access_rules>> access_rules::load(const std::filesystem::path& file,
                                                               std::vector<std::filesystem::path>* read) try {
  const auto look_at = [&](const std::filesystem::path& one) {
    if (read != nullptr) read->push_back(one);
    return one;
  };
  look_at(file);
  const auto text = read_file(file, limits::access_file_bytes, "the file");
  const auto document = json::parse(text, nullptr, false);
  if (document.is_discarded()) complain("the file", "it is not JSON");
  auto out = std::make_shared<access_rules>();
  object all(document, "the file");
  const auto beside = [&](const std::string& name) { return look_at(file.parent_path() / name); };
  each(all, "tokens", limits::access_tokens, [&](object& x) { read_token(x, *out); });
  each(all, "jwt", limits::access_issuers, [&](object& x) {
    const auto key = read_file(beside(x.needed("key")), limits::access_file_bytes, x.where());
    auto algorithm = x.needed("algorithm");
    auto audience = x.needed("audience");
    auto made = jwt_issuer::make(algorithm, key, std::move(audience), x.text("issuer").value_or(""));
    if (!made) complain(x.where(), made.failure().detail);
    out->issuers.push_back(std::move(*made));
  });
  each(all, "url_keys", limits::access_tokens, [&](object& x) {
    const auto id = x.needed("id");
    auto secret = read_secret(beside(x.needed("key")), limits::key_file_bytes);
    if (!secret) complain(x.where(), secret.failure().detail);
    url_key key{std::move(*secret), x.paths()};
    key.secret.shrink_to_fit();
    if (key.secret.size() < limits::access_key_least_bytes)
      complain(x.where(), "a key has at least " + std::to_string(limits::access_key_least_bytes) + " bytes");
    if (!out->url_keys.emplace(id, std::move(key)).second) complain(x.where(), "another key has the id " + id);
  });
  all.end();
  return std::shared_ptr<const access_rules>{std::move(out)};
} catch (const complaint& x) {
  return error{errc::bad_request, file.string() + ": " + x.what};
}

}  // namespace kaiku
