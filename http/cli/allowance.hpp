#pragma once

/// Purpose: how many bytes may move now, of all transfers together, for `--limit-rate`. Thread: one at a time.
///
/// It fills with time, up to what the rate gives in `limits::rate_burst_ms`. Whoever moves bytes pays afterwards, so
/// that it may be in debt by a piece.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "kaiku/cli/limits.hpp"

namespace kaiku::cli {

class allowance {
 public:
  using clock = std::chrono::steady_clock;

  /// Bytes a second; 0: no bound.
  explicit allowance(std::uint64_t per_second) : per_second_(static_cast<double>(per_second)) {}

  bool is_bounded() const { return per_second_ > 0; }
  /// Something may move, also when `promised` bytes of it are to move already.
  bool has_some(std::uint64_t promised = 0) {
    fill();
    return !is_bounded() || left_ > static_cast<double>(promised);
  }
  void spend(std::uint64_t bytes) { left_ -= static_cast<double>(bytes); }
  /// How long it takes until something may.
  std::chrono::milliseconds wait() {
    if (has_some()) return {};
    return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(-left_ / per_second_)) +
           std::chrono::milliseconds{1};
  }
  /// Bytes that move at once: few enough that all of many transfers get a turn before a node thinks they stall.
  std::size_t piece() const {
    constexpr auto most = static_cast<double>(limits::buffer_bytes);
    return is_bounded() ? static_cast<std::size_t>(std::clamp(per_second_ / limits::rate_turns, 1.0, most))
                        : static_cast<std::size_t>(limits::buffer_bytes);
  }

 private:
  void fill() {
    const auto now = clock::now();
    const std::chrono::duration<double> passed = now - filled_, most = std::chrono::milliseconds(limits::rate_burst_ms);
    left_ = std::min(left_ + passed.count() * per_second_, most.count() * per_second_);
    filled_ = now;
  }

  double per_second_;
  double left_ = 0;
  clock::time_point filled_ = clock::now();
};

}  // namespace kaiku::cli
