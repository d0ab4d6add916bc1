/// Entries that another leader's log displaced.

#include "kaiku/storage/store_impl.hpp"

namespace kaiku {
namespace {

set_aside_entry read(std::string_view key, std::string_view value) {
  const auto stored = format::read_set_aside(value);
  auto what = decode_command(stored.command);
  INVARIANT(what.ok(), "what was logged decodes");
  return {format::position_of_key(key), std::move(what).value(), stored.since};
}

std::uint64_t cost(const set_aside_entry& x) {
  const auto content = content_of(x.what);
  return encode(x.what).size() + (content ? content->size.value : 0);
}

void drop(changes& batch, const set_aside_entry& x) {
  batch.erase(family::set_aside, format::key(x.at));
  batch.unname(content_of(x.what));
  --batch.after.set_aside;
}

}  // namespace

std::vector<set_aside_entry> store::set_aside(log_position after, std::size_t limit) const {
  std::vector<set_aside_entry> entries;
  const auto start = format::key(after);
  auto it = impl_->db->scan(family::set_aside);
  it->Seek(start);
  if (it->Valid() && it->key() == start) it->Next();
  for (; it->Valid() && entries.size() < limit; it->Next()) {
    entries.push_back(read(as_view(it->key()), as_view(it->value())));
  }
  impl_->db->check_scan(*it);
  return entries;
}

std::size_t store::set_aside_count() const {
  std::lock_guard guard{impl_->mutex};
  return impl_->figures.set_aside;
}

result<set_aside_entry> store::set_aside_at(log_position at) const {
  const auto key = format::key(at);
  if (const auto value = impl_->db->get(family::set_aside, key)) return read(key, *value);
  return {errc::not_found, "no entry " + to_string(at.in_term) + '.' + to_string(at.index) + " is set aside"};
}

status store::purge_set_aside(log_position at) {
  const auto entry = set_aside_at(at);
  if (!entry) return entry.failure();
  auto batch = impl_->begin();
  drop(batch, *entry);
  impl_->commit(batch, impl_->state);
  return success();
}

std::size_t store::expire_set_aside(unix_time_ms older_than, byte_count keep_bytes) {
  std::uint64_t total = 0;
  for (log_position after;;) {
    const auto page = set_aside(after, limits::batch_entries);
    for (const auto& entry : page) total += cost(entry);
    if (page.empty()) break;
    after = page.back().at;
  }
  std::size_t dropped = 0;
  for (log_position after;;) {
    const auto page = set_aside(after, limits::batch_entries);
    if (page.empty()) break;
    after = page.back().at;
    auto batch = impl_->begin();
    for (const auto& entry : page) {
      if (entry.since >= older_than && total <= keep_bytes.value) continue;
      total -= cost(entry);
      drop(batch, entry);
      ++dropped;
    }
    impl_->commit(batch, impl_->state);
  }
  return dropped;
}

}  // namespace kaiku
