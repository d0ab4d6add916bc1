#pragma once

/// Purpose: what lies between the nodes: loses, delays, repeats and reorders messages, and cuts links one way or both.
/// Late messages of an earlier process of the same disk arrive, which is worse than what the product's links let pass.
/// Owner: owns which links are cut. Thread: the test's.

#include <functional>
#include <map>
#include <set>
#include <utility>

#include "invariants.hpp"
#include "messages.hpp"
#include "schedule.hpp"

namespace kaiku::simulation {

class network {
 public:
  using receiver = std::function<void(const parcel& what)>;

  network(schedule& time, chance& luck, diary& notes) : time_(time), luck_(luck), notes_(notes) {}

  void attach(const node_id& id, receiver what) { receivers_[id] = std::move(what); }
  /// `what` tells which two disks are linked, 0 for none; nothing passes between others.
  void use_links(std::function<std::uint64_t(const node_id&, const node_id&)> what) { link_ = std::move(what); }
  void send(const node_id& from, const node_id& to, const parcel& what);

  void cut(const node_id& from, const node_id& to) { cut_.emplace(from, to); }
  void heal() { cut_.clear(); }
  bool reaches(const node_id& from, const node_id& to) const { return !cut_.contains({from, to}); }

  unsigned loss_percent = 0;
  unsigned repeat_percent = 0;
  unsigned reorder_percent = 0;  ///< of one link are overtaken by later ones; else a link keeps its order, as TCP does
  unsigned straggler_percent = 0;  ///< take up to a second, some up to fifteen

 private:
  void deliver_later(const node_id& from, const node_id& to, std::uint64_t link, const parcel& what);

  schedule& time_;
  chance& luck_;
  diary& notes_;
  std::map<node_id, receiver> receivers_;
  std::function<std::uint64_t(const node_id&, const node_id&)> link_;
  std::set<std::pair<node_id, node_id>> cut_;
  std::map<std::pair<node_id, node_id>, instant> last_delivery_;
};

}  // namespace kaiku::simulation
