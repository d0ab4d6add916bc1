#include "fault.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace kaiku::test {
namespace {

std::atomic<bool> failing{false};

int sync_unless_failing(long call, int file) {
  if (failing) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(call, file));
}

}  // namespace

failing_syncs::failing_syncs() {
  failing = true;
}
failing_syncs::~failing_syncs() {
  failing = false;
}

}  // namespace kaiku::test

// A program's own definition stands in front of the C library's, for shared libraries too.
extern "C" int fsync(int file) {
  return kaiku::test::sync_unless_failing(SYS_fsync, file);
}
extern "C" int fdatasync(int file) {
  return kaiku::test::sync_unless_failing(SYS_fdatasync, file);
}
