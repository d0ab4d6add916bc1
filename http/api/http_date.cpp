#include "kaiku/http/api/http_date.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace kaiku {
namespace {

constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct calendar {
  std::tm broken_down{};
  int millisecond = 0;
};

calendar split(unix_time_ms at) {
  auto seconds = at.value / 1000, rest = at.value % 1000;
  if (rest < 0) {
    --seconds;
    rest += 1000;
  }
  calendar out;
  const std::time_t when = seconds;
  ::gmtime_r(&when, &out.broken_down);
  out.millisecond = static_cast<int>(rest);
  return out;
}

template <class... Args>
std::string print(const char* format, Args... args) {
  std::array<char, 80> text{};
  auto size = std::snprintf(text.data(), text.size(), format, args...);
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::string format_http_date(unix_time_ms at) {
  auto tm = split(at).broken_down;
  return print("%s, %02d %s %04d %02d:%02d:%02d GMT", days.at(static_cast<std::size_t>(tm.tm_wday)), tm.tm_mday,
               months.at(static_cast<std::size_t>(tm.tm_mon)), tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

std::optional<unix_time_ms> parse_http_date(std::string_view text) {
  const std::string copy(text);
  for (const char* format : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm read{};
    const char* end = ::strptime(copy.c_str(), format, &read);
    if (end == nullptr || *end != '\0') continue;
    return unix_time_ms{static_cast<std::int64_t>(::timegm(&read)) * 1000};
  }
  return std::nullopt;
}

std::string format_rfc3339(unix_time_ms at) {
  auto out = split(at);
  const auto& tm = out.broken_down;
  return print("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
               tm.tm_min, tm.tm_sec, out.millisecond);
}

std::optional<unix_time_ms> parse_rfc3339(std::string_view text) {
  const std::string copy(text);
  std::tm read{};
  const char* end = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &read);
  if (end == nullptr) return std::nullopt;
  if (*end == '.') {
    ++end;
    if (*end < '0' || *end > '9') return std::nullopt;
    while (*end >= '0' && *end <= '9') ++end;
  }
  if (std::string_view{end} != "Z") return std::nullopt;
  return unix_time_ms{static_cast<std::int64_t>(::timegm(&read)) * 1000};
}

}  // namespace kaiku
