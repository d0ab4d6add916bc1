#include "kaiku/storage/data_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "kaiku/storage/files.hpp"

namespace kaiku {
namespace {

// Changes with every change of what stands on the disk; `docs/storage-format.md` describes this one.
constexpr std::string_view format_text = "kaiku data directory, format 5\n";
constexpr std::string_view format_prefix = "kaiku data directory, format ";

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
status check_unused(const std::filesystem::path& path) {
  std::error_code failure;
  for (std::filesystem::directory_iterator it{path, failure}, end; !failure && it != end; it.increment(failure)) {
    const auto name = it->path().filename().string();
    // The root of a file system of its own has `lost+found`; the others are left by a first start that was cut short.
    if (name == "lost+found" || name == "LOCK" || name == "FORMAT.new") continue;
    return {errc::bad_request, path.string() + " is not empty and not a Kaiku data directory (it has " + name +
                                   ", and no FORMAT file); give an empty directory"};
  }
  if (failure) return system_error(failure.value(), "listing " + path.string());
  return success();
}

}  // namespace

result<data_directory> data_directory::claim(const std::filesystem::path& path) {
  if (auto made = make_directories(path); !made) return made.failure();
  const auto marker = path / "FORMAT";
  auto format = read_file(marker, 256);
  if (!format && format.failure().code == errc::not_found) {
    if (auto unused = check_unused(path); !unused) return unused.failure();
  }

  unique_fd lock{::open((path / "LOCK").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!lock) return system_error(errno, "opening " + (path / "LOCK").string());
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_error(errno, "locking " + (path / "LOCK").string());
    return {errc::in_use,
            path.string() + " is in use by another process; every node needs a data directory of its own"};
  }

  format = read_file(marker, 256);
  if (format) {
    if (auto known = check_format(path, *format); !known) return known.failure();
  } else {
    if (format.failure().code != errc::not_found) return format.failure();
    if (auto wrote = write_file(marker, format_text); !wrote) return wrote.failure();
  }
  for (const char* name : {"db", "staging", "blobs", "damaged"}) {
    if (auto made = make_directories(path / name); !made) return made.failure();
  }
  return data_directory{path, std::move(lock)};
}

}  // namespace kaiku
