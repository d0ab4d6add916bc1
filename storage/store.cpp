#include "kaiku/storage/store.hpp"

#include <set>

#include "kaiku/core/codec.hpp"
#include "kaiku/core/wall_clock.hpp"
#include "kaiku/storage/journal.hpp"
#include "kaiku/storage/make_id.hpp"
#include "kaiku/storage/store_impl.hpp"

namespace kaiku {
namespace {

error short_of(const log_entry& entry) {
  return {errc::corrupt, "entry " + to_string(entry.at.index) + " does not decode"};
}

/// The first start on an empty disk: a new incarnation, an empty log and the root directory, in one batch.
void initialize(database& db) {
  const auto fresh = make_id<incarnation>();
  rocksdb::WriteBatch batch;
  const auto put = [&](family where, std::string_view key, const std::string& value) {
    db.require(batch.Put(db.handle(where), as_slice(key), value), "gathering the first batch");
  };
  put(family::meta, format::incarnation_key, encoder{}.bytes(fresh.bytes).take());
  put(family::meta, format::hard_state_key, format::write_hard_state({}));
  put(family::inodes, format::key(format::root_inode), format::write_inode({tree::empty_root(), {}}));
  db.write(batch);
}

std::size_t count(const database& db, family where) {
  std::size_t keys = 0;
  auto it = db.scan(where);
  for (it->SeekToFirst(); it->Valid(); it->Next()) ++keys;
  db.check_scan(*it);
  return keys;
}

incarnation read_incarnation(std::string_view bytes) {
  decoder in{bytes};
  incarnation disk;
  in.bytes(disk.bytes);
  INVARIANT(in.done(), "the incarnation decodes");
  return disk;
}

}  // namespace

store::store(std::unique_ptr<content_store> content, std::shared_ptr<impl> state)
    : content_(std::move(content)), impl_(std::move(state)) {}

store::~store() = default;

result<std::unique_ptr<store>> store::open(options how) {
  auto directory = data_directory::claim(how.directory);
  if (!directory) return directory.failure();
  auto opened = database::open(*directory, how.fatal);
  if (!opened) return opened.failure();
  auto& db = **opened;

  auto disk = db.get(family::meta, format::incarnation_key);
  if (!disk) {
    initialize(db);
    disk = db.get(family::meta, format::incarnation_key);
  }
  const auto hard = db.get(family::meta, format::hard_state_key);
  if (!hard) return {errc::corrupt, how.directory.string() + " has lost its hard state"};
  const auto state = format::read_hard_state(*hard);
  if (state.last != journal::last(db)) {
    return {errc::corrupt, how.directory.string() + " has a log that does not end where its hard state says"};
  }

  auto content = std::make_unique<content_store>(directory->files(), how.reserve_bytes, how.fatal);
  if (!how.clock) how.clock = wall_clock;
  auto inner = std::make_shared<impl>(std::move(directory).value(), std::move(opened).value(), *content,
                                      std::move(how.clock), std::move(how.feed));
  const auto is_here = [&](const digest& what) { return inner->is_here(what); };
  if (auto clean = content->remove_leftovers(is_here); !clean) return clean.failure();
  inner->disk = read_incarnation(*disk);
  inner->state = state;
  inner->members = tree::members(*inner->db);
  inner->latecomer = inner->db->get(family::meta, format::latecomer_key).has_value();
  inner->figures = {journal::extent(*inner->db), count(*inner->db, family::set_aside), state.last.index};
  if (const auto begun = inner->db->get(family::meta, format::install_key)) {
    inner->install = format::read_install(*begun);
  }
  return std::unique_ptr<store>{new store{std::move(content), std::move(inner)}};
}

hard_state store::state() const {
  std::lock_guard guard{impl_->mutex};
  return impl_->state;
}

membership store::members() const {
  std::lock_guard guard{impl_->mutex};
  auto now = impl_->members;
  now.latecomer = impl_->latecomer;
  return now;
}

incarnation store::disk() const {
  return impl_->disk;
}

result<file_info> store::stat(const file_path& path) const {
  return tree::stat(kaiku::snapshot{*impl_->db}, path, impl_->clock());
}

result<directory_page> store::list(const file_path& path, std::string_view after, std::size_t limit,
                                   const list_filter& what) const {
  return tree::list(kaiku::snapshot{*impl_->db}, path, {after, limit, what}, impl_->clock());
}

std::optional<unix_time_ms> store::next_expiry() const {
  return tree::next_expiry(*impl_->db);
}

result<opened_content> store::open_content(const content_ref& content) const {
  const auto known = impl_->db->get(family::holdings, format::key(content.sha256));
  const auto held = known ? format::read_holding(*known) : holding{};
  if (!held.here) {
    return {held.names > 0 ? errc::content_missing : errc::not_found,
            "content " + to_string(content.sha256) + " is not here"};
  }
  const auto unless_lost = [&](const error& why) {
    // Reclaimed while this looked, or lost: then it is as good as damaged.
    const bool lost = why.code == errc::not_found && holds(content);
    return lost ? error{errc::corrupt, why.detail + ", though it should be"} : why;
  };
  if (!content.is_small()) {
    auto file = content_->open(content);
    if (!file) return unless_lost(file.failure());
    return opened_content{content.size, {}, std::move(*file)};
  }
  auto bytes = impl_->db->content(content.sha256);
  if (!bytes) return unless_lost(bytes.failure());
  if (bytes->size() != content.size.value) {
    return {errc::not_found, "content " + to_string(content.sha256) + " has another size"};
  }
  return opened_content{content.size, std::move(bytes).value(), {}};
}

log_index store::first_index() const {
  std::lock_guard guard{impl_->mutex};
  return impl_->figures.log.boundary.index.next();
}

result<log_position> store::position(log_index index) const {
  if (auto at = journal::position_at(*impl_->db, index)) return *at;
  return {errc::not_found, "entry " + to_string(index) + " is not in the log"};
}

std::vector<log_entry> store::read_log(log_index from, std::size_t max_bytes) const {
  if (from < first_index()) return {};
  return journal::read(*impl_->db, from, max_bytes);
}

result<std::vector<std::string>> store::small_contents(std::span<const log_entry> entries,
                                                       std::optional<content_ref>& lost) const {
  std::vector<std::string> contents;
  std::set<digest> seen;
  for (const auto& entry : entries) {
    const auto decoded = decode_command(entry.encoded_command);
    if (!decoded) return short_of(entry);
    const auto what = content_of(*decoded);
    if (!what || !what->is_small() || !seen.insert(what->sha256).second) continue;
    auto bytes = impl_->db->content(what->sha256);
    if (!bytes) lost = *what;
    if (!bytes) return bytes.failure();
    contents.push_back(std::move(bytes).value());
  }
  return contents;
}

result<std::vector<content_ref>> store::missing_content(std::span<const log_entry> entries) const {
  std::vector<content_ref> missing;
  std::set<digest> seen;
  for (const auto& entry : entries) {
    const auto decoded = decode_command(entry.encoded_command);
    if (!decoded) return short_of(entry);
    const auto what = content_of(*decoded);
    if (!what || what->is_small() || seen.contains(what->sha256)) continue;
    // What an entry of the past named may be gone.
    if (journal::position_at(*impl_->db, entry.at.index) == entry.at) continue;
    seen.insert(what->sha256);
    if (impl_->is_here(what->sha256) || content_->is_staged(what->sha256)) continue;
    missing.push_back(*what);
  }
  return missing;
}

bool store::holds(const content_ref& what) const {
  return impl_->is_here(what.sha256);
}

store_counters store::counters() const {
  return {impl_->db->syncs(), content_->file_syncs(), impl_->displaced, impl_->written};
}

std::vector<std::pair<std::string, std::uint64_t>> store::database_figures() const {
  using properties = rocksdb::DB::Properties;
  std::vector<std::pair<std::string, std::uint64_t>> out;
  for (const auto& name :
       {properties::kCurSizeAllMemTables, properties::kTotalSstFilesSize, properties::kTotalBlobFileSize,
        properties::kEstimateLiveDataSize, properties::kEstimatePendingCompactionBytes,
        properties::kNumRunningCompactions, properties::kNumRunningFlushes, properties::kIsWriteStopped,
        properties::kActualDelayedWriteRate, properties::kBackgroundErrors, properties::kNumSnapshots,
        properties::kEstimateNumKeys}) {
    std::uint64_t value = 0;
    if (impl_->db->raw().GetAggregatedIntProperty(name, &value)) out.emplace_back(name, value);
  }
  return out;
}

byte_count store::free_space() const {
  return content_->free_space();
}

}  // namespace kaiku
