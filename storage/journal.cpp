#include "kaiku/storage/journal.hpp"

namespace kaiku::journal {
namespace {

log_entry entry_of(log_index index, std::string_view value) {
  const auto read = format::read_log(value);
  return {{read.in_term, index}, std::string{read.command}};
}

command command_of_logged(const log_entry& entry) {
  auto decoded = decode_command(entry.encoded_command);
  INVARIANT(decoded.ok(), "what was logged decodes");
  return std::move(decoded).value();
}

std::optional<content_ref> content_of_logged(const log_entry& entry) {
  return content_of(command_of_logged(entry));
}

std::size_t small_bytes(const std::optional<content_ref>& content) {
  return content && content->is_small() ? content->size.value : 0;
}

/// What an entry counts for in the log's extent, beside its undo record.
std::size_t cost(std::size_t encoded_command_bytes, const std::optional<content_ref>& content) {
  return encoded_command_bytes + small_bytes(content);
}

}  // namespace

log_extent extent(const view& state) {
  const auto value = state.get(family::meta, format::extent_key);
  return value ? format::read_extent(*value) : log_extent{};
}

std::optional<log_entry> entry_at(const view& state, log_index index) {
  const auto value = state.get(family::log, format::key(index));
  if (!value) return std::nullopt;
  return entry_of(index, *value);
}

std::optional<log_position> position_at(const view& state, log_index index) {
  if (index.value == 0) return log_position{};
  if (const auto value = state.get(family::log, format::key(index))) {
    return log_position{format::read_log(*value).in_term, index};
  }
  if (index > extent(state).boundary.index) return std::nullopt;
  std::optional<log_position> at;
  auto it = state.scan(family::terms);
  it->SeekForPrev(format::key(index));
  if (it->Valid()) at = {format::read_term(as_view(it->value())), index};
  state.check_scan(*it);
  return at;
}

log_position last(const view& state) {
  auto at = extent(state).boundary;
  auto it = state.scan(family::log);
  it->SeekToLast();
  if (it->Valid() && format::index_of_key(as_view(it->key())) > at.index) {
    at = {format::read_log(as_view(it->value())).in_term, format::index_of_key(as_view(it->key()))};
  }
  state.check_scan(*it);
  return at;
}

std::vector<log_entry> read(const view& state, log_index from, std::size_t max_bytes) {
  std::vector<log_entry> entries;
  std::size_t bytes = 0;
  std::uint64_t large = 0;
  auto it = state.scan(family::log);
  auto next = from;
  for (it->Seek(format::key(from)); it->Valid() && entries.size() < limits::batch_entries; it->Next()) {
    auto entry = entry_of(format::index_of_key(as_view(it->key())), as_view(it->value()));
    if (entry.at.index != next) break;  // compacted, also while this reads
    next = next.next();
    const auto what = command_of_logged(entry);
    const auto content = content_of(what);
    bytes += cost(entry.encoded_command.size(), content);
    if (content && !content->is_small()) large += content->size.value;
    // Whoever appends a copy does in one step what it comes to.
    if (std::holds_alternative<copy_path>(what) || std::holds_alternative<remove_expired>(what)) {
      bytes += work_of(what).value;
    }
    if ((bytes > max_bytes || large > limits::append_large_bytes) && !entries.empty()) break;
    entries.push_back(std::move(entry));
  }
  state.check_scan(*it);
  return entries;
}

log_index meeting_hint(const view& state, log_position previous, log_position last) {
  if (previous.index > last.index) return last.index;
  const auto standing = position_at(state, previous.index);
  INVARIANT(standing && previous.index.value > 0, "the log has no holes");
  auto hint = previous.index;
  auto it = state.scan(family::log);
  it->Seek(format::key(previous.index));
  for (std::size_t back = 0; back < limits::batch_entries && it->Valid(); ++back, it->Prev()) {
    if (format::read_log(as_view(it->value())).in_term != standing->in_term) break;
    hint = format::index_of_key(as_view(it->key())).previous();
  }
  state.check_scan(*it);
  return std::max(hint, extent(state).boundary.index);
}

void append(changes& batch, log_position before, const log_entry& entry, const command& what,
            const std::vector<tree::state_write>& writes) {
  const auto key = format::key(entry.at.index);
  const auto content = content_of(what);
  batch.fold(entry.at.index, writes);
  batch.put(family::log, key, format::write_log(entry));
  batch.name(content);
  batch.after.log.bytes.value += cost(entry.encoded_command.size(), content);
  if (entry.at.in_term != before.in_term) batch.put(family::terms, key, format::write_term(entry.at.in_term));
}

std::size_t displace(changes& batch, log_index first, log_index last) {
  INVARIANT(first.value > 0, "nothing stands before the first entry");
  std::size_t count = 0;
  for (auto index = last; index >= first; index = index.previous()) {
    const auto key = format::key(index);
    const auto entry = entry_at(batch, index);
    INVARIANT(entry.has_value(), "the log has no holes");
    batch.unfold(index);
    // What it names stays named: by the entry set aside.
    batch.put(family::set_aside, format::key(entry->at), format::write_set_aside(batch.now(), entry->encoded_command));
    batch.erase(family::log, key);
    batch.erase(family::terms, key);
    batch.after.log.bytes.value -= cost(entry->encoded_command.size(), content_of_logged(*entry));
    ++batch.after.set_aside;
    ++count;
  }
  return count;
}

void forget(changes& batch, log_index index) {
  const auto entry = entry_at(batch, index);
  INVARIANT(entry.has_value(), "the log has no holes");
  const auto content = content_of_logged(*entry);
  batch.forget_undo(index);
  batch.erase(family::log, format::key(index));
  batch.unname(content);
  batch.after.log.bytes.value -= cost(entry->encoded_command.size(), content);
}

void prune_terms(changes& batch) {
  std::size_t behind = 0;
  const auto first = format::key(batch.after.log.boundary.index.next());
  auto it = batch.scan(family::terms);
  std::vector<std::string> keys;
  for (it->SeekToFirst(); it->Valid() && it->key().compare(first) < 0; it->Next()) keys.push_back(it->key().ToString());
  batch.check_scan(*it);
  for (; keys.size() - behind > limits::term_starts; ++behind) batch.erase(family::terms, keys[behind]);
}

}  // namespace kaiku::journal
