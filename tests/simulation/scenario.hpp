#pragma once

/// Purpose: one seed's story: a cluster of 3 or 5, clients that write, 40 s of faults, then 20 s to heal in; or, for
/// one seed in eight, a calm one in which nobody may depose the leader. Owner: owns the nodes, their disks and
/// everything between them. Lifecycle: made, run once, read. Thread: the test's.

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
  std::size_t recorded = 0;  ///< writes acknowledged by the leader alone
  std::size_t reported = 0;  ///< of either, displaced later and set aside
  std::size_t refused = 0;
  std::size_t reads = 0;  ///< linearizable
  std::size_t steps = 0;
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
    std::unique_ptr<simulated_storage> disk;
    node_clock clock;
    std::uint64_t boots = 0;
    std::unique_ptr<node> process;  ///< null: crashed
  };

  void storm();
  void calm();
  void make_stormy();
  void advance(instant until);
  void boot(const node_id& id);
  void crash(const node_id& id);
  void relink(const node_id& id);
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
  std::vector<node_id> ids_;
  invariants judge_;
  history clients_;
  network net_;
  surroundings around_;
  std::map<node_id, machine> machines_;
  weather weather_;
  bool faults_ = true;
  std::size_t steps_ = 0;
  instant last_write_;
  milliseconds longest_pause_between_writes_{400};
};

}  // namespace kaiku::simulation
