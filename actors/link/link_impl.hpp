#pragma once

/// Purpose: the inside of the link layer, shared by the files that implement it: `link.cpp` (from hello to CAF,
/// members, the public face), `link_accept.cpp`, `link_dial.cpp`, `link_join.cpp`. Owner, lifecycle: `link.hpp`.
/// Thread: everything below "used by the thread only" runs on the link layer's thread.

#include "kaiku/link/link.hpp"

#include <utility>

#include <list>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "kaiku/link/connection.hpp"
#include "kaiku/link/handover.hpp"
#include "kaiku/link/handshake.hpp"
#include "kaiku/link/quiet_log.hpp"

namespace kaiku {

/// A link that CAF has.
struct standing_link {
  link_serial serial;
  boot_id boot;
  incarnation disk;
  log_index since;  ///< the members' entry that the peer knew
  caf::node_id caf_node;
  std::uint8_t version = 0;  ///< the highest that both speak
  connection_guard connection;
};

/// A member other than this node, as the link layer knows it: from the members, or for as long as its link stands,
/// since it knows newer ones.
struct linked_peer {
  explicit linked_peer(boost::asio::io_context& io) : timer(io) {}

  member who;
  std::optional<standing_link> link;
  boost::asio::steady_timer timer;  ///< the dialler waits on it; cancelled when there is something to do
  bool dialled = false;             ///< `dial_forever` is at it
  bool removed = false;
  std::shared_ptr<bool> resolving = std::make_shared<bool>(false);  ///< a thread still looks up its name
  std::string last_failure;  ///< of dialling, as logged; the same is not said twice before a link stood
  /// It broke the protocol: until then there is no link with it.
  std::chrono::steady_clock::time_point shunned_until{};
};

/// What was heard where this node asks for a cluster.
enum class asked_answer : std::uint8_t {
  none,        ///< nothing, or that there is one which knows more of this node
  no_cluster,  ///< no cluster is known there
  never_seen,  ///< one that has this node's name, and never saw a disk of it
};

/// Where this node asks for a cluster.
struct asked_address {
  asked_address(boost::asio::io_context& io, std::string where) : address(std::move(where)), timer(io) {}

  std::string address;
  boost::asio::steady_timer timer;
  bool running = false;                      ///< `ask_at` is at it
  asked_answer answer = asked_answer::none;  ///< its last
  node_id by;                                ///< who gave it, if `never_seen`
  std::vector<member> named;                 ///< by it, if `never_seen`: the members
  std::shared_ptr<bool> resolving = std::make_shared<bool>(false);
  std::chrono::steady_clock::time_point waited_since{};  ///< for that answer
  std::string last_failure;                              ///< as logged
};

using linked_peer_ptr = std::shared_ptr<linked_peer>;
using asked_address_ptr = std::shared_ptr<asked_address>;
using link_session_ptr = std::shared_ptr<link_session>;

struct link_layer::impl : std::enable_shared_from_this<impl> {
  impl(caf::actor_system& system, link_settings s);

  // --- set at the start
  link_settings settings;
  caf_handover caf_side;
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  boost::asio::ip::tcp::acceptor acceptor;
  std::uint16_t port = 0;
  std::thread thread;

  // --- used by the thread only
  hello own;  ///< all but the nonce
  std::vector<member> members;
  std::map<node_id, linked_peer_ptr> peers;
  std::list<link_session_ptr> unproven;  ///< accepted, oldest first
  std::list<link_session_ptr> dialling;
  std::vector<asked_address_ptr> asked;
  standing stands = standing::settled;
  bool members_told = false;  ///< by `set_members`
  bool unsettled = false;     ///< another leader may yet name other members
  bool begun = false;
  bool was_taken_in = false;     ///< in the life of this process
  bool outcast_told = false;     ///< the log says that members refuse this node
  std::set<node_id> refused_by;  ///< as no member, or one with another disk, and not linked since
  directory_handle directory;
  link_serial last_serial;
  bool stopping = false;
  quiet_log strangers{"strangers"};
  quiet_log refused_members{"refused hellos"};

  status listen();
  void run(boost::asio::awaitable<void> task);
  boost::asio::awaitable<void> accept_all();
  void admit(const link_session_ptr& session);
  boost::asio::awaitable<void> serve(link_session_ptr session);
  boost::asio::awaitable<void> dial_forever(linked_peer_ptr target);
  boost::asio::awaitable<void> dial(const linked_peer_ptr& target);
  boost::asio::awaitable<status> reach(link_session_ptr session, std::string address, std::shared_ptr<bool> resolving);
  void enter_newer(const hello& theirs);
  boost::asio::awaitable<bool> wait_for_old_link(link_session_ptr session, const hello& theirs);
  handshake_side side_for(const link_session_ptr& session, link_role role, const node_id& dialled);
  void begin();
  void dial_all();
  void ask_around();
  boost::asio::awaitable<void> ask_at(asked_address_ptr where);
  boost::asio::awaitable<asked_answer> ask_once(asked_address_ptr where);
  void log_question(asked_address& where, asked_answer answer, const std::string& trouble);
  bool nobody_knows_this_disk() const;
  void settle();
  asked_answer take_welcome(const welcome& found, const std::string& from);
  void ask_members_too(const std::vector<member>& found);
  void learn_from(const hello& peer);
  void ask_again();
  bool may_be_taken_back() const;
  void answered(const hello& theirs);
  void turned_away(const node_id& by, const refusal& why);
  std::optional<proven_connection> hand_over(const link_session_ptr& session, const hello& theirs);
  void publish(const link_session_ptr& session, const hello& theirs);
  void connect(const link_session_ptr& session, const hello& theirs);
  void greeted(const node_id& id, link_serial serial, result<caf::strong_actor_ptr> remote);
  void end_link(linked_peer& x);
  /// For CAF and for actors, from any thread: the link breaks the protocol.
  std::function<void(const std::string&)> on_broken(const node_id& id, link_serial serial);
  void convict(const node_id& id, link_serial serial, const std::string& why);
  bool is_shunned(const node_id& id) const;
  void log_accepted(const link_session& session, const handshake_outcome& end);
  void log_dial_failure(linked_peer& target, const std::string& what);
  void take_members(membership now);
  void replace_members(std::vector<member> now);
  const member* find_member(const node_id& id) const;
  void stop_now();
};

}  // namespace kaiku
