#pragma once

/// Purpose: SHA-256 of bytes that come piece by piece (FIPS 180-4, by OpenSSL). Thread: a value; one owner at a time.

#include <memory>
#include <string_view>

#include "kaiku/core/ids.hpp"

namespace kaiku {

class running_sum {
 public:
  running_sum();
  ~running_sum();
  running_sum(running_sum&&) noexcept;
  running_sum& operator=(running_sum&&) noexcept;

  void add(std::string_view bytes);
  /// Of all bytes so far; more may follow.
  digest so_far() const;

 private:
  struct context;
  std::unique_ptr<context> context_;
};

}  // namespace kaiku
