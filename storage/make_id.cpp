#include "kaiku/storage/make_id.hpp"

#include <openssl/rand.h>

#include "kaiku/core/invariant.hpp"

namespace kaiku {

void fill_randomly(std::span<std::uint8_t> bytes) {
  INVARIANT(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "OpenSSL has random bytes");
}

}  // namespace kaiku
