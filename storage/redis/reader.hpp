#pragma once

/// Purpose: reads of clients, answered by Redis: all on one connection, one behind the other without waiting. A circuit
/// breaker stands in front: the first answer that is late or missing fails all that wait, closes the connection, and
/// nobody asks again until a new one has answered.
///
///   away --(connected, script loaded)--> asked --(late answer, error, lost connection)--> away, and a pause
///
/// Owner: `redis_mirror`; owns the connection for reads and its thread. Lifecycle: runs from construction to
/// destruction, which fails what waits. Thread: `ask` from any; its callback runs on the reader's own and must not
/// block.

#include <functional>
#include <memory>
#include <optional>

#include "kaiku/core/mirror.hpp"
#include "kaiku/storage/redis/address.hpp"
#include "kaiku/storage/redis/standing.hpp"

namespace kaiku::redis {

class reader {
 public:
  /// `clock` says what has expired.
  reader(redis_address at, standing& with, std::function<unix_time_ms()> clock);
  ~reader();
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  using callback = std::function<void(std::optional<file_answer>)>;
  /// Asks Redis for the state `at`. False: the store is to be asked, and `done` is not called. Else `done` is called
  /// once, within `limits::redis_read_ms` and a little; with nothing if the store is to be asked after all.
  bool ask(log_position at, file_question what, callback done);

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace kaiku::redis
