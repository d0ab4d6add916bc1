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
  if (!handle) return system_error(errno, "opening " + directory.string());
  if (::fsync(handle.get()) != 0) return error{errc::io_error, "fsync of " + directory.string() + " failed"};
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

result<std::string> read_file(const std::filesystem::path& path, std::size_t max) {
  unique_fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!file && errno == ENOENT) return {errc::not_found, path.string() + " is not there"};
  if (!file) return system_error(errno, "opening " + path.string());
  std::string bytes(max, '\0');
  std::size_t have = 0;
  while (have < max) {
    const auto got = ::read(file.get(), bytes.data() + have, max - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "reading " + path.string());
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

status write_file(const std::filesystem::path& path, std::string_view bytes) {
  auto fresh = path;
  fresh += ".new";
  unique_fd file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file) return system_error(errno, "making " + fresh.string());
  if (int code = write_all(file.get(), bytes); code != 0) return system_error(code, "writing " + fresh.string());
  if (::fsync(file.get()) != 0) return system_error(errno, "fsync of " + fresh.string());
  if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error(errno, "renaming " + fresh.string());
  return sync_directory(path.parent_path());
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
