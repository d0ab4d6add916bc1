#pragma once

/// Purpose: one seed's story: a cluster of 3 or 5, clients that write, 40 s of faults, then 20 s to heal in.
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
  std::size_t acknowledged = 0;  ///< writes at `majority`
};

class scenario {
 public:
  /// What happens to the cluster: chance decides, or nothing does but what the test does.
  enum class weather { stormy, calm };

  scenario(std::uint64_t seed, bool keep_diary, weather kind = weather::stormy);
  scenario(const scenario&) = delete;
  scenario& operator=(const scenario&) = delete;

  verdict run();

  // For a test that tells its own story, in seconds since the start.
  void advance_to(int second) { advance(instant{std::chrono::seconds{second}}); }
  network& net() { return net_; }
  const std::vector<node_id>& members() const { return ids_; }
  /// Who says that it leads.
  std::set<node_id> leaders() const;
  std::size_t elections() const { return judge_.elections(); }

 private:
  struct machine {
    std::unique_ptr<simulated_storage> disk;
    std::set<std::string> contents;
    node_clock clock;
    std::uint64_t boots = 0;
    std::unique_ptr<node> process;  ///< null: crashed
  };

  void make_stormy();
  void advance(instant until);
  void boot(const node_id& id);
  void crash(const node_id& id);
  void relink(const node_id& id);
  void write_some();
  void disturb();
  void disturb_network();
  void disturb_node(const node_id& id);
  void end_faults();
  void must_have_converged();
  const node_id& anyone() { return ids_[luck_.below(ids_.size())]; }

  chance luck_;
  schedule time_;
  diary notes_;
  std::vector<node_id> ids_;
  invariants judge_;
  network net_;
  surroundings around_;
  std::map<node_id, machine> machines_;
  bool faults_ = true;
  std::uint64_t writes_ = 0;
  milliseconds longest_pause_between_writes_{400};
};

}  // namespace kaiku::simulation
