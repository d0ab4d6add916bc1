#pragma once

/// Purpose: what an HTTP session may ask of its node. The front actor implements it; HTTP code sees nothing else of the
/// actors, and does not compile CAF.
/// Thread: a gateway, its uploads and its callbacks live on one I/O thread, the session's own.
/// Every callback is called exactly once, from the event loop, never before the call that took it returns; when the
/// node shuts down it may be dropped instead.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/command.hpp"
#include "kaiku/core/content.hpp"
#include "kaiku/core/election.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/core/fence.hpp"
#include "kaiku/core/mirror.hpp"
#include "kaiku/messages/inspection.hpp"

namespace kaiku {

/// What this node's clients ask of it, counted by the HTTP server. Thread: any.
struct request_figures {
  std::atomic<std::uint64_t> answered{0};  ///< since start
  std::atomic<std::uint64_t> open{0};
};

/// One member as this node sees it.
struct member_view {
  node_id id;
  std::string peer_address;  ///< host:port
  std::string http_address;  ///< host:port; empty while never connected
  bool voter = true;         ///< else a learner: it replicates, but does not count
  bool connected = false;
  std::optional<milliseconds> last_heard;  ///< age of the last heartbeat or answer
  std::optional<log_index> match;          ///< on the leader: what it holds durably
};

/// One actor of this node, as its own counters say.
struct actor_view {
  std::string name;
  std::uint64_t id = 0;
  std::uint64_t received = 0;
  std::uint64_t processed = 0;
};

/// This node at this moment: the `Kaiku-*` headers, `/healthz` and `/cluster`.
struct node_view {
  node_id self;
  cluster_id cluster;
  role now = role::follower;
  term in_term;
  node_id leader;                              ///< empty: not known
  std::string leader_http;                     ///< host:port; empty: not known
  log_index applied;                           ///< end of this node's log, all of it folded into the state
  log_index committed;                         ///< highest index this node knows committed
  std::optional<milliseconds> leader_contact;  ///< age; on the leader, of its contact with a majority
  bool ready = false;                          ///< caught up and in contact with a leader
  std::string not_ready_reason;                ///< for a person; empty when ready
};

/// A figure of the embedded database, under the name that its documentation knows.
struct database_figure {
  std::string name;
  std::uint64_t value = 0;
};

/// More of it, gathered only when somebody asks.
struct cluster_view {
  std::vector<member_view> members;
  std::vector<actor_view> actors;
  std::uint64_t log_syncs = 0;                ///< synced batches since start
  std::uint64_t file_syncs = 0;               ///< fsyncs of blob files and directories since start
  std::uint64_t set_aside = 0;                ///< entries kept aside on this disk
  std::optional<lost_entries> possibly_lost;  ///< on the leader: what its predecessor had and it lacks
  byte_count free_space;
  log_index first;                   ///< the oldest entry still in the log
  byte_count log_bytes;              ///< what the log takes, with undo records and small content
  std::uint64_t log_entries = 0;     ///< written since start; with `log_syncs`, how many share one
  std::uint64_t elections_won = 0;   ///< by this node since start
  std::uint64_t leader_changes = 0;  ///< other leaders, or terms, that this node has seen since start
  std::vector<database_figure> database;
  std::optional<mirror_view> redis;  ///< empty: the node has none
};

/// A client's change, checked for form but not yet for sense.
struct client_write {
  command what;  ///< times are set by the leader; a `key` makes it safe to repeat
  precondition when;
  std::string small_content;       ///< put of small content: its bytes; the gateway names them
  std::optional<durability> want;  ///< empty: the server's default
};

/// What became of it.
struct write_outcome {
  write_token token;
  file_info file;        ///< what was made or changed, as it is now (all but a removal)
  bool created = false;  ///< nothing stood there before (put, make directory; move, copy: at `to`)
  /// Done before, for a request with the same key: this is the first answer; of the properties only `expires`.
  bool repeated = false;
  durability asked = durability::leader;
  durability achieved = durability::leader;  ///< less than asked only when the wait ran out: answer 202
  std::size_t holders = 0;                   ///< nodes known to hold it durably
  std::size_t voters = 0;
};

/// A large body on its way to the leader's disk, wherever the leader is. Dropping it abandons what was sent.
class upload {
 public:
  virtual ~upload() = default;
  /// Sends a piece of at most `limits::chunk_bytes`; `ready` when the next may follow (a window, not one by one).
  /// After an error only destruction may follow.
  virtual void write(std::string bytes, std::function<void(status)> ready) = 0;
  /// All is sent: the content's name once it is durable on the leader. Keep the upload until the write that names the
  /// content is answered.
  virtual void finish(std::function<void(result<content_ref>)> done) = 0;
};

/// A change that a failover displaced, as this node keeps it.
struct displaced_write {
  write_token token;
  unix_time_ms since;  ///< when it was set aside here
  command what;
};
struct displaced_page {
  std::vector<displaced_write> entries;  ///< oldest first
  bool more = false;                     ///< another page follows after the last one
};

/// What the check of this node's stored content has done and found, in this pass or else the last one.
struct scrub_view {
  bool running = false;
  std::optional<unix_time_ms> began;  ///< empty: there was none since the process started
  std::optional<unix_time_ms> ended;
  std::uint64_t checked = 0;  ///< contents
  byte_count checked_bytes;
  std::uint64_t damaged = 0;  ///< found otherwise than named, or missing
  std::uint64_t repaired = 0;
  std::uint64_t unrepairable = 0;  ///< of the damaged: no member that could be asked has it whole; tried again
};

/// How fresh a read has to be.
enum class consistency : std::uint8_t {
  any,          ///< what this node has
  session,      ///< at least the write that a token names
  bounded,      ///< not older than a number of milliseconds
  committed,    ///< what this node knows committed: nothing that a failover could take back
  linearizable  ///< committed, and not older than the request
};
struct freshness {
  consistency level = consistency::any;
  std::optional<write_token> token;  ///< `session`
  milliseconds bound{};              ///< `bounded`
};

/// The tree of files at one moment. Thread: any. May block on the disk for a moment. Errors as `store` gives them.
class file_view {
 public:
  virtual ~file_view() = default;
  virtual result<file_info> stat(const file_path& path) const = 0;
  virtual result<directory_page> list(const file_path& path, std::string_view after, std::size_t limit,
                                      const list_filter& what = {}) const = 0;
};

class gateway : public file_view {
 public:
  virtual node_view view() const = 0;
  virtual cluster_view cluster() const = 0;

  /// `stat` and `list` read what this node has now (`consistency::any`). This gives a view that is as fresh as asked
  /// for, once there is one, waiting `limits::freshness_wait_ms`; `any` is answered at once, before this returns.
  /// Errors: `bad_request` (a token of another cluster), `set_aside` (the token's write was displaced), `no_leader`
  /// and `not_fresh` (not within the wait).
  virtual void read(const freshness& how, std::function<void(result<std::shared_ptr<const file_view>>)> done) = 0;
  /// As `read`, where the caller knows what it is going to ask the view: the answer may be fetched with it.
  virtual void look_up(const freshness& how, const file_question& what,
                       std::function<void(result<std::shared_ptr<const file_view>>)> done) {
    static_cast<void>(what);
    read(how, std::move(done));
  }
  /// Whether it is worth while for `any` too: `look_up` then waits for another process.
  virtual bool fetches() const { return false; }
  /// Content stays readable while it is open. Errors as `store` gives them.
  virtual result<opened_content> open(const content_ref& content) const = 0;

  /// Asks the leader, waiting for one as `write` does. Errors: `bad_request` (another cluster), `no_leader`.
  virtual void find_write(const write_token& token, std::function<void(result<write_status>)> done) = 0;
  /// Asks the leader. Done once the change is committed; adding: as a learner, which is promoted when it has caught
  /// up. Errors: `bad_request`, `not_found`, `already_exists`, `busy` (another change is under way, or the last voter),
  /// `no_leader`.
  virtual void change_members(const member_change& what, std::function<void(status)> done) = 0;
  /// Asks the leader to let `to` lead (empty name: whoever is most up to date). Errors: `not_found` (not a voter),
  /// `busy` (it did not come up to date within T: the leader goes on leading), `no_leader`.
  virtual void transfer_leadership(const node_id& to, std::function<void(status)> done) = 0;

  /// What failovers displaced on this node, behind `after` (all zero: from the start).
  virtual result<displaced_page> set_aside(const log_position& after, std::size_t limit) const = 0;
  /// Errors: `not_found`.
  virtual result<displaced_write> set_aside_at(const log_position& at) const = 0;
  /// Forgets it for good, on this node. Errors: `not_found`.
  virtual void purge_set_aside(const log_position& at, std::function<void(status)> done) = 0;
  /// Begins to check all content stored on this node, unless `start` is false or it is being checked.
  virtual void scrub(bool start, std::function<void(result<scrub_view>)> done) = 0;

  /// How the actors of all nodes do, or of one. Other nodes are asked and get `limits::report_timeout_ms`. `watch`: at
  /// the next beat (`limits::watch_interval_ms`); messages are timed and sampled until nobody asks so any more. Errors:
  /// `not_found` (no such member), `overloaded`.
  virtual void inspect(const node_id& only, bool watch, std::function<void(result<cluster_report_ptr>)> done) = 0;
  /// Errors: `not_found` (no such member, or actor there), `overloaded` (it does not answer).
  virtual void inspect_actor(const node_id& at, actor_number which,
                             std::function<void(result<std::shared_ptr<const actor_detail>>)> done) = 0;
  /// What happened to the nodes that answer, by time. Errors: `overloaded`.
  virtual void timeline(std::function<void(result<std::shared_ptr<const timeline_report>>)> done) = 0;
  /// Errors: `not_found`, `overloaded`.
  virtual void trace(const trace_id& id, std::function<void(result<std::shared_ptr<const trace_report>>)> done) = 0;

  /// All commands of clients, but `remove_expired`. Errors beside those of the command: `key_reused`, and those of the
  /// leader.
  /// Sends a change to the leader, waiting `limits::leader_wait_ms` for one. For a put, `what` names content that a
  /// finished upload gave, or `small_content` holds the bytes and the gateway fills in the name.
  virtual void write(client_write what, std::function<void(result<write_outcome>)> done) = 0;
  /// Opens a body to the leader, waiting for one as `write` does. `expected` 0: length not known.
  virtual void begin_upload(byte_count expected, std::function<void(result<std::unique_ptr<upload>>)> done) = 0;
};

}  // namespace kaiku
