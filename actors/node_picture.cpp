#include "kaiku/actors/node_picture.hpp"

#include <algorithm>

namespace kaiku {

void node_picture::on(const role_change& x) {
  if (x.now == role::leader && (role_.now != role::leader || role_.in_term != x.in_term)) ++elections_won_;
  if (!x.leader.name.empty() && (role_.leader != x.leader || role_.in_term != x.in_term)) ++leader_changes_;
  role_ = x;
  if (x.now == role::leader) caught_up_ = true;
}

void node_picture::on(const log_progress& x) {
  progress_ = x;
  if (holds_all_committed()) caught_up_ = true;
}

void node_picture::on(const leader_contact& x, instant now) {
  // Contact that was lost for long means that what was committed meanwhile is not known.
  if (!leader_heard_ || now - *leader_heard_ > 2 * settings_.election_timeout) caught_up_ = false;
  leader_heard_ = now;
  leader_commit_ = x.commit;
  if (holds_all_committed()) caught_up_ = true;
}

node_view node_picture::view(instant now) const {
  node_view v;
  v.self = settings_.self;
  v.cluster = members_.cluster;
  v.now = role_.now;
  v.in_term = role_.in_term;
  v.leader = role_.leader;
  v.applied = settings_.disk->state().last.index;
  v.committed = progress_.commit;
  const bool leads = role_.now == role::leader;
  if (leads) {
    v.leader_http = settings_.http_address;
    v.leader_contact = std::chrono::duration_cast<milliseconds>(now - quorum_.at);
  } else {
    if (auto peer = peers_.find(role_.leader); peer != peers_.end()) v.leader_http = peer->second.http_address;
    if (leader_heard_) v.leader_contact = std::chrono::duration_cast<milliseconds>(now - *leader_heard_);
  }
  if (role_.leader.name.empty()) {
    v.not_ready_reason = "no leader is known";
  } else if (!v.leader_contact || *v.leader_contact > 2 * settings_.election_timeout) {
    v.not_ready_reason = leads ? "the leader has lost contact with a majority" : "contact with the leader is lost";
  } else if (!caught_up_) {
    v.not_ready_reason = "catching up: holds entry " + to_string(progress_.commit) + " of " + to_string(leader_commit_);
  }
  v.ready = v.not_ready_reason.empty();
  // Who has led, and leads no more, has heard a majority and perhaps never a leader.
  if (!leads && quorum_.at != instant{}) {
    const auto age = std::chrono::duration_cast<milliseconds>(now - quorum_.at);
    v.leader_contact = std::min(v.leader_contact.value_or(age), age);
  }
  return v;
}

std::optional<milliseconds> node_picture::last_heard(const node_id& id, instant now) const {
  if (role_.now == role::leader) {
    for (const auto& [peer, at] : quorum_.heard)
      if (peer == id) return std::chrono::duration_cast<milliseconds>(now - at);
    return std::nullopt;
  }
  if (id != role_.leader || !leader_heard_) return std::nullopt;
  return std::chrono::duration_cast<milliseconds>(now - *leader_heard_);
}

member_view node_picture::describe(const member& one, bool votes, instant now) const {
  const bool leads = role_.now == role::leader;
  member_view m;
  m.id = one.id;
  m.peer_address = one.peer_address;
  m.voter = votes;
  if (auto peer = peers_.find(one.id); peer != peers_.end()) {
    m.connected = true;
    m.http_address = peer->second.http_address;
  }
  if (one.id == settings_.self) {
    m.connected = true;
    m.http_address = settings_.http_address;
    m.match = leads ? std::optional{progress_.last.index} : std::nullopt;
  } else if (leads) {
    m.last_heard = last_heard(one.id, now);
    for (const auto& [id, match] : progress_.matches)
      if (id == one.id) m.match = match;
  } else {
    m.last_heard = last_heard(one.id, now);
  }
  return m;
}

cluster_view node_picture::cluster(instant now) const {
  cluster_view v;
  for (const auto& voter : members_.voters) v.members.push_back(describe(voter, true, now));
  for (const auto& learner : members_.learners) v.members.push_back(describe(learner, false, now));
  v.possibly_lost = progress_.possibly_lost;
  const auto& disk = *settings_.disk;
  const auto counters = disk.counters();
  v.log_syncs = counters.syncs;
  v.file_syncs = counters.file_syncs;
  v.set_aside = disk.set_aside_count();
  v.log_entries = counters.entries;
  v.first = disk.first_index();
  v.log_bytes = disk.log_bytes();
  v.elections_won = elections_won_;
  v.leader_changes = leader_changes_;
  for (auto& [name, value] : disk.database_figures()) v.database.push_back({std::move(name), value});
  v.free_space = disk.free_space();
  if (settings_.redis) v.redis = settings_.redis->view();
  return v;
}

node_facts node_picture::facts(instant now) const {
  const auto v = view(now);
  const auto& disk = *settings_.disk;
  node_facts f;
  f.now = v.now;
  f.in_term = v.in_term;
  f.leader = v.leader;
  f.http = settings_.http_address;
  f.voter = std::any_of(members_.voters.begin(), members_.voters.end(),
                        [&](const member& one) { return one.id == settings_.self; });
  f.not_ready_reason = v.not_ready_reason;
  f.first = disk.first_index();
  f.applied = v.applied;
  f.committed = v.committed;
  f.log_bytes = disk.log_bytes();
  f.free_bytes = disk.free_space();
  f.set_aside = disk.set_aside_count();
  if (v.leader_contact)
    f.leader_contact_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(v.leader_contact->count(), 0));
  if (settings_.redis) f.redis = to_string(settings_.redis->view().now);
  return f;
}

}  // namespace kaiku
