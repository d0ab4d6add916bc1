#include "node.hpp"

#include <algorithm>
#include <utility>

#include "kaiku/core/limits.hpp"
#include "kaiku/core/membership.hpp"

namespace kaiku::simulation {

node::node(surroundings& around, node_id self, std::uint64_t boot, const node_clock& clock, simulated_storage& disk,
           std::vector<member> founders)
    : around_(around),
      self_(std::move(self)),
      boot_(boot),
      clock_(clock),
      disk_(disk),
      founders_(std::move(founders)),
      liveness_(self_, {}),
      machine_(self_, {}) {
  disk_.start([this](microseconds delay, schedule::action what) { later(delay, std::move(what)); });
  disks_[self_] = disk_.durable().disk;
  members_ = members_in_force();
  machine_.set_members(now(), members_->voters, members_->learners);
  heartbeat_voters_ = members_->voters;
  liveness_.set_voters(names_of(heartbeat_voters_));
  election_settings settings{self_, names_of(members_->voters), election_timeout,
                             [this](auto bound) { return around_.luck.below(bound); },
                             may_stand_for_another(*members_, self_, disk_.durable().disk)};
  election_ = std::make_unique<election>(std::move(settings), disk_.durable().state(), now());
  heartbeat_role_ = replication_role_ = {role::follower, disk_.durable().current, {}};
  arm_election();
  on_timer();
}

// --- running ------------------------------------------------------------------------------------------------------

void node::later(microseconds delay, schedule::action what) {
  around_.time.after(delay, [this, alive = std::weak_ptr(alive_), what = std::move(what)]() mutable {
    if (!alive.expired()) resume(std::move(what));
  });
}

void node::resume(schedule::action what) {
  if (around_.time.now() < paused_until_)
    later(paused_until_ - around_.time.now(), std::move(what));
  else
    what();
}

void node::post(mailbox to, schedule::action what) {
  auto& luck = around_.luck;
  auto delay = luck.between(microseconds{0}, microseconds{200});
  if (luck.percent(around_.sluggish_percent)) delay += luck.between(microseconds{0}, microseconds{100'000});
  if (to == mailbox::replication && luck.below(1000) < around_.busy_permille)
    delay += luck.between(milliseconds{0}, milliseconds{2000});
  auto& last = mailbox_last_[static_cast<std::size_t>(to)];
  last = std::max(last, around_.time.now() + delay);
  later(last - around_.time.now(), std::move(what));
}

void node::takes_effect() {
  if (effects_left_ && (*effects_left_)-- == 0) throw process_died{self_};
}

void node::send(const node_id& to, message what) {
  takes_effect();
  around_.judge.sending(now(), self_, to, what);
  around_.net.send(self_, to, std::make_shared<const message>(std::move(what)));
}

void node::receive(const parcel& what) {
  struct destination {
    mailbox operator()(const vote_request&) { return mailbox::election; }
    mailbox operator()(const vote_reply&) { return mailbox::election; }
    mailbox operator()(const timeout_now&) { return mailbox::election; }
    mailbox operator()(const heartbeat&) { return mailbox::heartbeat; }
    mailbox operator()(const heartbeat_reply&) { return mailbox::heartbeat; }
    mailbox operator()(const append_entries&) { return mailbox::replication; }
    mailbox operator()(const append_reply&) { return mailbox::replication; }
    mailbox operator()(const install_snapshot&) { return mailbox::replication; }
    mailbox operator()(const read_snapshot&) { return mailbox::replication; }
    mailbox operator()(const snapshot_range&) { return mailbox::replication; }
  };
  struct handler {
    node& x;
    void operator()(const vote_request& m) { x.carry_out(x.election_->on_vote_request(x.now(), m)); }
    void operator()(const vote_reply& m) { x.carry_out(x.election_->on_vote_reply(x.now(), m)); }
    void operator()(const timeout_now& m) { x.carry_out(x.election_->on_timeout_now(x.now(), m.in_term)); }
    void operator()(const heartbeat& m) { x.on_heartbeat(m); }
    void operator()(const heartbeat_reply& m) { x.on_heartbeat_reply(m); }
    void operator()(const append_entries& m) { x.on_append(m); }
    void operator()(const append_reply& m) { x.on_append_reply(m); }
    void operator()(const install_snapshot& m) { x.on_install(m); }
    void operator()(const read_snapshot& m) { x.on_read_snapshot(m); }
    void operator()(const snapshot_range& m) { x.on_snapshot_range(m); }
  };
  post(std::visit(destination{}, *what), [this, what] { std::visit(handler{*this}, *what); });
}

void node::check_bounds() const {
  const auto& judge = around_.judge;
  judge.bounded(self_, "storage queue", disk_.queued(), storage_queue_max);
  judge.bounded(self_, "queued writes", queue_.size(), writes_waiting_max + 1);
  judge.bounded(self_, "waiting reads", reads_.size(), reads_waiting_max);
  judge.bounded(self_, "waiting writes", waiting_.size(), 2 * writes_waiting_max);
  judge.bounded(self_, "inbox of appends", inbox_.size(), 2 * limits::append_window);
  for (const auto& [id, follower] : machine_.followers())
    judge.bounded(self_, "window to a follower", follower.in_flight.size(), limits::append_window);
}

// --- election -----------------------------------------------------------------------------------------------------

void node::carry_out(const election_effects& effects) {
  for (const auto& one : effects) {
    takes_effect();
    if (const auto* ask = std::get_if<effect::ask_storage>(&one)) {
      disk_.ballot(ask->ballot, [this, ballot = ask->ballot](const vote_decision& decision) {
        post(mailbox::election,
             [this, ballot, decision] { carry_out(election_->on_vote_decision(now(), ballot, decision)); });
      });
    } else if (const auto* adopt = std::get_if<effect::adopt_term>(&one)) {
      disk_.adopt_term(adopt->in_term, [this](const hard_state& state) {
        post(mailbox::election, [this, state] { carry_out(election_->on_hard_state(now(), state)); });
      });
    } else if (const auto* request = std::get_if<effect::send_vote_request>(&one)) {
      send(request->to, request->request);
    } else if (const auto* reply = std::get_if<effect::send_vote_reply>(&one)) {
      send(reply->to, reply->reply);
    } else if (const auto* change = std::get_if<effect::announce>(&one)) {
      announce(change->change);
    }
  }
  arm_election();
}

void node::leader_contact(const node_id& leader, term in_term) {
  const role_change before{election_->current_role(), election_->current_term(), election_->leader()};
  carry_out(election_->on_leader_contact(now(), leader, in_term));
  around_.judge.hears(self_, before, in_term,
                      {election_->current_role(), election_->current_term(), election_->leader()});
}

void node::announce(const role_change& change) {
  around_.notes.note(self_.name, " is ", to_string(change.now), " term=", to_string(change.in_term),
                     " leader=", change.leader.name);
  if (change.now == role::leader) around_.judge.leads(change.asked_at, self_, boot_, change.in_term);
  post(mailbox::heartbeat, [this, change] { heartbeat_role(change); });
  post(mailbox::replication, [this, change] { replication_role(change); });
}

void node::arm_election() {
  const auto deadline = election_->deadline();
  if (std::exchange(election_armed_, deadline) == deadline || deadline == instant::max()) return;
  const auto epoch = ++election_epoch_;
  later(clock_.global(deadline) - around_.time.now(), [this, epoch] {
    if (epoch != election_epoch_) return;
    election_armed_ = instant::max();
    carry_out(election_->on_deadline(now()));
  });
}

// --- heartbeat ----------------------------------------------------------------------------------------------------

void node::heartbeat_role(const role_change& change) {
  const bool led = heartbeat_role_.now == role::leader && heartbeat_role_.in_term == change.in_term;
  heartbeat_role_ = change;
  ++beat_epoch_;
  if (change.now != role::leader || led) return;
  liveness_.begin_leading(change.asked_at);
  leads_since_ = now();
  beat();
}

void node::beat() {
  const auto contact = liveness_.quorum_contact(now());
  // The first round has T to be answered, however long the votes took.
  const bool lost = now() - std::max(contact, leads_since_) > election_timeout;
  around_.judge.claims_quorum(self_, heartbeat_role_.in_term, contact, lost, heartbeat_voters_);
  publish_contact();
  if (lost)
    post(mailbox::election,
         [this, in_term = heartbeat_role_.in_term] { carry_out(election_->on_quorum_lost(now(), in_term)); });
  begin_round();
  later(heartbeat_interval, [this, epoch = ++beat_epoch_] {
    if (epoch == beat_epoch_) beat();
  });
}

void node::begin_round() {
  const auto round = liveness_.begin_round(now());
  for (const auto& peer : linked_) send(peer, heartbeat{self_, heartbeat_role_.in_term, round, progress_commit_});
}

void node::on_heartbeat(const heartbeat& x) {
  // A leader of an older term is answered too, so that it learns of the newer one, and not as if it were followed.
  const auto known = std::max(heartbeat_role_.in_term, disk_.durable().current);
  if (x.in_term >= known) around_.judge.follows(self_, x);
  const auto round = x.in_term < known ? 0 : x.round;
  send(x.leader, heartbeat_reply{self_, std::max(known, x.in_term), round});
  if (x.in_term < known) return;
  liveness_.on_leader(now(), x.leader);
  post(mailbox::election, [this, leader = x.leader, in_term = x.in_term] { leader_contact(leader, in_term); });
  post(mailbox::replication, [this, x] { learn_commit(x.in_term, x.commit); });
}

void node::on_heartbeat_reply(const heartbeat_reply& x) {
  if (x.in_term > heartbeat_role_.in_term)
    post(mailbox::election, [this, x] { carry_out(election_->on_higher_term(now(), x.in_term)); });
  if (heartbeat_role_.now == role::leader && x.in_term == heartbeat_role_.in_term)
    liveness_.on_reply(now(), x.from, x.round);
  publish_contact();
}

void node::publish_contact() {
  if (heartbeat_role_.now != role::leader) return;
  post(mailbox::replication,
       [this, in_term = heartbeat_role_.in_term, at = liveness_.quorum_contact(now()), voters = heartbeat_voters_] {
         if (in_term != replication_role_.in_term) return;
         if (at > quorum_contact_) {
           quorum_contact_ = at;
           contact_voters_ = voters;
         }
         settle_reads();
       });
}

}  // namespace kaiku::simulation
