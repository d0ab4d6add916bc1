#include "kaiku/storage/redis/layout.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "kaiku/core/decimal.hpp"

namespace kaiku::redis {
namespace {

constexpr std::size_t hash_bytes = 8;
/// Another layout is another number, so that nobody reads one for the other.
constexpr std::string_view layout_version = "1";

/// Values stand behind each other with a NUL between: none of them holds one.
template <class Texts>
std::string join(const Texts& texts) {
  std::string out;
  for (const auto& text : texts) out.append(text).push_back('\0');
  if (!out.empty()) out.pop_back();
  return out;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (auto end = text.find('\0'); end != std::string_view::npos; end = text.find('\0')) {
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

/// `name=value` in lines: a name is a token and holds no `=`, a value holds no control character.
std::string write_metadata(const file_properties& x) {
  std::string out;
  for (const auto& [name, value] : x.metadata) out.append(name).append("=").append(value).push_back('\n');
  return out;
}

bool read_metadata(std::string_view text, file_properties& into) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto equals = text.find('=');
    if (end == std::string_view::npos || equals > end) return false;
    into.metadata.emplace_back(text.substr(0, equals), text.substr(equals + 1, end - equals - 1));
    text.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace

std::string key_prefix(const cluster_id& cluster, const node_id& node) {
  return "kaiku:{" + to_string(cluster) + ":" + node.name + "}:";
}

// --- keyed_hash ----------------------------------------------------------------------------------------------------

struct keyed_hash::impl {
  secret key;
  EVP_MAC_CTX* context = nullptr;
};

keyed_hash::keyed_hash(const secret& key) : impl_(std::make_unique<impl>(impl{key, nullptr})) {
  auto* algorithm = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
  INVARIANT(algorithm != nullptr, "OpenSSL has SipHash");
  impl_->context = EVP_MAC_CTX_new(algorithm);
  EVP_MAC_free(algorithm);
  std::size_t size = hash_bytes;
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
  INVARIANT(EVP_MAC_CTX_set_params(impl_->context, params) == 1, "SipHash gives 64 bits");
}

keyed_hash::~keyed_hash() {
  EVP_MAC_CTX_free(impl_->context);
}

std::string keyed_hash::operator()(std::string_view text) const {
  std::array<unsigned char, hash_bytes> out{};
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const bool done = EVP_MAC_init(impl_->context, impl_->key.data(), impl_->key.size(), nullptr) == 1 &&
                    EVP_MAC_update(impl_->context, bytes, text.size()) == 1 &&
                    EVP_MAC_final(impl_->context, out.data(), &size, out.size()) == 1;
  INVARIANT(done && size == out.size(), "SipHash can't fail");
  return to_hex(out.data(), out.size());
}

generation generation::make() {
  generation out;
  std::array<unsigned char, 8> name{};
  const bool random = RAND_bytes(name.data(), static_cast<int>(name.size())) == 1 &&
                      RAND_bytes(out.secret.data(), static_cast<int>(out.secret.size())) == 1;
  INVARIANT(random, "OpenSSL has random bytes");
  out.name = to_hex(name.data(), name.size());
  return out;
}

// --- layout --------------------------------------------------------------------------------------------------------

layout::layout(const std::string& prefix, generation of)
    : of_(std::move(of)),
      hash_(of_.secret),
      token_key_(prefix + "token"),
      generation_prefix_(prefix + of_.name + ":"),
      inode_prefix_(generation_prefix_ + "inode:"),
      index_prefix_(generation_prefix_ + "index:") {}

std::vector<std::string> layout::token(log_position at) const {
  std::vector<std::string> values{of_.name, to_string(at.in_term), to_string(at.index)};
  values.push_back(hash_("token" + std::string{layout_version} + '\0' + join(values)));
  return values;
}

std::string layout::check_member(inode_id directory, std::string_view before, std::string_view body) const {
  return hash_(join(std::array<std::string_view, 4>{"member", to_string(directory), before, body}));
}

std::string layout::check_record(inode_id which, std::string_view body) const {
  return hash_(join(std::array<std::string_view, 3>{"inode", to_string(which), body}));
}

std::string layout::member(inode_id directory, std::string_view before, std::string_view name,
                           inode_id leads_to) const {
  auto body = std::string{name} + '\0' + to_string(leads_to);
  auto check = check_member(directory, before, body);
  return std::move(body) + '\0' + check;
}

std::optional<layout::entry> layout::read_member(inode_id directory, std::string_view before,
                                                 std::string_view member) const {
  const auto check = member.rfind('\0');
  if (check == std::string_view::npos) return std::nullopt;
  const auto body = member.substr(0, check);
  if (check_member(directory, before, body) != member.substr(check + 1)) return std::nullopt;
  const auto parts = split(body);
  entry out{parts.front(), {}};
  if (parts.size() != 2 || !read_decimal(parts[1], out.leads_to.value)) return std::nullopt;
  return out;
}

std::vector<std::string> layout::record(const file_info& x) const {
  const bool file = !x.is_directory();
  const auto& more = x.properties;
  std::vector<std::string> values{file ? "file" : "directory",
                                  file ? to_string(x.content.size) : "",
                                  file ? to_string(x.content.sha256) : "",
                                  write_version(x.version),
                                  std::to_string(x.created.value),
                                  std::to_string(x.modified.value),
                                  more.content_type,
                                  more.content_encoding,
                                  more.expires ? std::to_string(more.expires->value) : "",
                                  write_metadata(more)};
  values.push_back(check_record(x.inode, join(values)));
  return values;
}

std::optional<file_info> layout::read_record(inode_id which, std::string_view joined) const {
  const auto check = joined.rfind('\0');
  if (check == std::string_view::npos) return std::nullopt;
  const auto body = joined.substr(0, check);
  if (check_record(which, body) != joined.substr(check + 1)) return std::nullopt;
  const auto values = split(body);
  if (values.size() + 1 != inode_fields.size()) return std::nullopt;
  file_info x;
  x.inode = which;
  x.type = values[0] == "file" ? file_info::kind::file : file_info::kind::directory;
  bool good = read_version(values[3], x.version) && read_decimal(values[4], x.created.value) &&
              read_decimal(values[5], x.modified.value) && read_metadata(values[9], x.properties);
  if (!x.is_directory()) {
    auto& digest = x.content.sha256.bytes;
    good = good && read_decimal(values[1], x.content.size.value) && from_hex(values[2], digest.data(), digest.size());
  }
  x.properties.content_type = values[6];
  x.properties.content_encoding = values[7];
  if (!values[8].empty()) {
    x.properties.expires.emplace();
    good = good && read_decimal(values[8], x.properties.expires->value);
  }
  if (!good) return std::nullopt;
  return x;
}

}  // namespace kaiku::redis
