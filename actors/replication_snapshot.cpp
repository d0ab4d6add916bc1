// A log that stays bounded, and what a follower gets that needs more than is left of it.

#include <spdlog/spdlog.h>

#include <algorithm>

#include "kaiku/actors/clock.hpp"
#include "kaiku/actors/replication_actor.hpp"
#include "kaiku/actors/timeline.hpp"

namespace kaiku {

// --- compaction ----------------------------------------------------------------------------------------------------

log_index replication_actor::compact_for_size() const {
  const auto bytes = disk_->log_bytes().value;
  if (bytes <= settings_.log_bytes.value) return {};
  const auto first = disk_->first_index().value;
  const auto entries = disk_->state().last.index.value + 1 - first;
  // Down to half of the bound, as if all entries were of one size.
  const auto surplus = static_cast<double>(bytes - settings_.log_bytes.value / 2) / static_cast<double>(bytes);
  const auto drop = static_cast<std::uint64_t>(static_cast<double>(entries) * surplus);
  return {first + drop - 1};
}

/// What was removed and replaced, large files above all, counts for nothing in the log's size.
log_index replication_actor::compact_for_space() {
  if (marks_.empty() || now() - marks_.back().first >= settings_.superseded_keep / limits::log_marks)
    marks_.emplace_back(now(), machine_.commit());
  const auto superseded = disk_->superseded();
  while (marks_.size() > 1 && now() - marks_[1].first >= settings_.superseded_keep) marks_.pop_front();
  if (superseded.value == 0) return {};
  if (disk_->is_short_of_space()) return superseded;
  const auto& [since, committed] = marks_.front();
  return now() - since >= settings_.superseded_keep ? std::min(superseded, committed) : log_index{};
}

/// The last entry that may go; 0: none. Followers that are linked and not too far behind get what they need from the
/// log; for others the state is sent, so that none can make it grow for ever.
log_index replication_actor::compact_up_to() {
  const auto bytes = disk_->log_bytes().value;
  auto upto = std::max(compact_for_size(), compact_for_space());
  // What follows the state that somebody takes now, or the log would be too short for it again when it has.
  if (offered_ && machine_.sends_snapshots() && bytes <= settings_.log_bytes_for_installs.value)
    upto = std::min(upto, offered_->last().index);
  return machine_.compactable(upto, bytes <= settings_.log_bytes_for_followers.value);
}

void replication_actor::compact_log() {
  if (compacting_) return;
  const auto upto = compact_up_to();
  const auto first = disk_->first_index();
  if (upto < first) return;
  compacting_ = true;
  const log_index step{std::min(upto.value, first.value + limits::batch_entries - 1)};
  request(local_.storage, milliseconds(limits::storage_timeout_ms), compact{step}).then([this](const compacted& x) {
    compacting_ = false;
    if (x.failure.code != errc::none) {
      spdlog::error("the log can't be compacted: {}", x.failure.detail);
    } else {
      compact_log();
    }
  });
}

// --- leader --------------------------------------------------------------------------------------------------------

void replication_actor::send_snapshot(const node_id& to) {
  // One view serves all who need one, for as long as the log goes on behind it.
  // Of what is committed, and no more: the log's end may wait for the very followers that need the state.
  if (!offered_ || offered_->last().index.next() < disk_->first_index()) offered_ = disk_->snapshot(machine_.commit());
  offered_at_ = now();
  const auto at = offered_->last();
  spdlog::info("peer={} needs more than the log holds, it gets the state at entry {}", to.name, at.index.value);
  timeline::instance().note(event_kind::snapshot_sent, to.name + " gets the state at " + to_string(at.index));
  send(local_.content, offer_snapshot{offered_});
  send(peers_.at(to).replication, install_snapshot{settings_.self, role_.in_term, at});
  machine_.on_snapshot_sent(now(), to, at.index);
}

void replication_actor::end_offer() {
  offered_.reset();
  send(local_.content, offer_snapshot{});
}

// --- follower ------------------------------------------------------------------------------------------------------

void replication_actor::on_install(const install_snapshot& x) {
  const auto leader = peers_.find(x.leader);
  if (leader == peers_.end()) return;
  if (leading() && x.in_term == role_.in_term) return accuse("it claims to lead a term that this node leads");
  const auto state = disk_->state();
  if (x.in_term < state.current) {
    reply_to(x.leader, {settings_.self, state.current, false, {}, state.last.index, false});
    return;
  }
  if (is_leap(x.in_term, state.current)) {
    send(local_.election, higher_term{x.in_term});
    return;
  }
  if (contradicts_settled(x.at, x.in_term)) return accuse("it gives a state that lacks what is committed");
  send(local_.election, leader_contact{x.leader, x.in_term, {}, {}});
  if (x.in_term > role_.in_term) on_role({role::follower, x.in_term, x.leader});
  if (fetching_) abandon_fetch();
  const auto stands = disk_->position(x.at.index);
  if (stands.ok() && *stands == x.at) {
    on_installed(x, {});
    return;
  }
  reply_to(x.leader, {settings_.self, x.in_term, false, {}, {}, true});
  if (installing_ && installing_->at == x.at && installing_->in_term == x.in_term) return;
  installing_ = x;
  request(local_.installer, caf::infinite, install{x.in_term, x.at, leader->second.content})
      .then([this, x](const installed& how) {
        if (!installing_ || installing_->at != x.at || installing_->in_term != x.in_term) return;
        installing_.reset();
        if (how.failure.code == errc::none)
          timeline::instance().note(event_kind::snapshot_installed,
                                    "the state at " + to_string(x.at.index) + " of " + x.leader.name);
        on_installed(x, how);
      });
}

void replication_actor::on_installed(const install_snapshot& x, const installed& how) {
  if (how.failure.code == errc::busy) {  // an earlier one is still being cleared away, a little each time it is asked
    reply_to(x.leader, {settings_.self, x.in_term, false, {}, {}, false});
    return;
  }
  if (how.failure.code != errc::none) {
    // The leader tries again once it has heard nothing for a while.
    spdlog::warn("the state at entry {} was not installed: {}", x.at.index.value, how.failure.detail);
    return;
  }
  if (how.after.current > role_.in_term) send(local_.election, hard_state_changed{how.after});
  settle_waiting(true);
  if (x.in_term > match_term_) match_ = {};
  match_term_ = x.in_term;
  match_ = std::max(match_, x.at.index);
  learn_commit(x.in_term, x.at.index);
  reply_to(x.leader, {settings_.self, x.in_term, true, x.at.index, {}, false});
  publish_members();
  publish_progress();
}

}  // namespace kaiku
