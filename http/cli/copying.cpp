#include "kaiku/cli/copying.hpp"

#include "kaiku/cli/text.hpp"

namespace kaiku::cli {
namespace {

/// The next file would meet the same.
bool ends_all(exit_code code) {
  return code == exit_code::no_access || code == exit_code::unavailable || code == exit_code::unknown;
}

}  // namespace

void copy_work::fail(const failure& why) {
  with_.out.complain(why);
  ++failed_;
  if (!first_failure_) first_failure_ = why.code;
  if (ends_all(why.code)) stop_ = why.code;
}

void copy_work::skipped(const std::string& path, const std::string& why) {
  with_.out.remark("kaiku: " + path + ": passed over, " + why);
  ++skipped_;
}

void copy_work::tell(const copied& file) {
  json record{{"path", file.path},
              {"result", file.failed      ? "failed"
                         : file.unchanged ? "unchanged"
                                          : verb_},
              {"size", file.size}};
  record.update(file.more);
  if (file.failed) record["error"] = described(*file.failed);
  with_.out.record(record);
  if (!file.words.empty() && !with_.asked.quiet) with_.out.line(file.words);
}

void copy_work::ended(const copied& file) {
  --running_;
  with_.out.bar().file_done();
  tell(file);
  // Less durable, it stands nevertheless.
  const bool recorded = !file.failed || file.failed->code == exit_code::less_durable;
  if (file.failed && recorded) {
    with_.out.complain(*file.failed);
    less_durable_ = true;
  }
  if (!recorded)
    fail(*file.failed);
  else
    ++(file.unchanged ? unchanged_ : moved_);
  fill();
}

void copy_work::fill() {
  // What it starts may end, and come back here.
  if (filling_) return;
  filling_ = true;
  while (running_ < with_.asked.parallel && !is_stopping()) {
    ++running_;
    if (begins_()) continue;
    --running_;
    break;
  }
  filling_ = false;
}

exit_code copy_work::run(bool several) {
  with_.net.on_turn([this] { with_.out.bar().turn(); });
  fill();
  const bool whole = with_.net.run([this] { return running_ == 0 && (is_stopping() || all_begun_); });
  with_.net.on_turn({});
  with_.out.bar().clear();
  return last_word(several, !whole);
}

exit_code copy_work::code_of(bool several) const {
  if (stop_) return *stop_;
  if (failed_ == 0) return less_durable_ ? exit_code::less_durable : exit_code::done;
  return several ? exit_code::some_failed : *first_failure_;
}

exit_code copy_work::last_word(bool several, bool was_interrupted) {
  const auto code = was_interrupted ? exit_code::interrupted : code_of(several);
  if (was_interrupted)
    with_.out.complain({code, "interrupted; the same command again goes on from here", {}});
  else if (stop_ && several)
    with_.out.complain({code, "stopped; the same command again goes on from here", {}});
  if (!several) return code;
  const auto& bar = with_.out.bar();
  const double seconds = bar.elapsed().count();
  with_.out.record({{"summary",
                     {{verb_, moved_},
                      {"unchanged", unchanged_},
                      {"failed", failed_},
                      {"passed_over", skipped_},
                      {"bytes", bar.bytes_moved()},
                      {"seconds", seconds},
                      {"requests", with_.net.sent()}}}});
  auto words = counted(moved_, "file") + " " + verb_ + ", " + in_bytes(bar.bytes_moved()) + " in " +
               as_clock(std::chrono::seconds(static_cast<long long>(seconds + 0.5)));
  if (bar.bytes_moved() > 0 && seconds > 0)
    words += " (" + in_bytes(static_cast<std::uint64_t>(static_cast<double>(bar.bytes_moved()) / seconds)) + "/s)";
  if (unchanged_ != 0) words += "; " + with_commas(unchanged_) + " there already";
  if (skipped_ != 0) words += "; " + with_commas(skipped_) + " passed over";
  if (failed_ != 0) words += "; " + with_commas(failed_) + " failed";
  if (!with_.asked.quiet) with_.out.line(words);
  return code;
}

}  // namespace kaiku::cli
