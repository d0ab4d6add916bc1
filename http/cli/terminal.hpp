#pragma once

/// Purpose: what stands at the other end of a descriptor: a person's terminal, or something else.
/// Thread: one at a time.

#include <csignal>
#include <optional>
#include <string_view>

#include <termios.h>

namespace kaiku::cli {

bool is_terminal(int fd);

struct screen_size {
  std::size_t columns = 80, rows = 24;
};
/// As it is now; 80 by 24 when it does not say.
screen_size terminal_size(int fd);

/// The whole screen of standard output, for a view that is drawn again and again; the destructor gives back what was
/// there before. Keys come from standard input at once and unseen, when that is a terminal. Ctrl-Z is noted, and obeyed
/// in `stop_if_asked`; one at a time.
class full_screen {
 public:
  full_screen();
  ~full_screen();
  full_screen(const full_screen&) = delete;
  full_screen& operator=(const full_screen&) = delete;

  /// Replaces what is shown; lines end in `\n`, and fit.
  void draw(std::string_view lines);
  /// The next key that was pressed; empty: none.
  std::optional<char> key();
  /// What can be waited for; -1: no keys.
  int keyboard() const { return before_ ? 0 : -1; }
  /// After Ctrl-Z: gives the terminal back, stops the process, and takes the screen again once it goes on. False:
  /// nobody asked for it.
  bool stop_if_asked();

 private:
  void enter();
  void leave();

  std::optional<termios> before_;
  struct sigaction on_stop_ {};  ///< what the signal did before
};

}  // namespace kaiku::cli
