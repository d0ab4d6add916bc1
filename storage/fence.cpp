/// The calls that change term, vote and the end of the log, but for `finish_install` (in `install.cpp`).

#include <algorithm>
#include <map>

#include "kaiku/storage/journal.hpp"
#include "kaiku/storage/store_impl.hpp"

namespace kaiku {
namespace {

/// What elects a leader and what frees space must go on when files no longer fit.
bool may_use_reserve(const command& what) {
  return std::holds_alternative<no_operation>(what) || std::holds_alternative<set_members>(what) ||
         std::holds_alternative<remove_path>(what) || std::holds_alternative<remove_expired>(what);
}

/// An append taken apart and found sound in itself.
struct checked_append {
  std::vector<command> commands;             ///< of `entries`, in order
  std::map<digest, std::string_view> small;  ///< what came along, verified
};

result<checked_append> check(const append_command& what) {
  checked_append out;
  if (what.previous.in_term > what.leader_term ||
      (what.previous.index.value == 0) != (what.previous.in_term.value == 0)) {
    return {errc::corrupt, "the position before the entries can't be"};
  }
  auto before = what.previous;
  std::map<digest, byte_count> named;
  for (const auto& entry : what.entries) {
    const auto& at = entry.at;
    if (at.index != before.index.next() || at.in_term < before.in_term || at.in_term > what.leader_term ||
        at.in_term.value == 0) {
      return {errc::corrupt, "entry " + to_string(at.index) + " is out of order"};
    }
    before = at;
    auto decoded = decode_command(entry.encoded_command);
    if (!decoded) return {errc::corrupt, "entry " + to_string(at.index) + " does not decode"};
    if (const auto content = content_of(*decoded)) named.emplace(content->sha256, content->size);
    out.commands.push_back(std::move(decoded).value());
  }
  for (const auto& bytes : what.small_contents) {
    const auto digest = sha256(bytes);
    const auto it = named.find(digest);
    if (it == named.end() || it->second.value != bytes.size()) {
      return {errc::corrupt, "content " + to_string(digest) + " is not what the entries name"};
    }
    out.small.emplace(digest, bytes);
  }
  return out;
}

/// The first outcome of a request, once more.
proposed repeat(const format::request_value& known) {
  proposed out;
  out.index = known.at.index;
  out.in_term = known.at.in_term;
  out.created = known.created;
  out.repeated = true;
  if (known.file) out.file = *known.file;
  return out;
}

}  // namespace

// --- impl
// ---------------------------------------------------------------------------------------------------------------

void store::impl::commit(changes& batch, const hard_state& next) {
  INVARIANT(next.current >= state.current && next.last.in_term <= next.current, "terms never go back");
  batch.settle();
  if (batch.after.log != figures.log) {
    batch.put(family::meta, format::extent_key, format::write_extent(batch.after.log));
  }
  if (next != state) batch.put(family::meta, format::hard_state_key, format::write_hard_state(next));
  if (batch.empty()) return;
  const auto voters = tree::members(batch);
  content.sync_adopted();
  if (feed) feed->announce(batch.take_touched());
  db->write(batch.batch());
  {
    std::lock_guard guard{mutex};
    state = next;
    members = voters;
    figures = batch.after;
  }
  if (feed) feed->settle(db->raw().GetLatestSequenceNumber());
}

void store::impl::commit(const hard_state& next) {
  auto batch = begin();
  commit(batch, next);
}

status store::impl::check_space(std::uint64_t reserve) const {
  if (content.free_space_above(reserve).value > 0) return success();
  content.note_refusal();
  return {errc::disk_full, "the disk is full but for a reserve of " + std::to_string(reserve) + " bytes"};
}

status store::impl::provide(changes& batch, const content_ref& what, std::string_view small_content) {
  auto& held = batch.holding_of(what);
  if (held.here && held.size != what.size) {
    return {errc::corrupt, "content " + to_string(what.sha256) + " has another size"};
  }
  if (what.is_small()) {
    // Damaged bytes count as missing: good ones may replace them. Not found: they are in this batch.
    const auto stored = held.here ? db->content(what.sha256) : std::string{};
    if (held.here && (stored.ok() || stored.failure().code == errc::not_found)) return success();
    if (small_content.size() != what.size.value) {
      return {errc::content_missing, "content " + to_string(what.sha256) + " is not here"};
    }
    if (sha256(small_content) != what.sha256) return {errc::digest_mismatch, "the content does not match its digest"};
    batch.put(family::contents, format::key(what.sha256), small_content);
  } else {
    if (held.here) return success();
    if (auto adopted = content.adopt(what); !adopted) return adopted;
  }
  held.here = true;
  held.size = what.size;
  return success();
}

bool store::impl::is_here(const digest& what) const {
  const auto held = db->get(family::holdings, format::key(what));
  return held && format::read_holding(*held).here;
}

void store::impl::disown(std::span<const digest> blobs) {
  if (auto removed = content.remove(blobs); !removed) db->stop(removed.failure().detail);
}

proposed store::impl::evaluate(changes& batch, const proposal& what, log_position before, term in_term) {
  const log_position at{in_term, before.index.next()};
  proposed out;
  const auto refuse = [&](const error& why) {
    out.failure = why;
    return out;
  };
  if (const auto* key = key_of(what.what)) {
    if (auto known = tree::find_request(batch, key->key)) {
      if (known->fingerprint == key->fingerprint) return repeat(*known);
      return refuse({errc::key_reused, "another request came with this idempotency key"});
    }
  }
  const auto reserve = may_use_reserve(what.what) ? content.reserve_of_freeing() : content.reserve();
  if (auto space = check_space(reserve); !space) return refuse(space.failure());
  log_entry entry{at, encode(what.what)};
  auto planned = tree::plan(batch, what.what, what.when, at);
  if (!planned) return refuse(planned.failure());
  // What followers can't decode must never get into the log.
  if (!decode_command(entry.encoded_command).ok()) return refuse({errc::bad_request, "the command is not well-formed"});
  if (const auto content_named = content_of(what.what)) {
    if (auto here = provide(batch, *content_named, what.small_content); !here) return refuse(here.failure());
  }
  journal::append(batch, before, entry, what.what, planned->writes);
  out.index = at.index;
  out.in_term = at.in_term;
  out.file = std::move(planned->file);
  out.created = planned->created;
  return out;
}

result<std::size_t> store::impl::count_known(std::span<const log_entry> entries) const {
  std::size_t known = 0;
  for (const auto& entry : entries) {
    const bool behind = entry.at.index <= figures.log.boundary.index;
    const auto standing = journal::entry_at(*db, entry.at.index);
    const auto at = standing ? standing->at : journal::position_at(*db, entry.at.index);
    if (behind && at && *at != entry.at) {
      return {errc::corrupt, "entry " + to_string(entry.at.index) + " contradicts what is committed here"};
    }
    if (!behind && at != entry.at) break;
    if (standing && standing->encoded_command != entry.encoded_command) {
      return {errc::corrupt, "entry " + to_string(entry.at.index) + " says something else here"};
    }
    ++known;
  }
  return known;
}

status store::impl::take(changes& batch, log_position before, std::span<const log_entry> entries,
                         std::span<const command> commands, const small_bytes& small, std::size_t& displaced_here) {
  // Its leader found room for them. Were a disk that is a little fuller to refuse what came last, nothing that frees
  // space could follow.
  const bool frees = std::all_of(commands.begin(), commands.end(), may_use_reserve);
  if (auto space = check_space(frees ? content.reserve_of_freeing() : content.reserve_of_taken()); !space) return space;
  for (const auto& what : commands) {
    const auto named = content_of(what);
    if (named && !named->is_small() && !content.is_staged(named->sha256) && !batch.holding_of(*named).here) {
      return {errc::content_missing, "content " + to_string(named->sha256) + " is not here"};
    }
  }
  if (entries.front().at.index <= state.last.index) {
    displaced_here = journal::displace(batch, entries.front().at.index, state.last.index);
  }
  std::vector<digest> adopted;
  const auto refuse = [&](error why) -> status {
    disown(adopted);
    return why;
  };
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& at = entries[i].at;
    if (const auto named = content_of(commands[i])) {
      const auto it = small.find(named->sha256);
      const bool had = batch.holding_of(*named).here;
      auto here = provide(batch, *named, it == small.end() ? std::string_view{} : it->second);
      // The leader always sends small content along: there is nothing to fetch.
      if (!here && named->is_small()) return refuse({errc::corrupt, here.failure().detail});
      if (!here) return refuse(here.failure());
      if (!had && !named->is_small()) adopted.push_back(named->sha256);
    }
    const auto planned = tree::plan(batch, commands[i], {}, at);
    // Its log is another than it says, or this state is not what the log says: either way it goes no further.
    if (!planned)
      return refuse(
          {errc::corrupt, "entry " + to_string(at.index) + " does not hold here: " + planned.failure().detail});
    journal::append(batch, before, entries[i], commands[i], planned->writes);
    before = at;
    // It may have been displaced before, and come back with a leader that kept it.
    if (batch.get(family::set_aside, format::key(at))) {
      batch.erase(family::set_aside, format::key(at));
      batch.unname(content_of(commands[i]));
      --batch.after.set_aside;
    }
  }
  return success();
}

// --- the fence
// -----------------------------------------------------------------------------------------------------------

vote_decision store::decide_ballot(const vote_request& ballot) {
  auto decision = decide(impl_->state, ballot);
  impl_->commit(decision.after);
  return decision;
}

hard_state store::adopt_term(term in_term) {
  auto next = impl_->state;
  if (in_term > next.current) {
    next.current = in_term;
    next.voted_for = {};
    impl_->commit(next);
  }
  return next;
}

hard_state store::confirm_cluster() {
  auto& own = *impl_;
  const auto now = members();
  if (!now.cluster.known() || now.confirmed) return own.state;
  auto batch = own.begin();
  batch.put(family::meta, format::confirmed_cluster_key, format::write_cluster(now.cluster));
  own.commit(batch, own.state);
  return own.state;
}

hard_state store::note_latecomer() {
  auto& own = *impl_;
  if (own.latecomer) return own.state;
  auto batch = own.begin();
  batch.put(family::meta, format::latecomer_key, "");
  own.commit(batch, own.state);
  std::lock_guard guard{own.mutex};
  own.latecomer = true;
  return own.state;
}

propose_outcome store::propose(term in_term, std::span<const proposal> proposals) {
  auto next = impl_->state;
  propose_outcome out;
  out.after = next;
  if (in_term != next.current || in_term.value == 0) {  // nobody leads term 0
    out.failure = {errc::stale_term, "the current term is " + to_string(next.current)};
    return out;
  }
  auto batch = impl_->begin();
  bool full = !proposals.empty();
  for (const auto& what : proposals) {
    out.results.push_back(impl_->evaluate(batch, what, next.last, in_term));
    const auto& result = out.results.back();
    if (result.index.value > 0 && !result.repeated) next.last = {in_term, result.index};
    full = full && result.failure.code == errc::disk_full;
  }
  if (full) {
    out.failure = out.results.front().failure;
    out.results.clear();
  } else if (next.last != impl_->state.last) {
    impl_->written += next.last.index.value - impl_->state.last.index.value;
    impl_->commit(batch, next);
  }
  out.after = impl_->state;
  return out;
}

append_outcome store::append(const append_command& what) {
  auto& own = *impl_;
  append_outcome out;
  out.after = own.state;
  if (what.leader_term < own.state.current) {
    out.failure = {errc::stale_term, "the current term is " + to_string(own.state.current)};
    return out;
  }
  auto next = own.state;
  if (what.leader_term > next.current) {
    next.current = what.leader_term;
    next.voted_for = {};
  }
  // The term is taken even if the entries are not.
  const auto refuse = [&](error why) {
    next.last = own.state.last;
    own.commit(next);
    out.after = own.state;
    out.failure = std::move(why);
    return out;
  };
  const auto checked = check(what);
  if (!checked) return refuse(checked.failure());
  const auto previous = journal::position_at(*own.db, what.previous.index);
  if (const auto& boundary = own.figures.log.boundary; what.previous.index <= boundary.index) {
    if (previous && *previous != what.previous) {
      return refuse({errc::corrupt, "entry " + to_string(what.previous.index) + " contradicts what is committed here"});
    }
  } else if (previous != what.previous) {
    out.hint = journal::meeting_hint(*own.db, what.previous, own.state.last);
    return refuse({errc::log_mismatch, "the log does not hold entry " + to_string(what.previous.index) + " of term " +
                                           to_string(what.previous.in_term)});
  }
  const auto known = own.count_known(what.entries);
  if (!known) return refuse(known.failure());
  const auto fresh = std::span{what.entries}.subspan(*known);
  const auto commands = std::span{checked->commands}.subspan(*known);
  if (!fresh.empty()) {
    auto batch = own.begin();
    const auto before = *known == 0 ? what.previous : what.entries[*known - 1].at;
    if (auto failure = own.take(batch, before, fresh, commands, checked->small, out.set_aside); !failure) {
      out.set_aside = 0;
      return refuse(failure.failure());
    }
    next.last = fresh.back().at;
    own.commit(batch, next);
    own.written += fresh.size();
    own.displaced += out.set_aside;
    if (out.set_aside > 0) out.displaced_from = fresh.front().at.index;
  } else {
    own.commit(next);
  }
  out.after = own.state;
  out.match = {what.previous.index.value + what.entries.size()};
  return out;
}

}  // namespace kaiku
