#include "kaiku/storage/data_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "kaiku/storage/files.hpp"

namespace kaiku {
namespace {

namespace fs = std::filesystem;

// Changes with every change of what stands on the disk; `docs/storage-format.md` describes this one.
constexpr std::string_view format_text = "kaiku data directory, format 5\n";
constexpr std::string_view format_prefix = "kaiku data directory, format ";
constexpr std::size_t format_bytes = 256;  // more than any format's

constexpr const char* database_name = "db";
constexpr std::array directories{database_name, "staging", "blobs", "damaged"};

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

/// Effective and supplementary ones.
result<std::vector<gid_t>> own_groups() {
  const int count = ::getgroups(0, nullptr);
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(count, 0)));
  if (count < 0 || ::getgroups(count, groups.data()) != count) return system_error(errno, "asking for own groups");
  groups.push_back(::getegid());
  return groups;
}

/// Whether this process may read and change what it has not made, because it is in the group that may.
bool is_shared(const struct stat& found, const std::vector<gid_t>& groups) {
  const mode_t wanted = S_ISDIR(found.st_mode) ? S_IRWXG : S_IRGRP | S_IWGRP;
  return (found.st_mode & wanted) == wanted && std::find(groups.begin(), groups.end(), found.st_gid) != groups.end();
}

error not_ours(const held_directory& files, const fs::path& name, uid_t owner) {
  return {errc::bad_request, (files.path() / name).string() + " belongs to user " + std::to_string(owner) +
                                 ", this is user " + std::to_string(::geteuid()) +
                                 ", and no group of this user may read and write it: run as its owner, or chown -R the "
                                 "data directory, or give all of it to such a group (in a pod: an fsGroup)"};
}

/// Nothing at or below `name` that this process could not use later.
status check_shared(const held_directory& files, const fs::path& name, const std::vector<gid_t>& groups) {
  auto opened = files.open(name, O_PATH | O_NOFOLLOW);
  if (!opened) return opened.failure();
  struct stat found {};
  if (::fstat(opened->get(), &found) != 0) return files.failure(errno, "looking at", name);
  if (S_ISLNK(found.st_mode)) return files.failure(ELOOP, "opening", name);
  if (found.st_uid != ::geteuid() && !is_shared(found, groups)) return not_ours(files, name, found.st_uid);
  if (!S_ISDIR(found.st_mode)) return success();
  auto below = files.list(name);
  if (!below) return below.failure();
  for (const auto& one : *below)
    if (auto usable = check_shared(files, name / one, groups); !usable) return usable;
  return success();
}

/// RocksDB opens its files by name: they are this user's or root's to change, or a group's that this process is in.
/// Kubernetes gives all of a volume to an `fsGroup`, whoever owned it: the user of a pod may be another one than
/// before.
status check_owner(const held_directory& files) {
  auto opened = files.open(database_name, O_RDONLY | O_DIRECTORY);
  if (!opened) return opened.failure();
  struct stat found {};
  if (::fstat(opened->get(), &found) != 0) return files.failure(errno, "looking at", database_name);
  if ((found.st_mode & S_IWOTH) != 0)
    return {errc::bad_request, "every user of this machine can write to " + (files.path() / database_name).string() +
                                   ": chmod -R o= the data directory"};
  if (found.st_uid == ::geteuid() || found.st_uid == 0) return success();
  const auto groups = own_groups();
  if (!groups) return groups.failure();
  for (const char* directory : directories)
    if (auto usable = check_shared(files, directory, *groups); !usable) return usable;
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
  for (const char* name : directories)
    if (auto made = files.provide_directory(name); !made) return made.failure();
  if (auto ours = check_owner(files); !ours) return ours.failure();
  return data_directory{std::move(held).value(), std::move(lock).value()};
}

}  // namespace kaiku
