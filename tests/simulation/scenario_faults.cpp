// The part of a scenario that goes wrong.

#include "scenario.hpp"

namespace kaiku::simulation {

using std::chrono::seconds;

void scenario::make_stormy() {
  net_.loss_percent = luck_.percent(50) ? static_cast<unsigned>(luck_.below(15)) : 0;
  net_.repeat_percent = static_cast<unsigned>(luck_.below(10));
  net_.reorder_percent = luck_.percent(50) ? static_cast<unsigned>(luck_.below(40)) : 0;
  net_.straggler_percent = static_cast<unsigned>(luck_.below(luck_.percent(15) ? 25 : 5));
  around_.sluggish_percent = luck_.percent(30) ? 25 : 3;
  if (luck_.percent(30)) around_.busy_permille = 2;
  if (luck_.percent(25)) longest_pause_between_writes_ = milliseconds{100};
  // When nobody writes at the end, only what leaders do by themselves commits what is left over.
  last_write_ = instant{luck_.percent(30) ? seconds{35} : seconds{52}};
}

void scenario::disturb() {
  if (!faults_) return;
  if (luck_.percent(50))
    disturb_network();
  else
    disturb_node(anyone());
  time_.after(luck_.between(milliseconds{100}, milliseconds{3500}), [this] { disturb(); });
}

void scenario::disturb_network() {
  const auto kind = luck_.below(7);
  net_.heal();
  if (kind == 0) {
    notes_.note("network: whole");
    for (const auto& id : ids_)
      if (machines_.at(id).process) relink(id);
    return;
  }
  const auto victim = anyone(), second = anyone();
  std::set<node_id> side;
  for (const auto& id : ids_)
    if (luck_.percent(50)) side.insert(id);
  notes_.note("network: cut, kind ", kind, " around ", victim.name, " and ", second.name);
  for (const auto& one : ids_) {
    for (const auto& other : ids_) {
      if (one == other) continue;
      const bool across = side.contains(one) != side.contains(other);
      const bool alone = kind == 1 && (one == victim || other == victim);
      const bool deaf = kind == 2 && other == victim;
      const bool mute = kind == 3 && one == victim;
      const bool split = kind == 4 && across;
      const bool bridge = kind == 5 && across && one != victim && other != victim;  // the victim reaches both sides
      const bool one_way = kind == 6 && one == victim && other == second;
      if (alone || deaf || mute || split || bridge || one_way) net_.cut(one, other);
    }
  }
}

void scenario::disturb_node(const node_id& id) {
  switch (luck_.below(10)) {
    case 0: crash(id); break;
    case 1:
      for (const auto& leader : leaders()) crash(leader);  // leaders are worth more
      break;
    case 2:
      notes_.note("everybody crashes");
      if (luck_.percent(30))
        for (const auto& each : ids_) crash(each);
      break;
    case 3:
    case 4:
    case 5: disturb_disk(id); break;
    case 6:
    case 7: disturb_process(id); break;
    default:
      for (const auto& leader : leaders()) machines_.at(leader).process->hand_over();
  }
}

void scenario::disturb_disk(const node_id& id) {
  auto& disk = *machines_.at(id).disk;
  switch (luck_.below(4)) {
    case 0:
      notes_.note(id.name, "'s next fsync fails");
      disk.fail_next_sync();
      break;
    case 1:
      notes_.note(id.name, "'s disk is full for a while");
      disk.full = true;
      time_.after(luck_.between(milliseconds{100}, milliseconds{5000}), [&disk] { disk.full = false; });
      break;
    default:
      notes_.note(id.name, "'s disk changes its pace");
      disk.slowness = luck_.percent(50) ? microseconds{0} : luck_.between(milliseconds{5}, milliseconds{900});
  }
}

void scenario::disturb_process(const node_id& id) {
  auto& one = machines_.at(id);
  if (!one.process) return;
  switch (luck_.below(3)) {
    case 0:
      notes_.note(id.name, " pauses");
      one.process->pause(time_.now() + luck_.between(milliseconds{100}, milliseconds{4000}));
      break;
    case 1:
      notes_.note(id.name, " will crash between two effects");
      one.process->die_before_effect(luck_.below(60));
      break;
    default:
      notes_.note(id.name, "'s clock jumps");
      one.clock.zero += luck_.between(milliseconds{20}, milliseconds{3000});
  }
}

void scenario::end_faults() {
  notes_.note("the faults end");
  faults_ = false;
  net_.heal();
  around_.sluggish_percent = 3;
  around_.busy_permille = 0;
  net_.loss_percent = net_.repeat_percent = net_.reorder_percent = net_.straggler_percent = 0;
  for (const auto& id : ids_) {
    auto& one = machines_.at(id);
    one.disk->slowness = microseconds{0};
    if (!one.process && one.born) boot(id);
  }
}

}  // namespace kaiku::simulation
