#pragma once

/// Purpose: warnings that strangers can cause, a bounded number a minute, so that a flood can't fill the disk with log.
/// Owner: counts what it did not say, and says that number with the next line. Thread: its owner's.

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include <spdlog/spdlog.h>

namespace kaiku {

class quiet_log {
 public:
  explicit quiet_log(std::string_view what) : what_(what) {}

  template <class... Ts>
  void warn(spdlog::format_string_t<Ts...> format, Ts&&... xs) {
    if (!may_speak()) return;
    spdlog::warn("link: {}", fmt::format(format, std::forward<Ts>(xs)...));
  }

 private:
  static constexpr std::chrono::minutes window{1};
  static constexpr std::uint32_t lines_per_window = 20;

  bool may_speak() {
    auto now = std::chrono::steady_clock::now();
    if (now - begun_ >= window) {
      if (unsaid_ != 0) spdlog::warn("link: {}: {} more were not logged", what_, unsaid_);
      begun_ = now;
      said_ = 0;
      unsaid_ = 0;
    }
    if (said_ < lines_per_window) return ++said_, true;
    return ++unsaid_, false;
  }

  std::string_view what_;
  std::chrono::steady_clock::time_point begun_{};
  std::uint32_t said_ = 0;
  std::uint64_t unsaid_ = 0;
};

}  // namespace kaiku
