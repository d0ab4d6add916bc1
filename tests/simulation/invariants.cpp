#include "invariants.hpp"

#include <algorithm>

#include "node.hpp"
#include "storage.hpp"

namespace kaiku::simulation {
namespace {

std::string text(const log_position& x) {
  return to_string(x.in_term) + '.' + to_string(x.index);
}

void require(bool holds, const char* invariant, const std::string& what) {
  if (!holds) throw violation(invariant, what);
}

bool holds(const disk_content& disk, const log_entry& entry) {
  const auto index = entry.at.index.value;
  return index <= disk.log.size() && disk.log[index - 1] == entry;
}

}  // namespace

// --- facts --------------------------------------------------------------------------------------------------------

void invariants::synced(const node_id& node, const hard_state& before, const disk_content& now) {
  const auto state = now.state();
  term_vote_durable_monotonic(node, before, state);
  auto& reach = reach_[{node, state.current}];
  reach = std::max(reach, state.last.index);
}

void invariants::accepted(const node_id& node, term sender, term fence) {
  fence_rejects_lower_term(node, sender, fence);
}

void invariants::logged(const node_id& node, const log_entry& entry, const log_position& previous) {
  log_matching(node, entry, previous);
}

void invariants::truncated(const node_id& node, const disk_content& image, log_index keep) {
  leader_append_only(node, image);
  committed_never_lost_by_truncation(node, image, keep);
}

void invariants::sending(instant local_now, const node_id& from, const node_id& to, const message& what) {
  persist_before_send(from, to, what);
  append_in_own_term(from, what);
  if (const auto* beat = std::get_if<heartbeat>(&what))
    leaders_[beat->in_term].rounds.try_emplace(beat->round, local_now);
}

void invariants::follows(const node_id& follower, const heartbeat& heard) {
  auto& leader = leaders_[heard.in_term];
  auto& latest = leader.followed.try_emplace(follower, instant::min()).first->second;
  latest = std::max(latest, leader.rounds.at(heard.round));
}

void invariants::leads(instant local_now, const node_id& node, std::uint64_t boot, term in_term) {
  election_safety(node, boot, in_term);
  leaders_[in_term].since = local_now;
  committed_never_lost_by_election(node, in_term);
}

void invariants::counts_quorum_since(instant local_now, term in_term) {
  leaders_[in_term].since = local_now;
}

void invariants::claims_quorum(instant local_now, const node_id& leader, term in_term, instant contact) {
  quorum_from_answers(leader, in_term, contact);
  leader_without_quorum_steps_down(local_now, leader, in_term, contact);
}

void invariants::committed(const node_id& node, bool leading, term in_term, log_index before, log_index now) {
  require(now >= before, "COMMITTED_NEVER_LOST", node.name + " takes back its commit index");
  const auto& log = disks_.at(node)->log;
  require(now.value <= log.size(), "COMMITTED_NEVER_LOST", node.name + " commits what is not on its disk");
  if (leading && now > before) commit_current_term_only(node, in_term, now);
  for (auto index = before.value; index < now.value; ++index) state_machine_safety(node, in_term, log[index]);
}

void invariants::acknowledged(const node_id& node, durability how, const log_entry& entry) {
  ack_matches_durability(node, how, entry);
  if (how == durability::majority) acknowledged_.push_back(entry);
}

// --- elections ----------------------------------------------------------------------------------------------------

void invariants::election_safety(const node_id& node, std::uint64_t boot, term in_term) {
  auto& leader = leaders_[in_term];
  require(leader.node.name.empty(), "ELECTION_SAFETY",
          node.name + " and " + leader.node.name + " were both elected in term " + to_string(in_term));
  leader.node = node;
  leader.boot = boot;
}

void invariants::term_vote_durable_monotonic(const node_id& node, const hard_state& before, const hard_state& now) {
  require(now.current >= before.current, "TERM_VOTE_DURABLE_MONOTONIC", node.name + "'s term goes back");
  const bool kept = now.current > before.current || before.voted_for.name.empty() || now.voted_for == before.voted_for;
  require(kept, "TERM_VOTE_DURABLE_MONOTONIC", node.name + " changes its vote in term " + to_string(now.current));
  if (!now.voted_for.name.empty()) votes_[{node, now.current}] = now.voted_for;
}

void invariants::persist_before_send(const node_id& from, const node_id& to, const message& what) const {
  auto voted = [&](term in_term, const node_id& candidate) {
    auto vote = votes_.find({from, in_term});
    require(vote != votes_.end() && vote->second == candidate, "PERSIST_BEFORE_SEND",
            from.name + " tells of a vote for " + candidate.name + " in term " + to_string(in_term) +
                " that its disk does not know");
  };
  if (const auto* request = std::get_if<vote_request>(&what); request != nullptr && !request->pre_vote)
    voted(request->in_term, from);
  if (const auto* vote = std::get_if<vote_reply>(&what); vote != nullptr && !vote->pre_vote && vote->granted)
    voted(vote->in_term, to);
  if (const auto* reply = std::get_if<append_reply>(&what); reply != nullptr && reply->accepted) {
    auto reach = reach_.find({from, reply->in_term});
    require(reach != reach_.end() && reach->second >= reply->match, "PERSIST_BEFORE_SEND",
            from.name + " acknowledges " + to_string(reply->match) + " which its disk did not hold in that term");
  }
}

void invariants::quorum_from_answers(const node_id& leader, term in_term, instant contact) const {
  const auto& claimed = leaders_.at(in_term);
  if (contact <= claimed.since || voters_.size() == 1) return;
  const auto followers = std::count_if(claimed.followed.begin(), claimed.followed.end(),
                                       [&](const auto& follower) { return follower.second >= contact; });
  require(static_cast<std::size_t>(followers) + 1 >= majority(), "QUORUM_FROM_ANSWERS",
          leader.name + " claims a quorum that did not follow it");
}

/// Word of it takes a little while from heartbeat to election and back.
void invariants::leader_without_quorum_steps_down(instant local_now, const node_id& leader, term in_term,
                                                  instant contact) {
  auto& beats = leaders_.at(in_term).beats_without_quorum;
  beats = local_now - contact > election_timeout ? beats + 1 : 0;
  require(beats <= 6, "LEADER_WITHOUT_QUORUM_STEPS_DOWN", leader.name + " leads on without a majority");
}

// --- the log ------------------------------------------------------------------------------------------------------

/// By induction over the predecessors: if entries of one index and term agree, so do the logs up to them.
void invariants::log_matching(const node_id& node, const log_entry& entry, const log_position& previous) {
  require(entry.at.index == previous.index.next() && entry.at.in_term >= previous.in_term, "LOG_MATCHING",
          node.name + " logs " + text(entry.at) + " behind " + text(previous));
  const auto& known = entries_.try_emplace(entry.at, logged_entry{entry.encoded_command, previous}).first->second;
  require(known.command == entry.encoded_command && known.previous == previous, "LOG_MATCHING",
          node.name + " has another entry " + text(entry.at));
}

void invariants::leader_append_only(const node_id& node, const disk_content& image) const {
  auto leader = leaders_.find(image.current);
  require(leader == leaders_.end() || leader->second.node != node, "LEADER_APPEND_ONLY",
          node.name + " cuts its log in a term that it leads");
}

/// What a leader sends is its own log: a later leader's entries are not there while it leads.
void invariants::append_in_own_term(const node_id& from, const message& what) const {
  const auto* append = std::get_if<append_entries>(&what);
  if (append == nullptr) return;
  const auto newest = append->entries.empty() ? append->previous.in_term : append->entries.back().at.in_term;
  require(newest <= append->in_term, "LEADER_APPEND_ONLY",
          from.name + " sends entries of term " + to_string(newest) + " in term " + to_string(append->in_term));
}

void invariants::fence_rejects_lower_term(const node_id& node, term sender, term fence) const {
  require(sender >= fence, "FENCE_REJECTS_LOWER_TERM",
          node.name + " takes entries of term " + to_string(sender) + " in term " + to_string(fence));
}

// --- commit -------------------------------------------------------------------------------------------------------

bool invariants::on_majority(const log_entry& entry) const {
  const auto holders =
      std::count_if(disks_.begin(), disks_.end(), [&](const auto& disk) { return holds(*disk.second, entry); });
  return static_cast<std::size_t>(holders) >= majority();
}

void invariants::commit_current_term_only(const node_id& node, term in_term, log_index commit) const {
  const auto at = disks_.at(node)->position(commit);
  require(at.in_term == in_term, "COMMIT_CURRENT_TERM_ONLY",
          node.name + " commits " + text(at) + " by counting in term " + to_string(in_term));
}

void invariants::state_machine_safety(const node_id& node, term in_term, const log_entry& entry) {
  const auto index = entry.at.index.value;
  if (index <= committed_.size()) {
    require(committed_[index - 1] == entry, "STATE_MACHINE_SAFETY",
            node.name + " commits " + text(entry.at) + " where " + text(committed_[index - 1].at) + " is committed");
    return;
  }
  require(on_majority(entry), "COMMITTED_NEVER_LOST", text(entry.at) + " is committed without a majority of disks");
  committed_.push_back(entry);
  committed_in_.push_back(in_term);
}

void invariants::committed_never_lost_by_truncation(const node_id& node, const disk_content& image,
                                                    log_index keep) const {
  if (keep.value >= committed_.size()) return;
  require(image.log[keep.value] != committed_[keep.value], "COMMITTED_NEVER_LOST",
          node.name + " cuts the committed entry " + text(committed_[keep.value].at));
}

/// Leader completeness (paper, 5.4.3). A leader of an older term may well learn of its election late.
void invariants::committed_never_lost_by_election(const node_id& node, term in_term) const {
  const auto before = std::lower_bound(committed_in_.begin(), committed_in_.end(), in_term) - committed_in_.begin();
  if (before == 0) return;
  const auto& last = committed_[static_cast<std::size_t>(before) - 1];
  require(holds(*disks_.at(node), last), "COMMITTED_NEVER_LOST",
          node.name + " is elected without the committed entry " + text(last.at));
}

void invariants::ack_matches_durability(const node_id& node, durability how, const log_entry& entry) const {
  const bool durable = how == durability::majority ? on_majority(entry) : holds(*disks_.at(node), entry);
  require(durable, "ACK_MATCHES_DURABILITY",
          text(entry.at) + " is acknowledged at " + std::string(to_string(how)) + " and is not there");
}

void invariants::bounded(std::string_view queue, std::size_t size, std::size_t bound) const {
  require(size <= bound, "BOUNDED_QUEUES", std::string(queue) + " holds " + std::to_string(size));
}

// --- all at once --------------------------------------------------------------------------------------------------

void invariants::whole() const {
  for (const auto& [id, disk] : disks_) {
    log_position previous;
    for (const auto& entry : disk->log) {
      const auto& known = entries_.at(entry.at);
      require(known.command == entry.encoded_command && known.previous == previous, "LOG_MATCHING",
              id.name + " differs at " + text(entry.at));
      previous = entry.at;
    }
  }
  for (const auto& entry : committed_)
    require(on_majority(entry), "COMMITTED_NEVER_LOST", text(entry.at) + " is no longer on a majority of disks");
  for (const auto& entry : acknowledged_)
    require(on_majority(entry), "ACK_MATCHES_DURABILITY", text(entry.at) + " was acknowledged at majority and is lost");
}

void invariants::converged(const std::map<node_id, log_index>& commits, const std::set<node_id>& leaders) const {
  require(leaders.size() == 1, "CONVERGES_AFTER_HEAL", std::to_string(leaders.size()) + " leaders");
  const auto& reference = disks_.at(*leaders.begin())->log;
  for (const auto& [id, disk] : disks_) {
    require(disk->log == reference, "CONVERGES_AFTER_HEAL", id.name + "'s log differs from the leader's");
    require(commits.at(id).value == reference.size(), "CONVERGES_AFTER_HEAL",
            id.name + " has committed " + to_string(commits.at(id)) + " of " + std::to_string(reference.size()));
  }
  require(committed_.size() == reference.size(), "CONVERGES_AFTER_HEAL", "not everything is committed");
}

}  // namespace kaiku::simulation
