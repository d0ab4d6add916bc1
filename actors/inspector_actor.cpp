// The inspector's own node.

#include "kaiku/actors/inspector_actor.hpp"

#include <caf/actor_system.hpp>

#include <algorithm>
#include <set>

#include "kaiku/actors/clock.hpp"
#include "kaiku/actors/timeline.hpp"
#include "kaiku/core/wall_clock.hpp"
#include "kaiku/messages/linked_peers.hpp"

namespace kaiku {
namespace {

constexpr timer_epoch look_epoch{0};
constexpr timer_epoch beat_epoch{1};

std::set<node_id> ids_of(const std::vector<member>& x) {
  std::set<node_id> out;
  for (const auto& one : x) out.insert(one.id);
  return out;
}

void note(event_kind what, std::string text) {
  timeline::instance().note(what, std::move(text));
}

}  // namespace

told_spans inspector_actor::spans_of(const trace_id& id) {
  auto known = trace_store::instance().find(id);
  if (!known) return {};
  return {std::move(known->spans), known->took_us.has_value()};
}

inspector_actor::inspector_actor(caf::actor_config& cfg, inspector_settings settings)
    : observed(cfg),
      settings_(std::move(settings)),
      picture_(settings_.picture),
      term_at_start_(settings_.picture.disk->state().current) {
  note(event_kind::started, "version " + settings_.version);
}

instant inspector_actor::now() {
  return kaiku::now(system());
}

inspector_actor::behavior_type inspector_actor::make_behavior() {
  delayed_send(this, milliseconds(limits::inspection_look_ms), timer_due{look_epoch});
  return {
      [this](const role_change& x) { on_role(x); },
      [this](const log_progress& x) { on_progress(x); },
      [this](const quorum_contact& x) { picture_.on(x); },
      [this](const leader_contact& x) { picture_.on(x, now()); },
      [this](const peer_up& x) {
        picture_.on(x);
        note(event_kind::peer_connected, x.id.name);
      },
      [this](const peer_down& x) {
        picture_.on(x);
        inspectors_.erase(x.id);
        note(event_kind::peer_lost, x.id.name);
      },
      [this](const members_changed& x) { on_members(x); },
      [](const local_handles&) {},
      [this](const timer_due& x) { x.epoch == beat_epoch ? beat() : look(); },
      [this](const ask_report& x) {
        if (x.watch) watch();
        return report(x.events_after);
      },
      [this](const ask_actor& x) { return detail_of(x.number); },
      [](const ask_timeline&) { return told_timeline{timeline::instance().behind({}, limits::timeline_events)}; },
      [](const ask_spans& x) { return spans_of(x.id); },
      [this](const ask_cluster& x) { return on_ask(x); },
      [this](const ask_actor_of& x) { return on_ask(x); },
      [this](const ask_timelines& x) { return on_ask(x); },
      [this](const ask_trace& x) { return on_ask(x); },
      [this](const peer_inspector& x) { inspectors_[x.id] = x.inspector; },
  };
}

void inspector_actor::on_exit() {
  inspectors_.clear();
  watchers_.clear();
  asked_.clear();
  watching::on.store(false, std::memory_order_relaxed);
}

std::string inspector_actor::state_line() {
  return std::to_string(watchers_.size()) + " streams, " + std::to_string(inspectors_.size()) + " other inspectors";
}

// --- what happens --------------------------------------------------------------------------------------------------

void inspector_actor::on_role(const role_change& x) {
  const auto before = picture_.current_role();
  picture_.on(x);
  const auto in_term = " term " + to_string(x.in_term);
  const bool leads = x.now == role::leader;
  const bool led = before.now == role::leader;
  if (led && !leads)
    note(event_kind::election_lost, "leads term " + to_string(before.in_term) + " no more");
  else if (before.now == role::candidate && !leads && !x.leader.name.empty())
    note(event_kind::election_lost, x.leader.name + " won" + in_term);
  const bool other_leader = x.leader != last_known_.leader || x.in_term != last_known_.in_term;
  if (x.leader.name.empty() || !other_leader) return;
  // A node that starts hears of a leader who may have led for weeks.
  if (x.in_term > term_at_start_) last_election_ = wall_clock();
  last_known_ = x;
  if (leads)
    note(event_kind::election_won, "leads" + in_term);
  else
    note(event_kind::leader_changed, x.leader.name + " leads" + in_term);
}

void inspector_actor::on_members(const members_changed& x) {
  const auto before = picture_.members();
  picture_.on(x);
  if (before.voters.empty()) return;
  const auto voted = ids_of(before.voters), learned = ids_of(before.learners);
  const auto vote = ids_of(x.now.voters), learn = ids_of(x.now.learners);
  for (const auto& id : vote)
    if (!voted.contains(id))
      note(learned.contains(id) ? event_kind::member_promoted : event_kind::member_added, id.name + " votes");
  for (const auto& id : learn)
    if (!learned.contains(id) && !voted.contains(id)) note(event_kind::member_added, id.name + " learns");
  for (const auto* all : {&voted, &learned})
    for (const auto& id : *all)
      if (!vote.contains(id) && !learn.contains(id)) note(event_kind::member_removed, id.name);
}

void inspector_actor::on_progress(const log_progress& x) {
  picture_.on(x);
  if (x.possibly_lost && !lost_told_)
    note(event_kind::possibly_lost, "entries " + to_string(x.possibly_lost->first) + " to " +
                                        to_string(x.possibly_lost->last) + " of term " +
                                        to_string(x.possibly_lost->in_term));
  lost_told_ = x.possibly_lost.has_value();
}

void inspector_actor::note_changes() {
  const auto facts = picture_.facts(now());
  const bool ready = facts.not_ready_reason.empty();
  if (ready != was_ready_)
    note(ready ? event_kind::ready : event_kind::not_ready,
         ready ? "caught up, and in contact with a leader" : facts.not_ready_reason);
  was_ready_ = ready;
  constexpr std::string_view good = "current";
  if (facts.redis != redis_was_) {
    if (facts.redis == good)
      note(event_kind::redis_back, "it mirrors the name space");
    else if (redis_was_ == good)
      note(event_kind::redis_lost, facts.redis);
  }
  redis_was_ = facts.redis;
}

// --- looking -------------------------------------------------------------------------------------------------------

void inspector_actor::look() {
  delayed_send(this, milliseconds(limits::inspection_look_ms), timer_due{look_epoch});
  const bool step = ++looks_ % (limits::history_step_ms / limits::inspection_look_ms) == 0;
  trace_store::instance().drop_old();
  if (watched_until_ < now()) watching::on.store(false, std::memory_order_relaxed);
  book_.look(now(), actor_registry::instance().all(), step);
  requests_.note(now(), settings_.requests->answered.load(std::memory_order_relaxed));
  note_changes();
  if (step || watching::on.load(std::memory_order_relaxed)) ask_for_states();
}

void inspector_actor::ask_for_states() {
  if (now() < described_at_ + milliseconds(limits::state_interval_ms)) return;
  described_at_ = now();
  std::map<actor_number, std::uint64_t> described;
  for (const auto& one : actor_registry::instance().all()) {
    const auto processed = one->processed.load(std::memory_order_relaxed);
    described[one->number] = processed;
    const auto before = described_.find(one->number);
    if ((before != described_.end() && before->second == processed) || !one->alive.load(std::memory_order_relaxed))
      continue;
    const auto actor = caf::actor_cast<caf::strong_actor_ptr>(one->address);
    if (auto* it = actor ? dynamic_cast<describable*>(actor->get()) : nullptr) it->describe_soon();
  }
  described_ = std::move(described);
}

void inspector_actor::watch() {
  watched_until_ = now() + milliseconds(limits::watch_lease_ms);
  if (watching::on.load(std::memory_order_relaxed)) return;
  watching::epoch.fetch_add(1, std::memory_order_relaxed);
  watching::on.store(true, std::memory_order_relaxed);
}

node_id inspector_actor::name_of_node(const caf::node_id& x) {
  if (x == node()) return settings_.self;
  return linked_peers::instance().name_of(node(), x).value_or(node_id{});
}

node_report inspector_actor::report(event_number events_after) {
  node_report out;
  out.facts = picture_.facts(now());
  out.facts.version = settings_.version;
  out.facts.started = settings_.started;
  out.facts.requests = settings_.requests->answered.load(std::memory_order_relaxed);
  out.facts.milli_requests_per_second = requests_.milli_per_second(now(), out.facts.requests);
  out.facts.in_flight = settings_.requests->open.load(std::memory_order_relaxed);
  out.facts.last_election = last_election_;
  out.facts.watched = watching::on.load(std::memory_order_relaxed);
  ask_for_states();
  const auto all = actor_registry::instance().all();
  book_.look(now(), all, false);
  out.actors = book_.report(now(), all);
  for (const auto& to : all)
    for (const auto& from : to->senders()) {
      auto name = name_of_node(from.node);
      if (name.name.empty() || out.flows.size() >= limits::reported_flows) continue;
      out.flows.push_back({std::move(name), from.number, to->number, from.count});
    }
  out.last_event = timeline::instance().last();
  out.events = timeline::instance().behind(events_after, limits::reported_events);
  return out;
}

told_actor inspector_actor::detail_of(actor_number number) {
  told_actor out;
  for (const auto& one : actor_registry::instance().all()) {
    if (one->number != number) continue;
    out.found = true;
    out.what = book_.detail(now(), wall_clock(), *one, [this](const caf::node_id& x) { return name_of_node(x); });
  }
  return out;
}

}  // namespace kaiku
