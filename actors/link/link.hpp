#pragma once

/// Purpose: connections between members. Accepts and dials with deadlines, does TLS with certificates on both sides or
/// proves the shared secret, exchanges the hello, refuses strangers with a reason on both sides, and only then hands
/// the connection to CAF. CAF itself never listens. Owner: owns the peer port and every connection until CAF has it,
/// and a second descriptor of those that CAF has, to end them when the process at the other end no longer answers.
/// Learns who is a member from `set_members`. Lifecycle: `start` takes the port; `open` and the first `set_members`
/// begin to accept and to dial; `stop` ends every connection and the thread. It is stopped before its actor system
/// goes. The directory and the link layer need each other, so:
///
///   std::shared_ptr links = link_layer::start(system, settings);  // takes the port, or says why not
///   auto directory = system.spawn<peer_directory>(...);           // shares it for set_members and on_link_down
///   links->open(directory);
///   links->set_members(now);                                      // from then on it accepts and dials
///
/// Thread: a thread of its own; all public calls from any.
///
/// One link per pair: the member with the smaller name dials, again and again until the link stands; `on_link_down`
/// makes it dial anew. One that has been away may not know the newest members: whoever does is welcome to it, and dials
/// it when it does not. A peer that comes back gets its new link only after CAF has reported the old one down: a
/// restarted process can have the CAF node id of its former self, and CAF would take the new connection for a second
/// way to it.
///
/// A node whose disk knows no cluster asks before it links with anybody:
///
///   start --> asking --- all say that they know of none, or of one that waits for ----> settled
///               ^        its name and has never seen a disk of it                        |
///               +---------- refused as a stranger, or linked with a member of one -------+
///
///   asking --- a cluster has its name by a known disk, or not at all ---> joining
///   start, with `wants_in` --------------------------------------------> joining
///   joining --- its own log names it among the members -----------------> settled
///
/// So a cluster begins when all who are to found it are there: one that is away may hold the files of an older one, or
/// know that this disk takes the place of another.
/// While a node joins it goes on asking. Members that are asked tell their directory (`join_wanted`); the asking node's
/// directory is told to `forget_bootstrap`, so that it takes no part in founding a second cluster. Nothing of this is
/// believed before the certificate or the secret is proved.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/fwd.hpp>

#include "kaiku/core/fence.hpp"
#include "kaiku/link/hello.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

class tls_credentials;

struct link_settings {
  std::string listen_address = "127.0.0.1";  ///< numeric
  std::uint16_t listen_port = 9000;          ///< 0: any free one
  node_id self;
  incarnation disk;
  boot_id boot;
  std::string secret;  ///< shared by all members; empty: none is asked for, and a peer that asks is refused
  std::shared_ptr<tls_credentials> tls;  ///< empty: plain TCP, and no certificate says who a peer is
  std::string peer_address;              ///< host:port where members reach this node
  /// Peer addresses at which a node whose disk knows no cluster asks for one, and then those of the members that it is
  /// told of. Empty: it does not ask.
  std::vector<std::string> ask_at;
  /// It asks to become a member. Else only whether there is a cluster that has its name already.
  bool wants_in = false;
  /// Does this disk know a cluster by now? Called on the link layer's thread.
  std::function<bool()> knows_cluster = [] { return true; };
  milliseconds undialled_wait{limits::link_undialled_ms};
  milliseconds handshake_timeout{limits::link_handshake_timeout_ms};
  /// Versions of the messages between nodes; a test stands in for other builds.
  std::uint8_t version_min = protocol_version_min;
  std::uint8_t version_max = protocol_version_max;
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
  /// Who may link, voter or learner, where to dial them, and which disks they have (a known incarnation that differs is
  /// refused). The link to somebody who is no longer a member, or has another disk, is closed. `confirmed`: their entry
  /// is known committed. Before that another leader may take it back, so who is missing keeps its link and may come
  /// back.
  void set_members(membership now);
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
