#include "kaiku/cli/output.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "kaiku/cli/terminal.hpp"
#include "kaiku/cli/text.hpp"

namespace kaiku::cli {

output::output(bool as_json, bool quiet)
    : as_json_(as_json),
      quiet_(quiet),
      to_terminal_(is_terminal(STDOUT_FILENO)),
      bar_(!quiet && !as_json && is_terminal(STDERR_FILENO)) {}

std::string output::name(std::string_view raw) const {
  return to_terminal_ ? printable(raw) : std::string(raw);
}

void output::line(std::string_view text) {
  if (as_json_) return;
  bar_.clear();
  write(std::string(text) + "\n");
}

void output::record(const json& document) {
  if (!as_json_) return;
  write(dumped(document) + "\n");
}

bool output::bytes(std::string_view raw) {
  return write(raw);
}

bool output::write(std::string_view raw) {
  if (std::fwrite(raw.data(), 1, raw.size(), stdout) == raw.size()) return true;
  nobody_reads_ = nobody_reads_ || errno == EPIPE;
  return false;
}

void output::complain(const failure& about) {
  bar_.clear();
  const auto text = as_json_ ? dumped({{"error", described(about)}}) : "kaiku: " + printable(about.what);
  std::fprintf(stderr, "%s\n", text.c_str());
}

void output::remark(std::string_view text) {
  if (quiet_ || as_json_) return;
  bar_.clear();
  std::fprintf(stderr, "%s\n", printable(text).c_str());
}

bool output::finish() {
  bar_.clear();
  const bool flushed = std::fflush(stdout) == 0;
  nobody_reads_ = nobody_reads_ || (!flushed && errno == EPIPE);
  return flushed && std::ferror(stdout) == 0;
}

std::string dumped(const json& document, int indent) {
  return document.dump(indent, ' ', false, json::error_handler_t::replace);
}

json described(const failure& about) {
  return {{"code", about.problem.empty() ? json(nullptr) : json(about.problem)},
          {"exit", static_cast<int>(about.code)},
          {"message", about.what}};
}

}  // namespace kaiku::cli
