#pragma once

/// Purpose: one node of the simulation: election, heartbeat and replication as the actors run them, each with a mailbox
/// of its own and word of the others that comes late, in front of a disk that outlives them.
/// Owner: owns the three state machines of one process; the disk belongs to the scenario.
/// Lifecycle: one per process; destroyed by a crash, made anew by the restart. Thread: the test's.

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "invariants.hpp"
#include "messages.hpp"
#include "network.hpp"
#include "schedule.hpp"
#include "storage.hpp"

namespace kaiku::simulation {

inline constexpr milliseconds election_timeout{1000};
inline constexpr milliseconds heartbeat_interval{150};
inline constexpr std::size_t entries_per_append = 4;  ///< small, so that windows fill
inline constexpr std::size_t commands_per_proposal = 8;
inline constexpr std::size_t writes_waiting_max = 64;
inline constexpr std::size_t storage_queue_max = 128;

/// A write's command begins with this when it names content that a follower has to pull first.
inline constexpr char large_content_mark = 'L';

/// What all nodes of a scenario share.
struct surroundings {
  schedule& time;
  chance& luck;
  diary& notes;
  network& net;
  invariants& judge;
  std::set<node_id> voters;
  unsigned sluggish_percent = 0;  ///< of the messages between a node's actors wait, up to 100 ms
};

/// A node's steady clock: runs at its own rate from its own zero.
struct node_clock {
  std::int64_t parts_per_million = 1'000'000;
  microseconds zero{0};

  instant local(instant global) const {
    return instant{zero + microseconds{global.time_since_epoch().count() * parts_per_million / 1'000'000}};
  }
  instant global(instant local) const {
    return instant{microseconds{(local.time_since_epoch() - zero).count() * 1'000'000 / parts_per_million + 1}};
  }
};

class node {
 public:
  node(surroundings& around, node_id self, std::uint64_t boot, node_clock clock, simulated_storage& disk,
       std::set<std::string>& contents);

  void receive(const node_id& from, const message& what);
  void link_up(const node_id& peer);
  void link_down(const node_id& peer);
  void client_write(std::string command, durability want);
  void hand_over();
  /// Nothing runs here before `until`, as under SIGSTOP; it is all still there afterwards.
  void pause(instant until) { paused_until_ = until; }

  bool leads() const { return election_->current_role() == role::leader; }
  log_index commit() const { return machine_.commit(); }
  void check_bounds() const;

 private:
  enum class mailbox : std::size_t { election, heartbeat, replication };

  instant now() const { return clock_.local(around_.time.now()); }
  void later(microseconds delay, schedule::action what);
  void resume(schedule::action what);
  /// To an actor of this node: in order per mailbox, with a delay nobody controls.
  void post(mailbox to, schedule::action what);
  void send(const node_id& to, message what);

  // Election's shell.
  void carry_out(const election_effects& effects);
  void announce(const role_change& change);
  void arm_election();

  // Heartbeat's shell.
  void heartbeat_role(const role_change& change);
  void beat();
  void on_heartbeat(const heartbeat& x);
  void on_heartbeat_reply(const heartbeat_reply& x);

  // Replication's shell.
  void replication_role(const role_change& change);
  void on_append(const append_entries& x);
  void append_next();
  void append_first();
  void begin_again();
  void on_appended(const append_entries& x, const append_outcome& outcome);
  void on_append_reply(const append_reply& x);
  void propose_queued();
  void on_proposed(term in_term, const propose_outcome& outcome);
  void replicate();
  void after_progress();
  void learn_commit(term in_term, log_index commit);
  void retry_periodically();

  surroundings& around_;
  node_id self_;
  std::uint64_t boot_;
  node_clock clock_;
  simulated_storage& disk_;
  std::set<std::string>& contents_;                             ///< commands whose large content is on the disk
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< expires with this process
  instant paused_until_{};
  std::array<instant, 3> mailbox_last_{};

  std::unique_ptr<election> election_;
  std::uint64_t election_epoch_ = 0;
  instant election_armed_ = instant::max();

  liveness liveness_;
  role_change heartbeat_role_;
  log_index progress_commit_;
  std::uint64_t beat_epoch_ = 0;

  struct pending_write {
    std::string command;
    durability want = durability::leader;
  };
  replication machine_;
  role_change replication_role_;
  std::deque<pending_write> queue_;
  std::vector<pending_write> proposing_;
  std::map<log_index, log_entry> waiting_;  ///< for a majority
  std::deque<append_entries> inbox_;        ///< the first is being worked on while `appending_`
  bool appending_ = false;
  bool fetching_ = false;
  term verified_term_;        ///< whose leader's log
  log_index verified_match_;  ///< is known to equal this node's up to here
  log_index told_commit_;     ///< last commit index the judge heard
};

}  // namespace kaiku::simulation
