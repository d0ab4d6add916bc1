#pragma once

/// Purpose: which parts of the name space may differ from an earlier moment of the store, for who keeps a copy of it
/// elsewhere. The writer announces a batch before anybody can see it, so a view never shows a change that is not known
/// here; what is taken may name more than has changed, never less.
/// Owner: owns the changed keys; made by who opens the store, shared by the store and one taker.
/// Thread: `announce` and `settle` from the writer's thread; the rest from the taker's, `wake` from any.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kaiku/core/ids.hpp"
#include "kaiku/core/limits.hpp"

namespace kaiku {

/// A key of `dentries` or of `inodes`, as `docs/storage-format.md` gives them.
struct changed_key {
  enum class kind : std::uint8_t { name, inode };
  kind what = kind::name;
  std::string key;
};

/// What the batches of a while have touched.
struct changed_keys {
  std::vector<changed_key> keys;
  bool everything = false;  ///< too many to be named, or all of it was replaced
};

class change_feed {
 public:
  explicit change_feed(std::size_t most_keys = limits::mirror_changed_keys) : most_keys_(most_keys) {}

  /// A batch is about to be written.
  void announce(changed_keys batch);
  /// It stands, and snapshots from this sequence number on show it.
  void settle(std::uint64_t sequence);

  /// All that may differ between the view taken before and one with this sequence number. What the view may not show
  /// yet is given again the next time.
  changed_keys take(std::uint64_t sequence);
  /// Until something settled or `wake` was called since the last call, or the time is over.
  void wait(milliseconds at_most);
  void wake();

 private:
  static constexpr std::uint64_t unsettled = UINT64_MAX;
  struct written {
    std::uint64_t sequence = unsettled;
    std::vector<changed_key> keys;
  };

  const std::size_t most_keys_;
  std::mutex mutex_;
  std::condition_variable news_;
  bool has_news_ = false;
  std::deque<written> batches_;
  std::size_t keys_ = 0;                     ///< of `batches_`
  std::optional<std::uint64_t> everything_;  ///< as of which batch
};

}  // namespace kaiku
