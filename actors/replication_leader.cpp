// The leader's half of the replication actor: writes in, entries out, answers at the durability asked for.

#include <spdlog/spdlog.h>

#include "kaiku/actors/clock.hpp"
#include "kaiku/actors/replication_actor.hpp"
#include "kaiku/core/membership.hpp"
#include "kaiku/core/wall_clock.hpp"

namespace kaiku {
namespace {

/// All that a batch belongs to.
template <class Writes>
trace_set_ptr traces_of(const Writes& batch) {
  std::shared_ptr<trace_set> all;
  for (const auto& one : batch) {
    if (!one.of) continue;
    if (!all) all = std::make_shared<trace_set>();
    all->add(*one.of);
  }
  return all;
}

}  // namespace

bool replication_actor::backlog_is_full() const {
  if (backlog_.empty() || machine_.voters() < 2) return false;
  return backlog_.size() >= limits::unreplicated_entries || backlog_bytes_.value >= limits::unreplicated_bytes ||
         kaiku::now(system()) - backlog_.front().since > milliseconds(limits::unreplicated_ms);
}

void replication_actor::note_backlog(const pending_write& write, log_index index) {
  const auto content = content_of(write.what.what);
  backlog_.push_back({index, content ? content->size : byte_count{}, now()});
  backlog_bytes_.value += backlog_.back().size.value;
}

error replication_actor::refusal(durability want) const {
  if (!leading() || hand_over_ || disk_stalled_) return {errc::not_leader, "this node does not lead"};
  if (want == durability::leader && backlog_is_full())
    return {errc::behind, "too much is on the leader's disk only; try again shortly, or ask for durability=majority"};
  if (queue_.size() + waiting_.size() >= limits::queued_writes || queued_bytes_ >= limits::queued_write_bytes)
    return {errc::overloaded, "too many writes wait on the leader; try again shortly"};
  return {};
}

bool replication_actor::in_contact_with_quorum() const {
  return kaiku::now(system()) - quorum_contact_ <= settings_.election_timeout;
}

bool replication_actor::own_word_will_do(const log_position& at) const {
  return leads(at.in_term) && machine_.successors_hold(at.index);
}

result<proposal> replication_actor::read(const write_request& x) const {
  if (x.encoded_command.size() > limits::entry_bytes) return {errc::bad_request, "the command is too large"};
  auto decoded = decode_command(x.encoded_command);
  if (!decoded) return decoded.failure();
  if (std::holds_alternative<set_members>(*decoded) || std::holds_alternative<no_operation>(*decoded) ||
      std::holds_alternative<remove_expired>(*decoded))
    return {errc::bad_request, "a client can't send this command"};
  proposal out{std::move(*decoded), x.when, std::string{x.small_content.view()}};
  if (auto content = content_of(out.what); content && content->is_small()) {
    const auto size = out.small_content.size();
    if (size != content->size.value || sha256(out.small_content) != content->sha256)
      return {errc::digest_mismatch, "the content is not what its digest says"};
  } else if (!out.small_content.empty()) {
    return {errc::bad_request, "bytes came along that the command does not name"};
  }
  // The leader's clock dates every change, so that all nodes fold to identical bytes.
  set_time(out.what, wall_clock());
  return out;
}

replication_actor::write_promise replication_actor::on_write(const write_request& x) {
  auto promise = make_response_promise<write_reply>();
  write_reply no;
  no.failure = refusal(x.want);
  if (no.failure.code == errc::none && !in_contact_with_quorum())
    no.failure = {errc::quorum_lost, "the leader has not heard from a majority; it acknowledges nothing until it does"};
  if (no.failure.code == errc::none) {
    if (auto what = read(x); what.ok()) {
      queued_bytes_ += what->small_content.size();
      queue_.push_back({std::move(*what), x.want, promise, false, trace_scope::now()});
      pump();
      return promise;
    } else {
      no.failure = what.failure();
    }
  }
  promise.deliver(no);
  return promise;
}

void replication_actor::pump() {
  if (!leading() || hand_over_ || proposing_ || queue_.empty()) return;
  auto batch = std::make_shared<std::vector<pending_write>>();
  propose message{role_.in_term, {}};
  std::size_t bytes = 0, cost = 0;
  while (!queue_.empty() && batch->size() < limits::batch_entries && cost < limits::proposal_bytes) {
    auto& next = queue_.front();
    bytes += next.what.small_content.size();
    cost += next.what.small_content.size() + work_of(next.what.what).value;
    message.proposals.push_back(std::move(next.what));
    batch->push_back(std::move(next));
    queue_.pop_front();
  }
  queued_bytes_ -= std::min(queued_bytes_, bytes);
  proposing_ = true;
  proposing_since_ = now();
  const trace_scope scope{traces_of(*batch)};
  const auto first = disk_->state().last.index.next();
  note_traces(*batch, first);
  request(local_.storage, milliseconds(limits::storage_timeout_ms), std::move(message))
      .then([this, batch, first, in_term = role_.in_term](const propose_outcome& outcome) {
        proposing_ = false;
        disk_stalled_ = false;
        if (outcome.after.current > in_term) send(local_.election, hard_state_changed{outcome.after});
        publish_members();                               // what changes them is counted by the new ones
        for (std::size_t i = 0; i < batch->size(); ++i)  // they were guessed: some may have been refused
          if ((*batch)[i].of) traced_.erase({first.value + i});
        on_proposed(*batch, outcome);
        replicate();
        settle_waiting();
        publish_progress();
        try_hand_over();
        pump();
      });
}

void replication_actor::on_proposed(std::vector<pending_write>& batch, const propose_outcome& outcome) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].promise) continue;
    own_entry_left_queue(batch[i].what.what);
    if (batch[i].changes_members)
      on_members_proposed(outcome.results.empty() ? proposed{{}, outcome.failure, {}} : outcome.results[i]);
  }
  if (outcome.failure.code != errc::none) {
    write_reply no;
    no.failure = outcome.failure;
    if (no.failure.code == errc::stale_term) no.failure = {errc::not_leader, "this node does not lead any more"};
    for (auto& write : batch)
      if (write.promise) write.promise->deliver(no);
    return;
  }
  INVARIANT(outcome.results.size() == batch.size(), "storage answers every proposal");
  machine_.on_local_durable(outcome.after.last.index);
  // Where each really stands.
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (batch[i].of && outcome.results[i].index.value > 0) traced_[outcome.results[i].index] = batch[i].of;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto& what = outcome.results[i];
    if (what.index.value > 0 && !what.repeated && leading()) note_backlog(batch[i], what.index);
    if (batch[i].promise) answer(batch[i], what, outcome.after.last.in_term);
  }
}

void replication_actor::note_traces(const std::vector<pending_write>& batch, log_index first) {
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (batch[i].of) traced_[{first.value + i}] = batch[i].of;
  while (traced_.size() > limits::traces) traced_.erase(traced_.begin());
}

trace_set_ptr replication_actor::traces_in(const append_entries& x) const {
  if (traced_.empty() || x.entries.empty()) return nullptr;
  std::shared_ptr<trace_set> all;
  const auto end = traced_.upper_bound(x.entries.back().at.index);
  for (auto one = traced_.lower_bound(x.entries.front().at.index); one != end; ++one) {
    if (!all) all = std::make_shared<trace_set>();
    all->add(*one->second);
  }
  return all;
}

void replication_actor::answer(pending_write& write, const proposed& what, term in_term) {
  const trace_scope scope{write.of};
  write_reply reply;
  reply.failure = what.failure;
  if (what.failure.code != errc::none) {
    write.promise->deliver(reply);
    return;
  }
  reply.token = {tag_of(disk_->members().cluster), {what.in_term, what.index}};
  reply.file = what.file;
  reply.created = what.created;
  reply.repeated = what.repeated;
  reply.holders = static_cast<std::uint32_t>(machine_.holders(what.index));
  reply.voters = static_cast<std::uint32_t>(machine_.voters());
  // A leader that was frozen since it took the write may be one no more: then only a majority's word will do. Likewise
  // one that asked somebody else to lead, who lacks the write.
  if (write.want == durability::leader && own_word_will_do({in_term, what.index})) {
    write.promise->deliver(reply);
  } else {
    waiting_.emplace(what.index,
                     waiting_write{reply, write.want, *write.promise, now() + settings_.durability_wait, write.of});
  }
}

void replication_actor::settle_waiting(bool all) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    auto& [index, write] = *it;
    const auto reached = machine_.reached(index);
    const bool own_word = write.want == durability::leader && own_word_will_do(write.reply.token.at);
    const bool enough = own_word || reached >= std::max(write.want, durability::majority);
    const bool too_late = now() >= write.deadline;
    if (!all && !too_late && !enough) {
      ++it;
      continue;
    }
    auto& reply = write.reply;
    const auto stands = disk_->position(index);
    if (!stands || *stands != reply.token.at) {
      reply.failure = {errc::outcome_unknown, "another leader's log took this write's place on this node"};
    } else if (enough || (too_late && reached == durability::majority)) {
      reply.achieved = reached;
      const auto holders = leading() ? machine_.holders(index) : machine_.voters() / 2 + 1;
      reply.holders = static_cast<std::uint32_t>(holders);
    } else if (!too_late) {
      ++it;
      continue;
    } else if (!own_word_will_do(reply.token.at)) {
      reply.failure = {errc::outcome_unknown, "recorded here, but another node may be leading without it"};
    }
    const trace_scope scope{write.of};
    write.promise.deliver(reply);
    it = waiting_.erase(it);
  }
}

void replication_actor::refuse_queued(const error& why) {
  write_reply no;
  no.failure = why;
  for (auto& write : queue_)
    if (write.promise) write.promise->deliver(no);
  for (const auto& own : queue_) {
    if (own.promise) continue;
    own_entry_left_queue(own.what.what);
    if (own.changes_members) end_member_change(why);
  }
  queue_.clear();
  queued_bytes_ = 0;
}

void replication_actor::propose_first_entry() {
  pending_write first;
  first.what.what = no_operation{};
  if (!disk_->members().cluster.known())
    first.what.what = set_members{settings_.new_cluster, with_known_disks(settings_.bootstrap, disks_)};
  queue_.push_front(std::move(first));
  own_entry_queued_ = true;
}

void replication_actor::propose_expired() {
  if (now() - expired_looked_at_ < milliseconds(limits::expiry_look_ms)) return;
  expired_looked_at_ = now();
  const auto next = disk_->next_expiry();
  const auto time = wall_clock();
  if (!next || *next > time) return;
  pending_write write;
  write.what.what = remove_expired{time};
  queue_.push_back(std::move(write));
  expiry_queued_ = true;
}

void replication_actor::own_entry_left_queue(const command& what) {
  (std::holds_alternative<remove_expired>(what) ? expiry_queued_ : own_entry_queued_) = false;
}

result<append_entries> replication_actor::build_append(const send_append& due, log_index end) const {
  append_entries x;
  x.leader = settings_.self;
  x.in_term = role_.in_term;
  auto previous = disk_->position(due.from.previous());
  INVARIANT(previous.ok(), "the leader has every entry in front of its log's end");
  x.previous = *previous;
  if (!due.probe) x.entries = disk_->read_log(due.from, limits::append_batch_bytes);
  std::erase_if(x.entries, [&](const auto& entry) { return entry.at.index > end; });
  std::optional<content_ref> lost;
  auto contents = disk_->small_contents(x.entries, lost);
  if (lost && local_.scrub)
    caf::anon_send(local_.scrub, suspect_content{*lost});  // it is brought again from who has it
  if (!contents) return contents.failure();
  for (auto& bytes : *contents) x.small_contents.emplace_back(std::move(bytes));
  x.commit = machine_.commit();
  return x;
}

void replication_actor::replicate() {
  if (!leading()) return;
  // What storage has just logged can be read before its word on it arrives here; an answer for more than the machine
  // knows of would be taken for nonsense.
  const auto end = disk_->state().last.index;
  publish_members();  // an entry counts by the members that it may itself name
  machine_.on_local_durable(end);
  std::optional<std::pair<send_append, append_entries>> built;  // followers side by side get the same message
  for (auto due = machine_.due(); !due.empty(); due = machine_.due()) {
    for (const auto& one : due) {
      auto to = peers_.find(one.to);
      INVARIANT(to != peers_.end(), "only connected followers are due");
      if (one.from < disk_->first_index()) {
        send_snapshot(one.to);
        continue;
      }
      if (!built || built->first.from != one.from || built->first.probe != one.probe) {
        auto message = build_append(one, end);
        if (!message) {
          spdlog::error("entries from {} on can't be sent to {}: {}", one.from.value, one.to.name,
                        message.failure().detail);
          machine_.on_unsendable(now(), one.to);
          continue;
        }
        built.emplace(one, std::move(*message));
      }
      const auto& message = built->second;
      const trace_scope scope{traces_in(message)};
      mark_next(*this, caf::actor_cast<caf::strong_actor_ptr>(to->second.replication), to->second.version);
      send(to->second.replication, message);
      const auto last = message.entries.empty() ? one.from.previous() : message.entries.back().at.index;
      machine_.on_sent(now(), one.to, one.from, last);
    }
  }
}

void replication_actor::on_append_reply(const append_reply& x) {
  if (x.in_term > role_.in_term) send(local_.election, higher_term{x.in_term});
  if (!leading() || x.in_term != role_.in_term) return;
  const auto acknowledged = machine_.match_of(x.from);
  machine_.on_reply(now(), x);
  if (const auto held = machine_.match_of(x.from); held < acknowledged)
    spdlog::error(
        "{} acknowledged entries up to {} and now has {}: its disk lost what it said was synced, or is another; "
        "they are sent again",
        x.from.name, acknowledged.value, held.value);
  replicate();
  settle_waiting();
  publish_progress();
  try_hand_over();
}

}  // namespace kaiku
