#pragma once

/// Purpose: keeps the name space of a store in Redis, as it was at one position of the log after the other, never in
/// between: what has changed since the last goes there in one transaction, with the position.
///
///   unreachable --> building --> current --(connection lost)--> unreachable --(it still shows our token)--> current
///                      ^            |
///                      +------------+  another token, none, a wrong record, too much changed at once
///
/// Owner: `redis_mirror`; owns its connection and its thread. Lifecycle: runs from construction to destruction.
/// Thread: its own does everything; `distrust` from any.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "kaiku/storage/redis/connection.hpp"
#include "kaiku/storage/redis/layout.hpp"
#include "kaiku/storage/redis/name_space.hpp"
#include "kaiku/storage/redis/standing.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku::redis {

class mirror {
 public:
  mirror(redis_address at, node_id self, std::shared_ptr<const store> disk, std::shared_ptr<change_feed> feed,
         standing& with);
  ~mirror();
  mirror(const mirror&) = delete;
  mirror& operator=(const mirror&) = delete;

  /// Somebody found what this generation should not hold: another one is built.
  void distrust(const std::string& generation);

 private:
  using clock = std::chrono::steady_clock;

  void run();
  status step();
  status build();
  status round();
  /// Fails with `busy` unless Redis shows what this wrote last.
  status check_token();
  status write(log_position now, const std::vector<command>& changes);
  /// Removes some keys of this node that do not begin with `keep`; with a `keep`, not the token either. True: there are
  /// more.
  result<bool> sweep(const std::string& keep);
  /// All of them.
  status sweep_all(const std::string& keep);
  /// What fillings that came to nothing have left goes; what the token names stays until the next one is complete.
  status make_room();
  void recover(const error& why);
  void become(mirror_view::state next, const std::string& why);
  /// `wrong`: nobody is to read it any more, other programs neither.
  void drop_generation(bool wrong);
  /// Does not keep content on the disk, however long Redis takes.
  name_space look() const { return name_space{disk_->snapshot_of_names()}; }

  const redis_address at_;
  const node_id self_;
  const std::shared_ptr<const store> disk_;
  const std::shared_ptr<change_feed> feed_;
  standing& with_;
  std::atomic<bool> stopping_{false};
  std::mutex distrusted_mutex_;
  std::string distrusted_;  ///< a generation; guarded by `distrusted_mutex_`

  // The thread's own.
  std::unique_ptr<connection> to_;
  std::string prefix_;
  std::unique_ptr<layout> layout_;      ///< of what Redis shows, or showed when it was last reached
  log_position shown_;                  ///< likewise
  std::optional<log_position> doubt_;   ///< was sent, and whether it took effect is not known
  std::vector<changed_key> unwritten_;  ///< taken from the feed, and not known to be in Redis
  std::string sweep_at_ = "0";
  bool sweeping_ = false;
  clock::time_point looked_, built_;
  std::uint32_t pause_ms_ = 0;        ///< before the next attempt
  std::uint32_t build_pause_ms_ = 0;  ///< before the next filling, if the last one did not last
  std::thread thread_;
};

}  // namespace kaiku::redis
