#include "kaiku/cli/progress.hpp"

#include <algorithm>
#include <cstdio>

#include "kaiku/cli/limits.hpp"
#include "kaiku/cli/terminal.hpp"
#include "kaiku/cli/text.hpp"

namespace kaiku::cli {
namespace {

constexpr std::size_t bar_columns = 20;

std::string bar(double share) {
  const auto full = static_cast<std::size_t>(share * bar_columns);
  return "[" + std::string(full, '#') + std::string(bar_columns - full, '-') + "]";
}

}  // namespace

std::string progress_line(const progress_figures& of, std::size_t columns) {
  std::string out;
  const bool end_known = of.all_known && of.sizes_known;
  if (end_known) {
    const double share =
        of.bytes == 0 ? 1.0 : static_cast<double>(std::min(of.bytes_done, of.bytes)) / static_cast<double>(of.bytes);
    out = bar(share) + right(std::to_string(static_cast<int>(share * 100)) + "%", 5) + "  ";
  }
  if (of.files != 1 || !of.all_known)
    out += with_commas(of.files_done) + "/" + with_commas(of.files) + (of.all_known ? "" : "+") + " files  ";
  out += in_bytes(of.bytes_done);
  if (of.sizes_known) out += " of " + in_bytes(of.bytes) + (of.all_known ? "" : "+");
  if (of.bytes_per_second > 0) {
    out += "  " + in_bytes(static_cast<std::uint64_t>(of.bytes_per_second)) + "/s";
    const auto left = static_cast<double>(of.bytes - std::min(of.bytes_done, of.bytes)) / of.bytes_per_second;
    if (end_known) out += "  " + as_clock(std::chrono::seconds(static_cast<long long>(left + 0.5))) + " left";
  }
  const auto used = columns_of(out);
  if (used + 4 < columns && !of.current.empty()) out += "  " + fitted(printable(of.current), columns - used - 2);
  return cut(out, columns);
}

void progress::expect(std::uint64_t files, std::uint64_t bytes) {
  now_.files += files;
  now_.bytes += bytes;
}

void progress::expect_stream() {
  ++now_.files;
  now_.sizes_known = false;
}

void progress::moved(std::uint64_t bytes) {
  moved_ += bytes;
  now_.bytes_done += bytes;
}

void progress::moved_in_vain(std::uint64_t bytes) {
  now_.bytes_done -= std::min(bytes, now_.bytes_done);
}

void progress::spared(std::uint64_t bytes) {
  now_.bytes_done += bytes;
}

void progress::look_at_rate(clock::time_point now) {
  samples_.push_back({now, moved_});
  while (samples_.size() > 2 && now - samples_.front().at > std::chrono::milliseconds(limits::rate_window_ms))
    samples_.pop_front();
  const std::chrono::duration<double> span = now - samples_.front().at;
  if (span.count() > 0) now_.bytes_per_second = static_cast<double>(moved_ - samples_.front().moved) / span.count();
}

void progress::turn() {
  const auto now = clock::now();
  if (!shown_ || now - last_draw_ < std::chrono::milliseconds(limits::redraw_ms)) return;
  last_draw_ = now;
  look_at_rate(now);
  // One column stays free: a full line makes some terminals begin another.
  const auto line = progress_line(now_, terminal_size(2).columns - 1);
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void progress::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace kaiku::cli
