#include "kaiku/node/lockdown.hpp"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include <spdlog/spdlog.h>

namespace kaiku {

void lock_down(bool core_dumps) {
  ::umask(077);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    spdlog::warn("new privileges can't be ruled out: {}", std::strerror(errno));
  if (!core_dumps && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    spdlog::warn("core dumps can't be ruled out: {}", std::strerror(errno));
}

}  // namespace kaiku
