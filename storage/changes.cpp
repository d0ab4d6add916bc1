#include "kaiku/storage/changes.hpp"

#include <algorithm>

namespace kaiku {
namespace {

bool is_unnamed(const std::optional<holding>& x) {
  return x && x->names == 0 && x->here;
}
bool is_wanted(const std::optional<holding>& x) {
  return x && x->names > 0 && !x->here;
}

}  // namespace

changes::changes(const database& base, const tally& before, unix_time_ms now, bool watched)
    : after(before), base_(base), now_(now), watched_(watched), batch_(rocksdb::BytewiseComparator(), 0, true) {}

std::optional<std::string> changes::get(family where, std::string_view key) const {
  std::string value;
  auto outcome = batch_.GetFromBatchAndDB(&base_.raw(), {}, base_.handle(where), as_slice(key), &value);
  if (outcome.IsNotFound()) return std::nullopt;
  base_.require(outcome, "reading metadata");
  return value;
}

std::unique_ptr<rocksdb::Iterator> changes::scan(family where) const {
  auto* handle = base_.handle(where);
  return std::unique_ptr<rocksdb::Iterator>{batch_.NewIteratorWithBase(handle, base_.raw().NewIterator({}, handle))};
}

void changes::note(family where, std::string_view key) {
  if (!watched_ || touched_.everything) return;
  if (where == family::dentries) touched_.keys.push_back({changed_key::kind::name, std::string{key}});
  if (where == family::inodes) touched_.keys.push_back({changed_key::kind::inode, std::string{key}});
}

void changes::put(family where, std::string_view key, std::string_view value) {
  note(where, key);
  base_.require(batch_.Put(base_.handle(where), as_slice(key), as_slice(value)), "gathering a batch");
}

void changes::erase(family where, std::string_view key) {
  note(where, key);
  base_.require(batch_.Delete(base_.handle(where), as_slice(key)), "gathering a batch");
}

void changes::erase_all(family where) {
  // Behind every key: they begin with a letter, or with a number that no count of entries and no time comes to.
  static const std::string end(16, '\xff');
  base_.require(batch().DeleteRange(base_.handle(where), "", end), "gathering a batch");
}

void changes::erase_all(family where, char first) {
  const std::string begin(1, first), end(1, static_cast<char>(first + 1));
  base_.require(batch().DeleteRange(base_.handle(where), begin, end), "gathering a batch");
}

void changes::fold(log_index index, const std::vector<tree::state_write>& writes) {
  std::vector<format::old_value> before;
  before.reserve(writes.size());
  for (const auto& write : writes) {
    before.push_back({write.where, write.key, get(write.where, write.key)});
    const bool leaves_a_file =
        write.where == family::inodes && before.back().value && format::content_of_inode(*before.back().value);
    if (leaves_a_file || write.where == family::orphans) after.superseded = index;
    if (write.value) {
      put(write.where, write.key, *write.value);
      if (write.where == family::inodes) name(format::content_of_inode(*write.value));
    } else {
      erase(write.where, write.key);
    }
  }
  const auto record = format::write_undo(before);
  put(family::undo, format::key(index), record);
  after.log.bytes.value += record.size();
}

void changes::unfold(log_index index) {
  const auto record = get(family::undo, format::key(index));
  INVARIANT(record.has_value(), "every entry of the log has an undo record");
  auto before = format::read_undo(*record);
  std::reverse(before.begin(), before.end());
  for (const auto& old : before) {
    if (old.where == family::inodes) {
      if (const auto current = get(old.where, old.key)) unname(format::content_of_inode(*current));
    }
    if (old.value) {
      put(old.where, old.key, *old.value);
    } else {
      erase(old.where, old.key);
    }
  }
  erase(family::undo, format::key(index));
  after.log.bytes.value -= record->size();
}

void changes::forget_undo(log_index index) {
  const auto record = get(family::undo, format::key(index));
  INVARIANT(record.has_value(), "every entry of the log has an undo record");
  for (const auto& old : format::read_undo(*record)) {
    if (old.where == family::inodes && old.value) unname(format::content_of_inode(*old.value));
  }
  erase(family::undo, format::key(index));
  after.log.bytes.value -= record->size();
}

holding& changes::holding_of(const content_ref& what) {
  auto [it, fresh] = counted_.try_emplace(what.sha256);
  if (fresh) {
    if (const auto known = base_.get(family::holdings, format::key(what.sha256))) {
      it->second.now = format::read_holding(*known);
      it->second.before = it->second.now;
    } else {
      it->second.now.size = what.size;
    }
  }
  return it->second.now;
}

void changes::name(const std::optional<content_ref>& what) {
  if (what) ++holding_of(*what).names;
}

void changes::unname(const std::optional<content_ref>& what) {
  if (!what) return;
  auto& held = holding_of(*what);
  INVARIANT(held.names > 0, "content is named as often as it was counted");
  --held.names;
}

void changes::settle() {
  for (auto& [what, x] : counted_) settle(what, x);
  counted_.clear();
}

void changes::settle(const digest& what, counted& x) {
  std::optional<holding> now;
  if (x.now.names > 0 || x.now.here) now = x.now;
  if (is_unnamed(now) && !is_unnamed(x.before)) now->unnamed_since = now_;
  if (now && now->here) now->lacked_by = {};
  if (now == x.before) return;
  if (is_unnamed(x.before)) erase(family::work, format::key(x.before->unnamed_since, what));
  if (is_unnamed(now)) put(family::work, format::key(now->unnamed_since, what), "");
  if (is_wanted(x.before) && !is_wanted(now)) erase(family::work, format::key(chore::wanted, what));
  if (is_wanted(now)) put(family::work, format::key(chore::wanted, what), "");
  const auto key = format::key(what);
  if (now) {
    put(family::holdings, key, format::write_holding(*now));
  } else if (x.before) {
    erase(family::holdings, key);
    if (!content_ref{what, x.before->size}.is_small()) put(family::work, format::key(chore::doomed, what), "");
  }
}

}  // namespace kaiku
