#pragma once

/// Purpose: the actors of several nodes in one actor_system under CAF's test scheduler: virtual time, one thread, same
/// seed, same run. Every node has a real store on a directory of its own; nodes reach each other over `actor_network`.
/// In place of fronts and directory stand recorders; the first one who leads a term is remembered, another one is a
/// violation.
/// Owner: the test. Thread: the test's.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "kaiku/actors/disk_steps.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/store.hpp"
#include "support/actor_network.hpp"
#include "support/temporary_directory.hpp"

namespace kaiku::test {

struct cluster_settings {
  std::size_t nodes = 3;
  std::size_t absent = 0;   ///< of these, so many, the last, are not started
  std::size_t joining = 0;  ///< of these, so many, the last, found nothing: they wait to be taken in
  std::uint64_t seed = 1;
  milliseconds election_timeout{1000};
  milliseconds heartbeat_interval{150};
  milliseconds durability_wait{10'000};
  byte_count log_bytes{limits::log_bytes};
  byte_count log_bytes_for_followers{limits::log_bytes_for_followers};
  milliseconds superseded_keep{limits::superseded_keep_ms};
  milliseconds remove_dead_after{};
  std::uint64_t reserve_bytes = 0;  ///< of free space, on every disk
  /// Of every call to storage, there and back; 0: storage is just another actor.
  microseconds disk_delay{0};
  /// Actors with messages take turns as the seed draws, not first come, first served.
  bool shuffle = false;
};

/// What one node told its fronts.
struct front_record {
  role_change role;
  log_progress progress;
  std::optional<quorum_contact> quorum;
  membership members;
  std::set<node_id> up;
};

/// What became of a request; `reply` empty while there is no answer.
template <class Reply>
struct asked {
  std::optional<Reply> reply;
  bool failed = false;  ///< answered with a CAF error
};
template <class Reply>
using asked_ptr = std::shared_ptr<asked<Reply>>;

class actor_cluster {
 public:
  struct member_node {
    node_id id;
    bool joins = false;  ///< starts with no members at all
    std::unique_ptr<temporary_directory> directory;
    std::shared_ptr<store> disk;  ///< null while stopped
    std::shared_ptr<disk_steps> steps;
    std::shared_ptr<std::mt19937_64> chance;
    std::vector<caf::actor> spawned;
    local_handles actors;
    boot_id boot;
    std::shared_ptr<front_record> seen = std::make_shared<front_record>();
  };

  explicit actor_cluster(cluster_settings settings = {});
  ~actor_cluster();
  actor_cluster(const actor_cluster&) = delete;
  actor_cluster& operator=(const actor_cluster&) = delete;

  // --- time ---
  /// Lets every actor that has something to do do it; no time passes.
  void settle();
  void run_for(milliseconds time);
  /// Runs until `holds`, asked after every event, or until `at_most` has passed; what `holds` said last.
  bool run_until(const std::function<bool()>& holds, milliseconds at_most = milliseconds{30'000});
  instant now() const;

  // --- nodes ---
  std::size_t size() const { return nodes_.size(); }
  member_node& node(std::size_t i) { return *nodes_.at(i); }
  store& disk(std::size_t i) { return *nodes_.at(i)->disk; }
  /// Who leads the latest term that anybody leads, if just one does and it still says so.
  std::optional<std::size_t> leader() const;
  /// Runs until there is a leader whose term's first entry is committed on every node that is up.
  std::size_t elect();
  /// All but `i`, in order.
  std::vector<std::size_t> others(std::size_t i) const;
  /// Ends a node's actors and closes its disk; its peers hear that the links are down.
  void stop(std::size_t i);
  void start(std::size_t i);
  /// Starts a stopped node with an empty disk and no links, as one that waits to be taken in.
  void start_wiped(std::size_t i);

  // --- links ---
  actor_network& network() { return *network_; }
  /// The link stands: both sides get new handles of each other.
  void connect(std::size_t a, std::size_t b);
  /// The link is down, and both sides are told.
  void disconnect(std::size_t a, std::size_t b);
  /// Nothing reaches this node nor leaves it, and nobody is told.
  void cut_off(std::size_t i);
  void heal() { network_->heal_all(); }

  // --- clients ---
  asked_ptr<write_reply> write(std::size_t at, write_request what);
  asked_ptr<write_reply> put(std::size_t at, std::string_view path, std::string_view bytes,
                             durability want = durability::leader);
  asked_ptr<handed_over> hand_over(std::size_t at, node_id to = {});
  asked_ptr<change_members_reply> change(std::size_t at, member_change what, const incarnation& disk = {});
  asked_ptr<change_members_reply> add(std::size_t at, std::size_t whom);
  asked_ptr<read_index_reply> read_index(std::size_t at);
  asked_ptr<find_write_reply> find(std::size_t at, log_position what);
  /// Large content, received by the node as an upload does; to be kept until the write that names it is answered.
  std::unique_ptr<staged_file> stage(std::size_t at, std::string_view bytes);

  // --- what happened ---
  /// One line for each change of role of anybody, with its time.
  const std::vector<std::string>& trace() const { return trace_; }
  /// What broke election safety; empty when nothing did.
  const std::vector<std::string>& violations() const { return violations_; }
  caf::actor_system& system() { return system_; }
  caf::scheduler::test_coordinator& scheduler() { return scheduler_; }

 private:
  struct config : caf::actor_system_config {
    config();
  };

  void spawn(member_node& x);
  void announced(const node_id& by, const role_change& x);
  template <class Reply, class Handle, class Message>
  asked_ptr<Reply> ask(const Handle& whom, Message what);
  /// On to the next thing that is due, but not beyond `until`.
  void step(instant until);

  cluster_settings settings_;
  config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  std::unique_ptr<actor_network> network_;
  std::vector<std::unique_ptr<member_node>> nodes_;
  std::set<std::pair<std::size_t, std::size_t>> links_;  ///< smaller first
  std::map<term, node_id> leaders_;
  std::vector<std::string> trace_;
  std::vector<std::string> violations_;
  std::vector<caf::actor> askers_;
};

write_request put_request(std::string_view path, std::string_view bytes, durability want = durability::leader);

}  // namespace kaiku::test
