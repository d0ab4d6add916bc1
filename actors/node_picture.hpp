#pragma once

/// Purpose: what a node knows of itself and of its peers, put together from what its actors are told: for those that
/// answer questions about it (`front_actor`, `inspector_actor`), each of which has one. Owner: the actor that has it.
/// Thread: that actor's.

#include <map>
#include <memory>
#include <optional>

#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/redis_mirror.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

struct node_picture_settings {
  node_id self;
  std::string http_address;  ///< where clients reach this node, host:port
  milliseconds election_timeout{};
  std::shared_ptr<const store> disk;
  std::shared_ptr<redis_mirror> redis{};  ///< may be empty
};

class node_picture {
 public:
  explicit node_picture(node_picture_settings settings) : settings_(std::move(settings)) {}

  void on(const role_change& x);
  void on(const log_progress& x);
  void on(const quorum_contact& x) { quorum_ = x; }
  void on(const leader_contact& x, instant now);
  void on(const peer_up& x) { peers_[x.id] = x; }
  void on(const peer_down& x) { peers_.erase(x.id); }
  void on(const members_changed& x) { members_ = x.now; }

  node_view view(instant now) const;
  /// All but the actors.
  cluster_view cluster(instant now) const;
  /// All but the version, the time of the start, requests and watching; `last_election` is the teller's too.
  node_facts facts(instant now) const;
  /// Of a peer; empty: not heard of, or nobody says so to this node.
  std::optional<milliseconds> last_heard(const node_id& id, instant now) const;

  const role_change& current_role() const { return role_; }
  const log_progress& progress() const { return progress_; }
  const quorum_contact& quorum() const { return quorum_; }
  const membership& members() const { return members_; }
  const std::map<node_id, peer_up>& peers() const { return peers_; }

 private:
  member_view describe(const member& one, bool votes, instant now) const;
  bool holds_all_committed() const { return progress_.commit >= leader_commit_; }

  node_picture_settings settings_;
  role_change role_;
  std::uint64_t elections_won_ = 0;
  std::uint64_t leader_changes_ = 0;
  log_progress progress_;
  quorum_contact quorum_;
  membership members_;
  std::map<node_id, peer_up> peers_;
  std::optional<instant> leader_heard_;
  log_index leader_commit_;  ///< as the leader's heartbeat said
  bool caught_up_ = false;   ///< held all that was committed, since contact with a leader was last regained
};

}  // namespace kaiku
