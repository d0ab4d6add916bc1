#pragma once

/// Purpose: answers for its node, and asks the inspectors of the other nodes, when somebody wants to see how actors do:
/// reports of the moment, one actor's last ten minutes, what happened, and the steps of traced requests. A node that
/// does not answer within `limits::report_timeout_ms`, or has no link, is shown as such; nobody waits for it.
/// Owner: owns rates, histories, this node's timeline, and whether messages are timed and sampled (`watching`). Learns
/// role, log, members and links as fronts do; the other inspectors from the directory.
/// Lifecycle: spawned by the node; lives as long and lets go of all handles when it ends. Event-based: nothing here
/// waits for the disk but a look at its free space.
///
///                ask_cluster{watch}                          `watch_lease_ms` without one
///   (not watched) ----------------> watched, here and on the peers -----------------------> (not watched)
///
/// While streams wait, all of them are answered at once at every beat. Who else asks while the others are asked for
/// somebody before is answered with all who wait by then, from one more round: however many ask, each node is asked
/// once at a time.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include "kaiku/actors/actor_book.hpp"
#include "kaiku/actors/node_picture.hpp"
#include "kaiku/actors/observed.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

struct inspector_settings {
  node_id self;
  node_picture_settings picture;
  std::string version;
  unix_time_ms started;
  std::shared_ptr<const request_figures> requests;
};

class inspector_actor final : public observed<inspector_handle::base> {
 public:
  inspector_actor(caf::actor_config& cfg, inspector_settings settings);

  const char* name() const override { return "inspector"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 protected:
  std::string state_line() override;

 private:
  using cluster_promise = caf::typed_response_promise<told_cluster>;

  instant now();
  // --- this node ---
  void on_role(const role_change& x);
  void on_members(const members_changed& x);
  void on_progress(const log_progress& x);
  /// Every `inspection_look_ms`.
  void look();
  void note_changes();
  void ask_for_states();
  void watch();
  node_report report(event_number events_after);
  told_actor detail_of(actor_number number);
  node_id name_of_node(const caf::node_id& x);
  static told_spans spans_of(const trace_id& id);

  // --- all nodes ---
  /// Every member but this node, with its inspector; null: it has none that could be asked.
  std::map<node_id, inspector_handle> others() const;
  /// Asks all others, or one. `each` gets an answer, or null and, if it was asked, why there is none; `then` is called
  /// when all have answered or their time is over.
  template <class Reply, class Question>
  void ask_others(const node_id& only, const std::function<Question(const node_id&)>& what,
                  std::function<void(const node_id&, const Reply*, std::string)> each, std::function<void()> then);
  cluster_promise on_ask(const ask_cluster& x);
  /// Answers all who wait for it.
  void gather_for(const node_id& only);
  void beat();
  void gather(const node_id& only, bool watch, std::vector<cluster_promise> waiting, std::function<void()> then);
  member_report member_of(const node_id& id, const node_report* said, std::string why) const;
  void hear(const node_id& from, const node_report& said);
  caf::typed_response_promise<told_actor_of> on_ask(const ask_actor_of& x);
  caf::typed_response_promise<told_timelines> on_ask(const ask_timelines& x);
  caf::typed_response_promise<told_trace> on_ask(const ask_trace& x);

  inspector_settings settings_;
  node_picture picture_;
  term term_at_start_;
  actor_book book_;
  rate_meter requests_;
  std::map<node_id, inspector_handle> inspectors_;
  unix_time_ms last_election_{};
  role_change last_known_;  ///< the last with a leader: contact with it may be lost and come back
  bool was_ready_ = false;
  std::string redis_was_;
  bool lost_told_ = false;
  std::uint64_t looks_ = 0;
  std::map<actor_number, std::uint64_t> described_;  ///< how much each had processed when it was asked for its state
  instant described_at_ = instant::min();
  instant watched_until_ = instant::min();

  struct askers {
    bool under_way = false;
    std::vector<cluster_promise> waiting;  ///< for the next round
  };
  std::map<node_id, askers> asked_;        ///< about one node, or with no name about all
  std::vector<cluster_promise> watchers_;  ///< wait for the next beat
  bool beating_ = false;
  instant last_beat_ = instant::min();
  std::uint64_t beats_ = 0;
  std::map<node_id, event_number> heard_up_to_;
  std::deque<heard_event> heard_;
  std::uint64_t heard_serial_ = 0;
  std::map<node_id, instant> heard_at_;  ///< when each last answered
};

}  // namespace kaiku
