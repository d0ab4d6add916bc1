#include "kaiku/archive/running_sum.hpp"

#include <openssl/evp.h>

#include "kaiku/core/invariant.hpp"

namespace kaiku {

struct running_sum::context {
  context() : handle(EVP_MD_CTX_new()) { INVARIANT(handle != nullptr, "OpenSSL has memory"); }
  ~context() { EVP_MD_CTX_free(handle); }
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  EVP_MD_CTX* handle;
};

running_sum::running_sum() : context_(std::make_unique<context>()) {
  INVARIANT(EVP_DigestInit_ex(context_->handle, EVP_sha256(), nullptr) == 1, "OpenSSL has SHA-256");
}
running_sum::~running_sum() = default;
running_sum::running_sum(running_sum&&) noexcept = default;
running_sum& running_sum::operator=(running_sum&&) noexcept = default;

void running_sum::add(std::string_view bytes) {
  INVARIANT(EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size()) == 1, "SHA-256 takes bytes");
}

digest running_sum::so_far() const {
  const context copy;
  digest out;
  unsigned size = 0;
  INVARIANT(EVP_MD_CTX_copy_ex(copy.handle, context_->handle) == 1, "a digest can be copied");
  INVARIANT(EVP_DigestFinal_ex(copy.handle, out.bytes.data(), &size) == 1 && size == out.bytes.size(),
            "SHA-256 gives 32 bytes");
  return out;
}

}  // namespace kaiku
