#pragma once

/// Purpose: turns the calls of HTTP sessions into messages. Each I/O thread has one, and its sessions call it directly
/// (`gateway`). Writes and uploads go to the leader's actors, wherever they are: a follower's front does with the
/// leader's handles just what the leader's own front does.
/// Owner: owns the calls in flight. Learns role from election, leader contact from heartbeat, log and commit from
/// replication, links from the directory. Reads are views of the store.
/// Lifecycle: spawned by the node on an io_context; outlives the sessions. All on that io_context's thread.
///
/// A call with no leader to go to is parked and tried again when something changes, for `limits::leader_wait_ms`. A
/// call that was sent and not answered because the link broke ends as `outcome_unknown`.

#include <functional>
#include <list>
#include <map>
#include <memory>

#include "kaiku/actors/node_picture.hpp"
#include "kaiku/actors/observed.hpp"
#include "kaiku/actors/on_io_context.hpp"
#include "kaiku/messages/gateway.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/redis_mirror.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

struct front_settings {
  node_id self;
  std::string http_address;  ///< where clients reach this node, host:port
  durability default_durability = durability::leader;
  milliseconds election_timeout{};
  std::shared_ptr<redis_mirror> redis{};  ///< may be empty
};

class front_actor final : public observed<on_io_context<front_handle::base>>, public gateway {
 public:
  front_actor(caf::actor_config& cfg, boost::asio::io_context& io, front_settings settings,
              std::shared_ptr<const store> disk);

  const char* name() const override { return "front"; }
  behavior_type make_behavior() override;

  node_view view() const override;
  cluster_view cluster() const override;
  result<file_info> stat(const file_path& path) const override;
  result<directory_page> list(const file_path& path, std::string_view after, std::size_t limit,
                              const list_filter& what) const override;
  result<opened_content> open(const content_ref& content) const override;
  void read(const freshness& how, std::function<void(result<std::shared_ptr<const file_view>>)> done) override;
  void look_up(const freshness& how, const file_question& what,
               std::function<void(result<std::shared_ptr<const file_view>>)> done) override;
  bool fetches() const override { return settings_.redis != nullptr; }
  void find_write(const write_token& token, std::function<void(result<write_status>)> done) override;
  void change_members(const member_change& what, std::function<void(status)> done) override;
  void transfer_leadership(const node_id& to, std::function<void(status)> done) override;
  result<displaced_page> set_aside(const log_position& after, std::size_t limit) const override;
  result<displaced_write> set_aside_at(const log_position& at) const override;
  void purge_set_aside(const log_position& at, std::function<void(status)> done) override;
  void inspect(const node_id& only, bool watch, std::function<void(result<cluster_report_ptr>)> done) override;
  void inspect_actor(const node_id& at, actor_number which,
                     std::function<void(result<std::shared_ptr<const actor_detail>>)> done) override;
  void timeline(std::function<void(result<std::shared_ptr<const timeline_report>>)> done) override;
  void trace(const trace_id& id, std::function<void(result<std::shared_ptr<const trace_report>>)> done) override;
  void scrub(bool start, std::function<void(result<scrub_view>)> done) override;
  void write(client_write what, std::function<void(result<write_outcome>)> done) override;
  void begin_upload(byte_count expected, std::function<void(result<std::unique_ptr<upload>>)> done) override;

 protected:
  std::string state_line() override;

 private:
  class leader_upload;

  /// The leader's actors, local or remote.
  struct leader_actors {
    node_id id;
    replication_handle replication;
    content_handle content;
  };
  /// Something to do at the leader, once there is one.
  struct call {
    instant deadline;
    trace_set_ptr of = trace_scope::now();  ///< what asked for it
    std::function<void(const leader_actors&)> attempt;
    std::function<void(error)> fail;
  };
  using call_ptr = std::shared_ptr<call>;
  /// A message to the leader that waits for its answer.
  struct asked {
    node_id at;
    instant deadline;
    error lost;  ///< what no answer means
    std::function<void(error)> fail;
  };

  /// A read that this node can't serve yet.
  struct waiting_read {
    freshness how;
    instant asked;
    instant deadline;
    std::optional<log_index> at_least;            ///< as the leader said; empty: not asked, or not said yet
    std::shared_ptr<const store_view> candidate;  ///< taken, and waiting for its last entry to be committed
    std::function<void(result<std::shared_ptr<const file_view>>)> then;
  };
  using waiting_read_ptr = std::shared_ptr<waiting_read>;

  instant now() const;
  std::optional<leader_actors> leader() const;
  void dispatch(const call_ptr& x);
  void park(const call_ptr& x);
  void retry_parked();
  /// Ends the asked whose time is over, or whose link broke.
  void lose(const std::function<bool(const asked&)>& is_lost);
  void set_timer();
  void on_timer();
  /// Sends to the leader's actor; `answer` gets the reply, or `fail` gets `lost` when none comes. Once.
  template <class Reply, class Handle, class Message>
  void ask(const node_id& at, const Handle& to, milliseconds timeout, Message message, error lost,
           std::function<void(const Reply&)> answer, std::function<void(error)> fail);
  /// Asks the leader's replication one thing, waiting for a leader and going on to the next one when it changes.
  /// `done` gets the reply, or the failure it carries.
  template <class Reply, class Message>
  void ask_leader(Message message, std::function<void(result<Reply>)> done);
  /// Gives `of`, with Redis's answer to `what` if it has one.
  void fetch(const std::shared_ptr<const file_view>& of, const file_question& what,
             std::function<void(result<std::shared_ptr<const file_view>>)> done);
  bool is_of_this_cluster(const write_token& token) const;
  std::shared_ptr<const file_view> as_it_is() const;
  bool is_fresh_within(milliseconds bound) const;
  void ask_read_index(const waiting_read_ptr& x);
  /// Nothing: not yet.
  std::optional<result<std::shared_ptr<const file_view>>> try_read(waiting_read& x);
  void settle_reads();
  void send_write(const call_ptr& x, const leader_actors& to, std::shared_ptr<const write_request> request,
                  std::function<void(result<write_outcome>)> done);
  /// Of the messages between this node and that one; 0: not linked, or itself.
  std::uint8_t version_of(const node_id& at) const;
  /// A traced step between a question and its answer.
  void end_step(open_span step, const std::string& what, std::string note) const;
  /// Asks this node's inspector; `failed` when it does not answer.
  template <class Reply, class Message>
  void ask_inspector(Message message, std::function<void(const Reply&)> answer, std::function<void(error)> failed);

  void post(std::function<void()> later);

  front_settings settings_;
  std::shared_ptr<const store> disk_;
  node_picture picture_;
  local_handles local_;
  std::list<call_ptr> parked_;
  std::list<waiting_read_ptr> reads_;
  instant fresh_at_ = instant::min();  ///< this node held all that was committed anywhere then
  bool timer_set_ = false;
  std::uint64_t next_ask_ = 0;
  std::map<std::uint64_t, asked> in_flight_;
};

}  // namespace kaiku
