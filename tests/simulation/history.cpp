#include "history.hpp"

#include <algorithm>

#include "invariants.hpp"

namespace kaiku::simulation {
namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw violation("HISTORY", what);
}

}  // namespace

std::string history::asks(instant now, durability want, bool large) {
  auto command = (large ? large_content_mark : 'w') + std::to_string(attempts_.size() + 1);
  attempts_[command] = {now, want, answer::none, {}, {}};
  return command;
}

void history::answered(instant now, const std::string& command, answer what, const log_position& at) {
  auto& x = attempts_.at(command);
  require(x.got == answer::none, command + " is answered twice");
  const bool more =
      (what == answer::majority && x.want == durability::leader) || (what == answer::all && x.want != durability::all);
  require(!more, command + " is answered as more than was asked");
  x.got = what;
  x.when = now;
  x.at = at;
  ++count_[static_cast<std::size_t>(what)];
}

bool history::stands(const std::vector<log_entry>& log, const std::string& command, const attempt& x) {
  const auto index = x.at.index.value;
  return index >= 1 && index <= log.size() && log[index - 1] == log_entry{x.at, command};
}

std::size_t history::reported(const std::vector<log_entry>& log) const {
  return static_cast<std::size_t>(std::count_if(attempts_.begin(), attempts_.end(), [&](const auto& one) {
    return one.second.acknowledged() && !stands(log, one.first, one.second);
  }));
}

void history::check(const std::vector<log_entry>& log, const std::vector<const disk_content*>& disks,
                    const std::vector<const disk_content*>& wiped) const {
  std::map<std::string, log_index> places;
  for (const auto& entry : log)
    if (!entry.encoded_command.empty() && entry.encoded_command.front() != members_mark)
      require(places.emplace(entry.encoded_command, entry.at.index).second, entry.encoded_command + " stands twice");
  std::map<log_position, std::string> set_aside;
  for (const auto* disk : disks) set_aside.insert(disk->set_aside.begin(), disk->set_aside.end());
  for (const auto* disk : wiped) {
    set_aside.insert(disk->set_aside.begin(), disk->set_aside.end());
    for (const auto& entry : disk->log) set_aside.emplace(entry.at, entry.encoded_command);
  }

  for (const auto& [command, x] : attempts_) {
    if (x.got == answer::refused) require(!places.contains(command), command + " was refused and stands in the log");
    if (!x.acknowledged() || stands(log, command, x)) continue;
    require(x.got == answer::recorded, command + " was acknowledged at majority and is lost");
    const auto found = set_aside.find(x.at);
    require(found != set_aside.end() && found->second == command,
            command + " was acknowledged by the leader, is lost, and is not set aside anywhere");
  }
  check_order(places);
}

/// By time of asking: each write stands behind the last of those that were acknowledged before it was asked for.
void history::check_order(const std::map<std::string, log_index>& places) const {
  struct event {
    instant when;
    bool asks = false;
    log_index place;
  };
  std::vector<event> events;
  for (const auto& [command, x] : attempts_) {
    const auto place = places.find(command);
    if (place == places.end()) continue;
    events.push_back({x.asked, true, place->second});
    if (x.acknowledged()) events.push_back({x.when, false, place->second});
  }
  std::stable_sort(events.begin(), events.end(), [](const auto& one, const auto& other) {
    return one.when != other.when ? one.when < other.when : one.asks && !other.asks;
  });
  log_index highest;
  for (const auto& one : events) {
    if (one.asks)
      require(one.place > highest, "entry " + to_string(one.place) + " was asked for after entry " +
                                       to_string(highest) + " was acknowledged");
    else
      highest = std::max(highest, one.place);
  }
}

}  // namespace kaiku::simulation
