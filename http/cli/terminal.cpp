#include "kaiku/cli/terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace kaiku::cli {
namespace {

volatile std::sig_atomic_t stop_asked = 0;

extern "C" void note_stop(int) {
  stop_asked = 1;
}

}  // namespace

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

screen_size terminal_size(int fd) {
  winsize now{};
  if (::ioctl(fd, TIOCGWINSZ, &now) != 0 || now.ws_col < 2 || now.ws_row < 2) return {};
  return {now.ws_col, now.ws_row};
}

full_screen::full_screen() {
  struct sigaction how {};
  how.sa_handler = note_stop;
  ::sigaction(SIGTSTP, nullptr, &on_stop_);
  // A shell without jobs has it ignored.
  if (on_stop_.sa_handler != SIG_IGN) ::sigaction(SIGTSTP, &how, nullptr);
  enter();
}

full_screen::~full_screen() {
  leave();
  ::sigaction(SIGTSTP, &on_stop_, nullptr);
}

void full_screen::enter() {
  // The other screen, without a cursor.
  std::fputs("\x1b[?1049h\x1b[?25l", stdout);
  std::fflush(stdout);
  termios now{};
  if (!is_terminal(STDIN_FILENO) || ::tcgetattr(STDIN_FILENO, &now) != 0) return;
  before_ = now;
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  now.c_cc[VMIN] = 0;
  now.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

void full_screen::leave() {
  if (before_) ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
  std::fputs("\x1b[?25h\x1b[?1049l", stdout);
  std::fflush(stdout);
}

bool full_screen::stop_if_asked() {
  if (stop_asked == 0) return false;
  stop_asked = 0;
  leave();
  struct sigaction noting {};
  ::sigaction(SIGTSTP, &on_stop_, &noting);
  std::raise(SIGTSTP);
  ::sigaction(SIGTSTP, &noting, nullptr);
  enter();
  return true;
}

void full_screen::draw(std::string_view lines) {
  std::string out = "\x1b[H";
  for (char c : lines) out += c == '\n' ? std::string("\x1b[K\r\n") : std::string(1, c);
  out += "\x1b[J";
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
}

std::optional<char> full_screen::key() {
  pollfd keys{STDIN_FILENO, POLLIN, 0};
  char pressed = 0;
  if (!before_ || ::poll(&keys, 1, 0) != 1 || ::read(STDIN_FILENO, &pressed, 1) != 1) return std::nullopt;
  return pressed;
}

}  // namespace kaiku::cli
