#include "kaiku/storage/held_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "kaiku/storage/files.hpp"

namespace kaiku {
namespace {

constexpr mode_t file_mode = 0600;
constexpr mode_t directory_mode = 0700;

bool is_link(int directory, const char* name) {
  struct stat found {};
  return ::fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode);
}

int open_by_steps(int root, const std::filesystem::path& name, int flags, mode_t mode) {
  unique_fd held;
  int from = root;
  for (auto part = name.begin(); part != name.end();) {
    const auto here = *part++;
    const bool last = part == name.end();
    if (here == ".." || here.is_absolute()) break;
    const int wanted = last ? flags : O_PATH | O_DIRECTORY;
    const int opened = ::openat(from, here.c_str(), wanted | O_NOFOLLOW | O_CLOEXEC, mode);
    if (opened < 0 && errno == ENOTDIR && is_link(from, here.c_str())) errno = ELOOP;
    if (opened < 0 || last) return opened;
    held = unique_fd{opened};
    from = opened;
  }
  errno = EXDEV;
  return -1;
}

}  // namespace

int open_beneath(int root, const std::filesystem::path& name, int flags, mode_t mode, bool by_steps) {
  if (!by_steps) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.mode = (flags & O_CREAT) != 0 ? mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    const auto opened = ::syscall(SYS_openat2, root, name.c_str(), &how, sizeof how);
    // EPERM: a filter of system calls that is older than the call.
    if (opened >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(opened);
  }
  return open_by_steps(root, name, flags, mode);
}

result<std::shared_ptr<const held_directory>> held_directory::open(const std::filesystem::path& path) {
  unique_fd root{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!root) return system_error(errno, "opening " + path.string());
  return std::shared_ptr<const held_directory>{new held_directory{path, std::move(root)}};
}

error held_directory::failure(int code, const std::string& doing, const std::filesystem::path& name) const {
  const auto what = doing + " " + (path_ / name).string();
  if (code != ELOOP) return system_error(code, what);
  return {errc::io_error, what + ": it is a symbolic link, or lies behind one; a data directory may have none"};
}

result<unique_fd> held_directory::open(const std::filesystem::path& name, int flags) const {
  unique_fd opened{open_beneath(root_.get(), name, flags, file_mode)};
  if (!opened && errno == ENOENT) return {errc::not_found, (path_ / name).string() + " is not there"};
  if (!opened) return failure(errno, "opening", name);
  return opened;
}

result<unique_fd> held_directory::open_file(const std::filesystem::path& name, int flags) const {
  auto opened = open(name, flags | O_NONBLOCK);  // a FIFO would wait for its other end
  if (!opened) return opened;
  struct stat found {};
  if (::fstat(opened->get(), &found) != 0) return failure(errno, "looking at", name);
  if (!S_ISREG(found.st_mode)) return {errc::io_error, (path_ / name).string() + " is not a regular file"};
  return opened;
}

template <class Act>
int held_directory::in_parent(const std::filesystem::path& name, Act act) const {
  const auto parent = name.parent_path();
  const auto last = name.filename();
  if (parent.empty()) return act(root_.get(), last.c_str()) == 0 ? 0 : errno;
  const unique_fd opened{open_beneath(root_.get(), parent, O_PATH | O_DIRECTORY, 0)};
  if (!opened) return errno;
  return act(opened.get(), last.c_str()) == 0 ? 0 : errno;
}

int held_directory::look(const std::filesystem::path& name, struct stat& found) const {
  return in_parent(name, [&](int at, const char* last) { return ::fstatat(at, last, &found, AT_SYMLINK_NOFOLLOW); });
}

int held_directory::create(const std::filesystem::path& name, unique_fd& made) const {
  made = unique_fd{open_beneath(root_.get(), name, O_RDWR | O_CREAT | O_EXCL, file_mode)};
  return made ? 0 : errno;
}

int held_directory::make_directory(const std::filesystem::path& name) const {
  return in_parent(name, [](int at, const char* last) { return ::mkdirat(at, last, directory_mode); });
}

int held_directory::remove(const std::filesystem::path& name) const {
  return in_parent(name, [](int at, const char* last) { return ::unlinkat(at, last, 0); });
}

int held_directory::rename(const std::filesystem::path& from, const std::filesystem::path& to) const {
  return in_parent(from, [&](int from_at, const char* from_name) {
    const int code = in_parent(to, [&](int at, const char* last) { return ::renameat(from_at, from_name, at, last); });
    return errno = code, code == 0 ? 0 : -1;
  });
}

int held_directory::link(const std::filesystem::path& from, const std::filesystem::path& to) const {
  return in_parent(from, [&](int from_at, const char* from_name) {
    const int code = in_parent(to, [&](int at, const char* last) { return ::linkat(from_at, from_name, at, last, 0); });
    return errno = code, code == 0 ? 0 : -1;
  });
}

status held_directory::provide_directory(const std::filesystem::path& name) const {
  const int code = make_directory(name);
  if (code == 0) return sync(name.has_parent_path() ? name.parent_path() : ".");
  if (code != EEXIST) return failure(code, "making", name);
  const unique_fd there{open_beneath(root_.get(), name, O_PATH | O_DIRECTORY, 0)};
  if (there) return success();
  if (errno == ENOTDIR) return {errc::io_error, (path_ / name).string() + " is not a directory"};
  return failure(errno, "opening", name);
}

status held_directory::sync(const std::filesystem::path& name) const {
  auto handle = open(name, O_RDONLY | O_DIRECTORY);
  if (!handle) return handle.failure();
  if (::fsync(handle->get()) != 0) return failure(errno, "fsync of", name);
  return success();
}

result<std::vector<std::string>> held_directory::list(const std::filesystem::path& name) const {
  auto opened = open(name, O_RDONLY | O_DIRECTORY);
  if (!opened) return opened.failure();
  const std::unique_ptr<DIR, int (*)(DIR*)> entries{::fdopendir(opened->get()), ::closedir};
  if (!entries) return failure(errno, "listing", name);
  opened->release();  // closed with `entries`
  std::vector<std::string> names;
  for (errno = 0; const auto* entry = ::readdir(entries.get()); errno = 0) {
    const std::string_view found{entry->d_name};
    if (found != "." && found != "..") names.emplace_back(found);
  }
  if (errno != 0) return failure(errno, "listing", name);
  return names;
}

result<std::string> held_directory::read(const std::filesystem::path& name, std::size_t max) const {
  auto file = open_file(name, O_RDONLY);
  if (!file) return file.failure();
  std::string bytes(max, '\0');
  std::size_t have = 0;
  while (have < max) {
    const auto got = ::read(file->get(), bytes.data() + have, max - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(errno, "reading", name);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

status held_directory::write(const std::filesystem::path& name, std::string_view bytes) const {
  auto fresh = name;
  fresh += ".new";
  // A crash has left it, or somebody has put it there: with another mode, or as another name of a file of theirs.
  if (const int code = remove(fresh); code != 0 && code != ENOENT) return failure(code, "removing", fresh);
  auto file = open(fresh, O_WRONLY | O_CREAT | O_EXCL);
  if (!file) return file.failure();
  if (int code = write_all(file->get(), bytes); code != 0) return failure(code, "writing", fresh);
  if (::fsync(file->get()) != 0) return failure(errno, "fsync of", fresh);
  if (int code = rename(fresh, name); code != 0) return failure(code, "renaming", fresh);
  return sync(".");
}

}  // namespace kaiku
