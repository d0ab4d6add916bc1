// The invariants of membership, and which disks a majority is made of.

#include <algorithm>

#include "invariants.hpp"
#include "kaiku/core/membership.hpp"
#include "requirement.hpp"

namespace kaiku::simulation {

// --- disks --------------------------------------------------------------------------------------------------------

void invariants::watch(const node_id& id, const disk_content& durable) {
  REQUIRE(all_disks_.emplace(durable.disk, &durable).second, "NO_REUSED_INCARNATION",
          id.name + " has a new disk under the incarnation of an old one");
  disks_[id] = &durable;
}

const incarnation& invariants::disk_id(const node_id& node) const {
  return disks_.at(node)->disk;
}

const disk_content* invariants::disk_of(const member& one) const {
  if (!one.disk.known()) return disks_.at(one.id);
  const auto found = all_disks_.find(one.disk);
  return found == all_disks_.end() ? nullptr : found->second;
}

/// A disk that was lost counts: the commit, or the acknowledgement, may rest on what it held.
std::size_t invariants::holders(const log_entry& entry, const std::vector<member>& voters) const {
  return static_cast<std::size_t>(std::count_if(voters.begin(), voters.end(), [&](const auto& one) {
    const auto* disk = disk_of(one);
    return disk != nullptr && holds(*disk, entry);
  }));
}

bool invariants::on_majority(const log_entry& entry, const std::vector<member>& voters) const {
  return holders(entry, voters) >= majority_of(voters);
}

bool invariants::is_committed(const log_entry& entry) const {
  const auto index = entry.at.index.value;
  return index >= 1 && index <= committed_.size() && committed_[index - 1] == entry;
}

/// Whoever is elected from now on has it, or is told of it by somebody whose vote was needed. An entry may be committed
/// by a change of the members that is cut off later: then a majority of the older ones need not hold it.
bool invariants::in_every_majority(const log_entry& entry) const {
  const auto& voters = voters_of(committed_members_);
  return holders(entry, voters) + majority_of(voters) > voters.size();
}

// --- changes ------------------------------------------------------------------------------------------------------

/// When an entry that names members first comes into a log: its leader's.
void invariants::members_logged(const node_id& node, const log_entry& entry, const log_position& previous) {
  auto& known = entries_.at(entry.at);
  const auto before = previous.index.value == 0 ? log_position{} : entries_.at(previous).members;
  auto next = decode_members(entry);
  if (!next) {
    known.members = before;
    return;
  }
  known.members = entry.at;
  if (!members_.emplace(entry.at, *next).second || before.index.value == 0) return;
  const auto& now = members_.at(before);
  REQUIRE(now.since.value <= committed_.size() && committed_[now.since.value - 1].at == before, "ONE_CONFIG_IN_FLIGHT",
          node.name + " logs members at " + text(entry.at) + " while those of " + text(before) + " are not committed");
  REQUIRE(committed_.back().at.in_term >= entry.at.in_term, "ONE_CONFIG_IN_FLIGHT",
          node.name + " changes the members before an entry of its own term is committed");
  one_config_in_flight(entry, now, *next);
  learner_first(entry, now, *next);
}

/// Thesis, 4.1: majorities before and after have a node in common if at most one voter comes or goes.
void invariants::one_config_in_flight(const log_entry& entry, const membership& before, const membership& next) const {
  const auto old_names = names_of(before.voters), new_names = names_of(next.voters);
  std::vector<node_id> changed;
  std::set_symmetric_difference(old_names.begin(), old_names.end(), new_names.begin(), new_names.end(),
                                std::back_inserter(changed));
  REQUIRE(changed.size() <= 1, "ONE_CONFIG_IN_FLIGHT", text(entry.at) + " changes more than one voter");
}

/// A disk counts only once it has learned: no voter's disk is another than before, and a new voter was a learner.
void invariants::learner_first(const log_entry& entry, const membership& before, const membership& next) const {
  for (const auto& voter : next.voters) {
    const auto* was = find_member(before.voters, voter.id);
    const bool same = was != nullptr && (!was->disk.known() || was->disk == voter.disk);
    const auto* learned = find_member(before.learners, voter.id);
    REQUIRE(same || (learned != nullptr && learned->disk == voter.disk), "LEARNER_NOT_COUNTED",
            text(entry.at) + " makes " + voter.id.name + " a voter whose disk was no learner");
  }
}

void invariants::promotes(const node_id& leader, const member& learner, log_index goal) const {
  const auto* disk = disk_of(learner);
  REQUIRE(disk != nullptr && (goal.value == 0 || holds(*disk, disks_.at(leader)->log[goal.value - 1])),
          "LEARNER_NOT_COUNTED",
          leader.name + " makes " + learner.id.name + " a voter, which lacks " + to_string(goal));
}

void invariants::no_reused_incarnation(const membership& before, const membership& next) {
  std::set<incarnation> disks;
  for (const auto* some : {&next.voters, &next.learners}) {
    for (const auto& one : *some) {
      REQUIRE(!one.disk.known() || disks.insert(one.disk).second, "NO_REUSED_INCARNATION",
              one.id.name + " has the disk of another member");
      REQUIRE(!replaced_.contains(one.disk), "NO_REUSED_INCARNATION",
              one.id.name + " is a member again with a disk that was replaced");
    }
  }
  for (const auto* some : {&before.voters, &before.learners})
    for (const auto& one : *some)
      if (one.disk.known() && !disks.contains(one.disk)) replaced_.insert(one.disk);
}

/// Those of the last entry that names some are in force, and of an older one when that is cut off.
void invariants::members_follow_the_log(const node_id& node, const disk_content& disk) const {
  const auto last = disk.state().last;
  const auto due = last.index.value == 0 ? log_index{} : entries_.at(last).members.index;
  REQUIRE(disk.members_in_force().since == due, "CONFIG_IN_FORCE_FROM_APPEND",
          node.name + " goes by the members of " + to_string(disk.members_in_force().since) + " and not of " +
              to_string(due));
}

/// Whoever commits an entry that names members counts by these.
void invariants::config_in_force_from_append(const node_id& node, log_index commit, const electorate& by) const {
  const auto since = disks_.at(node)->members_at(commit).since;
  REQUIRE(by.members.since >= since, "CONFIG_IN_FORCE_FROM_APPEND",
          node.name + " commits " + to_string(commit) + " by the members of " + to_string(by.members.since) +
              " and not of " + to_string(since));
}

}  // namespace kaiku::simulation
