#pragma once

/// Purpose: what the mirror and the reads of one Redis tell each other: which state it shows, whether it can be
/// trusted, and what is counted. Owner: `redis_mirror`. Thread: any.

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "kaiku/core/mirror.hpp"
#include "kaiku/storage/redis/layout.hpp"

namespace kaiku::redis {

/// A state that Redis is known to show.
struct shown {
  std::string prefix;
  generation of;
  log_position at;
};

class standing {
 public:
  std::optional<shown> now() const {
    std::lock_guard guard{mutex_};
    return shown_;
  }
  void show(std::optional<shown> x) {
    std::lock_guard guard{mutex_};
    shown_ = std::move(x);
  }

  std::atomic<mirror_view::state> state{mirror_view::state::unreachable};
  std::atomic<bool> asked{false};
  std::atomic<std::uint64_t> rebuilds{0}, put_off{0}, wrong{0}, answered{0}, answered_late{0}, behind{0},
      left_to_store{0}, not_asked{0};
  /// A read has found something wrong: nothing of this generation is to be read again.
  std::function<void(const std::string& generation)> distrust;

 private:
  mutable std::mutex mutex_;
  std::optional<shown> shown_;
};

}  // namespace kaiku::redis
