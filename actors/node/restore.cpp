#include "kaiku/node/restore.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "kaiku/node/offline_disk.hpp"
#include "kaiku/storage/files.hpp"
#include "kaiku/storage/state_builder.hpp"

namespace kaiku {
namespace {

namespace fs = std::filesystem;

constexpr const char* workshop = ".kaiku-restore";
constexpr const char* format_file = "FORMAT";
constexpr const char* lock_file = "LOCK";

result<std::vector<fs::path>> names_in(const fs::path& directory) {
  std::error_code failed;
  std::vector<fs::path> names;
  for (fs::directory_iterator one(directory, failed); !failed && one != fs::directory_iterator{}; one.increment(failed))
    names.push_back(one->path().filename());
  if (failed) return {errc::io_error, directory.string() + " can't be read: " + failed.message()};
  return names;
}

/// Where a restore works; takes everything away again unless it is kept. A node may come to the directory at any time:
/// one that finds the workshop does not start, one that has claimed it by then is found, and one in between is met at
/// LOCK, of which only one can be there.
class site {
 public:
  explicit site(fs::path data) : data_(std::move(data)) {}
  ~site() {
    if (!kept_) clear();
  }
  site(const site&) = delete;
  site& operator=(const site&) = delete;

  fs::path workplace() const { return data_ / workshop; }

  status prepare() {
    if (auto unused = check_unused(); !unused) return unused;
    std::error_code failed;
    made_directory_ = !fs::exists(data_, failed);
    if (auto made = make_directories(data_); !made) return made;
    if (::mkdir(workplace().c_str(), 0700) != 0) return system_error(errno, "making " + workplace().string());
    began_ = true;
    return check_unused();
  }

  /// Moves all up, what makes it a data directory last.
  status keep() {
    const auto names = names_in(workplace());
    if (!names) return names.failure();
    if (auto ours = move_lock(); !ours) return ours;
    for (const auto& name : *names)
      if (name != format_file && name != lock_file)
        if (auto moved = move_up(name); !moved) return moved;
    if (auto synced = sync_directory(data_); !synced) return synced;
    if (auto moved = move_up(format_file); !moved) return moved;
    kept_ = true;
    std::error_code ignored;
    fs::remove(workplace(), ignored);
    return sync_directory(data_);
  }

  void clear() {
    std::error_code ignored;
    for (const auto& name : moved_) fs::remove_all(data_ / name, ignored);
    if (began_) fs::remove_all(workplace(), ignored);
    if (made_directory_) fs::remove(data_, ignored);
  }

 private:
  status check_unused() const {
    std::error_code failed;
    if (!fs::exists(data_, failed)) return success();
    const auto names = names_in(data_);
    if (!names) return names.failure();
    for (const auto& name : *names) {
      if (name == "lost+found" || (began_ && name == workshop)) continue;
      const auto why = name == workshop ? "a restore was cut short there, or goes on: if none does, empty it"
                                        : "it has " + name.string() + "; a backup is restored into a new directory";
      return {errc::bad_request, data_.string() + " is not empty: " + why};
    }
    return success();
  }

  /// First of all, and held until all is there: a node that opens it is told that it is in use.
  status move_lock() {
    lock_ = unique_fd{::open((workplace() / lock_file).c_str(), O_RDWR | O_CLOEXEC)};
    if (!lock_ || ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0)
      return system_error(errno, "locking " + (workplace() / lock_file).string());
    return move_up(lock_file);
  }

  status move_up(const fs::path& name) {
    if (auto moved = rename_new(workplace() / name, data_ / name); !moved) return moved;
    moved_.push_back(name);
    return success();
  }

  fs::path data_;
  bool made_directory_ = false, began_ = false, kept_ = false;
  unique_fd lock_;
  std::vector<fs::path> moved_;
};

/// Gives what comes to `builder`, or to nobody.
status read_entries(backup_reader& from, state_builder* builder) {
  for (;;) {
    const auto entry = from.next();
    if (!entry) return entry.failure();
    if (!*entry) return success();
    const auto& [path, info] = **entry;
    if (info.is_directory()) {
      if (builder == nullptr) continue;
      if (auto added = builder->add_directory(path, info); !added) return added;
      continue;
    }
    if (builder != nullptr)
      if (auto begun = builder->begin_file(path, info); !begun) return begun;
    for (;;) {
      const auto piece = from.read_content();
      if (!piece) return piece.failure();
      if (piece->empty()) break;
      if (builder == nullptr) continue;
      if (auto wrote = builder->write(*piece); !wrote) return wrote;
    }
    if (builder != nullptr)
      if (auto ended = builder->end_file(); !ended) return ended;
  }
}

status fill(const fs::path& directory, backup_reader& from, log_position last, const set_members& members) {
  store::options how;
  how.directory = directory;
  how.fatal = end_command;
  auto opened = store::open(std::move(how));
  if (!opened) return opened.failure();
  state_builder builder(**opened);
  if (auto read = read_entries(from, &builder); !read) return read;
  return builder.finish(last, members);
}

}  // namespace

result<restored_backup> check_backup(byte_source& archive) {
  backup_reader from(archive);
  const auto moment = from.begin();
  if (!moment) return moment.failure();
  if (auto read = read_entries(from, nullptr); !read) return read.failure();
  return restored_backup{*moment, from.totals()};
}

result<restored_backup> restore_backup(byte_source& archive, const fs::path& data, const set_members& members) {
  site where(data);
  backup_reader from(archive);
  const auto moment = from.begin();
  if (!moment) return moment.failure();
  if (auto ready = where.prepare(); !ready) return ready.failure();
  if (auto filled = fill(where.workplace(), from, moment->at, members); !filled) return filled.failure();
  if (auto kept = where.keep(); !kept) return kept.failure();
  return restored_backup{*moment, from.totals()};
}

}  // namespace kaiku
