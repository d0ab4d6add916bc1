#include "kaiku/storage/journal.hpp"

namespace kaiku::journal {
namespace {

log_entry entry_of(log_index index, std::string_view value) {
  const auto read = format::read_log(value);
  return {{read.in_term, index}, std::string{read.command}};
}

std::size_t small_content_bytes(const log_entry& entry) {
  const auto decoded = decode_command(entry.encoded_command);
  INVARIANT(decoded.ok(), "what was logged decodes");
  const auto content = content_of(*decoded);
  return content && content->is_small() ? content->size.value : 0;
}

}  // namespace

std::optional<log_entry> entry_at(const view& state, log_index index) {
  const auto value = state.get(family::log, format::key(index));
  if (!value) return std::nullopt;
  return entry_of(index, *value);
}

std::optional<log_position> position_at(const view& state, log_index index) {
  if (index.value == 0) return log_position{};
  const auto value = state.get(family::log, format::key(index));
  if (!value) return std::nullopt;
  return log_position{format::read_log(*value).in_term, index};
}

log_position last(const view& state) {
  log_position at;
  auto it = state.scan(family::log);
  it->SeekToLast();
  if (it->Valid()) at = {format::read_log(as_view(it->value())).in_term, format::index_of_key(as_view(it->key()))};
  state.check_scan(*it);
  return at;
}

std::vector<log_entry> read(const view& state, log_index from, std::size_t max_bytes) {
  std::vector<log_entry> entries;
  std::size_t bytes = 0;
  auto it = state.scan(family::log);
  for (it->Seek(format::key(from)); it->Valid() && entries.size() < limits::batch_entries; it->Next()) {
    auto entry = entry_of(format::index_of_key(as_view(it->key())), as_view(it->value()));
    bytes += entry.encoded_command.size() + small_content_bytes(entry);
    if (bytes > max_bytes && !entries.empty()) break;
    entries.push_back(std::move(entry));
  }
  state.check_scan(*it);
  return entries;
}

std::vector<log_position> set_aside(const view& state) {
  std::vector<log_position> positions;
  auto it = state.scan(family::set_aside);
  for (it->SeekToFirst(); it->Valid(); it->Next()) positions.push_back(format::position_of_key(as_view(it->key())));
  state.check_scan(*it);
  return positions;
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
  return hint;
}

void append(changes& batch, const log_entry& entry, const std::vector<tree::state_write>& writes) {
  batch.fold(entry.at.index, writes);
  batch.put(family::log, format::key(entry.at.index), format::write_log(entry));
}

std::size_t displace(changes& batch, log_index first, log_index last) {
  INVARIANT(first.value > 0, "nothing stands before the first entry");
  std::size_t count = 0;
  for (auto index = last; index >= first; index = index.previous()) {
    const auto entry = entry_at(batch, index);
    INVARIANT(entry.has_value(), "the log has no holes");
    batch.unfold(index);
    batch.put(family::set_aside, format::key(entry->at), entry->encoded_command);
    batch.erase(family::log, format::key(index));
    ++count;
  }
  return count;
}

}  // namespace kaiku::journal
