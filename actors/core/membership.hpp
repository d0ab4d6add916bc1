#pragma once

/// Purpose: how the members of a cluster may change: one at a time, so that every majority of the old members has a
/// node in common with every majority of the new ones (thesis, 4.1). Pure functions; the leader's replication proposes
/// what they give, the log decides. Thread: any.
///
///   join:     - -> learner -> voter             (promoted when its log holds all that is committed)
///   replace:  voter -> learner with the new disk -> voter
///   leave:    voter or learner -> -             (a leader that leaves hands over first)

#include <map>
#include <optional>
#include <set>

#include "kaiku/core/fence.hpp"

namespace kaiku {

/// The members after `change`. `disk` is that of a node which asks for itself; an operator knows none (all zero).
/// Errors: `bad_request` (address, name, too many members), `already_exists` (as it is), `not_found` (nobody to
/// remove), `busy` (the last voter).
result<set_members> apply(const membership& now, const member_change& change, const incarnation& disk);
/// `learner` counts from now on. Nothing when it is none.
std::optional<set_members> promote(const membership& now, const node_id& learner);

/// What a leader knows of the others.
struct silence {
  instant now;
  instant leading_since;             ///< who was never heard counts as heard then
  std::map<node_id, instant> heard;  ///< when each answered last
};
/// A member other than `self` that has been silent for longer than `bound` and can go: a learner if at least
/// `limits::voters_kept` members stay, or a voter if as many voters do. Of fewer voters the dead one still says how
/// many must agree, and a learner may be one that was named when the cluster was founded anew and comes later.
std::optional<node_id> long_dead(const membership& members, const node_id& self, const silence& known,
                                 milliseconds bound);

/// An entry that a leader proposes by itself.
struct due_change {
  enum class kind : std::uint8_t { disks, promote, remove_dead };
  kind what = kind::disks;
  node_id whom;  ///< empty with `disks`
  set_members next;
};
/// What is to be proposed next, one at a time: the disks of members that were seen for the first time, then the
/// promotion of `caught_up`, then the removal of who is dead for longer than `remove_dead_after` (0: nobody).
std::optional<due_change> due(const membership& now, const node_id& self, const std::map<node_id, incarnation>& disks,
                              const std::optional<node_id>& caught_up, const silence& known,
                              milliseconds remove_dead_after);
/// With the disks of those whose disk no entry names yet.
std::vector<member> with_known_disks(std::vector<member> members, const std::map<node_id, incarnation>& disks);

std::set<node_id> names_of(const std::vector<member>& members);
/// `disk` is not the one that the log names for `known`: neither its votes nor its acknowledgements count, so it is not
/// linked with. A member that was never seen may have any disk.
bool is_another_disk(const member& known, const incarnation& disk);
/// `disk`, which `self` has, may stand for nothing that a lost one has voted for or held: the members name another for
/// it, or, of a latecomer, none yet.
bool may_stand_for_another(const membership& now, const node_id& self, const incarnation& disk);
const member* find_member(const std::vector<member>& members, const node_id& id);

}  // namespace kaiku
