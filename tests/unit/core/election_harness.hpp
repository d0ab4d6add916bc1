#pragma once

/// Purpose: one election with a clock and a hard state that the test sets, and short names for what it did.
/// Owner: the test. Thread: the test's.

#include <set>
#include <string>
#include <vector>

#include "kaiku/core/election.hpp"
#include "printing.hpp"

namespace kaiku::election_test {

inline constexpr milliseconds timeout{1000};
inline constexpr log_position log_end{{4}, {10}};

inline node_id id(char name) {
  return {std::string(1, name)};
}

inline std::set<node_id> ids(const std::string& names) {
  std::set<node_id> set;
  for (char name : names) set.insert(id(name));
  return set;
}

/// Node `a`; `chance` of 0 draws the shortest of every random wait, 1 the longest.
struct harness {
  explicit harness(const std::string& voters = "abc", hard_state recovered = {{5}, {}, log_end})
      : disk(recovered),
        node({id('a'), ids(voters), timeout, [this](std::uint64_t bound) { return chance == 0 ? 0 : bound - 1; }},
             recovered, now) {}

  void pass(milliseconds time) { now += time; }

  /// Storage: decides what it was asked in `effects` and gives each decision back; all the other effects.
  election_effects with_storage(const election_effects& effects) {
    election_effects rest;
    for (const auto& one : effects) {
      election_effects more;
      if (const auto* ask = std::get_if<effect::ask_storage>(&one)) {
        auto decision = decide(disk, ask->ballot);
        disk = decision.after;
        more = with_storage(node.on_vote_decision(now, ask->ballot, decision));
      } else if (const auto* adopt = std::get_if<effect::adopt_term>(&one)) {
        if (adopt->in_term > disk.current) disk = {adopt->in_term, {}, disk.last};
        more = with_storage(node.on_hard_state(now, disk));
      } else {
        more = {one};
      }
      rest.insert(rest.end(), more.begin(), more.end());
    }
    return rest;
  }

  /// The deadline passes: a campaign with everything storage says to it.
  election_effects time_out() {
    now = std::max(now, node.deadline());
    return with_storage(node.on_deadline(now));
  }

  election_effects reply(char voter, bool pre_vote, bool granted = true) {
    const auto in_term = pre_vote ? disk.current.next() : disk.current;
    return with_storage(node.on_vote_reply(now, {id(voter), in_term, disk.current, pre_vote, granted}));
  }

  void become_candidate() {
    time_out();
    reply('b', true);
  }
  void become_leader() {
    become_candidate();
    reply('b', false);
  }

  instant now{std::chrono::hours{1}};
  int chance = 0;
  hard_state disk;
  election node;
};

template <class Effect>
std::vector<Effect> all(const election_effects& effects) {
  std::vector<Effect> found;
  for (const auto& one : effects)
    if (const auto* x = std::get_if<Effect>(&one)) found.push_back(*x);
  return found;
}

template <class Effect>
std::size_t count(const election_effects& effects) {
  return all<Effect>(effects).size();
}

}  // namespace kaiku::election_test
