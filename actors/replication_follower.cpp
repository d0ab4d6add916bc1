// The follower's half of the replication actor: content before entry, append, acknowledge.

#include <algorithm>

#include <spdlog/spdlog.h>

#include "kaiku/actors/clock.hpp"
#include "kaiku/actors/replication_actor.hpp"
#include "kaiku/actors/timeline.hpp"
#include "kaiku/messages/linked_peers.hpp"

namespace kaiku {
namespace {

append_command to_command(const append_entries& x) {
  append_command what{x.in_term, x.previous, x.entries, {}};
  for (const auto& bytes : x.small_contents) what.small_contents.emplace_back(bytes.view());
  return what;
}

constexpr const char* lacks_committed = "it leads with a log that lacks what is committed";

}  // namespace

void replication_actor::on_append(const append_entries& x) {
  if (!peers_.contains(x.leader)) return;
  // That its entries follow each other and are no longer than they may be, `peer_check` has seen to.
  const auto state = disk_->state();
  if (x.in_term < state.current) {
    reply_to(x.leader, {settings_.self, state.current, false, {}, state.last.index, false});
    return;
  }
  if (is_leap(x.in_term, state.current)) {
    send(local_.election, higher_term{x.in_term});
    return;
  }
  if (contradicts_settled(x)) return accuse(lacks_committed);
  if (leading() && x.in_term == role_.in_term) return accuse("it claims to lead a term that this node leads");
  {
    const trace_scope of_nothing{nullptr};
    send(local_.election, leader_contact{x.leader, x.in_term, x.commit, {}});
  }
  // Storage is about to follow another log: from now on nothing may be read from it as from a leader's own.
  if (x.in_term > role_.in_term) on_role({role::follower, x.in_term, x.leader});
  if (fetching_ && x.in_term > inbox_.front().in_term) abandon_fetch();
  if (installing_ && x.in_term > installing_->in_term) installing_.reset();
  // Said with every append: one lost word must not make the leader think that nothing goes on here.
  if (fetching_) reply_to(x.leader, {settings_.self, x.in_term, false, {}, {}, true});
  // What follows from an append that failed can't be taken. A probe can; its answer, which has it all sent again,
  // waits.
  if (begin_again_ && x.in_term <= begin_again_->in_term) {
    if (x.entries.empty()) begin_again_->probe = x;
    return;
  }
  // A leader keeps `append_window` in flight; what comes on top was sent by one that has gone back to probing.
  if (inbox_.size() >= 2 * limits::append_window) return;
  inbox_.push_back({x, trace_scope::now()});
  append_next();
}

/// A committed entry is every later leader's (paper, 5.4.3), and of every leader that is heard again. And a leader's
/// own log only grows: what was acknowledged in its term stays.
bool replication_actor::contradicts_settled(const log_position& x, term in_term) const {
  const auto settled = in_term == match_term_ ? std::max(machine_.commit(), match_) : machine_.commit();
  return x.index <= settled && holds_another(x);
}

bool replication_actor::contradicts_settled(const append_entries& x) const {
  const auto is_wrong = [&](const log_position& at) { return contradicts_settled(at, x.in_term); };
  return is_wrong(x.previous) ||
         std::any_of(x.entries.begin(), x.entries.end(), [&](const auto& one) { return is_wrong(one.at); });
}

bool replication_actor::holds_another(const log_position& x) const {
  const auto mine = disk_->position(x.index);
  return mine.ok() && *mine != x;
}

void replication_actor::accuse(const std::string& why) {
  if (const auto& from = current_sender()) linked_peers::instance().accuse(node(), from->node(), why);
}

void replication_actor::accuse(const node_id& who, const std::string& why) {
  if (const auto from = peers_.find(who); from != peers_.end())
    linked_peers::instance().accuse(node(), from->second.replication.node(), why);
}

void replication_actor::append_next() {
  if (appending_ || inbox_.empty()) return;
  const trace_scope scope{inbox_.front().of};
  appending_ = true;
  auto missing = disk_->missing_content(inbox_.front().entries);
  if (!missing) {
    spdlog::error("append from {} refused: {}", inbox_.front().leader.name, missing.failure().detail);
    begin_again(inbox_.front());
    append_next();
  } else if (missing->empty()) {
    append_first();
  } else {
    fetch_missing(std::move(*missing));
  }
}

void replication_actor::fetch_missing(std::vector<content_ref> missing) {
  const auto& first = inbox_.front();
  auto leader = peers_.find(first.leader);
  if (leader == peers_.end()) {
    begin_again(first);
    append_next();
    return;
  }
  reply_to(first.leader, {settings_.self, first.in_term, false, {}, {}, true});
  // No time bound of its own: each chunk has one, and fetch answers when its source goes away.
  fetching_ = true;
  request(local_.fetch, caf::infinite, fetch_content{std::move(missing), leader->second.content})
      .then([this, number = ++fetch_number_](const fetched& x) {
        if (!fetching_ || number != fetch_number_) return;
        fetching_ = false;
        if (x.failure.code == errc::none) {
          append_first();
          return;
        }
        spdlog::warn("content not fetched, will ask again: {}", x.failure.detail);
        begin_again(inbox_.front());
        append_next();
      });
}

/// The leader that the content was to come from leads no more, and may be gone without a word: what a newer one sends
/// does not wait for the chunks to time out. The next fetch takes this one's place.
void replication_actor::abandon_fetch() {
  fetching_ = false;
  appending_ = false;
  inbox_.clear();
}

void replication_actor::append_first() {
  // By what was appended since it came. If that was a later leader's, this one is only late: storage says so.
  const bool is_late = inbox_.front().in_term < disk_->state().current;
  if (!is_late && contradicts_settled(inbox_.front())) {
    const auto from = inbox_.front().leader;
    std::erase_if(inbox_, [&](const auto& one) { return one.leader == from; });
    appending_ = false;
    accuse(from, lacks_committed);
    append_next();
    return;
  }
  const trace_scope scope{inbox_.front().of};
  request(local_.storage, milliseconds(limits::storage_timeout_ms), append{to_command(inbox_.front())})
      .then([this](const append_outcome& outcome) {
        auto appended = std::move(inbox_.front());
        inbox_.pop_front();
        appending_ = false;
        on_appended(appended, outcome);
        publish_members();
        publish_progress();
        append_next();
      });
}

void replication_actor::on_appended(const append_entries& x, const append_outcome& outcome) {
  if (outcome.after.current > role_.in_term) send(local_.election, hard_state_changed{outcome.after});
  if (outcome.set_aside > 0) {
    INVARIANT(outcome.displaced_from > machine_.commit(), "what is committed is never displaced");
    spdlog::warn("set aside {} entries that the leader of term {} does not have", outcome.set_aside, x.in_term.value);
    timeline::instance().note(event_kind::set_aside, std::to_string(outcome.set_aside) + " entries that " +
                                                         x.leader.name + " of term " + to_string(x.in_term) +
                                                         " does not have");
    settle_waiting(true);
  }
  switch (outcome.failure.code) {
    case errc::none:
      if (x.in_term > match_term_) match_ = {};
      match_term_ = x.in_term;
      match_ = std::max(match_, outcome.match);
      learn_commit(x.in_term, x.commit);
      reply_to(x.leader, {settings_.self, x.in_term, true, outcome.match, {}, false});
      break;
    case errc::stale_term:
      reply_to(x.leader, {settings_.self, outcome.after.current, false, {}, outcome.after.last.index, false});
      break;
    case errc::log_mismatch: reply_to(x.leader, {settings_.self, x.in_term, false, {}, outcome.hint, false}); break;
    default:  // disk_full, content_missing, corrupt: nothing the leader could do better at once
      spdlog::warn("append of {} entries behind {} refused: {}", x.entries.size(), x.previous.index.value,
                   outcome.failure.detail);
      begin_again(x);
  }
}

void replication_actor::learn_commit(term in_term, log_index leader_commit) {
  if (leading() || in_term != match_term_) return;
  // An append of a later leader may be with storage, and displace what an older one would have committed now.
  if (in_term < role_.in_term) return;
  // Likewise the state that is being installed. An honest leader has sent both, so that they agree.
  if (installing_ && installing_->at.index <= std::min(leader_commit, match_) && holds_another(installing_->at))
    return accuse(installing_->leader, "it sends a state that contradicts its log");
  machine_.learn_commit(leader_commit, match_);
  settle_waiting();
  publish_progress();
}

void replication_actor::begin_again(const append_entries& x) {
  appending_ = false;
  begin_again_ = later_reply{now() + milliseconds(limits::append_retry_ms), x.leader, x.in_term, {}};
  // A newer leader's appends may wait behind these; what this one sent on top follows from what failed.
  std::erase_if(inbox_, [in_term = x.in_term](const auto& one) { return one.in_term <= in_term; });
}

/// A probe is answered. Else refused, so that the leader probes behind whatever it has sent: an answer that took
/// something for known would have more sent behind that. The end of the log as the hint moves nothing where the logs
/// are known to meet.
void replication_actor::ask_again(const later_reply& x) {
  if (x.probe) {
    inbox_.push_back({*x.probe, trace_scope::now()});
    return append_next();
  }
  const auto state = disk_->state();
  if (state.current > x.in_term) return;
  reply_to(x.leader, {settings_.self, x.in_term, false, {}, state.last.index, false});
}

void replication_actor::reply_to(const node_id& leader, append_reply reply) {
  reply.disk = disk_->disk();
  auto to = peers_.find(leader);
  if (to == peers_.end()) return;
  mark_next(*this, caf::actor_cast<caf::strong_actor_ptr>(to->second.replication), to->second.version);
  send(to->second.replication, std::move(reply));
}

}  // namespace kaiku
