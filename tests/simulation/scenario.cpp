#include "scenario.hpp"

#include <algorithm>

#include "kaiku/core/invariant.hpp"

namespace kaiku::simulation {
namespace {

using std::chrono::seconds;

constexpr instant faults_end{seconds{40}};
constexpr instant story_end{seconds{75}};
constexpr std::uint64_t steps_between_whole_checks = 2000;

std::vector<node_id> names(std::size_t count) {
  std::vector<node_id> ids;
  for (std::size_t i = 1; i <= count; ++i) ids.push_back({"n" + std::to_string(i)});
  return ids;
}

}  // namespace

scenario::weather scenario::weather_of(std::uint64_t seed) {
  if (seed % 16 == 7) return weather::one_returns;
  return seed % 16 == 15 ? weather::one_half_cut : weather::stormy;
}

scenario::scenario(std::uint64_t seed, bool keep_diary)
    : luck_(seed),
      notes_(time_, keep_diary),
      ids_(names(luck_.percent(60) ? 4 : 6)),
      judge_(founders()),
      net_(time_, luck_, notes_),
      around_{time_, luck_, notes_, net_, judge_, clients_, [this](const node_id& id) { members_changed(id); }},
      weather_(weather_of(seed)) {
  if (weather_ == weather::stormy) make_stormy();
  net_.use_links([this](const node_id& from, const node_id& to) { return link_between(from, to); });
  for (const auto& id : ids_) {
    auto& made = machines_[id];
    made.born = made.founder = id != ids_.back();
    give_new_disk(id);
    made.clock = {970'000 + static_cast<std::int64_t>(luck_.below(60'001)), luck_.between({}, std::chrono::hours{100})};
    net_.attach(id, [&made](const parcel& what) {
      if (made.process) made.process->receive(what);
    });
  }
  for (const auto& id : ids_)
    if (machines_.at(id).born) boot(id);
  dial();
  settle_members();
}

std::vector<member> scenario::founders() const {
  std::vector<member> all;
  for (std::size_t i = 0; i + 1 < ids_.size(); ++i) all.push_back({ids_[i], {}, ids_[i].name + ":1"});
  return all;
}

verdict scenario::run() {
  verdict result;
  throw_on_invariant_violation(true);
  try {
    weather_ == weather::stormy ? storm() : calm();
    must_have_converged(result);
  } catch (const violation& broken) {
    result.violated = broken.name;
    result.what = broken.what();
  } catch (const std::logic_error& broken) {
    result.violated = "INVARIANT";
    result.what = broken.what();
  }
  throw_on_invariant_violation(false);
  if (!result.violated.empty()) notes_.note("VIOLATED ", result.what);
  result.diary = notes_.lines();
  result.elections = judge_.elections();
  result.committed = judge_.committed_entries();
  result.majority = clients_.majority();
  result.recorded = clients_.recorded();
  result.all = clients_.all();
  result.reads = judge_.reads_served();
  result.refused = clients_.refused();
  result.steps = steps_;
  result.members_changes = judge_.members_changes();
  result.wiped = wiped_.size();
  result.installed = judge_.states_installed();
  return result;
}

void scenario::storm() {
  time_.after(milliseconds{500}, [this] { disturb(); });
  if (luck_.percent(60)) time_.after(milliseconds{3000}, [this] { change_members(); });
  time_.after(milliseconds{1000}, [this] { write_some(); });
  advance(faults_end);
  end_faults();
  advance(story_end);
}

/// Without writes: all logs are equal, so that none keeps its owner from being elected.
void scenario::calm() {
  advance(instant{seconds{10}});
  const auto leader = only_leader();
  const auto elections = judge_.elections();
  const auto& victim = *std::find_if(ids_.begin(), ids_.end(), [&](const auto& id) { return id != leader; });
  notes_.note("network: cut off ", victim.name, weather_ == weather::one_returns ? "" : " from the leader alone");
  for (const auto& other : ids_) {
    if (weather_ == weather::one_half_cut && other != leader) continue;
    net_.cut(victim, other);
    net_.cut(other, victim);
  }
  advance(instant{seconds{25}});
  notes_.note("network: whole");
  net_.heal();
  advance(instant{seconds{45}});
  if (leaders() != std::set{leader} || judge_.elections() != elections)
    throw violation("LEADER_STAYS", leader.name + " was in contact with a majority and was deposed");
}

void scenario::advance(instant until) {
  for (;; ++steps_) {
    try {
      if (!time_.step(until)) return;
    } catch (const process_died& x) {
      crash(x.who);
    }
    for (const auto& [id, one] : machines_)
      if (one.process) one.process->check_bounds();
    if (steps_ % steps_between_whole_checks == 0) judge_.whole();
  }
}

// --- nodes --------------------------------------------------------------------------------------------------------

void scenario::boot(const node_id& id) {
  auto& one = machines_.at(id);
  notes_.note(id.name, " starts");
  judge_.restarts(id, one.disk->durable());
  one.process = std::make_unique<node>(around_, id, ++one.boots, one.clock, *one.disk,
                                       one.founder ? founders() : std::vector<member>{});
  relink(id);
}

void scenario::crash(const node_id& id) {
  auto& one = machines_.at(id);
  if (!one.process) return;
  notes_.note(id.name, " crashes");
  one.process.reset();
  one.disk->crash();
  for (const auto& peer : ids_) unlink(id, peer);
  time_.after(luck_.between(milliseconds{50}, milliseconds{6000}), [this, id] {
    if (!machines_.at(id).process) boot(id);
  });
}

void scenario::write_some() {
  if (time_.now() > last_write_) return;
  for (auto burst = luck_.percent(10) ? luck_.below(30) : 1; burst > 0; --burst) {
    const auto drawn = luck_.below(100);
    const auto want = drawn < 45 ? durability::majority : drawn < 90 ? durability::leader : durability::all;
    const bool large = luck_.percent(5);
    for (const auto& [id, one] : machines_)  // a client tries everybody who says it leads
      if (one.process && one.process->leads()) one.process->client_write(clients_.asks(time_.now(), want, large), want);
  }
  for (const auto& [id, one] : machines_)
    if (one.process && one.process->leads()) one.process->client_read();
  time_.after(luck_.between(milliseconds{5}, longest_pause_between_writes_), [this] { write_some(); });
}

// --- the end ------------------------------------------------------------------------------------------------------

void scenario::must_have_converged(verdict& result) {
  judge_.whole();
  std::map<node_id, log_index> commits;
  std::vector<const disk_content*> disks;
  for (const auto& [id, one] : machines_) {
    if (!one.born) continue;
    if (!one.process) throw violation("CONVERGES_AFTER_HEAL", id.name + " is down");
    commits[id] = one.process->commit();
    disks.push_back(&one.disk->durable());
  }
  judge_.converged(commits, leaders());
  const auto& log = machines_.at(only_leader()).disk->durable().log;
  std::vector<const disk_content*> wiped;
  for (const auto& one : wiped_) wiped.push_back(&one->durable());
  clients_.check(log, disks, wiped);
  result.reported = clients_.reported(log);
}

std::set<node_id> scenario::leaders() const {
  std::set<node_id> found;
  for (const auto& [id, one] : machines_)
    if (one.process && one.process->leads()) found.insert(id);
  return found;
}

node_id scenario::only_leader() const {
  const auto found = leaders();
  if (found.size() != 1) throw violation("CONVERGES_AFTER_HEAL", std::to_string(found.size()) + " leaders");
  return *found.begin();
}

}  // namespace kaiku::simulation
