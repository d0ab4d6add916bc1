#pragma once

/// Purpose: what waits for the disk beside storage: a disk that hangs is to be noticed also while storage has nothing
/// to do. Owner: the node; content, fetch and uploads say what they begin, replication looks. Thread: any.

#include <mutex>
#include <optional>
#include <set>

#include "kaiku/core/ids.hpp"

namespace kaiku {

class disk_steps {
 public:
  /// One call, or a few in a row, that may block on the disk: under way while this lives. What waits for its turn is
  /// none yet, so that a long queue in front of a slow disk is no long step.
  class step {
   public:
    step(disk_steps& of, instant begun) : of_(of) {
      std::lock_guard guard{of_.mutex_};
      at_ = of_.under_way_.insert(begun);
    }
    ~step() {
      std::lock_guard guard{of_.mutex_};
      of_.under_way_.erase(at_);
    }
    step(const step&) = delete;
    step& operator=(const step&) = delete;

   private:
    disk_steps& of_;
    std::multiset<instant>::iterator at_;
  };

  /// When the step that takes longest began; none: nothing is under way.
  std::optional<instant> longest_since() const {
    std::lock_guard guard{mutex_};
    if (under_way_.empty()) return std::nullopt;
    return *under_way_.begin();
  }

 private:
  mutable std::mutex mutex_;
  std::multiset<instant> under_way_;
};

}  // namespace kaiku
