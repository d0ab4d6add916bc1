#pragma once

/// Purpose: one seed's story: a cluster of 3 or 5, clients that write, 40 s of faults, nodes that come, go and lose
/// their disks, then 35 s to heal in; or, for one seed in eight, a calm one in which nobody may depose the leader.
/// Owner: owns the nodes, their disks and everything between them. Lifecycle: made, run once, read. Thread: the test's.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "invariants.hpp"
#include "network.hpp"
#include "node.hpp"
#include "schedule.hpp"
#include "storage.hpp"

namespace kaiku::simulation {

struct verdict {
  std::string violated;  ///< empty: every invariant held
  std::string what;
  std::vector<std::string> diary;  ///< when it was asked for
  std::size_t elections = 0;
  std::size_t committed = 0;
  std::size_t majority = 0;  ///< writes acknowledged so
  std::size_t all = 0;
  std::size_t recorded = 0;  ///< writes acknowledged by the leader alone
  std::size_t reported = 0;  ///< of either, displaced later and set aside
  std::size_t refused = 0;
  std::size_t reads = 0;  ///< linearizable
  std::size_t steps = 0;
  std::size_t members_changes = 0;
  std::size_t wiped = 0;      ///< disks
  std::size_t installed = 0;  ///< states, in place of logs that are too short
};

class scenario {
 public:
  /// What happens to the cluster: chance decides; one member is cut off and comes back; one member loses only its link
  /// to the leader.
  enum class weather { stormy, one_returns, one_half_cut };
  static weather weather_of(std::uint64_t seed);

  scenario(std::uint64_t seed, bool keep_diary);
  scenario(const scenario&) = delete;
  scenario& operator=(const scenario&) = delete;

  verdict run();

 private:
  struct machine {
    bool born = true;     ///< false: the node that comes later
    bool founder = true;  ///< false: it joins with the disk it has
    std::unique_ptr<simulated_storage> disk;
    node_clock clock;
    std::uint64_t boots = 0;
    std::unique_ptr<node> process;  ///< null: crashed
  };

  std::vector<member> founders() const;
  void storm();
  void calm();
  void make_stormy();
  void advance(instant until);
  void boot(const node_id& id);
  void crash(const node_id& id);
  bool fit(const node_id& one, const node_id& other) const;
  void link(const node_id& one, const node_id& other);
  void unlink(const node_id& one, const node_id& other);
  void relink(const node_id& id);
  void dial();
  void members_changed(const node_id& id);
  /// 0: none; else the two disks.
  std::uint64_t link_between(const node_id& from, const node_id& to) const;
  void give_new_disk(const node_id& id);
  void wipe(const node_id& id);
  bool keeps_majorities(const node_id& more) const;
  bool leaves_a_winner(const node_id& without) const;
  bool may_wipe(const node_id& id) const;
  bool may_remove() const;
  void change_members();
  void ask_leaders(const member_change& what, const incarnation& disk);
  void settle_members();
  void write_some();
  void disturb();
  void disturb_network();
  void disturb_node(const node_id& id);
  void disturb_disk(const node_id& id);
  void disturb_process(const node_id& id);
  void end_faults();
  void must_have_converged(verdict& result);
  std::set<node_id> leaders() const;
  /// The one leader there is. Throws `violation` if there is another number of them.
  node_id only_leader() const;
  const node_id& anyone() { return ids_[luck_.below(ids_.size())]; }

  chance luck_;
  schedule time_;
  diary notes_;
  std::vector<node_id> ids_;  ///< the founders, and one that may come later
  invariants judge_;
  history clients_;
  network net_;
  surroundings around_;
  std::map<node_id, machine> machines_;
  std::vector<std::unique_ptr<simulated_storage>> wiped_;
  std::uint64_t disks_made_ = 0;
  std::set<std::pair<node_id, node_id>> links_;  ///< the smaller name first
  node_id leaving_;                              ///< empty: nobody is asked to
  instant leaves_until_{};
  weather weather_;
  bool faults_ = true;
  std::size_t steps_ = 0;
  instant last_write_;
  milliseconds longest_pause_between_writes_{400};
};

}  // namespace kaiku::simulation
