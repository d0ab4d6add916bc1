// The part of a scenario in which nodes come, go, and lose their disks; and who is linked with whom.

#include <algorithm>

#include "kaiku/core/membership.hpp"
#include "kaiku/core/mutant.hpp"
#include "scenario.hpp"

namespace kaiku::simulation {

using std::chrono::seconds;

namespace {

std::pair<node_id, node_id> pair_of(const node_id& one, const node_id& other) {
  return std::minmax(one, other);
}

incarnation numbered_disk(std::uint64_t number) {
  incarnation disk;
  for (std::size_t i = 0; i < sizeof number; ++i)
    disk.bytes[disk.bytes.size() - 1 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return disk;
}

std::uint64_t number_of(const incarnation& disk) {
  std::uint64_t number = 0;
  for (const auto byte : disk.bytes) number = number << 8 | byte;
  return number;
}

bool names(const membership& x, const node_id& id, const incarnation& disk) {
  const auto is_it = [&](const member& one) { return one.id == id && one.disk == disk; };
  return std::any_of(x.voters.begin(), x.voters.end(), is_it) ||
         std::any_of(x.learners.begin(), x.learners.end(), is_it);
}

}  // namespace

// --- links --------------------------------------------------------------------------------------------------------

bool scenario::fit(const node_id& one, const node_id& other) const {
  const auto &x = machines_.at(one), &y = machines_.at(other);
  if (one == other || !x.process || !y.process) return false;
  const auto &mine = x.disk->durable(), &theirs = y.disk->durable();
  return x.process->admits(other, theirs.disk, theirs.members_in_force().since) &&
         y.process->admits(one, mine.disk, mine.members_in_force().since);
}

void scenario::link(const node_id& one, const node_id& other) {
  if (!fit(one, other)) return;
  links_.insert(pair_of(one, other));
  machines_.at(one).process->link_up(other, machines_.at(other).disk->durable().disk);
  machines_.at(other).process->link_up(one, machines_.at(one).disk->durable().disk);
}

void scenario::unlink(const node_id& one, const node_id& other) {
  if (links_.erase(pair_of(one, other)) == 0) return;
  if (auto& process = machines_.at(one).process) process->link_down(other);
  if (auto& process = machines_.at(other).process) process->link_down(one);
}

/// New links between a node and everybody else that runs and fits.
void scenario::relink(const node_id& id) {
  for (const auto& other : ids_) link(id, other);
}

void scenario::dial() {
  for (const auto& one : ids_)
    for (const auto& other : ids_)
      if (one < other && !links_.contains({one, other})) link(one, other);
  time_.after(luck_.between(milliseconds{50}, milliseconds{1000}), [this] { dial(); });
}

void scenario::members_changed(const node_id& id) {
  for (const auto& other : ids_)
    if (links_.contains(pair_of(id, other)) && !fit(id, other)) unlink(id, other);
}

std::uint64_t scenario::link_between(const node_id& from, const node_id& to) const {
  const auto [one, other] = pair_of(from, to);
  if (!links_.contains({one, other})) return 0;
  return number_of(machines_.at(one).disk->durable().disk) << 32 | number_of(machines_.at(other).disk->durable().disk);
}

// --- disks --------------------------------------------------------------------------------------------------------

void scenario::give_new_disk(const node_id& id) {
  auto& one = machines_.at(id);
  if (!KAIKU_MUTANT(wiped_disk_keeps_its_incarnation) || !one.disk) ++disks_made_;
  auto fresh = std::make_unique<simulated_storage>(id, numbered_disk(disks_made_), luck_, judge_);
  if (one.disk) wiped_.push_back(std::move(one.disk));
  one.disk = std::move(fresh);
  judge_.watch(id, one.disk->durable());
}

void scenario::wipe(const node_id& id) {
  notes_.note(id.name, " loses its disk");
  crash(id);
  give_new_disk(id);
  machines_.at(id).founder = false;
}

/// Voters whose disk is lost, and `more`, by the members of whatever configuration may count where they are most.
bool scenario::keeps_majorities(const node_id& more) const {
  const auto is_lost = [&](const member& one) {
    return one.id == more || machines_.at(one.id).disk->durable().disk != one.disk;
  };
  const auto keeps_majority = [&](const membership& members) {
    // A learner whose disk is lost may become a voter nevertheless: the entry that says so may be on its way.
    const auto joins = std::any_of(members.learners.begin(), members.learners.end(), is_lost) ? 1 : 0;
    const auto lost = std::count_if(members.voters.begin(), members.voters.end(), is_lost) + joins;
    return 2 * lost < static_cast<std::ptrdiff_t>(members.voters.size()) + joins;
  };
  const auto& now = judge_.committed_members();
  return now.cluster.known() && keeps_majority(now) &&
         std::all_of(machines_.begin(), machines_.end(), [&](const auto& entry) {
           const auto& in_force = entry.second.disk->durable().members_in_force();
           return in_force.since < now.since || keeps_majority(in_force);
         });
}

/// Whether some voter could still win an election, by the members that its own log names. A change of members that only
/// a leader's log has, which is gone since, and entries of the next leader's that only a learner has, can together need
/// one disk more than a majority (`docs/protocol.md`). And a new disk gives no vote before its log names it.
bool scenario::leaves_a_winner(const node_id& without) const {
  return std::any_of(machines_.begin(), machines_.end(), [&](const auto& entry) {
    const auto& own = entry.second.disk->durable();
    const auto& voters = own.members_in_force().voters;
    const auto votes_for_it = [&](const member& voter) {
      const auto& one = machines_.at(voter.id);
      const auto& theirs = one.disk->durable();
      auto members = theirs.members_in_force();
      members.latecomer = !one.founder;
      return voter.id != without && theirs.disk == voter.disk && theirs.state().last <= own.state().last &&
             !may_stand_for_another(members, voter.id, theirs.disk);
    };
    const auto* self = find_member(voters, entry.first);
    const auto votes = std::count_if(voters.begin(), voters.end(), votes_for_it);
    return self != nullptr && votes_for_it(*self) && 2 * votes > static_cast<std::ptrdiff_t>(voters.size());
  });
}

/// Whether a majority keeps its disks.
bool scenario::may_wipe(const node_id& id) const {
  return machines_.at(id).born && keeps_majorities(id) && leaves_a_winner(id) &&
         time_.now() >= leaves_until_ + seconds{3};
}

/// Who removes a healthy voter while another's disk is lost may be left without a majority.
bool scenario::may_remove() const {
  const auto& voters = judge_.committed_members().voters;
  return voters.size() > 2 && std::all_of(voters.begin(), voters.end(), [&](const member& voter) {
           return machines_.at(voter.id).disk->durable().disk == voter.disk;
         });
}

// --- members ------------------------------------------------------------------------------------------------------

void scenario::change_members() {
  if (!faults_) return;
  const auto& victim = anyone();
  const auto& voters = judge_.committed_members().voters;
  auto& spare = machines_.at(ids_.back());
  switch (luck_.below(4)) {
    case 0:
      if (spare.born) break;
      spare.born = true;
      boot(ids_.back());
      break;
    case 1:
      if (!may_remove() || !leaving_.name.empty() || find_member(voters, victim) == nullptr) break;
      notes_.note(victim.name, " is to be removed");
      leaving_ = victim;
      leaves_until_ = time_.now() + seconds{8};
      break;
    default:
      if (may_wipe(victim)) wipe(victim);
  }
  time_.after(luck_.between(milliseconds{500}, milliseconds{5000}), [this] { change_members(); });
}

void scenario::ask_leaders(const member_change& what, const incarnation& disk) {
  for (const auto& leader : leaders()) {
    const bool reached = what.id == leader || (net_.reaches(what.id, leader) && net_.reaches(leader, what.id));
    if (reached || !disk.known()) machines_.at(leader).process->ask_members(what, disk);
  }
}

/// What nodes and operators do again and again until it is done.
void scenario::settle_members() {
  const auto& now = judge_.committed_members();
  for (const auto& id : ids_) {
    auto& one = machines_.at(id);
    const auto disk = one.disk->durable().disk;
    if (!one.born || id == leaving_) continue;
    if (judge_.was_replaced(disk)) {
      wipe(id);  // removed: it comes back as a new one
    } else if (one.process && !one.founder && !names(now, id, disk)) {
      ask_leaders({member_change::kind::add, id, id.name + ":1"}, disk);
    }
  }
  if (!leaving_.name.empty()) {
    const bool gone = find_member(now.voters, leaving_) == nullptr && find_member(now.learners, leaving_) == nullptr;
    if (gone || time_.now() > leaves_until_)
      leaving_ = {};
    else if (may_remove())
      ask_leaders({member_change::kind::remove, leaving_, {}}, {});
  }
  time_.after(luck_.between(milliseconds{50}, milliseconds{500}), [this] { settle_members(); });
}

}  // namespace kaiku::simulation
