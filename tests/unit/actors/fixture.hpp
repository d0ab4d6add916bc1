#pragma once

/// Purpose: what all actor tests say: how values are printed, and what must hold of every cluster in the end.

#include <boost/test/unit_test.hpp>

#include <caf/all.hpp>

#include "../core/printing.hpp"
#include "kaiku/actors/fetch_actor.hpp"
#include "kaiku/actors/scrub_actor.hpp"
#include "support/actor_cluster.hpp"
#include "support/store_contents.hpp"

namespace kaiku::test {

inline std::string text_of(const log_entry& x) {
  return to_string(x.at.in_term) + "." + to_string(x.at.index) + " " + x.encoded_command;
}

/// Recorded, with no error.
inline bool recorded(const asked_ptr<write_reply>& x) {
  return x->reply && x->reply->failure.code == errc::none;
}
inline bool refused(const asked_ptr<write_reply>& x, errc why) {
  return x->reply && x->reply->failure.code == why;
}

/// Every running node has the same log and, read from its disk, the same tree.
inline bool all_equal(actor_cluster& x) {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!x.node(i).disk) continue;
    if (!first)
      first = i;
    else if (whole_log(x.disk(i)) != whole_log(x.disk(*first)) ||
             describe_tree(x.disk(i)) != describe_tree(x.disk(*first)))
      return false;
  }
  return true;
}

/// A cluster whose elections are checked when the test ends.
struct checked_cluster : actor_cluster {
  explicit checked_cluster(cluster_settings settings = {}) : actor_cluster(settings) {}
  ~checked_cluster() {
    for (const auto& one : violations()) BOOST_ERROR(one);
  }
};

/// Gives the node a scrub that is asked by its content, and asks `members`. `fetch`: for large content; by default its
/// own.
inline scrub_handle add_scrub(actor_cluster& nodes, std::size_t at, const std::vector<std::size_t>& members,
                              fetch_handle fetch = {}) {
  auto& x = nodes.node(at);
  if (!fetch) {
    fetch = nodes.system().spawn<fetch_actor>(x.disk, x.steps, threads::shared);
    x.spawned.push_back(caf::actor_cast<caf::actor>(fetch));
  }
  scrub_settings settings;
  settings.interval = {};
  x.actors.scrub = nodes.system().spawn<scrub_actor>(settings, x.disk, fetch);
  x.spawned.push_back(caf::actor_cast<caf::actor>(x.actors.scrub));
  caf::anon_send(x.actors.scrub, x.actors);
  caf::anon_send(x.actors.content, x.actors);
  for (auto i : members) {
    peer_up up{nodes.node(i).id, nodes.node(i).boot, nodes.node(i).id.name + ":8080", {}};
    up.actors.content = nodes.network().link(x.id, nodes.node(i).id, nodes.node(i).actors.content);
    caf::anon_send(x.actors.scrub, up);
  }
  nodes.settle();
  return x.actors.scrub;
}

inline cluster_settings with_nodes(std::size_t nodes, std::uint64_t seed = 1) {
  cluster_settings settings;
  settings.nodes = nodes;
  settings.seed = seed;
  return settings;
}

}  // namespace kaiku::test
