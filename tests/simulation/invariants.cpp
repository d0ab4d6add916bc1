#include "invariants.hpp"

#include <algorithm>

#include "node.hpp"
#include "requirement.hpp"

namespace kaiku::simulation {

// --- facts --------------------------------------------------------------------------------------------------------

void invariants::synced(const node_id& node, const hard_state& before, const disk_content& now) {
  const auto state = now.state();
  term_vote_durable_monotonic(node, before, state);
  members_follow_the_log(node, now);
  synced_[now.disk] = state;
  auto& reach = reach_[{now.disk, state.current}];
  reach = std::max(reach, state.last.index);
  if (state.voted_for == node && (before.current < state.current || before.voted_for != node))
    electors_[{now.disk, state.current}] = voters_of(now.members_in_force());
}

void invariants::restarts(const node_id& node, const disk_content& disk) const {
  const auto known = synced_.find(disk.disk);
  REQUIRE(known == synced_.end() || known->second == disk.state(), "TERM_VOTE_DURABLE_MONOTONIC",
          node.name + " comes back without the term, the vote or the log that it had synced");
}

void invariants::accepted(const node_id& node, term sender, term fence) {
  fence_rejects_lower_term(node, sender, fence);
}

void invariants::logged(const node_id& node, const log_entry& entry, const log_position& previous,
                        const std::set<std::string>& contents) {
  log_matching(node, entry, previous);
  members_logged(node, entry, previous);
  const auto& command = entry.encoded_command;
  REQUIRE(!command.starts_with(large_content_mark) || contents.contains(command), "BLOB_BEFORE_ENTRY",
          node.name + " logs " + text(entry.at) + " without its content");
}

void invariants::truncated(const node_id& node, const disk_content& image, log_index keep) {
  leader_append_only(node, image);
  committed_never_lost_by_truncation(node, image, keep);
}

void invariants::cut_off(const node_id& node, const std::vector<log_entry>& cut, const disk_content& now) const {
  for (const auto& entry : cut) {
    const auto found = now.set_aside.find(entry.at);
    REQUIRE(holds(now, entry) || (found != now.set_aside.end() && found->second == entry.encoded_command),
            "SET_ASIDE_COMPLETE", node.name + " drops " + text(entry.at) + " without a trace");
  }
}

void invariants::sending(instant local_now, const node_id& from, const node_id& to, const message& what) {
  persist_before_send(from, to, what);
  handover_loses_nothing(from, to, what);
  append_in_own_term(from, what);
  if (const auto* request = std::get_if<vote_request>(&what); request != nullptr && request->transfer)
    handed_over_.emplace(request->in_term, from);
  if (const auto* beat = std::get_if<heartbeat>(&what))
    leaders_[beat->in_term].rounds.try_emplace(beat->round, local_now);
}

void invariants::follows(const node_id& follower, const heartbeat& heard) {
  auto& leader = leaders_[heard.in_term];
  auto& latest = leader.followed.try_emplace(follower, instant::min()).first->second;
  latest = std::max(latest, leader.rounds.at(heard.round));
}

void invariants::leads(instant asked_at, const node_id& node, std::uint64_t boot, term in_term) {
  election_safety(node, boot, in_term);
  leaders_[in_term].since = asked_at;
  committed_never_lost_by_election(node, in_term);
  elected_holds_acknowledged(node, in_term);
}

void invariants::hears(const node_id& node, const role_change& before, term in_term, const role_change& after) const {
  REQUIRE(in_term >= before.in_term || after == before, "OLDER_LEADER_IGNORED",
          node.name + " follows the leader of term " + to_string(in_term) + " in term " + to_string(before.in_term));
}

void invariants::claims_quorum(const node_id& leader, term in_term, instant contact, bool lost,
                               const std::vector<member>& voters) {
  quorum_from_answers(leader, in_term, contact, voters);
  leader_without_quorum_steps_down(leader, in_term, lost);
}

void invariants::committed(const node_id& node, bool leading, term in_term, log_index before, log_index now,
                           const electorate& by) {
  REQUIRE(now >= before, "COMMITTED_NEVER_LOST", node.name + " takes back its commit index");
  const auto& log = disks_.at(node)->log;
  REQUIRE(now.value <= log.size(), "COMMITTED_NEVER_LOST", node.name + " commits what is not on its disk");
  if (leading && now > before) commit_current_term_only(node, in_term, now);
  if (leading) config_in_force_from_append(node, now, by);
  for (auto index = before.value; index < now.value; ++index) state_machine_safety(node, in_term, log[index], by);
}

void invariants::acknowledged(instant local_now, const node_id& node, durability how, const log_entry& entry,
                              const electorate& by) {
  ack_matches_durability(node, how, entry, by);
  if (how == durability::leader) {
    bounded_loss(local_now, node, entry, by);
    if (!is_committed(entry)) successor_holds(entry);
    auto& last = recorded_.try_emplace(entry.at.in_term, entry).first->second;
    if (entry.at.index > last.at.index) last = entry;
  }
  if (how != durability::leader) acknowledged_.push_back(entry);
}

// --- elections ----------------------------------------------------------------------------------------------------

void invariants::election_safety(const node_id& node, std::uint64_t boot, term in_term) {
  auto& leader = leaders_[in_term];
  REQUIRE(leader.node.name.empty(), "ELECTION_SAFETY",
          node.name + " and " + leader.node.name + " were both elected in term " + to_string(in_term));
  const auto asked = electors_.find({disk_id(node), in_term});
  REQUIRE(asked != electors_.end(), "ELECTION_SAFETY", node.name + " was elected without a vote of its own");
  const auto& voters = asked->second;
  const auto votes = std::count_if(voters.begin(), voters.end(), [&](const auto& voter) {
    const auto vote = votes_.find({voter.disk.known() ? voter.disk : disk_id(voter.id), in_term});
    return vote != votes_.end() && vote->second == node;
  });
  REQUIRE(static_cast<std::size_t>(votes) >= majority_of(voters), "ELECTION_SAFETY",
          node.name + " was elected in term " + to_string(in_term) + " with " + std::to_string(votes) + " votes");
  leader.node = node;
  leader.disk = disk_id(node);
  leader.boot = boot;
}

void invariants::term_vote_durable_monotonic(const node_id& node, const hard_state& before, const hard_state& now) {
  auto& highest = terms_[disk_id(node)];
  REQUIRE(now.current >= std::max(before.current, highest), "TERM_VOTE_DURABLE_MONOTONIC",
          node.name + "'s term goes back");
  highest = now.current;
  const bool kept = now.current > before.current || before.voted_for.name.empty() || now.voted_for == before.voted_for;
  REQUIRE(kept, "TERM_VOTE_DURABLE_MONOTONIC", node.name + " changes its vote in term " + to_string(now.current));
  if (now.voted_for.name.empty()) return;
  const auto& vote = votes_.try_emplace({disk_id(node), now.current}, now.voted_for).first->second;
  REQUIRE(vote == now.voted_for, "TERM_VOTE_DURABLE_MONOTONIC",
          node.name + " votes a second time in term " + to_string(now.current));
}

void invariants::persist_before_send(const node_id& from, const node_id& to, const message& what) const {
  auto voted = [&](term in_term, const node_id& candidate) {
    auto vote = votes_.find({disk_id(from), in_term});
    REQUIRE(vote != votes_.end() && vote->second == candidate, "PERSIST_BEFORE_SEND",
            from.name + " tells of a vote for " + candidate.name + " in term " + to_string(in_term) +
                " that its disk does not know");
  };
  if (const auto* request = std::get_if<vote_request>(&what); request != nullptr && !request->pre_vote)
    voted(request->in_term, from);
  if (const auto* vote = std::get_if<vote_reply>(&what); vote != nullptr && !vote->pre_vote && vote->granted)
    voted(vote->in_term, to);
  if (const auto* reply = std::get_if<append_reply>(&what); reply != nullptr && reply->accepted) {
    auto reach = reach_.find({disk_id(from), reply->in_term});
    REQUIRE(reach != reach_.end() && reach->second >= reply->match, "PERSIST_BEFORE_SEND",
            from.name + " acknowledges " + to_string(reply->match) + " which its disk did not hold in that term");
  }
}

void invariants::quorum_from_answers(const node_id& leader, term in_term, instant contact,
                                     const std::vector<member>& voters) const {
  const auto& claimed = leaders_.at(in_term);
  if (contact <= claimed.since) return;
  const auto followers = std::count_if(voters.begin(), voters.end(), [&](const auto& voter) {
    const auto heard = claimed.followed.find(voter.id);
    return voter.id == leader || (heard != claimed.followed.end() && heard->second >= contact);
  });
  REQUIRE(static_cast<std::size_t>(followers) >= majority_of(voters), "QUORUM_FROM_ANSWERS",
          leader.name + " claims a quorum that did not follow it");
}

/// Word of it takes a little while from heartbeat to election and back.
void invariants::leader_without_quorum_steps_down(const node_id& leader, term in_term, bool lost) {
  auto& beats = leaders_.at(in_term).beats_without_quorum;
  beats = lost ? beats + 1 : 0;
  REQUIRE(beats <= 6, "LEADER_WITHOUT_QUORUM_STEPS_DOWN", leader.name + " leads on without a majority");
}

}  // namespace kaiku::simulation
