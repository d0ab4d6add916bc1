#include "kaiku/storage/changes.hpp"

#include <algorithm>

namespace kaiku {

changes::changes(const database& base) : base_(base), batch_(rocksdb::BytewiseComparator(), 0, true) {}

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

void changes::put(family where, std::string_view key, std::string_view value) {
  base_.require(batch_.Put(base_.handle(where), as_slice(key), as_slice(value)), "gathering a batch");
}

void changes::erase(family where, std::string_view key) {
  base_.require(batch_.Delete(base_.handle(where), as_slice(key)), "gathering a batch");
}

void changes::fold(log_index index, const std::vector<tree::state_write>& writes) {
  std::vector<format::old_value> before;
  before.reserve(writes.size());
  for (const auto& write : writes) {
    before.push_back({write.where, write.key, get(write.where, write.key)});
    if (write.value) {
      put(write.where, write.key, *write.value);
    } else {
      erase(write.where, write.key);
    }
  }
  put(family::undo, format::key(index), format::write_undo(before));
}

void changes::unfold(log_index index) {
  const auto record = get(family::undo, format::key(index));
  INVARIANT(record.has_value(), "every entry of the log has an undo record");
  auto before = format::read_undo(*record);
  std::reverse(before.begin(), before.end());
  for (const auto& old : before) {
    if (old.value) {
      put(old.where, old.key, *old.value);
    } else {
      erase(old.where, old.key);
    }
  }
  erase(family::undo, format::key(index));
}

}  // namespace kaiku
