#pragma once

/// Purpose: how far a copy is: a bar with rate and time left on a terminal, and the figures for the last word.
/// Owner: the count of files and bytes. Thread: one at a time.

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace kaiku::cli {

struct progress_figures {
  std::uint64_t files_done = 0, files = 0;
  std::uint64_t bytes_done = 0, bytes = 0;
  bool all_known = true;        ///< `files` and `bytes` are the whole
  bool sizes_known = true;      ///< none comes from a pipe, whose size shows at its end
  double bytes_per_second = 0;  ///< 0: not known yet
  std::string current = {};     ///< what is copied
};

/// One line of at most `columns`, without an end.
std::string progress_line(const progress_figures& of, std::size_t columns);

class progress {
 public:
  using clock = std::chrono::steady_clock;

  explicit progress(bool shown) : shown_(shown) {}
  ~progress() { clear(); }
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  bool is_shown() const { return shown_; }
  /// There is more to do.
  void expect(std::uint64_t files, std::uint64_t bytes);
  /// One more, from a pipe.
  void expect_stream();
  void know_all(bool known) { now_.all_known = known; }
  void working_on(std::string_view name) { now_.current = name; }
  /// Bytes that went over the network.
  void moved(std::uint64_t bytes);
  /// They have to go once more.
  void moved_in_vain(std::uint64_t bytes);
  /// Bytes that did not have to.
  void spared(std::uint64_t bytes);
  void file_done() { ++now_.files_done; }
  /// Draws it when it is time to.
  void turn();
  /// Takes it off the terminal, for a line of something else.
  void clear();

  /// Since the beginning.
  std::uint64_t bytes_moved() const { return moved_; }
  std::chrono::duration<double> elapsed() const { return clock::now() - began_; }

 private:
  void look_at_rate(clock::time_point now);

  struct sample {
    clock::time_point at;
    std::uint64_t moved;
  };

  bool shown_;
  bool drawn_ = false;
  progress_figures now_;
  std::uint64_t moved_ = 0;
  clock::time_point began_ = clock::now();
  clock::time_point last_draw_{};
  std::deque<sample> samples_;
};

}  // namespace kaiku::cli
