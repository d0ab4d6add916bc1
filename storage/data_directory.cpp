#include "kaiku/storage/data_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "kaiku/storage/files.hpp"

namespace kaiku {
namespace {

// Changes with every change of what stands on the disk; `docs/storage-format.md` describes this one.
constexpr std::string_view format_text = "kaiku data directory, format 5\n";
constexpr std::string_view format_prefix = "kaiku data directory, format ";
constexpr std::size_t format_bytes = 256;  // more than any format's

status check_format(const std::filesystem::path& path, const std::string& text) {
  if (text == format_text) return success();
  if (text.starts_with(format_prefix)) {
    return {errc::bad_request, path.string() + " has data format " +
                                   text.substr(format_prefix.size(), text.find('\n') - format_prefix.size()) +
                                   "; this version of Kaiku reads format 5 only"};
  }
  return {errc::corrupt, (path / "FORMAT").string() + " is damaged"};
}

/// A directory without FORMAT may be made ours only if nobody else's files are in it.
status check_unused(const held_directory& files) {
  auto names = files.list(".");
  if (!names) return names.failure();
  for (const auto& name : *names) {
    // The root of a file system of its own has `lost+found`; the others are left by a first start that was cut short.
    if (name == "lost+found" || name == "LOCK" || name == "FORMAT.new") continue;
    return {errc::bad_request, files.path().string() + " is not empty and not a Kaiku data directory (it has " + name +
                                   ", and no FORMAT file); give an empty directory"};
  }
  return success();
}

/// RocksDB opens its files by name. Its group may write (Kubernetes sees to that for volumes with an `fsGroup`).
status check_owner(const held_directory& files, const char* name) {
  auto opened = files.open(name, O_RDONLY | O_DIRECTORY);
  if (!opened) return opened.failure();
  struct stat found {};
  if (::fstat(opened->get(), &found) != 0) return files.failure(errno, "looking at", name);
  const auto what = (files.path() / name).string();
  if (found.st_uid != ::geteuid() && found.st_uid != 0)
    return {errc::bad_request, what + " belongs to user " + std::to_string(found.st_uid) + ", and this is user " +
                                   std::to_string(::geteuid()) + ": run as its owner, or chown -R the data directory"};
  if ((found.st_mode & S_IWOTH) != 0)
    return {errc::bad_request, "every user of this machine can write to " + what + ": chmod -R o= the data directory"};
  return success();
}

}  // namespace

result<data_directory> data_directory::claim(const std::filesystem::path& path) {
  if (auto made = make_directories(path); !made) return made.failure();
  auto held = held_directory::open(path);
  if (!held) return held.failure();
  const auto& files = **held;
  auto format = files.read("FORMAT", format_bytes);
  if (!format && format.failure().code == errc::not_found) {
    if (auto unused = check_unused(files); !unused) return unused.failure();
  }

  auto lock = files.open_file("LOCK", O_RDWR | O_CREAT);
  if (!lock) return lock.failure();
  if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return files.failure(errno, "locking", "LOCK");
    return {errc::in_use,
            path.string() + " is in use by another process; every node needs a data directory of its own"};
  }

  format = files.read("FORMAT", format_bytes);
  if (format) {
    if (auto known = check_format(path, *format); !known) return known.failure();
  } else {
    if (format.failure().code != errc::not_found) return format.failure();
    if (auto wrote = files.write("FORMAT", format_text); !wrote) return wrote.failure();
  }
  for (const char* name : {"db", "staging", "blobs", "damaged"}) {
    if (auto made = files.provide_directory(name); !made) return made.failure();
  }
  if (auto ours = check_owner(files, "db"); !ours) return ours.failure();
  return data_directory{std::move(held).value(), std::move(lock).value()};
}

}  // namespace kaiku
