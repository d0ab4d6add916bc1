#pragma once

/// Purpose: one node's disk: hard state, log, what was set aside, content; what is synced and what is not yet. Plays
/// `storage_actor` and `store`: the only writer and the fence of `docs/protocol.md`. Group commit: what queues during a
/// sync goes together after it.
/// Owner: owns the facts "hard state" and "log" of one node; outlives its crashes.
/// Lifecycle: one per incarnation of a node; `crash` forgets what is not synced. Thread: the test's.

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "invariants.hpp"
#include "kaiku/core/fence.hpp"
#include "messages.hpp"
#include "schedule.hpp"

namespace kaiku::simulation {

/// A write's command begins with this when it names content that a follower has to pull first.
inline constexpr char large_content_mark = 'L';
/// An entry that names the members begins with this; the core's own encoding follows.
inline constexpr char members_mark = 'M';

std::string encode_members(const set_members& what);
/// Nothing for entries that say something else. `at`: where it stands.
std::optional<membership> decode_members(const log_entry& entry);

/// A state on its way to a disk.
struct received_state {
  log_position at;
  std::vector<log_entry> entries;
  bool complete = false;
};

/// What a disk holds: entry `i` stands at `log[i - 1]`. Up to `boundary` the entries are gone and only the state is
/// there; that they stay in `log` is how the judge sees what the state is made of.
struct disk_content {
  incarnation disk;
  term current;
  node_id voted_for;
  std::vector<log_entry> log;
  log_index boundary;
  std::optional<received_state> receiving;
  std::vector<membership> members;                ///< that entries of `log` name, in order; the last is in force
  std::map<log_position, std::string> set_aside;  ///< commands of the entries that were cut off

  log_position position(log_index index) const;
  bool has(const log_position& at) const { return at.index <= boundary || position(at.index) == at; }
  /// Names nobody and no cluster while no entry does.
  const membership& members_in_force() const;
  /// As of the entry at `index`.
  const membership& members_at(log_index index) const;
  hard_state state() const { return {current, voted_for, position({log.size()})}; }
};

class simulated_storage {
 public:
  using run_later = std::function<void(microseconds, schedule::action)>;

  simulated_storage(node_id self, incarnation disk, chance& luck, invariants& judge)
      : self_(std::move(self)), luck_(luck), judge_(judge) {
    image_.disk = durable_.disk = disk;
  }

  /// `later` runs an action of this storage's node after a delay, unless the node has crashed by then.
  void start(run_later later) { later_ = std::move(later); }
  /// Whatever was not synced is lost, from a random write on.
  void crash();
  /// The next sync fails: it may have written some of what it should, and the process ends.
  void fail_next_sync() { sync_fails_ = true; }

  // Each answers through `done`, once its change is synced.
  void ballot(const vote_request& request, std::function<void(const vote_decision&)> done);
  void adopt_term(term in_term, std::function<void(const hard_state&)> done);
  void propose(term in_term, std::vector<std::string> commands, std::function<void(const propose_outcome&)> done);
  void append(append_command what, std::function<void(const append_outcome&)> done);
  void compact(log_index upto, std::function<void()> done);
  /// `already_exists`, or how much of that state is here.
  void begin_install(const log_position& at, std::function<void(const result<received_state>&)> done);
  void install_piece(snapshot_range piece, std::function<void(bool taken)> done);
  void finish_install(term leader_term, const log_position& at,
                      std::function<void(const error&, const hard_state&)> done);

  /// What a reader sees, and what a crash leaves.
  const disk_content& durable() const { return durable_; }
  std::vector<log_entry> read_log(log_index from, std::size_t count) const;
  std::size_t queued() const { return queue_.size(); }

  /// Large content is synced before the entries that name it are given to `propose` or `append`.
  void add_content(const std::string& command) { contents_.insert(command); }
  bool lacks_content(const std::vector<log_entry>& entries) const;

  /// A sync takes this long at least; large for a slow disk.
  microseconds slowness{0};
  /// No room for entries; votes still find some.
  bool full = false;

 private:
  /// One atomic write: hard state, log cut to `keep` entries, then `added`; and what else changes.
  struct write {
    term current;
    node_id voted_for;
    std::size_t keep = 0;
    std::vector<log_entry> added;
    std::function<void(disk_content&)> change = {};
  };
  /// Changes the image and gives the answer to send after the sync.
  using operation = std::function<schedule::action()>;

  void submit(operation what);
  void begin_sync();
  void put(write what);
  void put_change(std::function<void(disk_content&)> change);
  error may_finish(term leader_term, const log_position& at) const;
  void make_durable(std::size_t count);
  static void apply(disk_content& to, const write& what);
  append_outcome follow_log(const append_command& what);
  append_outcome take(const append_command& what, std::size_t known);

  node_id self_;
  chance& luck_;
  invariants& judge_;
  run_later later_;
  disk_content image_;  ///< with the writes that are being synced
  disk_content durable_;
  std::deque<operation> queue_;
  std::vector<write> unsynced_;
  bool syncing_ = false;
  bool sync_fails_ = false;
  std::set<std::string> contents_;  ///< commands whose large content is on this disk
};

}  // namespace kaiku::simulation
