#include "kaiku/http/api/process_figures.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace kaiku {
namespace {

double to_seconds(const timeval& x) {
  return static_cast<double>(x.tv_sec) + static_cast<double>(x.tv_usec) / 1e6;
}

/// Seconds since 1970 when the machine started.
double boot_time() {
  std::ifstream stat{"/proc/stat"};
  for (std::string word; stat >> word;) {
    double seconds = 0;
    if (word == "btime" && stat >> seconds) return seconds;
  }
  return 0;
}

/// Field 22 of /proc/self/stat (proc(5)), counted behind the name in parentheses, which may hold anything.
double ticks_from_boot_to_start() {
  std::ifstream file{"/proc/self/stat"};
  std::string line;
  std::getline(file, line);
  std::istringstream rest{line.substr(std::min(line.size(), line.rfind(')') + 1))};
  std::string field;
  for (int i = 3; i <= 22; ++i) rest >> field;
  return field.empty() ? 0 : std::strtod(field.c_str(), nullptr);
}

}  // namespace

process_figures read_process_figures() {
  process_figures out;
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) out.cpu_seconds = to_seconds(used.ru_utime) + to_seconds(used.ru_stime);
  std::uint64_t pages = 0;
  std::ifstream memory{"/proc/self/statm"};
  if (memory >> pages >> pages) out.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::error_code failed;
  const std::filesystem::directory_iterator files{"/proc/self/fd", failed};
  if (!failed) out.open_files = static_cast<std::uint64_t>(std::distance(begin(files), end(files)));
  rlimit bound{};
  if (::getrlimit(RLIMIT_NOFILE, &bound) == 0) out.max_files = bound.rlim_cur;
  static const double started = boot_time() + ticks_from_boot_to_start() / static_cast<double>(::sysconf(_SC_CLK_TCK));
  out.start_time_seconds = started;
  return out;
}

}  // namespace kaiku
