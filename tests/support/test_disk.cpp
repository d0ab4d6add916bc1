#include "support/test_disk.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "support/command.hpp"
#include "support/temporary_directory.hpp"
#include "support/wait.hpp"

namespace kaiku::test {

namespace {

// Not in the headers of the system: fs/ext4/ext4.h of Linux.
constexpr unsigned long shutdown_request = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t without_flushing_the_journal = 2;

/// Sparse: it takes only what is written.
constexpr std::uintmax_t image_bytes = std::uintmax_t{1} << 30;

std::string try_disk() {
  if (::geteuid() != 0) return "only root can mount a disk";
  const std::string missing = missing_program({"mkfs.ext4", "mount"});
  if (!missing.empty()) return missing + " is not installed (packages e2fsprogs, mount)";
  try {
    const temporary_directory scratch;
    test_disk disk(scratch / "disk");
    disk.cut_power();
    disk.restore();
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return {};
}

}  // namespace

test_disk::test_disk(std::filesystem::path where) : where_(std::move(where)), image_(where_.string() + ".img") {
  std::filesystem::create_directories(where_);
  std::ofstream{image_};
  std::filesystem::resize_file(image_, image_bytes);
  // A small journal, so that its space is used again and again.
  run_command({"mkfs.ext4", "-q", "-F", "-b", "4096", "-J", "size=8", image_.string()});
  mount();
}

test_disk::~test_disk() {
  if (::umount2(where_.c_str(), 0) != 0) ::umount2(where_.c_str(), MNT_DETACH);
}

const std::string& test_disk::unavailable() {
  static const std::string why = try_disk();
  return why;
}

void test_disk::mount() {
  run_command({"mount", "-o", "loop,errors=remount-ro", image_.string(), where_.string()});
}

void test_disk::cut_power() {
  const int directory = ::open(where_.c_str(), O_RDONLY | O_CLOEXEC);
  std::uint32_t how = without_flushing_the_journal;
  const int failed = directory < 0 ? -1 : ::ioctl(directory, shutdown_request, &how);
  const int reason = errno;
  if (directory >= 0) ::close(directory);
  if (failed != 0) throw std::runtime_error("EXT4_IOC_SHUTDOWN of " + where_.string() + ": " + std::strerror(reason));
}

void test_disk::fail_to_read_only() {
  std::string device = run_command({"findmnt", "-n", "-o", "SOURCE", where_.string()});
  device = device.substr(device.rfind('/') + 1);
  device.erase(device.find_last_not_of(" \n") + 1);
  const std::filesystem::path trigger = "/sys/fs/ext4/" + device + "/trigger_fs_error";
  std::ofstream(trigger) << "a test" << std::flush;
  // Newer kernels do not show it among the mount's options.
  const int file = ::open((where_ / "probe").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 && errno == EROFS) return;
  if (file >= 0) ::close(file);
  throw std::runtime_error(trigger.string() + " did not make the disk read-only");
}

test_disk::hang::hang(const test_disk& disk) : directory_(::open(disk.where_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (directory_ >= 0 && ::ioctl(directory_, FIFREEZE, 0) == 0) return;
  const int reason = errno;
  if (directory_ >= 0) ::close(directory_);
  throw std::runtime_error("FIFREEZE of " + disk.where_.string() + ": " + std::strerror(reason));
}

test_disk::hang::~hang() {
  ::ioctl(directory_, FITHAW, 0);
  ::close(directory_);
}

void test_disk::restore() {
  // A process that was killed may still be on its way out.
  if (!wait_until(milliseconds{10'000}, [this] { return ::umount2(where_.c_str(), 0) == 0; }))
    throw std::runtime_error("umount " + where_.string() + ": " + std::strerror(errno));
  mount();
}

}  // namespace kaiku::test
