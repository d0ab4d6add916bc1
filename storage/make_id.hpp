#pragma once

/// Purpose: ids that nobody else has: of clusters, disks and starts of a node. Thread: any.

#include <cstdint>
#include <span>

namespace kaiku {

/// By OpenSSL's generator.
void fill_randomly(std::span<std::uint8_t> bytes);

template <class Id>
Id make_id() {
  Id id;
  fill_randomly(id.bytes);
  return id;
}

}  // namespace kaiku
