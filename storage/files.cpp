#include "kaiku/storage/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kaiku {

void stop_node(const fatal_callback& fatal, const std::string& why) {
  if (fatal) fatal(why);
  invariant_violated("the fatal callback does not return", why, __FILE__, __LINE__);
}

error system_error(int code, const std::string& what) {
  const bool full = code == ENOSPC || code == EDQUOT;
  const bool passes = code == EMFILE || code == ENFILE || code == ENOMEM;
  const auto kind = full ? errc::disk_full : passes ? errc::overloaded : errc::io_error;
  return {kind, what + ": " + std::strerror(code)};
}

status sync_directory(const std::filesystem::path& directory) {
  unique_fd handle{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!handle || ::fsync(handle.get()) != 0) return system_error(errno, "syncing " + directory.string());
  return success();
}

status make_directories(const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0) {
    const auto parent = directory.parent_path();
    return sync_directory(parent.empty() ? "." : parent);
  }
  if (errno == EEXIST) {
    struct stat found {};
    if (::stat(directory.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return success();
    return {errc::io_error, directory.string() + " is not a directory"};
  }
  if (errno != ENOENT || !directory.has_parent_path()) return system_error(errno, "making " + directory.string());
  if (auto above = make_directories(directory.parent_path()); !above) return above;
  if (::mkdir(directory.c_str(), 0700) != 0) return system_error(errno, "making " + directory.string());
  return sync_directory(directory.parent_path());
}

int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto wrote = ::write(file, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

}  // namespace kaiku
