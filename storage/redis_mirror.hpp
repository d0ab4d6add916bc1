#pragma once

/// Purpose: Redis beside a node: a copy of the name space that reads may be answered from and other programs may read.
/// The disk stays the truth: nothing is written to it from there, and what Redis says counts only if it is exactly the
/// state of the log's end that was asked for, as this process wrote it.
/// Owner: the node; owns two threads, each with a connection. Lifecycle: `stop` fails what waits and ends the threads.
/// Thread: any.

#include <functional>
#include <memory>
#include <optional>

#include "kaiku/core/mirror.hpp"
#include "kaiku/storage/redis/address.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

class redis_mirror {
 public:
  /// `feed` is the one that the store was opened with. `clock` says what has expired; the system's if empty.
  redis_mirror(redis_address at, node_id self, std::shared_ptr<const store> disk, std::shared_ptr<change_feed> feed,
               std::function<unix_time_ms()> clock = {});
  ~redis_mirror();
  redis_mirror(const redis_mirror&) = delete;
  redis_mirror& operator=(const redis_mirror&) = delete;

  /// Asks Redis for the state `at`. False: the store is to be asked, and `done` is not called. Else `done` is called
  /// once, from a thread that it must not hold up; with nothing if the store is to be asked after all.
  bool ask(log_position at, file_question what, std::function<void(std::optional<file_answer>)> done);
  mirror_view view() const;
  void stop();

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace kaiku
