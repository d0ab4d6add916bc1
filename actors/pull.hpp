#pragma once

/// Purpose: the order in which one content's bytes are asked for, come, and are written. Rules only: `fetch_actor` asks
/// and writes. Owner: the fetch actor. Thread: its.
///
/// Of a source's bytes some are known to be there (`available`): those are asked for in chunks, several at a time.
/// Behind them an upload may still grow: one question at a time waits for that, and it is the last asked until it is
/// answered, since nobody knows how many bytes it will bring.
///
///   0 ........ written ........ received ........ asked ........ available
///              on the disk      in order          of the source  at the source

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "kaiku/core/error.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

class pull {
 public:
  struct question {
    std::uint64_t attempt = 0;
    byte_count offset;
    std::size_t bytes = 0;  ///< expected; 0: some, as soon as there are any
  };

  /// Another source, or none: goes on behind what was received. Answers to what was asked before do not count.
  void restart();
  /// So much can be read now.
  void has_available(byte_count end) { available_ = std::max(available_, end.value); }
  /// The source has ended, at `has_available`: nothing waits for more.
  void close() { open_ = false; }
  /// The source may grow.
  void open() { open_ = true; }

  /// What to ask next, with no more than `limits::chunk_window` chunks asked for and not yet written.
  /// `may_load`: bytes that are known to be there may be asked for; without, only growth may be waited for.
  std::optional<question> next(bool may_load);
  /// Takes an answer. Gives the bytes that are now to be written, in order; they stay counted until `on_written`.
  /// Error `corrupt`: this is not what was asked for.
  result<std::vector<chunk>> on_answer(const question& asked, const chunk& bytes);
  void on_written() { --unwritten_; }

  std::uint64_t attempt() const { return attempt_; }
  bool is_current(const question& x) const { return x.attempt == attempt_; }
  byte_count received() const { return {received_}; }
  /// Chunks asked for and not yet written, without the one that waits for growth.
  std::size_t load() const { return in_flight_ + early_.size() + unwritten_; }
  bool asks() const { return in_flight_ > 0 || waits_; }

 private:
  std::uint64_t received_ = 0;
  std::uint64_t asked_ = 0;
  std::uint64_t available_ = 0;
  bool open_ = false;
  bool waits_ = false;  ///< for growth at `asked_`
  std::size_t in_flight_ = 0;
  std::size_t unwritten_ = 0;
  std::uint64_t attempt_ = 0;
  std::map<std::uint64_t, chunk> early_;  ///< came before the ones in front of them, by offset
};

}  // namespace kaiku
