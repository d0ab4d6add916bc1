#include "node.hpp"

#include <algorithm>
#include <utility>

#include "kaiku/core/limits.hpp"

namespace kaiku::simulation {

node::node(surroundings& around, node_id self, std::uint64_t boot, node_clock clock, simulated_storage& disk,
           std::set<std::string>& contents)
    : around_(around),
      self_(std::move(self)),
      boot_(boot),
      clock_(clock),
      disk_(disk),
      contents_(contents),
      liveness_(self_, around.voters),
      machine_(self_, around.voters) {
  disk_.start([this](microseconds delay, schedule::action what) { later(delay, std::move(what)); });
  election_settings settings{self_, around.voters, election_timeout,
                             [this](auto bound) { return around_.luck.below(bound); }};
  election_ = std::make_unique<election>(std::move(settings), disk_.durable().state(), now());
  heartbeat_role_ = replication_role_ = {role::follower, disk_.durable().current, {}};
  arm_election();
  retry_periodically();
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
  auto& last = mailbox_last_[static_cast<std::size_t>(to)];
  last = std::max(last, around_.time.now() + delay);
  later(last - around_.time.now(), std::move(what));
}

void node::send(const node_id& to, message what) {
  around_.judge.sending(now(), self_, to, what);
  around_.net.send(self_, to, std::move(what));
}

void node::receive(const node_id&, const message& what) {
  struct visitor {
    node& x;
    void operator()(const vote_request& m) {
      x.post(mailbox::election,
             [this_ = &x, m] { this_->carry_out(this_->election_->on_vote_request(this_->now(), m)); });
    }
    void operator()(const vote_reply& m) {
      x.post(mailbox::election,
             [this_ = &x, m] { this_->carry_out(this_->election_->on_vote_reply(this_->now(), m)); });
    }
    void operator()(const timeout_now& m) {
      x.post(mailbox::election,
             [this_ = &x, m] { this_->carry_out(this_->election_->on_timeout_now(this_->now(), m.in_term)); });
    }
    void operator()(const heartbeat& m) {
      x.post(mailbox::heartbeat, [this_ = &x, m] { this_->on_heartbeat(m); });
    }
    void operator()(const heartbeat_reply& m) {
      x.post(mailbox::heartbeat, [this_ = &x, m] { this_->on_heartbeat_reply(m); });
    }
    void operator()(const append_entries& m) {
      x.post(mailbox::replication, [this_ = &x, m] { this_->on_append(m); });
    }
    void operator()(const append_reply& m) {
      x.post(mailbox::replication, [this_ = &x, m] { this_->on_append_reply(m); });
    }
  };
  std::visit(visitor{*this}, what);
}

void node::check_bounds() const {
  around_.judge.bounded(self_.name + "'s storage queue", disk_.queued(), storage_queue_max);
  around_.judge.bounded(self_.name + "'s queued writes", queue_.size(), writes_waiting_max + 1);
  around_.judge.bounded(self_.name + "'s waiting writes", waiting_.size(), writes_waiting_max);
  around_.judge.bounded(self_.name + "'s inbox of appends", inbox_.size(), 2 * limits::append_window);
  for (const auto& [id, follower] : machine_.followers())
    around_.judge.bounded(self_.name + "'s window to " + id.name, follower.in_flight.size(), limits::append_window);
}

// --- election -----------------------------------------------------------------------------------------------------

void node::carry_out(const election_effects& effects) {
  for (const auto& one : effects) {
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

void node::announce(const role_change& change) {
  around_.notes.note(self_.name, " is ", to_string(change.now), " term=", to_string(change.in_term),
                     " leader=", change.leader.name);
  if (change.now == role::leader) around_.judge.leads(now(), self_, boot_, change.in_term);
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
  liveness_.begin_leading(now());
  around_.judge.counts_quorum_since(now(), change.in_term);
  beat();
}

void node::beat() {
  const auto contact = liveness_.quorum_contact(now());
  around_.judge.claims_quorum(now(), self_, heartbeat_role_.in_term, contact);
  if (now() - contact > election_timeout)
    post(mailbox::election,
         [this, in_term = heartbeat_role_.in_term] { carry_out(election_->on_quorum_lost(now(), in_term)); });
  const auto round = liveness_.begin_round(now());
  for (const auto& voter : around_.voters)
    if (voter != self_) send(voter, heartbeat{self_, heartbeat_role_.in_term, round, progress_commit_});
  later(heartbeat_interval, [this, epoch = ++beat_epoch_] {
    if (epoch == beat_epoch_) beat();
  });
}

void node::on_heartbeat(const heartbeat& x) {
  // A leader of an older term is answered too, so that it learns of the newer one.
  const auto known = heartbeat_role_.in_term;
  if (x.in_term >= known) around_.judge.follows(self_, x);
  send(x.leader, heartbeat_reply{self_, std::max(known, x.in_term), x.round});
  if (x.in_term < known) return;
  liveness_.on_leader(now(), x.leader);
  post(mailbox::election, [this, x] { carry_out(election_->on_leader_contact(now(), x.leader, x.in_term)); });
  post(mailbox::replication, [this, x] { learn_commit(x.in_term, x.commit); });
}

void node::on_heartbeat_reply(const heartbeat_reply& x) {
  if (x.in_term > heartbeat_role_.in_term)
    post(mailbox::election, [this, x] { carry_out(election_->on_higher_term(now(), x.in_term)); });
  if (heartbeat_role_.now == role::leader && x.in_term == heartbeat_role_.in_term)
    liveness_.on_reply(now(), x.from, x.round);
}

}  // namespace kaiku::simulation
