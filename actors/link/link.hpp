#pragma once

/// Purpose: connections between members. Accepts and dials with deadlines, exchanges the hello, proves the shared secret,
/// refuses strangers with a reason on both sides, and only then hands the socket to CAF. CAF itself never listens.
/// Owner: owns the peer port and every connection until CAF has it. Learns who is a member from `set_members`.
/// Lifecycle: `start` listens and begins to dial; `stop` closes all that CAF does not have. It has a thread of its own.
/// Thread: all public calls from any.
///
/// One link per pair: the member with the smaller name dials, again and again until the link stands; `on_link_down` makes
/// it dial anew. A peer that comes back with a new boot id gets its link only after CAF has reported the old one down.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/fwd.hpp>

#include "kaiku/core/command.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

struct link_settings {
  std::string listen_address = "127.0.0.1";
  std::uint16_t listen_port = 9000;  ///< 0: any free one
  node_id self;
  incarnation disk;
  boot_id boot;
  std::string secret;  ///< shared by all members; empty: none is asked for, and a peer that asks is refused
  milliseconds handshake_timeout{limits::link_handshake_timeout_ms};
};

class link_layer {
 public:
  /// `directory` is told of every link that stands (`link_up`) and is what the peer reaches first.
  /// Errors: `in_use`, `bad_request` (address).
  static result<std::unique_ptr<link_layer>> start(caf::actor_system& system, link_settings settings,
                                                   directory_handle directory);
  ~link_layer();
  link_layer(const link_layer&) = delete;
  link_layer& operator=(const link_layer&) = delete;

  std::uint16_t port() const;
  /// Who may link, where to dial them, and which disks they have (a known incarnation that differs is refused).
  void set_members(const cluster_id& cluster, std::vector<member> voters);
  /// CAF has reported the link to `peer` down.
  void on_link_down(const node_id& peer);
  void stop();

 private:
  struct impl;
  explicit link_layer(std::shared_ptr<impl> state);
  std::shared_ptr<impl> impl_;
};

}  // namespace kaiku
