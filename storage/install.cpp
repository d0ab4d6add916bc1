/// A state that another disk hands over, in place of this one's.

#include <algorithm>

#include "kaiku/storage/journal.hpp"
#include "kaiku/storage/snapshot_piece.hpp"
#include "kaiku/storage/store_impl.hpp"

namespace kaiku {
namespace {

/// First index of each term, as the leader sent them.
using term_starts = std::map<log_index, term>;

std::string work_prefix(chore kind) {
  return std::string(1, static_cast<char>(kind));
}

term_starts read_terms(const view& state) {
  term_starts starts;
  const auto prefix = work_prefix(chore::term_start);
  auto it = state.scan(family::work);
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    starts.emplace(format::index_of_key(as_view(it->key()).substr(1)), format::read_term(as_view(it->value())));
  }
  state.check_scan(*it);
  return starts;
}

bool leads_to(const term_starts& starts, log_position at) {
  auto next = starts.upper_bound(at.index);
  return next != starts.begin() && std::prev(next)->second == at.in_term;
}

/// Puts the received starts in place of those of the log that goes.
void replace_terms(changes& batch, const database& db, const term_starts& starts) {
  auto it = db.scan(family::terms);
  for (it->SeekToFirst(); it->Valid(); it->Next()) batch.erase(family::terms, as_view(it->key()));
  db.check_scan(*it);
  for (const auto& [first, in_term] : starts) {
    batch.put(family::terms, format::key(first), format::write_term(in_term));
    batch.erase(family::work, work_prefix(chore::term_start) + format::key(first));
  }
}

/// One name, in `parent`, leads to the inode: the only one, or the state is none.
bool expect(changes& batch, inode_id inode, file_info::kind type, inode_id parent) {
  const auto key = format::key_of_expected(inode);
  if (batch.get(family::work, key)) return false;
  batch.put(family::work, key, format::inode_begins(type, parent));
  return true;
}

/// Whether the inodes of the piece are the next of those that names lead to, and at the end of the state all of them.
/// Names come first, so what is missing or too much shows at once.
bool has_expected_inodes(const changes& batch, const read_piece& piece) {
  const auto prefix = work_prefix(chore::expected);
  const auto inodes_cursor = std::string(1, static_cast<char>(piece_part::inodes));
  const bool goes_on = piece.after.starts_with(inodes_cursor);
  const auto passed = goes_on ? prefix + std::string{piece.after.substr(1)} : prefix;
  auto it = batch.scan(family::work);
  it->Seek(passed);
  if (goes_on && it->Valid() && it->key() == passed) it->Next();
  bool fits = true;
  for (const auto& [part, key, value] : piece.records) {
    if (part != piece_part::inodes) continue;
    fits = fits && it->Valid() && it->key() == prefix + std::string{key} && value.starts_with(as_view(it->value()));
    if (fits) it->Next();
  }
  if (piece.is_last()) fits = fits && !(it->Valid() && it->key().starts_with(prefix));
  batch.check_scan(*it);
  return fits;
}

/// Whether the numbers of requests are all there: the oldest is looked up by its number once it is to go.
bool has_numbered_requests(const changes& batch) {
  const auto told = batch.get(family::other_requests, format::request_window_key);
  const auto window = told ? format::read_request_window(*told) : format::request_window{};
  auto next = window.first;
  auto it = batch.scan(family::other_requests);
  it->Seek(format::key_of_request(std::uint64_t{0}));
  for (; it->Valid() && next < window.next && it->key() == format::key_of_request(next); it->Next()) ++next;
  batch.check_scan(*it);
  const bool is_all = !it->Valid() || it->key() == format::request_window_key;
  return next == window.next && is_all;
}

error not_a_tree() {
  return {errc::corrupt, "a piece of a snapshot does not go with those before it"};
}

/// Terms begin one behind the other, and the last is that of `at`.
bool leads_up_to(const term_starts& starts, log_position at) {
  const auto later = [](const auto& one, const auto& next) { return one.second >= next.second; };
  return leads_to(starts, at) && std::adjacent_find(starts.begin(), starts.end(), later) == starts.end();
}

}  // namespace

bool store::impl::has_entry(log_position at) const {
  return at.index <= figures.log.boundary.index || journal::position_at(*db, at.index) == at;
}

std::optional<install_progress> store::installing() const {
  std::lock_guard guard{impl_->mutex};
  return impl_->install;
}

status store::begin_install(log_position at) {
  auto& own = *impl_;
  if (own.install && own.install->at == at) return success();
  if (own.has_entry(at)) return {errc::already_exists, "entry " + to_string(at.index) + " is here"};
  if (auto space = own.check_space(own.content.reserve_of_taken()); !space) return space;
  abandon_install();
  if (own.db->get(family::meta, format::clearing_key)) collect_garbage(limits::batch_entries);
  if (own.db->get(family::meta, format::clearing_key)) {
    return {errc::busy, "what an earlier snapshot left is still being cleared; ask again"};
  }
  auto batch = own.begin();
  expect(batch, format::root_inode, file_info::kind::directory, {});
  own.commit_install(batch, install_progress{at, {}, false});
  return success();
}

void store::abandon_install() {
  auto& own = *impl_;
  if (!own.install) return;
  auto batch = own.begin();
  for (const auto& [first, in_term] : read_terms(*own.db)) {
    batch.erase(family::work, work_prefix(chore::term_start) + format::key(first));
  }
  batch.erase_all(family::work, static_cast<char>(chore::expected));
  batch.erase(family::meta, format::install_members_key);
  batch.put(family::meta, format::clearing_key, "");
  own.commit_install(batch, std::nullopt);
}

void store::impl::commit_install(changes& batch, std::optional<install_progress> next) {
  if (next) {
    batch.put(family::meta, format::install_key, format::write_install(*next));
  } else {
    batch.erase(family::meta, format::install_key);
  }
  commit(batch, state);
  std::lock_guard guard{mutex};
  install = std::move(next);
}

result<std::vector<content_ref>> store::install_piece(std::string_view bytes) {
  auto& own = *impl_;
  const auto piece = decode_piece(bytes);
  if (!piece) return piece.failure();
  if (!own.install || piece->at != own.install->at || piece->after != own.install->cursor) {
    return {errc::log_mismatch, "a piece of a snapshot does not follow what is here"};
  }
  if (auto space = own.check_space(own.content.reserve_of_taken()); !space) return space.failure();
  auto batch = own.begin();
  std::vector<content_ref> missing;
  if (auto taken = own.take(batch, *piece, missing); !taken) {
    // It contradicts what came before it, and that may be what is wrong.
    if (taken.failure().code == errc::corrupt) abandon_install();
    return taken.failure();
  }
  own.commit_install(batch, install_progress{piece->at, piece->cursor(), piece->is_last()});
  return missing;
}

status store::impl::take(changes& batch, const read_piece& piece, std::vector<content_ref>& missing) {
  std::set<content_ref> named;
  for (const auto& [part, key, value] : piece.records) {
    switch (part) {
      case piece_part::members: batch.put(family::meta, format::install_members_key, value); break;
      case piece_part::terms: batch.put(family::work, work_prefix(chore::term_start) + std::string{key}, value); break;
      case piece_part::orphans:
        if (!expect(batch, format::orphan_of_key(key).second, file_info::kind::directory, {})) return not_a_tree();
        batch.put(family::other_orphans, key, value);
        break;
      case piece_part::requests: batch.put(family::other_requests, key, value); break;
      case piece_part::expiries: batch.put(family::other_expiries, key, value); break;
      case piece_part::dentries: {
        const auto leads_to = format::read_dentry(value);
        if (!expect(batch, leads_to.inode, leads_to.type, format::parent_of_key(key))) return not_a_tree();
        batch.put(family::other_dentries, key, value);
        break;
      }
      case piece_part::inodes:
        batch.put(family::other_inodes, key, value);
        if (const auto content_named = format::content_of_inode(value)) {
          batch.name(content_named);
          if (batch.holding_of(*content_named).size != content_named->size) return not_a_tree();
          named.insert(*content_named);
        }
        break;
      case piece_part::content:
        if (auto here = provide(batch, {format::read_digest(key), {value.size()}}, value); !here) return here;
        break;
      case piece_part::end: break;
    }
  }
  if (!has_expected_inodes(batch, piece)) return not_a_tree();
  if (piece.is_last() && !has_numbered_requests(batch)) return not_a_tree();
  std::vector<digest> adopted;
  for (const auto& what : named) {
    auto& held = batch.holding_of(what);
    if (held.here) continue;
    if (!what.is_small() && content.is_staged(what.sha256)) {
      if (auto here = provide(batch, what, {}); !here) {
        disown(adopted);
        return here;
      }
      adopted.push_back(what.sha256);
      continue;
    }
    held.lacked_by = piece.at.index;
    missing.push_back(what);
  }
  return success();
}

std::vector<content_ref> store::impl::lacked(log_index of, std::size_t limit) const {
  const auto prefix = work_prefix(chore::wanted);
  std::vector<content_ref> found;
  auto it = db->scan(family::work);
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix) && found.size() < limit; it->Next()) {
    const auto what = format::digest_of_key(as_view(it->key()));
    const auto known = db->get(family::holdings, format::key(what));
    const auto held = known ? format::read_holding(*known) : holding{};
    if (held.lacked_by == of) found.push_back({what, held.size});
  }
  db->check_scan(*it);
  return found;
}

std::vector<content_ref> store::list_lacked(std::size_t limit) const {
  const auto begun = installing();
  return begun ? impl_->lacked(begun->at.index, limit) : std::vector<content_ref>{};
}

bool store::impl::is_named_by_install(const digest& what) const {
  if (!install) return false;
  bool named = false;
  auto it = db->scan(family::other_inodes);
  for (it->SeekToFirst(); it->Valid() && !named; it->Next()) {
    const auto content_named = format::content_of_inode(as_view(it->value()));
    named = content_named && content_named->sha256 == what;
  }
  db->check_scan(*it);
  return named;
}

status store::finish_install(term leader_term, log_position at) {
  auto& own = *impl_;
  auto next = own.state;
  if (leader_term < next.current || at.in_term > leader_term) {
    return {errc::stale_term, "the current term is " + to_string(next.current)};
  }
  if (leader_term > next.current) {
    next.current = leader_term;
    next.voted_for = {};
  }
  if (own.has_entry(at)) {  // came by appends meanwhile, or this is asked for again
    own.commit(next);
    abandon_install();
    return success();
  }
  if (!own.install || own.install->at != at || !own.install->complete) {
    return {errc::log_mismatch, "pieces of the snapshot are missing"};
  }
  if (!own.lacked(at.index, 1).empty()) return {errc::content_missing, "content of the snapshot is not here yet"};
  const auto starts = read_terms(*own.db);
  if (!leads_up_to(starts, at)) {
    abandon_install();
    return {errc::corrupt, "the snapshot's terms do not lead to its position"};
  }
  next.last = at;
  own.replace_state(next, starts);
  return success();
}

void store::impl::replace_state(const hard_state& next, const std::map<log_index, term>& starts) {
  auto batch = begin();
  // What stands in the sender's history is committed, and so part of the new state. The rest contradicts it.
  auto kept = state.last.index;
  const auto is_of_history = [&](log_index index) {
    const auto at = journal::position_at(*db, index);
    return index <= next.last.index && at && leads_to(starts, *at);
  };
  while (kept > figures.log.boundary.index && !is_of_history(kept)) kept = kept.previous();
  const auto set_apart = kept < state.last.index ? journal::displace(batch, kept.next(), state.last.index) : 0;
  replace_terms(batch, *db, starts);

  const auto members_now = batch.get(family::meta, format::install_members_key);
  batch.erase(family::meta, format::install_members_key);
  batch.erase(family::meta, format::members_key);
  if (members_now) {
    batch.put(family::meta, format::members_key, *members_now);
    const auto cluster = format::read_members(*members_now).cluster;
    batch.put(family::meta, format::confirmed_cluster_key, format::write_cluster(cluster));
  }
  if (db->get(family::meta, format::swapped_key)) {
    batch.erase(family::meta, format::swapped_key);
  } else {
    batch.put(family::meta, format::swapped_key, "");
  }
  batch.erase(family::meta, format::install_key);
  batch.erase_all(family::work, static_cast<char>(chore::expected));
  // The old state and the entries in front of the boundary go bit by bit.
  batch.put(family::meta, format::clearing_key, "");
  batch.after.log = {next.last, {}};
  batch.replace_names();
  commit(batch, next);
  db->look_at_generation();
  displaced += set_apart;
  reclaimed_to.clear();
  std::lock_guard guard{mutex};
  install.reset();
}

}  // namespace kaiku
