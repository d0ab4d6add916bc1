#include "scenario.hpp"

#include <algorithm>

#include "kaiku/core/invariant.hpp"

namespace kaiku::simulation {
namespace {

constexpr instant faults_end{std::chrono::seconds{40}};
constexpr instant last_writes{std::chrono::seconds{52}};
constexpr instant story_end{std::chrono::seconds{60}};
constexpr std::uint64_t steps_between_whole_checks = 2000;

std::vector<node_id> names(std::size_t count) {
  std::vector<node_id> ids;
  for (std::size_t i = 1; i <= count; ++i) ids.push_back({"n" + std::to_string(i)});
  return ids;
}

}  // namespace

scenario::scenario(std::uint64_t seed, bool keep_diary, weather kind)
    : luck_(seed),
      notes_(time_, keep_diary),
      ids_(names(luck_.percent(60) ? 3 : 5)),
      judge_({ids_.begin(), ids_.end()}),
      net_(time_, luck_, notes_),
      around_{time_, luck_, notes_, net_, judge_, {ids_.begin(), ids_.end()}} {
  faults_ = kind == weather::stormy;
  if (faults_) make_stormy();
  for (const auto& id : ids_) {
    auto& made = machines_[id];
    made.disk = std::make_unique<simulated_storage>(id, luck_, judge_);
    made.clock = {970'000 + static_cast<std::int64_t>(luck_.below(60'001)), luck_.between({}, std::chrono::hours{100})};
    judge_.watch(id, made.disk->durable());
    net_.attach(id, [&made](const node_id& from, const message& what) {
      if (made.process) made.process->receive(from, what);
    });
  }
  for (const auto& id : ids_) boot(id);
}

void scenario::make_stormy() {
  net_.loss_percent = luck_.percent(50) ? static_cast<unsigned>(luck_.below(15)) : 0;
  net_.repeat_percent = static_cast<unsigned>(luck_.below(10));
  net_.reorder_percent = luck_.percent(50) ? static_cast<unsigned>(luck_.below(40)) : 0;
  net_.straggler_percent = static_cast<unsigned>(luck_.below(5));
  around_.sluggish_percent = luck_.percent(30) ? 25 : 3;
  if (luck_.percent(25)) longest_pause_between_writes_ = milliseconds{100};
}

verdict scenario::run() {
  verdict result;
  throw_on_invariant_violation(true);
  try {
    time_.after(milliseconds{500}, [this] { disturb(); });
    time_.after(milliseconds{1000}, [this] { write_some(); });
    advance(faults_end);
    end_faults();
    advance(story_end);
    must_have_converged();
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
  result.acknowledged = judge_.acknowledged_writes();
  return result;
}

void scenario::advance(instant until) {
  for (std::uint64_t step = 1; time_.step(until); ++step) {
    for (const auto& [id, one] : machines_)
      if (one.process) one.process->check_bounds();
    if (step % steps_between_whole_checks == 0) judge_.whole();
  }
}

// --- nodes --------------------------------------------------------------------------------------------------------

void scenario::boot(const node_id& id) {
  auto& one = machines_.at(id);
  notes_.note(id.name, " starts");
  one.process = std::make_unique<node>(around_, id, ++one.boots, one.clock, *one.disk, one.contents);
  relink(id);
}

void scenario::crash(const node_id& id) {
  auto& one = machines_.at(id);
  if (!one.process) return;
  notes_.note(id.name, " crashes");
  one.process.reset();
  one.disk->crash();
  for (const auto& [peer, other] : machines_)
    if (other.process) other.process->link_down(id);
  time_.after(luck_.between(milliseconds{50}, milliseconds{6000}), [this, id] {
    if (!machines_.at(id).process) boot(id);
  });
}

/// New links between a node and everybody else that runs.
void scenario::relink(const node_id& id) {
  for (const auto& [peer, other] : machines_) {
    if (peer == id || !other.process) continue;
    machines_.at(id).process->link_up(peer);
    other.process->link_up(id);
  }
}

void scenario::write_some() {
  if (time_.now() > last_writes) return;
  for (auto burst = luck_.percent(10) ? luck_.below(30) : 1; burst > 0; --burst) {
    const auto want = luck_.percent(50) ? durability::majority : durability::leader;
    const bool large = luck_.percent(5);
    const auto command = (large ? large_content_mark : 'w') + std::to_string(++writes_);
    for (const auto& [id, one] : machines_)  // a client tries everybody who says it leads
      if (one.process && one.process->leads()) one.process->client_write(command, want);
  }
  time_.after(luck_.between(milliseconds{5}, longest_pause_between_writes_), [this] { write_some(); });
}

// --- faults -------------------------------------------------------------------------------------------------------

void scenario::disturb() {
  if (!faults_) return;
  if (luck_.percent(50))
    disturb_network();
  else
    disturb_node(anyone());
  time_.after(luck_.between(milliseconds{100}, milliseconds{3500}), [this] { disturb(); });
}

void scenario::disturb_network() {
  const auto kind = luck_.below(5);
  net_.heal();
  if (kind == 0) {
    notes_.note("network: whole");
    for (const auto& id : ids_)
      if (machines_.at(id).process) relink(id);
    return;
  }
  const auto victim = anyone();
  notes_.note("network: cut, kind ", kind, " around ", victim.name);
  for (const auto& one : ids_) {
    for (const auto& other : ids_) {
      if (one == other) continue;
      const bool alone = kind == 1 && (one == victim || other == victim);
      const bool deaf = kind == 2 && other == victim;
      const bool mute = kind == 3 && one == victim;
      const bool split = kind == 4 && (one < victim) != (other < victim);
      if (alone || deaf || mute || split) net_.cut(one, other);
    }
  }
}

void scenario::disturb_node(const node_id& id) {
  auto& one = machines_.at(id);
  switch (luck_.below(8)) {
    case 0:
    case 1: crash(id); break;
    case 2:
      for (const auto& leader : ids_)  // leaders are worth more
        if (machines_.at(leader).process && machines_.at(leader).process->leads()) crash(leader);
      break;
    case 3:
      notes_.note("everybody crashes");
      if (luck_.percent(30))
        for (const auto& each : ids_) crash(each);
      break;
    case 4:
      notes_.note(id.name, "'s disk changes its pace");
      one.disk->slowness = luck_.percent(50) ? microseconds{0} : luck_.between(milliseconds{5}, milliseconds{600});
      break;
    case 5:
      notes_.note(id.name, " pauses");
      if (one.process) one.process->pause(time_.now() + luck_.between(milliseconds{100}, milliseconds{4000}));
      break;
    default:
      for (const auto& [leader, its] : machines_)
        if (its.process && its.process->leads()) its.process->hand_over();
  }
}

void scenario::end_faults() {
  notes_.note("the faults end");
  faults_ = false;
  net_.heal();
  around_.sluggish_percent = 3;
  net_.loss_percent = net_.repeat_percent = net_.reorder_percent = net_.straggler_percent = 0;
  for (const auto& id : ids_) {
    machines_.at(id).disk->slowness = microseconds{0};
    if (!machines_.at(id).process) boot(id);
  }
}

void scenario::must_have_converged() {
  judge_.whole();
  std::map<node_id, log_index> commits;
  for (const auto& [id, one] : machines_) commits[id] = one.process->commit();
  judge_.converged(commits, leaders());
}

std::set<node_id> scenario::leaders() const {
  std::set<node_id> found;
  for (const auto& [id, one] : machines_)
    if (one.process && one.process->leads()) found.insert(id);
  return found;
}

}  // namespace kaiku::simulation
