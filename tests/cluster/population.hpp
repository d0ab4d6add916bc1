#pragma once

/// Purpose: who is a member of a cluster under test, and how that changes: disks that are wiped, nodes that join and
/// leave. Keeps which disks are gone for good, so that it is known which writes nobody can have any more.
/// Thread: the main thread.

#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "support/test_cluster.hpp"

namespace kaiku::test {

/// A disk whose content is gone, as its node's own name for it: what only it had, nobody has.
struct lost_disk {
  std::string node;
  clock::time_point at;
};

/// What a leader's `possibly_lost` named: entries of a term.
struct named_loss {
  std::uint64_t term = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  friend bool operator==(const named_loss&, const named_loss&) = default;
};

/// The document of GET /cluster; null when the node does not answer.
nlohmann::json document_of(test_node& node);

/// Whether the node votes with the disk that it has now: it is ready and takes itself for a voter, and the leader takes
/// it for one and is linked with it. (A node whose disk was wiped is not ready before it was taken in; a leader links
/// only with the disk that its log names.)
bool is_full_voter(test_cluster& cluster, std::size_t i);
void wait_until_full_voter(test_cluster& cluster, std::size_t i, milliseconds deadline = milliseconds{30'000});

/// DELETE /cluster/members/..., asked of any node until it is done: a leader that is to go hands over first, and lets
/// its successor do it.
void remove_member(test_cluster& cluster, std::size_t through, std::size_t who,
                   milliseconds deadline = milliseconds{30'000});

class population {
 public:
  population(test_cluster& cluster, std::uint64_t seed);

  /// The nodes that are members, or on their way to be: those that run.
  const std::vector<std::size_t>& members() const { return members_; }
  /// The leader as often as any other.
  std::size_t somebody();
  std::size_t somebody_but(std::size_t node);
  std::vector<endpoint> endpoints() const;

  /// Whether all members are full voters. Only then may another disk go: otherwise a majority of those that hold
  /// something may be gone.
  bool is_settled() const;
  void settle();

  /// Kills the node, empties its data directory, starts it. Only when settled.
  void wipe(std::size_t node);
  /// Once settled, one more node, new or one that left, starts with `--join`. Only below five members.
  void join();
  bool may_join() const;
  /// Once settled, some member, the leader too, is removed, ends, and its disk with it. Only above three members.
  void leave();
  bool may_leave() const;
  /// POST /cluster/leader, to a member or to whoever is best, through a member.
  void hand_over();

  const std::vector<lost_disk>& lost_disks() const { return lost_disks_; }
  /// Asks the leader what its predecessor had and it lacks; it says so only while it leads.
  void ask_for_losses();
  /// Of these tokens, how many some leader named when it was asked.
  std::size_t count_named(const std::set<std::string>& tokens) const;

 private:
  bool is_member(std::size_t node) const;

  test_cluster& cluster_;
  std::mt19937_64 random_;
  std::size_t founders_;  ///< they run with `--cluster` until they leave
  std::vector<std::size_t> members_;
  std::vector<lost_disk> lost_disks_;
  std::vector<named_loss> named_;
};

}  // namespace kaiku::test
