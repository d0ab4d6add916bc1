#pragma once

/// Purpose: from links to peers: exchanges introductions over a new link, checks that what a peer gives really belongs
/// to the member that the link layer has authenticated, and tells everybody on this node who is there and who is gone.
/// Owner: owns which members are up. Learns of links from the link layer, of membership from replication.
/// Lifecycle: spawned by the node before the link layer is opened to it (`link/link.hpp`); lives as long as the node
/// and lets go of all handles when it ends. Event-based.
///
///            link_up                introduced, genuine
///   (none) ----------> introducing --------------------> up
///     ^                     |                             |
///     |     too late, not genuine, or the link is gone    | DOWN, or another link_up
///     +--------------------- <on_link_down> --------------+
///
/// The side that dialled introduces itself first; the answer is the other side's introduction.
///
/// It also passes on what the link layer hears of nodes that have no link yet: who wants to be a member, and that this
/// node itself must not found a cluster.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kaiku/actors/observed.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

struct directory_settings {
  introduction self;  ///< the handles in it are also this node's own subscribers
  std::vector<front_handle> fronts;
  scrub_handle scrub;                                             ///< null: none
  inspector_handle inspector;                                     ///< likewise
  std::function<void(membership)> set_members;                    ///< of the link layer
  std::function<void(const node_id&, link_serial)> on_link_down;  ///< of the link layer
  milliseconds introduction_timeout{limits::link_handshake_timeout_ms};
};

class peer_directory : public observed<directory_handle::base> {
 public:
  peer_directory(caf::actor_config& cfg, directory_settings settings);

  const char* name() const override { return "peer_directory"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 protected:
  std::string state_line() override;

 private:
  struct peer {
    link_up link;
    caf::strong_actor_ptr remote;  ///< its directory, monitored; null until it has introduced itself to us
    inspector_handle inspector;    ///< null until it has told of it
    bool up = false;
  };

  void begin(const link_up& x);
  caf::result<introduction> answer(const introduction& x);
  /// False, and the link is dropped, unless `x` comes from the member that the link authenticated.
  bool accept(const node_id& id, const introduction& x);
  std::string what_is_wrong(const introduction& x, const peer& of) const;
  void note_inspector(const inspector_here& x);
  void tell_inspector(const node_id& id, const inspector_handle& of_peer);
  void ask_to_take_in(const member& who);
  void drop(const node_id& id, link_serial link, const std::string& why);
  template <class Message>
  void tell_everybody(const Message& x);

  directory_settings settings_;
  std::map<node_id, peer> peers_;
  std::set<node_id> ignored_;  ///< whose needless introductions the log knows of, until their next link
  std::string last_no_;        ///< why a node was not taken in, as logged: it asks again every second
};

}  // namespace kaiku
