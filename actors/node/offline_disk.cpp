#include "kaiku/node/offline_disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "kaiku/storage/files.hpp"

namespace kaiku {

void end_command(const std::string& why) {
  std::fprintf(stderr, "kaikud: %s\n", why.c_str());
  std::_Exit(1);
}

status rename_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  int code = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
  if (code == EINVAL) {
    // A file system that can't promise it, such as NFS: to look first is as near as one comes.
    struct stat there {};
    if (::lstat(to.c_str(), &there) == 0) {
      code = EEXIST;
    } else {
      code = ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
    }
  }
  if (code == 0) return success();
  if (code == EEXIST) return {errc::already_exists, to.string() + " came to be there meanwhile; nothing is replaced"};
  return system_error(code, "renaming " + from.string() + " to " + to.string());
}

}  // namespace kaiku
