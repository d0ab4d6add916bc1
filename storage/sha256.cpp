#include <openssl/evp.h>

#include "kaiku/storage/content_store.hpp"

namespace kaiku {

struct sha256_hasher::context {
  context() : handle(EVP_MD_CTX_new()) {
    INVARIANT(handle != nullptr && EVP_DigestInit_ex(handle, EVP_sha256(), nullptr) == 1, "OpenSSL has SHA-256");
  }
  context(const context&) = delete;
  context& operator=(const context&) = delete;
  ~context() { EVP_MD_CTX_free(handle); }

  EVP_MD_CTX* handle;
};

sha256_hasher::sha256_hasher() : context_(std::make_unique<context>()) {}
sha256_hasher::~sha256_hasher() = default;
sha256_hasher::sha256_hasher(sha256_hasher&&) noexcept = default;
sha256_hasher& sha256_hasher::operator=(sha256_hasher&&) noexcept = default;

void sha256_hasher::update(std::string_view bytes) {
  INVARIANT(EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size()) == 1, "SHA-256 takes bytes");
}

digest sha256_hasher::finish() {
  digest out;
  unsigned size = 0;
  INVARIANT(EVP_DigestFinal_ex(context_->handle, out.bytes.data(), &size) == 1 && size == out.bytes.size(),
            "SHA-256 gives 32 bytes");
  return out;
}

digest sha256(std::string_view bytes) {
  sha256_hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace kaiku
