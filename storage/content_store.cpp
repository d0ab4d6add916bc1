#include "kaiku/storage/content_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace kaiku {
namespace {

constexpr std::size_t digest_digits = 64;

std::optional<digest> digest_of_name(const std::string& name) {
  digest out;
  if (name.size() < digest_digits + 1 || name[digest_digits] != '.') return std::nullopt;
  if (!from_hex(std::string_view{name}.substr(0, digest_digits), out.bytes.data(), out.bytes.size())) {
    return std::nullopt;
  }
  return out;
}

/// Whether it is the file of content of this size.
bool is_file_of(const struct stat& found, byte_count size) {
  return S_ISREG(found.st_mode) && static_cast<std::uint64_t>(found.st_size) == blob_file_size(size);
}

const std::filesystem::path staging{"staging"};
const std::filesystem::path damaged{"damaged"};

/// Whether a failed call says nothing against the disk: it passes, or is the fault of what stands there, such as a link
/// that somebody has planted. All else does: EIO and EROFS, and what file systems and block layers have of their own.
bool spares_the_disk(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EINTR:
    case EACCES:
    case EBUSY:
    case EEXIST:
    case EFBIG:
    case EISDIR:
    case ELOOP:
    case EMLINK:
    case ENAMETOOLONG:
    case ENOENT:
    case ENOSYS:
    case ENOTDIR:
    case ENOTEMPTY:
    case EOPNOTSUPP:
    case EPERM:
    case EXDEV: return true;
    default: return false;
  }
}

}  // namespace

// --- staged_file
// ------------------------------------------------------------------------------------------------------

staged_file::staged_file(content_store& owner, std::uint64_t id, std::uint64_t reserve, std::filesystem::path path,
                         unique_fd file)
    : owner_(owner), id_(id), reserve_(reserve), path_(std::move(path)), file_(std::move(file)) {}

staged_file::~staged_file() {
  if (syncing_.valid()) syncing_.wait();
  if (finished_) {
    std::lock_guard guard{owner_.mutex_};
    auto [it, end] = owner_.staged_.equal_range(*finished_);
    for (; it != end; ++it) {
      if (it->second == path_) {
        owner_.staged_.erase(it);
        break;
      }
    }
  }
  owner_.files_->remove(path_);  // what can't be removed now is removed at the next start
}

status staged_file::write(std::string_view bytes) {
  INVARIANT(!sealed_, "a sealed staged file takes no more bytes");
  if (owner_.free_space_above(reserve_).value < bytes.size()) {
    owner_.note_refusal();
    return {errc::disk_full, "no space left for content beyond the reserve"};
  }
  if (int code = write_all(file_.get(), bytes); code != 0) return owner_.failed_change(code, "writing", path_);
  hasher_.update(bytes);
  sums_.update(bytes);
  size_.value += bytes.size();
  if (size_.value - flushed_.value >= limits::staging_flush_bytes) {
    // To the end, not only begun: a sync of the log waits for all that the disk was given before it. Beside what comes
    // next, unless that is faster than the disk.
    end_sync();
    syncing_ = std::async(std::launch::async, [this] { owner_.sync_file(file_.get(), path_); });
    flushed_ = size_;
  }
  return success();
}

void staged_file::end_sync() {
  if (syncing_.valid()) syncing_.get();
}

content_ref staged_file::seal() {
  if (!sealed_) sealed_ = content_ref{hasher_.finish(), size_};
  return *sealed_;
}

result<std::string> staged_file::read(byte_count offset, std::size_t most) const {
  if (offset >= size_) return std::string{};
  std::string bytes(std::min<std::uint64_t>(most, size_.value - offset.value), '\0');
  unique_fd again;
  if (!file_) {
    auto opened = owner_.files_->open(path_, O_RDONLY);
    if (!opened) return opened.failure();
    again = std::move(opened).value();
  }
  const auto got =
      ::pread(file_ ? file_.get() : again.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset.value));
  if (got != static_cast<ssize_t>(bytes.size())) return owner_.files_->failure(got < 0 ? errno : EIO, "reading", path_);
  return bytes;
}

result<content_ref> staged_file::finish() {
  INVARIANT(!finished_, "a staged file is finished once");
  const auto what = seal();
  end_sync();
  if (int code = write_all(file_.get(), sums_.finish()); code != 0) return owner_.failed_change(code, "writing", path_);
  owner_.sync_file(file_.get(), path_);
  file_ = {};
  // The name says the digest before a blob of that digest can exist, so that a start after a crash finds it.
  const auto named = staging / (to_string(what.sha256) + '.' + std::to_string(id_));
  if (int code = owner_.files_->rename(path_, named); code != 0) return owner_.failed_change(code, "renaming", path_);
  path_ = named;
  owner_.sync_names(staging);
  std::lock_guard guard{owner_.mutex_};
  owner_.staged_.emplace(what.sha256, path_);
  finished_ = what.sha256;
  return what;
}

// --- content_store
// ----------------------------------------------------------------------------------------------------

content_store::content_store(std::shared_ptr<const held_directory> files, std::uint64_t reserve_bytes,
                             fatal_callback fatal)
    : files_(std::move(files)), reserve_bytes_(reserve_bytes), fatal_(std::move(fatal)) {}

result<std::unique_ptr<staged_file>> content_store::begin(byte_count expected, origin from) {
  const auto reserve = from == origin::leader ? reserve_of_taken() : reserve_bytes_;
  const auto space = free_space_above(reserve);
  if (space.value == 0 || space < expected) {
    struct statvfs found {};
    // What no disk of this size could take is no reason to free anything.
    if (::fstatvfs(files_->descriptor(), &found) == 0 && expected.value / found.f_frsize < found.f_blocks)
      note_refusal();
    return {errc::disk_full, "no space for " + std::to_string(expected.value) +
                                 " bytes: " + std::to_string(space.value) + " are free beyond the reserve"};
  }
  const auto id = next_id_++;
  auto path = staging / ("incoming." + std::to_string(id));
  unique_fd file;
  if (int code = files_->create(path, file); code != 0) return failed_change(code, "making", path);
  return std::unique_ptr<staged_file>{new staged_file{*this, id, reserve, std::move(path), std::move(file)}};
}

byte_count content_store::free_space_above(std::uint64_t reserve) const {
  struct statvfs found {};
  if (::fstatvfs(files_->descriptor(), &found) != 0) return {};
  const std::uint64_t available = std::uint64_t{found.f_bavail} * found.f_frsize;
  return {available > reserve ? available - reserve : 0};
}

bool content_store::is_short_of_space() const {
  if (refused_) return true;
  struct statvfs found {};
  if (::fstatvfs(files_->descriptor(), &found) != 0) return false;
  const std::uint64_t whole = std::uint64_t{found.f_blocks} * found.f_frsize;
  return free_space().value < std::min(whole / limits::short_of_space_part, limits::short_of_space_bytes);
}

bool content_store::is_staged(const digest& what) const {
  std::lock_guard guard{mutex_};
  return staged_.contains(what);
}

status content_store::adopt(const content_ref& what) {
  if (auto made = make_blob_directory(what.sha256); !made) return made;
  if (auto linked = link_blob(what); !linked) return linked;
  unsynced_.insert(blob_path(what.sha256).parent_path());
  return success();
}

void content_store::sync_adopted() {
  for (const auto& directory : unsynced_) sync_names(directory);
  unsynced_.clear();
  for (auto prefix : being_made_) made_.set(prefix);
  being_made_.clear();
}

status content_store::link_blob(const content_ref& what) {
  const auto blob = blob_path(what.sha256);
  std::lock_guard guard{mutex_};  // holds `~staged_file` off
  // The latest of them: an earlier one may be the very file that was adopted before, and was damaged since.
  auto staged = staged_.upper_bound(what.sha256);
  if (staged == staged_.begin() || (--staged)->first != what.sha256) {
    return {errc::content_missing, "content " + to_string(what.sha256) + " is not staged"};
  }
  if (auto fits = check_size(staged->second, what); !fits) return fits;
  int code = files_->link(staged->second, blob);
  // Left by an append that came to nothing, or damaged. The staged one was hashed just now.
  if (code == EEXIST) {
    code = files_->remove(blob);
    if (code == 0) code = files_->link(staged->second, blob);
  }
  return code == 0 ? success() : status{failed_change(code, "linking", blob)};
}

status content_store::check_size(const std::filesystem::path& path, const content_ref& what) const {
  struct stat found {};
  if (int code = files_->look(path, found); code != 0) return failed_change(code, "looking at", path);
  if (is_file_of(found, what.size)) return success();
  return {errc::corrupt, "content " + to_string(what.sha256) + " does not have the size that its entry names"};
}

result<std::unique_ptr<blob_reader>> content_store::open(const content_ref& what) const {
  const auto path = blob_path(what.sha256);
  auto file = files_->open(path, O_RDONLY | O_NONBLOCK);
  if (!file && file.failure().code == errc::not_found)
    return {errc::not_found, "content " + to_string(what.sha256) + " is not here"};
  if (!file) return file.failure();
  const auto full = files_->path() / path;
  struct stat found {};
  if (::fstat(file->get(), &found) != 0) return files_->failure(errno, "looking at", path);
  if (!is_file_of(found, what.size)) {
    return {errc::corrupt, full.string() + " has " + std::to_string(found.st_size) + " bytes instead of " +
                               std::to_string(blob_file_size(what.size))};
  }
  return std::make_unique<blob_reader>(std::move(file).value(), full, what.size);
}

status content_store::remove_leftovers(const std::function<bool(const digest&)>& is_named) {
  auto names = files_->list(staging);
  if (!names) return names.failure();
  for (const auto& name : *names) {
    const auto what = digest_of_name(name);
    if (what && !is_named(*what)) {
      // The blob goes first, and for good: without its staging name nobody would look for it again.
      const auto blob = blob_path(*what);
      const int code = files_->remove(blob);
      if (code == 0) sync_names(blob.parent_path());
      if (code != 0 && code != ENOENT) return failed_change(code, "removing", blob);
    }
    if (int code = files_->remove(staging / name); code != 0) return failed_change(code, "removing", staging / name);
  }
  sync_names(staging);
  return success();
}

status content_store::remove(std::span<const digest> blobs) {
  std::set<std::filesystem::path> changed;
  for (const auto& what : blobs) {
    const auto blob = blob_path(what);
    const int code = files_->remove(blob);
    if (code == 0) changed.insert(blob.parent_path());
    if (code != 0 && code != ENOENT) return failed_change(code, "removing", blob);
  }
  // After all of them: the first fsync commits the file system's journal, the others find little to do.
  for (const auto& directory : changed) sync_names(directory);
  return success();
}

status content_store::set_apart(const digest& what) {
  const auto blob = blob_path(what);
  auto kept = files_->list(damaged);
  if (!kept) return kept.failure();
  // Not removed: it may be the last copy there is, with one bad sector.
  if (kept->size() >= limits::damaged_blobs) return success();
  const int code = files_->rename(blob, damaged / to_string(what));
  if (code != 0 && code != ENOENT) return failed_change(code, "setting apart", blob);
  sync_names(blob.parent_path());
  return success();
}

std::filesystem::path content_store::blob_path(const digest& what) {
  const auto name = to_string(what);
  return std::filesystem::path{"blobs"} / name.substr(0, 2) / name.substr(2, 2) / name;
}

status content_store::make_blob_directory(const digest& what) {
  const auto prefix = static_cast<std::size_t>(what.bytes[0]) << 8 | what.bytes[1];
  if (made_[prefix]) return success();
  const auto directory = blob_path(what).parent_path();
  const auto parent = directory.parent_path();
  for (const auto& path : {parent, directory}) {
    if (int code = files_->make_directory(path); code != 0 && code != EEXIST)
      return failed_change(code, "making", path);
  }
  // Also when they were there: a process that was killed may have made them and not come to the fsync.
  unsynced_.insert(parent);
  unsynced_.insert(parent.parent_path());
  being_made_.push_back(prefix);
  return success();
}

error content_store::failed_change(int code, const std::string& doing, const std::filesystem::path& path) const {
  auto failure = files_->failure(code, doing, path);
  if (!spares_the_disk(code)) stop_node(fatal_, failure.detail);
  return failure;
}

void content_store::sync_file(int file, const std::filesystem::path& path) {
  if (::fsync(file) != 0) stop_node(fatal_, files_->failure(errno, "fsync of", path).detail);
  ++file_syncs_;
}

void content_store::sync_names(const std::filesystem::path& directory) {
  if (auto synced = files_->sync(directory); !synced) stop_node(fatal_, synced.failure().detail);
  ++file_syncs_;
}

}  // namespace kaiku
