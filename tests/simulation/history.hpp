#pragma once

/// Purpose: what the clients were told, and whether it was true. Every attempt at a write has a command of its own, so
/// that it is found again in the logs.
/// Owner: owns the clients' side of one scenario: who asked when, who was answered what. Lifecycle: one per scenario.
/// Throws `violation`. Thread: the test's.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kaiku/core/command.hpp"
#include "storage.hpp"

namespace kaiku::simulation {

/// The answer to a write; none at all when the node or its leadership ended first.
enum class answer : std::uint8_t {
  none,
  refused,   ///< certainly not recorded
  recorded,  ///< on the leader's disk
  majority,  ///< on a majority's disks
  all,       ///< on every voter's disk
  unknown,   ///< it may or may not stand
};

class history {
 public:
  /// A client asks; the command that will stand in the log.
  std::string asks(instant now, durability want, bool large);
  /// `at`: where it stands; meaningless when refused or unknown.
  void answered(instant now, const std::string& command, answer what, const log_position& at);

  /// After everything has healed: `log` is everybody's, `disks` all there are, `wiped` what was lost with others.
  /// HISTORY: an acknowledged write stands where it was said to stand, or, if only the leader had acknowledged it, is
  /// set aside on some disk or was lost with one; a refused one is nowhere; none stands twice; and a write that was
  /// asked for after another one was acknowledged stands behind it.
  void check(const std::vector<log_entry>& log, const std::vector<const disk_content*>& disks,
             const std::vector<const disk_content*>& wiped) const;

  std::size_t recorded() const { return count_[static_cast<std::size_t>(answer::recorded)]; }
  std::size_t majority() const { return count_[static_cast<std::size_t>(answer::majority)]; }
  std::size_t all() const { return count_[static_cast<std::size_t>(answer::all)]; }
  std::size_t refused() const { return count_[static_cast<std::size_t>(answer::refused)]; }
  /// Acknowledged by a leader alone, and displaced afterwards.
  std::size_t reported(const std::vector<log_entry>& log) const;

 private:
  struct attempt {
    instant asked;
    durability want = durability::leader;
    answer got = answer::none;
    instant when;  ///< of the answer
    log_position at;
    bool acknowledged() const { return got == answer::recorded || got == answer::majority || got == answer::all; }
  };

  static bool stands(const std::vector<log_entry>& log, const std::string& command, const attempt& x);
  void check_order(const std::map<std::string, log_index>& places) const;

  std::map<std::string, attempt> attempts_;
  std::size_t count_[6] = {};
};

}  // namespace kaiku::simulation
