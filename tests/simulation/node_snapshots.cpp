// The part of a simulated node that plays replication_snapshot.cpp, the installer, and content's half of it.

#include <algorithm>
#include <utility>

#include "kaiku/core/mutant.hpp"
#include "node.hpp"

namespace kaiku::simulation {

// --- compaction ---------------------------------------------------------------------------------------------------

void node::compact_log() {
  const auto& disk = disk_.durable();
  const auto entries = disk.log.size() - disk.boundary.value;
  if (compacting_ || entries <= log_entries) return;
  log_index upto{disk.boundary.value + entries - log_entries / 2};
  if (offered_ && machine_.sends_snapshots() && entries <= log_entries_for_installs)
    upto = std::min(upto, offered_->at.index);
  upto = machine_.compactable(upto, entries <= log_entries_for_followers);
  if (upto <= disk.boundary) return;
  compacting_ = true;
  takes_effect();
  tell_commit();
  disk_.compact(upto, [this] { post(mailbox::replication, [this] { compacting_ = false; }); });
}

// --- leader -------------------------------------------------------------------------------------------------------

/// At the last entry that is known committed: after a restart that is the last one that was compacted. A majority may
/// need the state before it can commit anything, so nothing waits here.
void node::send_snapshot(const node_id& to) {
  const auto& disk = disk_.durable();
  tell_commit();
  if (!offered_ || offered_->at.index < disk.boundary) {
    const auto known = std::min(std::max(disk.boundary, machine_.commit()), disk.state().last.index);
    const auto end = KAIKU_MUTANT(uncommitted_state_offered) ? disk.state().last : disk.position(known);
    offered_ =
        offered_state{end, {disk.log.begin(), disk.log.begin() + static_cast<std::ptrdiff_t>(end.index.value)}, now()};
  }
  offered_->last_used = now();
  around_.judge.offers(self_, offered_->entries.back());
  send(to, install_snapshot{self_, replication_role_.in_term, offered_->at});
  machine_.on_snapshot_sent(now(), to, offered_->at.index);
}

void node::on_read_snapshot(const read_snapshot& x) {
  if (!offered_ || offered_->at != x.at || x.cursor > offered_->entries.size()) return;
  const auto& all = offered_->entries;
  const auto end = std::min(x.cursor + entries_per_piece, all.size());
  send(x.reader, snapshot_range{x.at,
                                x.cursor,
                                {all.begin() + static_cast<std::ptrdiff_t>(x.cursor),
                                 all.begin() + static_cast<std::ptrdiff_t>(end)},
                                end == all.size()});
}

// --- follower -----------------------------------------------------------------------------------------------------

void node::on_install(const install_snapshot& x) {
  const auto state = disk_.durable().state();
  if (machine_.leading() && x.in_term == replication_role_.in_term) return;
  if (x.in_term < state.current) {
    reply_to(x.leader, {self_, state.current, false, {}, state.last.index, false});
    return;
  }
  post(mailbox::election, [this, leader = x.leader, in_term = x.in_term] { leader_contact(leader, in_term); });
  if (x.in_term > replication_role_.in_term) replication_role({role::follower, x.in_term, x.leader});
  if (fetching_) {
    fetching_ = appending_ = false;
    inbox_.clear();
  }
  if (disk_.durable().position(x.at.index) == x.at) {
    on_installed(x, {}, state);
    return;
  }
  reply_to(x.leader, {self_, x.in_term, false, {}, {}, true});
  if (installing_ && installing_->at == x.at && installing_->in_term == x.in_term) return;
  installing_ = x;
  begin_install(x);
}

void node::on_installed(const install_snapshot& x, const error& failure, const hard_state& after) {
  if (failure.code != errc::none) return;  // the leader tries again once it has heard nothing for a while
  post(mailbox::election, [this, after] { carry_out(election_->on_hard_state(now(), after)); });
  settle_waiting(true);
  if (x.in_term > verified_term_) verified_match_ = {};
  verified_term_ = x.in_term;
  verified_match_ = std::max(verified_match_, x.at.index);
  learn_commit(x.in_term, x.at.index);
  reply_to(x.leader, {self_, x.in_term, true, x.at.index, {}, false});
  publish_members();
}

// --- installer ----------------------------------------------------------------------------------------------------

void node::begin_install(const install_snapshot& x) {
  install_ = x;
  takes_effect();
  disk_.begin_install(x.at, [this, step = ++install_step_](const result<received_state>& so_far) {
    post(mailbox::replication, [this, step, so_far] {
      if (step != install_step_) return;
      if (so_far.ok())
        read_piece(*so_far);
      else if (so_far.failure().code == errc::already_exists)
        finish_install();
    });
  });
}

void node::read_piece(const received_state& so_far) {
  if (so_far.complete || KAIKU_MUTANT(state_taken_in_part)) return finish_install();
  send(install_->leader, read_snapshot{self_, so_far.at, so_far.entries.size()});
  later(piece_wait, [this, step = ++install_step_] {
    if (step == install_step_) end_install({errc::io_error, "the source did not answer"}, {});
  });
}

void node::on_snapshot_range(const snapshot_range& x) {
  if (!install_ || install_->at != x.at) return;
  const bool lacks = disk_.lacks_content(x.entries);
  const auto pulls = lacks ? around_.luck.between(milliseconds{5}, milliseconds{150}) : microseconds{0};
  later(pulls, [this, x, step = ++install_step_] {
    if (step != install_step_) return;
    if (!around_.net.reaches(install_->leader, self_)) {
      end_install({errc::io_error, "content not fetched"}, {});
      return;
    }
    for (const auto& entry : x.entries)
      if (entry.encoded_command.starts_with(large_content_mark)) disk_.add_content(entry.encoded_command);
    take_piece(x);
  });
}

void node::take_piece(const snapshot_range& x) {
  takes_effect();
  disk_.install_piece(x, [this, step = ++install_step_](bool taken) {
    post(mailbox::replication, [this, step, taken] {
      if (step != install_step_) return;
      const auto& so_far = disk_.durable().receiving;
      if (taken && so_far)
        read_piece(*so_far);
      else
        end_install({errc::log_mismatch, "a piece does not follow what is here"}, {});
    });
  });
}

void node::finish_install() {
  takes_effect();
  disk_.finish_install(install_->in_term, install_->at,
                       [this, step = ++install_step_](const error& failure, const hard_state& after) {
                         post(mailbox::replication, [this, step, failure, after] {
                           if (step == install_step_) end_install(failure, after);
                         });
                       });
}

void node::end_install(const error& failure, const hard_state& after) {
  ++install_step_;
  const auto done = *std::exchange(install_, std::nullopt);
  if (!installing_ || installing_->at != done.at || installing_->in_term != done.in_term) return;
  installing_.reset();
  on_installed(done, failure, after);
}

}  // namespace kaiku::simulation
