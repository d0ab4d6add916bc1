#include "kaiku/secrets/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "kaiku/core/content.hpp"

namespace kaiku {
namespace {

error usage(std::string detail) {
  return {errc::bad_request, std::move(detail)};
}

bool is_of_group(gid_t group) {
  if (group == ::getegid()) return true;
  const auto count = ::getgroups(0, nullptr);
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(count, 0)));
  if (count <= 0 || ::getgroups(count, groups.data()) < 0) return false;
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

/// Why a file of this owner and mode is no secret; empty: it is one.
std::string who_else_reads(const struct stat& x) {
  if ((x.st_mode & S_IRWXO) != 0) return "is open to every user of this machine";
  if ((x.st_mode & S_IRWXG) == 0) return {};
  const bool mounted = x.st_uid == 0 && is_of_group(x.st_gid);
  if (mounted && (x.st_mode & S_IWGRP) == 0) return {};
  return "is open to the group " + std::to_string(x.st_gid);
}

/// `refuse` gives why it may not be read; empty: it may.
result<std::string> read_file(const std::string& file, std::size_t most, std::string (*refuse)(const struct stat&)) {
  // A pipe without a writer would hold the start up.
  const unique_fd opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat found {};
  if (!opened || ::fstat(opened.get(), &found) != 0) return usage(file + ": " + std::strerror(errno));
  if (!S_ISREG(found.st_mode)) return usage(file + " is not a file");
  if (auto others = refuse(found); !others.empty()) return usage(file + " " + others + ": chmod go= " + file);
  std::string text(most + 1, '\0');  // one more, to see that the bound is exceeded
  std::size_t have = 0;
  while (have < text.size()) {
    const auto got = ::read(opened.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return usage(file + " cannot be read: " + std::strerror(errno));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  if (text.size() > most) return usage(file + " is longer than " + std::to_string(most) + " bytes");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty()) return usage(file + " is empty");
  return text;
}

}  // namespace

result<std::string> read_secret(const std::string& file, std::size_t most) {
  return read_file(file, most, who_else_reads);
}

result<std::string> read_whole(const std::string& file, std::size_t most) {
  return read_file(file, most, [](const struct stat&) { return std::string{}; });
}

}  // namespace kaiku
