#pragma once

/// Purpose: connections between members. Accepts and dials with deadlines, exchanges the hello, proves the shared
/// secret, refuses strangers with a reason on both sides, and only then hands the socket to CAF. CAF itself never
/// listens. Owner: owns the peer port and every connection until CAF has it, and a second descriptor of those that CAF
/// has, to end them when the process at the other end no longer answers. Learns who is a member from `set_members`.
/// Lifecycle: `start` takes the port; `open` begins to accept and to dial; `stop` ends every connection and the thread.
/// It is stopped before its actor system goes. The directory and the link layer need each other, so:
///
///   std::shared_ptr links = link_layer::start(system, settings);  // takes the port, or says why not
///   auto directory = system.spawn<peer_directory>(...);           // shares it for set_members and on_link_down
///   links->set_members(cluster, voters);
///   links->open(directory);
///
/// Thread: a thread of its own; all public calls from any.
///
/// One link per pair: the member with the smaller name dials, again and again until the link stands; `on_link_down`
/// makes it dial anew. A peer that comes back gets its new link only after CAF has reported the old one down: a
/// restarted process can have the CAF node id of its former self, and CAF would take the new connection for a second
/// way to it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/fwd.hpp>

#include "kaiku/core/command.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

struct link_settings {
  std::string listen_address = "127.0.0.1";  ///< numeric
  std::uint16_t listen_port = 9000;          ///< 0: any free one
  node_id self;
  incarnation disk;
  boot_id boot;
  std::string secret;  ///< shared by all members; empty: none is asked for, and a peer that asks is refused
  milliseconds handshake_timeout{limits::link_handshake_timeout_ms};
};

class link_layer {
 public:
  /// Errors: `in_use`, `bad_request` (address).
  static result<std::unique_ptr<link_layer>> start(caf::actor_system& system, link_settings settings);
  ~link_layer();
  link_layer(const link_layer&) = delete;
  link_layer& operator=(const link_layer&) = delete;

  /// `directory` is told of every link that stands (`link_up`) and is what the peer reaches first. Once.
  void open(directory_handle directory);
  std::uint16_t port() const;
  /// Who may link, where to dial them, and which disks they have (a known incarnation that differs is refused). The
  /// link to somebody who is no longer a member is closed.
  void set_members(const cluster_id& cluster, std::vector<member> voters);
  /// `link` is over: CAF has reported it down, or the peer did not introduce itself. What is left of it is closed.
  /// Nothing happens when another link to `peer` stands by now.
  void on_link_down(const node_id& peer, link_serial link);
  void stop();

 private:
  struct impl;
  explicit link_layer(std::shared_ptr<impl> state);
  std::shared_ptr<impl> impl_;
};

}  // namespace kaiku
