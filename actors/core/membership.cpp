#include "kaiku/core/membership.hpp"

#include <algorithm>

#include "kaiku/core/endpoint.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/core/mutant.hpp"

namespace kaiku {
namespace {

result<set_members> add(const membership& now, const member_change& change, const incarnation& disk) {
  if (!is_valid_node_name(change.id.name)) return {errc::bad_request, "'" + change.id.name + "' can't name a member"};
  if (auto address = parse_endpoint(change.peer_address); !address)
    return {errc::bad_request, "peer_address: " + address.failure().detail};
  set_members next{now.cluster, now.voters, now.learners};
  const member fresh{change.id, disk, change.peer_address};
  if (const auto* voter = find_member(now.voters, change.id)) {
    const bool same_disk = !disk.known() || !voter->disk.known() || voter->disk == disk;
    if (same_disk) return {errc::already_exists, change.id.name + " is a voter already"};
    if (now.voters.size() == 1) return {errc::busy, change.id.name + " is the last voter; its disk can't be replaced"};
    std::erase_if(next.voters, [&](const member& x) { return x.id == change.id; });
    if (KAIKU_MUTANT(wiped_voter_stays_a_voter)) {
      next.voters.push_back(fresh);
      return next;
    }
  } else if (const auto* learner = find_member(now.learners, change.id)) {
    if (*learner == fresh || !disk.known()) return {errc::already_exists, change.id.name + " is a learner already"};
    std::erase_if(next.learners, [&](const member& x) { return x.id == change.id; });
  } else if (now.voters.size() + now.learners.size() >= limits::members) {
    return {errc::bad_request, "a cluster has at most " + std::to_string(limits::members) + " members"};
  }
  next.learners.push_back(fresh);
  return next;
}

result<set_members> remove(const membership& now, const node_id& id) {
  set_members next{now.cluster, now.voters, now.learners};
  std::erase_if(next.voters, [&](const member& x) { return x.id == id; });
  std::erase_if(next.learners, [&](const member& x) { return x.id == id; });
  if (next.voters.size() + next.learners.size() == now.voters.size() + now.learners.size())
    return {errc::not_found, "'" + id.name + "' is not a member"};
  if (next.voters.empty()) return {errc::busy, id.name + " is the last voter and can't be removed"};
  return next;
}

}  // namespace

result<set_members> apply(const membership& now, const member_change& change, const incarnation& disk) {
  return change.what == member_change::kind::add ? add(now, change, disk) : remove(now, change.id);
}

std::optional<set_members> promote(const membership& now, const node_id& learner) {
  const auto* one = find_member(now.learners, learner);
  if (one == nullptr || !one->disk.known()) return std::nullopt;
  set_members next{now.cluster, now.voters, now.learners};
  next.voters.push_back(*one);
  std::erase_if(next.learners, [&](const member& x) { return x.id == learner; });
  return next;
}

std::optional<node_id> long_dead(const membership& members, const node_id& self, const silence& known,
                                 milliseconds bound) {
  const auto is_dead = [&](const member& x) {
    const auto heard = known.heard.find(x.id);
    const auto last = heard == known.heard.end() ? known.leading_since : std::max(heard->second, known.leading_since);
    return x.id != self && known.now - last > bound;
  };
  if (members.voters.size() + members.learners.size() <= limits::voters_kept) return std::nullopt;
  const auto learner = std::find_if(members.learners.begin(), members.learners.end(), is_dead);
  if (learner != members.learners.end()) return learner->id;
  if (members.voters.size() <= limits::voters_kept) return std::nullopt;
  const auto voter = std::find_if(members.voters.begin(), members.voters.end(), is_dead);
  if (voter == members.voters.end()) return std::nullopt;
  return voter->id;
}

std::optional<due_change> due(const membership& now, const node_id& self, const std::map<node_id, incarnation>& disks,
                              const std::optional<node_id>& caught_up, const silence& known,
                              milliseconds remove_dead_after) {
  set_members seen{now.cluster, with_known_disks(now.voters, disks), with_known_disks(now.learners, disks)};
  if (seen.voters != now.voters || seen.learners != now.learners) return due_change{due_change::kind::disks, {}, seen};
  if (caught_up) {
    auto promoted = promote(now, *caught_up);
    if (!promoted) return std::nullopt;
    return due_change{due_change::kind::promote, *caught_up, std::move(*promoted)};
  }
  if (remove_dead_after.count() == 0) return std::nullopt;
  const auto dead = long_dead(now, self, known, remove_dead_after);
  if (!dead) return std::nullopt;
  auto without = remove(now, *dead);
  if (!without) return std::nullopt;
  return due_change{due_change::kind::remove_dead, *dead, std::move(*without)};
}

std::vector<member> with_known_disks(std::vector<member> members, const std::map<node_id, incarnation>& disks) {
  for (auto& one : members)
    if (auto seen = disks.find(one.id); !one.disk.known() && seen != disks.end()) one.disk = seen->second;
  return members;
}

std::set<node_id> names_of(const std::vector<member>& members) {
  std::set<node_id> names;
  for (const auto& one : members) names.insert(one.id);
  return names;
}

bool is_another_disk(const member& known, const incarnation& disk) {
  return known.disk.known() && known.disk != disk && !KAIKU_MUTANT(replaced_disk_linked);
}

bool may_stand_for_another(const membership& now, const node_id& self, const incarnation& disk) {
  const auto* known = find_member(now.voters, self);
  if (known == nullptr) known = find_member(now.learners, self);
  if (known != nullptr && known->disk.known()) return known->disk != disk;
  const bool is_unnamed = known != nullptr || now.voters.empty();
  return is_unnamed && now.latecomer && !KAIKU_MUTANT(latecomer_votes_unnamed);
}

const member* find_member(const std::vector<member>& members, const node_id& id) {
  const auto found = std::find_if(members.begin(), members.end(), [&](const member& x) { return x.id == id; });
  return found == members.end() ? nullptr : &*found;
}

}  // namespace kaiku
