#include "kaiku/cli/partial_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "kaiku/cli/digest.hpp"

namespace kaiku::cli {
namespace {

std::string short_name(std::string_view of) {
  return hexadecimal(sha256_of(of)).substr(0, 16);
}

/// `.kaiku-<target>-`: any target's name may be as long as the file system lets it.
std::string prefix_of(const std::string& target) {
  return std::string(leftover_prefix) + short_name(target) + "-";
}

error trouble(const std::string& target, const char* what, int number) {
  return {number == ENOSPC || number == EDQUOT ? errc::disk_full : errc::io_error,
          target + " " + what + ": " + system_words(number)};
}

/// A file that somebody still writes has its lock, and stays.
void remove_others(const open_folder& folder, const std::string& prefix, const std::string& keep) {
  for (const auto& name : folder.leftovers()) {
    if (!name.starts_with(prefix) || name == keep) continue;
    const descriptor file(::openat(folder.get(), name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlinkat(folder.get(), name.c_str(), 0);
  }
}

}  // namespace

result<partial_file> partial_file::open(std::shared_ptr<const open_folder> folder, const std::string& target,
                                        std::string_view etag) {
  partial_file out;
  out.folder_ = std::move(folder);
  struct stat standing {};
  if (::fstatat(out.folder_->get(), target.c_str(), &standing, AT_SYMLINK_NOFOLLOW) == 0) {
    if (S_ISDIR(standing.st_mode)) return {errc::is_a_directory, target + " is a directory here"};
    if (!S_ISREG(standing.st_mode) && !S_ISLNK(standing.st_mode))
      return {errc::io_error, target + " is neither a file nor a link here, and is not replaced"};
    if (S_ISREG(standing.st_mode)) out.mode_ = standing.st_mode & 0777;
  }
  out.target_ = target;
  out.name_ = prefix_of(target) + short_name(etag) + std::string(leftover_suffix);
  out.file_ =
      descriptor(::openat(out.folder_->get(), out.name_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!out.file_) return trouble(target, "can't be written", errno);
  if (::flock(out.file_.get(), LOCK_EX | LOCK_NB) != 0)
    return {errc::in_use, target + " is being downloaded by another process"};
  struct stat now {};
  struct stat named {};
  const bool is_known = ::fstat(out.file_.get(), &now) == 0;
  // Whoever held the lock before may have put it in the target's place meanwhile.
  if (is_known && (::fstatat(out.folder_->get(), out.name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
                   named.st_ino != now.st_ino || named.st_dev != now.st_dev))
    return {errc::in_use, target + " was being downloaded by another process"};
  // In a directory of others, somebody may have put another file there under this name.
  if (!is_known || !S_ISREG(now.st_mode) || now.st_uid != ::geteuid() || now.st_nlink != 1)
    return {errc::io_error, out.name_ + ", where " + target + " is downloaded to, is no plain file of ours; remove it"};
  out.size_ = static_cast<std::uint64_t>(now.st_size);
  return out;
}

status partial_file::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return trouble(target_, "can't be written", errno);
    size_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return success();
}

result<std::string> partial_file::read(std::uint64_t offset, std::size_t most) const {
  std::string out(most, '\0');
  const auto got = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(offset));
  if (got < 0) return trouble(target_, "can't be read again", errno);
  out.resize(static_cast<std::size_t>(got));
  return out;
}

status partial_file::cut(std::uint64_t size) {
  if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return trouble(target_, "can't be written", errno);
  size_ = size;
  return success();
}

status partial_file::keep() {
  if (mode_ && ::fchmod(file_.get(), *mode_) != 0)
    return trouble(target_, "can't get the mode of the one before", errno);
  if (::renameat(folder_->get(), name_.c_str(), folder_->get(), target_.c_str()) == 0) {
    remove_others(*folder_, prefix_of(target_), name_);
    return success();
  }
  if (errno == EISDIR) return {errc::is_a_directory, target_ + " is a directory here"};
  return trouble(target_, "can't take its place", errno);
}

void partial_file::discard() {
  ::unlinkat(folder_->get(), name_.c_str(), 0);
}

}  // namespace kaiku::cli
