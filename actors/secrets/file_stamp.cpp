#include "kaiku/secrets/file_stamp.hpp"

#include <sys/stat.h>

namespace kaiku {
namespace {

std::int64_t nanoseconds(const timespec& x) {
  return std::int64_t{x.tv_sec} * 1'000'000'000 + x.tv_nsec;
}

}  // namespace

file_stamp file_stamp::of(const std::string& file) {
  struct stat found {};
  if (file.empty() || ::stat(file.c_str(), &found) != 0) return {};
  return {true,
          found.st_dev,
          found.st_ino,
          static_cast<std::uint64_t>(found.st_size),
          nanoseconds(found.st_mtim),
          nanoseconds(found.st_ctim)};
}

}  // namespace kaiku
