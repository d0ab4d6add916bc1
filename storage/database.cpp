#include "kaiku/storage/database.hpp"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <vector>

#include "kaiku/storage/data_directory.hpp"

namespace kaiku {
namespace {

// Memory: memtables of all families together, and the cache of blocks. A node must live in a small container.
constexpr std::size_t memtable_bytes = 16ull << 20;
constexpr std::size_t all_memtables_bytes = 64ull << 20;
constexpr std::size_t block_cache_bytes = 64ull << 20;
// Disk: the write-ahead log is read at the next start, and the manifest's default bound of 1 GiB is no bound.
constexpr std::uint64_t write_ahead_log_bytes = 64ull << 20;
constexpr std::uint64_t manifest_bytes = 4ull << 20;
constexpr std::uint64_t blob_file_bytes = 16ull << 20;
/// Blob files whose content one compaction may write anew. A share of all, as RocksDB has it, would grow with the
/// database beyond what `limits::disk_reserve_bytes` keeps free for it.
constexpr double relocated_blob_files = 4;
constexpr double relocated_share = 0.25;  ///< of few
/// What a compaction writes of tables before it may remove those that it read: 64 to 100 MiB.
constexpr std::uint64_t table_bytes = 8ull << 20;
constexpr std::uint64_t level_base_bytes = 32ull << 20;
constexpr std::uint64_t compaction_bytes = 64ull << 20;
constexpr std::size_t info_log_bytes = 1ull << 20;
constexpr std::size_t info_logs = 2;
/// Content below this stays in the tables: a blob file's reference would cost as much.
constexpr std::uint64_t blob_min_bytes = 1024;
/// From one compaction to the next of content: fewer bytes come in than `relocated_blob_files` hold, so that what is
/// relocated may be live by half, and still as much is reclaimed as comes.
constexpr int content_flushes = 2;
constexpr int open_tables = 256;
constexpr double bloom_bits = 10;

/// By number of `family`. RocksDB insists on one called "default": it is `meta`.
constexpr std::array<const char*, families> family_names{
    "default",      "log",           "undo",     "dentries", "inodes",         "contents",
    "holdings",     "set_aside",     "terms",    "work",     "orphans",        "other_dentries",
    "other_inodes", "other_orphans", "expiries", "requests", "other_expiries", "other_requests"};

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // Stops at a batch that a power cut tore; `synced_mark` tells a torn end from lost acknowledged batches.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.track_and_verify_wals_in_manifest = true;
  options.max_background_jobs = 2;
  options.max_bgerror_resume_count = 0;  // a failed write is never retried
  options.max_total_wal_size = write_ahead_log_bytes;
  options.max_manifest_file_size = manifest_bytes;
  options.max_open_files = open_tables;
  options.allow_fallocate = false;  // preallocated space counts as used on a small disk
  options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(all_memtables_bytes);
  options.keep_log_file_num = info_logs;
  options.max_log_file_size = info_log_bytes;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  return options;
}

rocksdb::ColumnFamilyOptions family_options(family which, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(bloom_bits));

  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = memtable_bytes;
  options.max_write_buffer_number = 2;
  options.level_compaction_dynamic_level_bytes = true;
  options.target_file_size_base = table_bytes;
  options.max_bytes_for_level_base = level_base_bytes;
  options.max_compaction_bytes = compaction_bytes;
  options.compression = rocksdb::kLZ4Compression;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  if (which == family::contents) {
    // Most content is compressed already, and compaction must not carry it around.
    options.compression = rocksdb::kNoCompression;
    options.enable_blob_files = true;
    options.min_blob_size = blob_min_bytes;
    options.blob_file_size = blob_file_bytes;
    options.enable_blob_garbage_collection = true;
    options.blob_garbage_collection_age_cutoff = 0;  // until `bound_relocation` knows how many there are
    options.level0_file_num_compaction_trigger = content_flushes;
  }
  return options;
}

errc code_of(const rocksdb::Status& outcome) {
  return outcome.IsCorruption() ? errc::corrupt : errc::io_error;
}

std::optional<std::string> found(const database& in, const rocksdb::Status& outcome, std::string&& value) {
  if (outcome.IsNotFound()) return std::nullopt;
  in.require(outcome, "reading metadata");
  return std::move(value);
}

}  // namespace

result<std::unique_ptr<database>> database::open(const data_directory& where, fatal_callback fatal) {
  auto mark = where.files()->open(data_directory::mark, O_RDWR | O_CREAT);
  if (!mark) return mark.failure();
  synced_mark synced{std::move(mark).value()};
  const auto synced_up_to = synced.value();
  std::unique_ptr<database> opened{new database(std::move(synced), std::move(fatal))};
  const auto directory = where.database();

  auto cache = rocksdb::NewLRUCache(block_cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < families; ++i) {
    descriptors.emplace_back(family_names.at(i), family_options(static_cast<family>(i), cache));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  auto outcome = rocksdb::DB::Open(database_options(), directory.string(), descriptors, &handles, &db);
  if (!outcome.ok()) {
    return {code_of(outcome), "the database in " + directory.string() + " does not open: " + outcome.ToString()};
  }
  opened->db_.reset(db);
  std::copy(handles.begin(), handles.end(), opened->handles_.begin());
  if (const auto sequence = db->GetLatestSequenceNumber(); sequence < synced_up_to) {
    return {errc::corrupt, "the database in " + directory.string() + " has lost acknowledged writes: it ends at " +
                               std::to_string(sequence) + " and was synced up to " + std::to_string(synced_up_to)};
  }
  opened->look_at_generation();
  opened->bound_relocation();
  return opened;
}

database::~database() {
  for (auto* handle : handles_) {
    if (handle != nullptr) db_->DestroyColumnFamilyHandle(handle);
  }
}

std::optional<std::string> database::get(family where, std::string_view key) const {
  std::string value;
  auto outcome = db_->Get({}, handle(where), as_slice(key), &value);
  return found(*this, outcome, std::move(value));
}

std::unique_ptr<rocksdb::Iterator> database::scan(family where) const {
  return std::unique_ptr<rocksdb::Iterator>{db_->NewIterator({}, handle(where))};
}

void database::check_scan(const rocksdb::Iterator& it) const {
  require(it.status(), "reading metadata");
}

result<std::string> database::content(const digest& what, const rocksdb::ReadOptions& how) const {
  std::string bytes;
  auto outcome = db_->Get(how, handle(family::contents), format::key(what), &bytes);
  if (outcome.IsNotFound()) return {errc::not_found, "content " + to_string(what) + " is not here"};
  if (!outcome.ok()) return {code_of(outcome), "content " + to_string(what) + " can't be read: " + outcome.ToString()};
  return bytes;
}

void database::write(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions options;
  options.sync = true;
  require(db_->Write(options, &batch), "a synced write");
  ++syncs_;
  mark_.advance(db_->GetLatestSequenceNumber());
}

void database::bound_relocation() {
  std::uint64_t files = 0;
  auto* contents = handle(family::contents);
  require(db_->GetIntProperty(contents, rocksdb::DB::Properties::kNumBlobFiles, &files)
              ? rocksdb::Status::OK()
              : rocksdb::Status::NotSupported(),
          "counting blob files");
  const auto all = static_cast<double>(files);
  const auto share = files == 0 ? relocated_share : std::min(relocated_share, (relocated_blob_files + 0.5) / all);
  // Each change writes a file: only when it would be another number of blob files.
  const auto now = relocated_share_ * all;
  if (now < relocated_blob_files + 1 && now > std::min(share * all, relocated_blob_files) - 0.1) return;
  relocated_share_ = share;
  require(db_->SetOptions(contents, {{"blob_garbage_collection_age_cutoff", std::to_string(share)}}),
          "bounding a compaction");
}

bool database::is_flushing_or_compacting(family where) const {
  using properties = rocksdb::DB::Properties;
  for (const auto& property : {properties::kMemTableFlushPending, properties::kCompactionPending}) {
    std::uint64_t pending = 0;
    if (db_->GetIntProperty(handle(where), property, &pending) && pending != 0) return true;
  }
  return false;
}

void database::begin_flush(family where) {
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;
  require(db_->Flush(options, handle(where)), "beginning a flush");
}

void database::look_at_generation() {
  swapped_ = get(family::meta, format::swapped_key).has_value();
}

rocksdb::ColumnFamilyHandle* database::handle(family where, bool swapped) const {
  if (swapped) {
    switch (where) {
      case family::dentries: where = family::other_dentries; break;
      case family::inodes: where = family::other_inodes; break;
      case family::orphans: where = family::other_orphans; break;
      case family::expiries: where = family::other_expiries; break;
      case family::requests: where = family::other_requests; break;
      case family::other_expiries: where = family::expiries; break;
      case family::other_requests: where = family::requests; break;
      case family::other_dentries: where = family::dentries; break;
      case family::other_inodes: where = family::inodes; break;
      case family::other_orphans: where = family::orphans; break;
      default: break;
    }
  }
  return handles_.at(static_cast<std::size_t>(where));
}

void database::require(const rocksdb::Status& outcome, const char* what) const {
  if (!outcome.ok()) stop_node(fatal_, std::string(what) + " failed: " + outcome.ToString());
}

snapshot::snapshot(const database& from) : from_(from) {
  options_.snapshot = from.raw().GetSnapshot();
  swapped_ = get(family::meta, format::swapped_key).has_value();
}

snapshot::~snapshot() {
  from_.raw().ReleaseSnapshot(options_.snapshot);
}

std::optional<std::string> snapshot::get(family where, std::string_view key) const {
  std::string value;
  auto outcome = from_.raw().Get(options_, from_.handle(where, swapped_), as_slice(key), &value);
  return found(from_, outcome, std::move(value));
}

std::unique_ptr<rocksdb::Iterator> snapshot::scan(family where) const {
  return std::unique_ptr<rocksdb::Iterator>{from_.raw().NewIterator(options_, from_.handle(where, swapped_))};
}

}  // namespace kaiku
