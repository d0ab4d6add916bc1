// The invariants of the log, of commit and of acknowledgement; and all of them by brute force.

#include <algorithm>
#include <functional>

#include "invariants.hpp"
#include "kaiku/core/membership.hpp"
#include "node.hpp"
#include "requirement.hpp"

namespace kaiku::simulation {

// --- the log ------------------------------------------------------------------------------------------------------

/// By induction over the predecessors: if entries of one index and term agree, so do the logs up to them.
void invariants::log_matching(const node_id& node, const log_entry& entry, const log_position& previous) {
  REQUIRE(entry.at.index == previous.index.next() && entry.at.in_term >= previous.in_term, "LOG_MATCHING",
          node.name + " logs " + text(entry.at) + " behind " + text(previous));
  const auto& known = entries_.try_emplace(entry.at, logged_entry{entry.encoded_command, previous, {}}).first->second;
  REQUIRE(known.command == entry.encoded_command && known.previous == previous, "LOG_MATCHING",
          node.name + " has another entry " + text(entry.at));
}

void invariants::leader_append_only(const node_id& node, const disk_content& image) const {
  auto leader = leaders_.find(image.current);
  REQUIRE(leader == leaders_.end() || leader->second.disk != image.disk, "LEADER_APPEND_ONLY",
          node.name + " cuts its log in a term that it leads");
}

void invariants::compacts(const node_id& node, const disk_content& image, log_index upto) const {
  if (upto.value == 0) return;
  REQUIRE(upto.value <= image.log.size() && is_committed(image.log[upto.value - 1]), "COMPACTS_COMMITTED_ONLY",
          node.name + " forgets entries up to " + to_string(upto) + " that may have to be cut off");
}

void invariants::offers(const node_id& leader, const log_entry& at) const {
  REQUIRE(is_committed(at), "SNAPSHOT_IS_COMMITTED", leader.name + " offers its state at " + text(at.at));
}

void invariants::installs(const node_id& node, const disk_content& image, const log_position& at,
                          const std::vector<log_entry>& entries, const std::set<std::string>& contents) {
  ++states_installed_;
  log_position previous;
  for (const auto& entry : entries) {
    const auto known = entries_.find(entry.at);
    REQUIRE(
        known != entries_.end() && known->second.command == entry.encoded_command && known->second.previous == previous,
        "STATE_EQUALS_LOG_FOLD", node.name + " takes a state that no log makes, at " + text(entry.at));
    const auto& command = entry.encoded_command;
    REQUIRE(!command.starts_with(large_content_mark) || contents.contains(command), "BLOB_BEFORE_ENTRY",
            node.name + " takes a state without the content of " + text(entry.at));
    previous = entry.at;
  }
  REQUIRE(previous == at, "STATE_EQUALS_LOG_FOLD", node.name + " takes a part of the state at " + text(at));
  REQUIRE(is_committed(entries.back()), "SNAPSHOT_IS_COMMITTED", node.name + " takes a state that may be taken back");
  leader_append_only(node, image);
  committed_never_lost_by_truncation(node, image, at.index);
  for (auto i = at.index.value; i < std::min(image.log.size(), committed_.size()); ++i)
    REQUIRE(image.log[i] != committed_[i], "COMMITTED_NEVER_LOST", node.name + " forgets " + text(image.log[i].at));
}

/// What a leader sends is its own log: a later leader's entries are not there while it leads.
void invariants::append_in_own_term(const node_id& from, const message& what) const {
  const auto* append = std::get_if<append_entries>(&what);
  if (append == nullptr) return;
  const auto newest = append->entries.empty() ? append->previous.in_term : append->entries.back().at.in_term;
  REQUIRE(newest <= append->in_term, "LEADER_APPEND_ONLY",
          from.name + " sends entries of term " + to_string(newest) + " in term " + to_string(append->in_term));
}

/// The target may have gone over to a later leader since it answered, or lost its disk: then it does not listen.
void invariants::handover_loses_nothing(const node_id& from, const node_id& to, const message& what) const {
  const auto* told = std::get_if<timeout_now>(&what);
  if (told == nullptr || disks_.at(to)->current > told->in_term) return;
  const auto* named = find_member(disks_.at(from)->members_in_force().voters, to);
  if (named != nullptr && named->disk.known() && named->disk != disk_id(to)) return;
  const auto& log = disks_.at(from)->log;
  REQUIRE(log.empty() || holds(*disks_.at(to), log.back()), "HANDOVER_LOSES_NOTHING",
          from.name + " hands over to " + to.name + ", which lacks " + text(log.back().at));
}

void invariants::fence_rejects_lower_term(const node_id& node, term sender, term fence) const {
  REQUIRE(sender >= fence, "FENCE_REJECTS_LOWER_TERM",
          node.name + " takes entries of term " + to_string(sender) + " in term " + to_string(fence));
}

/// One that has gone over to a later leader may have cut its log since.
void invariants::claims_match(const node_id& leader, term in_term, const node_id& follower,
                              const follower_progress& known, const electorate& by) const {
  const auto match = known.match;
  if (match.value == 0) return;
  const auto* named = find_member(by.members.voters, follower);
  if (named == nullptr) named = find_member(by.members.learners, follower);
  if (named == nullptr) return;
  const bool other = named->disk.known() && known.disk.known() && named->disk != known.disk;
  REQUIRE(!other, "PROGRESS_IS_TRUE", leader.name + " counts what " + follower.name + "'s replaced disk held");
  const auto& disk = *disks_.at(follower);
  if (disk.current > in_term || (known.disk.known() && disk.disk != known.disk)) return;
  const auto& log = disks_.at(leader)->log;
  REQUIRE(match.value <= log.size() && holds(*disks_.at(follower), log[match.value - 1]), "PROGRESS_IS_TRUE",
          leader.name + " takes it that " + follower.name + " holds " + to_string(match));
}

void invariants::ignores_answer_of_another_term(const node_id& leader, const follower_progress& before,
                                                const follower_progress& after) const {
  REQUIRE(before.match == after.match && before.next == after.next && before.last_progress == after.last_progress,
          "PROGRESS_IS_TRUE", leader.name + " counts an answer to another term's leader");
}

// --- commit -------------------------------------------------------------------------------------------------------

void invariants::commit_current_term_only(const node_id& node, term in_term, log_index commit) const {
  const auto at = disks_.at(node)->position(commit);
  REQUIRE(at.in_term == in_term, "COMMIT_CURRENT_TERM_ONLY",
          node.name + " commits " + text(at) + " by counting in term " + to_string(in_term));
}

void invariants::state_machine_safety(const node_id& node, term in_term, const log_entry& entry, const electorate& by) {
  const auto index = entry.at.index.value;
  if (index <= committed_.size()) {
    REQUIRE(committed_[index - 1] == entry, "STATE_MACHINE_SAFETY",
            node.name + " commits " + text(entry.at) + " where " + text(committed_[index - 1].at) + " is committed");
    return;
  }
  REQUIRE(on_majority(entry, voters_of(by.members)), "COMMITTED_NEVER_LOST",
          text(entry.at) + " is committed without a majority of the voters' disks");
  committed_.push_back(entry);
  committed_in_.push_back(in_term);
  if (const auto named = members_.find(entry.at); named != members_.end()) {
    no_reused_incarnation(committed_members_, named->second);
    committed_members_ = named->second;
    ++members_changes_;
  }
}

void invariants::committed_never_lost_by_truncation(const node_id& node, const disk_content& image,
                                                    log_index keep) const {
  if (keep.value >= std::min(committed_.size(), image.log.size())) return;
  REQUIRE(image.log[keep.value] != committed_[keep.value], "COMMITTED_NEVER_LOST",
          node.name + " cuts the committed entry " + text(committed_[keep.value].at));
}

/// Leader completeness (paper, 5.4.3). A leader of an older term may well learn of its election late.
void invariants::committed_never_lost_by_election(const node_id& node, term in_term) const {
  const auto before = std::lower_bound(committed_in_.begin(), committed_in_.end(), in_term) - committed_in_.begin();
  if (before == 0) return;
  const auto& last = committed_[static_cast<std::size_t>(before) - 1];
  REQUIRE(holds(*disks_.at(node), last), "COMMITTED_NEVER_LOST",
          node.name + " is elected without the committed entry " + text(last.at));
}

void invariants::ack_matches_durability(const node_id& node, durability how, const log_entry& entry,
                                        const electorate& by) const {
  bool durable = holds(*disks_.at(node), entry);
  if (how != durability::leader) durable = is_committed(entry);
  if (how == durability::all) durable = durable && holders(entry, by.members.voters) == by.members.voters.size();
  REQUIRE(durable, "ACK_MATCHES_DURABILITY",
          text(entry.at) + " is acknowledged at " + std::string(to_string(how)) + " and is not there");
}

/// Word of a majority's answers came within T, so that little can be lost with this leader; or nothing can.
void invariants::bounded_loss(instant local_now, const node_id& node, const log_entry& entry,
                              const electorate& by) const {
  if (on_majority(entry, voters_of(by.members))) return;
  const auto& leader = leaders_.at(entry.at.in_term);
  std::vector<instant> contacts;
  for (const auto& voter : by.contact) {
    const auto heard = leader.followed.find(voter.id);
    const auto at = heard == leader.followed.end() ? leader.since : heard->second;
    contacts.push_back(voter.id == node ? local_now : at);
  }
  std::sort(contacts.begin(), contacts.end(), std::greater<>{});
  const auto contact = std::max(contacts[majority_of(by.contact) - 1], leader.since);
  REQUIRE(local_now - contact <= election_timeout, "BOUNDED_LOSS",
          node.name + " acknowledges " + text(entry.at) + " and has long lost its majority");
}

/// Whoever was elected at the wish of the leader that acknowledges.
void invariants::successor_holds(const log_entry& entry) const {
  const auto next = leaders_.find(entry.at.in_term.next());
  if (next == leaders_.end() || !handed_over_.contains({next->first, next->second.node})) return;
  const auto* disk = all_disks_.at(next->second.disk);
  REQUIRE(holds(*disk, entry), "HANDOVER_LOSES_NOTHING",
          text(entry.at) + " is acknowledged by a leader that " + next->second.node.name + " has replaced without it");
}

void invariants::elected_holds_acknowledged(const node_id& node, term in_term) const {
  if (!handed_over_.contains({in_term, node})) return;
  const auto last = recorded_.find(term{in_term.value - 1});
  if (last == recorded_.end()) return;
  REQUIRE(holds(*disks_.at(node), last->second), "HANDOVER_LOSES_NOTHING",
          node.name + " leads at the wish of one that had acknowledged " + text(last->second.at) + ", and lacks it");
}

void invariants::reads(const node_id& node, log_index commit, std::size_t committed) {
  REQUIRE(commit.value >= committed, "READ_NEVER_STALE",
          node.name + " serves a read at " + to_string(commit) + " where " + std::to_string(committed) +
              " were committed before it was asked for");
  ++reads_served_;
}

/// Without a text that nobody reads: this is asked at every step.
void invariants::bounded(const node_id& node, const char* queue, std::size_t size, std::size_t bound) const {
  if (size > bound) throw violation("BOUNDED_QUEUES", node.name + "'s " + queue + ": " + std::to_string(size));
}

// --- all at once --------------------------------------------------------------------------------------------------

void invariants::whole() const {
  for (const auto& [id, disk] : disks_) {
    log_position previous;
    for (const auto& entry : disk->log) {
      const auto& known = entries_.at(entry.at);
      REQUIRE(known.command == entry.encoded_command && known.previous == previous, "LOG_MATCHING",
              id.name + " differs at " + text(entry.at));
      previous = entry.at;
    }
  }
  for (const auto& entry : committed_)
    REQUIRE(in_every_majority(entry), "COMMITTED_NEVER_LOST", text(entry.at) + " is on too few disks by now");
  for (const auto& entry : acknowledged_)
    REQUIRE(is_committed(entry), "ACK_MATCHES_DURABILITY", text(entry.at) + " was acknowledged and is not committed");
}

void invariants::converged(const std::map<node_id, log_index>& commits, const std::set<node_id>& leaders) const {
  REQUIRE(leaders.size() == 1, "CONVERGES_AFTER_HEAL", std::to_string(leaders.size()) + " leaders");
  const auto& reference = disks_.at(*leaders.begin())->log;
  for (const auto& [id, commit] : commits) {
    const auto& disk = *disks_.at(id);
    REQUIRE(disk.log == reference, "CONVERGES_AFTER_HEAL", id.name + "'s log differs from the leader's");
    REQUIRE(commit.value == reference.size(), "CONVERGES_AFTER_HEAL",
            id.name + " has committed " + to_string(commit) + " of " + std::to_string(reference.size()));
    REQUIRE(disk.log.size() - disk.boundary.value <= log_entries_at_rest, "CONVERGES_AFTER_HEAL",
            id.name + "'s log is not compacted");
    const auto* named = find_member(voters_of(committed_members_), id);
    REQUIRE(named != nullptr && named->disk == disk.disk, "CONVERGES_AFTER_HEAL", id.name + " is not a voter");
  }
  REQUIRE(committed_members_.voters.size() == commits.size() && committed_members_.learners.empty(),
          "CONVERGES_AFTER_HEAL", "the log names other members than there are");
  REQUIRE(committed_.size() == reference.size(), "CONVERGES_AFTER_HEAL", "not everything is committed");
}

}  // namespace kaiku::simulation
