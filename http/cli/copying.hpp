#pragma once

/// Purpose: what sending and fetching many files have in common: so many at once, what became of each, the last word.
/// Owner: the counts of a copy. Thread: the process's only one.

#include <functional>
#include <optional>
#include <string>

#include "kaiku/cli/session.hpp"

namespace kaiku::cli {

/// What became of one file.
struct copied {
  std::string path;  ///< of the store, as shown
  std::uint64_t size = 0;
  bool unchanged = false;  ///< it was there already
  std::optional<failure> failed;
  json more = json::object();  ///< what else there is to say, for programs
  std::string words;           ///< and for people
};

class copy_work {
 public:
  /// `begins` starts one more file, and calls `ended` once it is over; false: there is none to start now.
  copy_work(session& with, std::string verb, std::function<bool()> begins)
      : with_(with), verb_(std::move(verb)), begins_(std::move(begins)) {}

  /// A failure of the whole (a listing, a name that can't be): told, and counted as a file.
  void fail(const failure& why);
  void skipped(const std::string& path, const std::string& why);
  void ended(const copied& file);
  /// There may be more to start, or nothing more will come.
  void fill();
  void nothing_more() { all_begun_ = true; }
  bool is_stopping() const { return stop_.has_value(); }

  /// Runs until all is done; `several`: with a last word. What the command ends with.
  exit_code run(bool several);

 private:
  exit_code last_word(bool several, bool was_interrupted);
  exit_code code_of(bool several) const;
  void tell(const copied& file);

  session& with_;
  std::string verb_;  ///< `sent` or `fetched`
  std::function<bool()> begins_;
  std::size_t running_ = 0;
  bool all_begun_ = false, filling_ = false;
  std::optional<exit_code> stop_;  ///< what makes it pointless to go on
  std::optional<exit_code> first_failure_;
  bool less_durable_ = false;
  std::uint64_t moved_ = 0, unchanged_ = 0, failed_ = 0, skipped_ = 0;
};

}  // namespace kaiku::cli
