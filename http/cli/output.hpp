#pragma once

/// Purpose: what a command says: results on standard output, for people or one JSON document a line, and trouble on
/// standard error. Owner: both streams, and the progress on the second. Thread: one at a time.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kaiku/cli/message.hpp"
#include "kaiku/cli/progress.hpp"

namespace kaiku::cli {

class output {
 public:
  /// `as_json`: results and trouble as JSON; `quiet`: no progress and no remarks.
  output(bool as_json, bool quiet);

  bool as_json() const { return as_json_; }
  progress& bar() { return bar_; }

  /// A name for `line`: escaped when a terminal would have to show it, else as it is.
  std::string name(std::string_view raw) const;
  /// A result for people; not with JSON.
  void line(std::string_view text);
  /// A result for programs; only with JSON.
  void record(const json& document);
  /// Content, as it is. False: nobody takes it any more.
  bool bytes(std::string_view raw);
  /// Trouble, on standard error, with all names escaped.
  void complain(const failure& about);
  /// What is good to know; not with `quiet` or JSON.
  void remark(std::string_view text);
  /// All that was said is out; false: some of it could not be written.
  bool finish();
  /// Whoever read standard output has gone: nothing to complain about.
  bool nobody_reads() const { return nobody_reads_; }

 private:
  bool write(std::string_view raw);

  bool as_json_, quiet_, to_terminal_;
  bool nobody_reads_ = false;
  progress bar_;
};

/// As it is, but for what is not UTF-8, which JSON can't hold: that becomes U+FFFD.
std::string dumped(const json& document, int indent = -1);
/// `{"code","exit","message"}`.
json described(const failure& about);

}  // namespace kaiku::cli
