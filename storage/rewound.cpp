#include "kaiku/storage/rewound.hpp"

#include "kaiku/storage/format.hpp"

namespace kaiku {

rewound::rewound(const kaiku::snapshot& from, log_index last, log_index to)
    : from_(from), undone_(rocksdb::BytewiseComparator(), 0, true) {
  for (auto index = last; index > to; index = index.previous()) undo(index);
}

void rewound::undo(log_index index) {
  const auto record = from_.get(family::undo, format::key(index));
  INVARIANT(record.has_value(), "every entry of the log has an undo record");
  const auto before = format::read_undo(*record);
  // An entry may have touched a key twice; the first old value counts.
  for (auto old = before.rbegin(); old != before.rend(); ++old) {
    auto* handle = from_.handle(old->where);
    from_.require(old->value ? undone_.Put(handle, as_slice(old->key), as_slice(*old->value))
                             : undone_.Delete(handle, as_slice(old->key)),
                  "undoing an entry");
  }
  const auto key = format::key(index);
  from_.require(undone_.Delete(from_.handle(family::terms), as_slice(key)), "undoing an entry");
}

std::optional<std::string> rewound::get(family where, std::string_view key) const {
  std::string value;
  auto outcome = undone_.GetFromBatchAndDB(&from_.raw(), from_.options(), from_.handle(where), as_slice(key), &value);
  if (outcome.IsNotFound()) return std::nullopt;
  from_.require(outcome, "reading metadata");
  return value;
}

std::unique_ptr<rocksdb::Iterator> rewound::scan(family where) const {
  auto* handle = from_.handle(where);
  return std::unique_ptr<rocksdb::Iterator>{undone_.NewIteratorWithBase(handle, from_.scan(where).release())};
}

}  // namespace kaiku
