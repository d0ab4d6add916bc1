#include "kaiku/node/open_files.hpp"

#include <sys/resource.h>

#include <algorithm>

#include <spdlog/spdlog.h>

#include "kaiku/core/limits.hpp"

namespace kaiku {

std::uint64_t allow_all_files() {
  rlimit bound{};
  if (::getrlimit(RLIMIT_NOFILE, &bound) != 0) return limits::node_files;
  const auto soft = bound.rlim_cur;
  if (soft == bound.rlim_max) return soft;
  bound.rlim_cur = bound.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &bound) == 0) return bound.rlim_max;
  spdlog::warn("the limit of open files stays as it is");
  return soft;
}

std::size_t connections_within(std::uint64_t files, std::size_t wanted, std::size_t requests) {
  // Of a limit that is hardly enough for the node alone, a quarter: it is to be reached by somebody.
  const auto left = files - std::min<std::uint64_t>(limits::node_files, files / 4 * 3);
  const auto with_a_file_each = left / 2;
  const auto room = std::max<std::uint64_t>(with_a_file_each, left - std::min<std::uint64_t>(left, requests));
  return std::max<std::size_t>(1, std::min<std::uint64_t>(wanted, room));
}

}  // namespace kaiku
