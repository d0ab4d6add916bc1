#include "kaiku/node/backup_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "kaiku/node/offline_disk.hpp"
#include "kaiku/storage/files.hpp"

namespace kaiku {
namespace {

/// Takes what stands at `name` for this process, until `file` is closed. Who has it alone may rename and remove it.
status claim(const unique_fd& file, const std::string& name) {
  const error taken{errc::in_use, name + " is being written by another backup"};
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    return errno == EWOULDBLOCK ? status{taken} : status{system_error(errno, "locking " + name)};
  // Until it was locked, another one may have had it, and put something else in its place.
  struct stat own {
  }, there{};
  const bool stands = ::fstat(file.get(), &own) == 0 && ::lstat(name.c_str(), &there) == 0 &&
                      own.st_dev == there.st_dev && own.st_ino == there.st_ino;
  return stands ? success() : status{taken};
}

/// What a backup left that was cut short, whoever could read it.
status remove_left(const std::string& partial) {
  // Locks of NFS want a file that may be written.
  unique_fd file{::open(partial.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!file) return errno == ENOENT ? success() : status{system_error(errno, "opening " + partial)};
  if (auto ours = claim(file, partial); !ours) return ours;
  if (::unlink(partial.c_str()) != 0) return system_error(errno, "removing " + partial);
  return success();
}

}  // namespace

result<archive_file> archive_file::open(const std::string& name) {
  unique_fd file{name == "-" ? ::dup(STDIN_FILENO) : ::open(name.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return system_error(errno, "opening " + name);
  return archive_file{std::move(file), name == "-" ? "standard input" : name};
}

result<std::size_t> archive_file::read(std::span<char> into) {
  for (;;) {
    const auto got = ::read(file_.get(), into.data(), into.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return system_error(errno, "reading " + name_);
  }
}

result<new_archive> new_archive::create(const std::string& name) {
  if (name == "-") {
    unique_fd file{::dup(STDOUT_FILENO)};
    if (!file) return system_error(errno, "opening standard output");
    return new_archive{std::move(file), name, {}};
  }
  std::error_code failed;
  if (std::filesystem::exists(std::filesystem::symlink_status(name, failed)))
    return {errc::already_exists, name + " is there already; a backup replaces nothing"};
  auto partial = name + ".partial";
  if (auto removed = remove_left(partial); !removed) return removed.failure();
  unique_fd file{::open(partial.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file) return system_error(errno, "making " + partial);
  if (auto ours = claim(file, partial); !ours) return ours.failure();
  return new_archive{std::move(file), name, std::move(partial)};
}

new_archive::~new_archive() {
  if (file_ && is_file()) ::unlink(partial_.c_str());
}

status new_archive::write(std::string_view bytes) {
  if (const int code = write_all(file_.get(), bytes); code != 0)
    return system_error(code, "writing " + (is_file() ? partial_ : "standard output"));
  return success();
}

status new_archive::keep() {
  if (!is_file()) return success();
  if (::fsync(file_.get()) != 0) return system_error(errno, "syncing " + partial_);
  if (auto named = rename_new(partial_, name_); !named) return named;
  file_ = {};
  const auto above = std::filesystem::path(name_).parent_path();
  return sync_directory(above.empty() ? "." : above);
}

}  // namespace kaiku
