#include "kaiku/storage/synced_mark.hpp"

#include <unistd.h>

#include "kaiku/core/codec.hpp"

namespace kaiku {
namespace {
constexpr std::size_t mark_bytes = 16;
}

std::uint64_t synced_mark::value() const {
  std::string bytes(mark_bytes, '\0');
  if (::pread(file_.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return 0;
  decoder in{bytes};
  const auto sequence = in.u64();
  return in.u64() == ~sequence ? sequence : 0;
}

void synced_mark::advance(std::uint64_t sequence) {
  const auto bytes = encoder{}.u64(sequence).u64(~sequence).take();
  // A mark that could not be written lags: it is worth less, but not wrong.
  [[maybe_unused]] const auto wrote = ::pwrite(file_.get(), bytes.data(), bytes.size(), 0);
}

}  // namespace kaiku
