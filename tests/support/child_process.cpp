#include "support/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kaiku::test {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// The test's environment without what would set an option of a daemon.
std::vector<char*> environment_without_options() {
  std::vector<char*> out;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("KAIKU_")) out.push_back(*entry);
  out.push_back(nullptr);
  return out;
}

/// In the child, between fork and exec: system calls only.
[[noreturn]] void become(char* const* arguments, char* const* environment, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

std::uint64_t kibibytes_after(const std::string& status, const std::string& key) {
  auto at = status.find("\n" + key + ":");
  return at == std::string::npos ? 0 : std::stoull(status.substr(at + key.size() + 2)) * 1024;
}

}  // namespace

child_process::child_process(std::vector<std::string> arguments, const std::filesystem::path& log) {
  if (::gettid() != ::getpid()) throw std::logic_error("a process under test must be started by the main thread");
  int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out < 0) fail("open " + log.string());
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  auto environment = environment_without_options();
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(pointers.data(), environment.data(), out, parent);
  ::close(out);
  if (pid_ < 0) fail("fork");
}

child_process::~child_process() {
  kill();
}

void child_process::reap(bool wait) {
  if (exit_code_) return;
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, &status, wait ? 0 : WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got != pid_) return;
  if (WIFEXITED(status)) exit_code_ = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit_code_ = 128 + WTERMSIG(status);
}

bool child_process::is_running() {
  reap(false);
  return !exit_code_;
}

void child_process::send_signal(int number) {
  if (is_running()) ::kill(pid_, number);
}

void child_process::freeze() {
  if (!is_running()) throw std::logic_error("can't freeze a process that has ended");
  ::kill(pid_, SIGSTOP);
  int status = 0;
  // The stop is only complete, and the kernel only says so, once every thread has stopped.
  if (::waitpid(pid_, &status, WUNTRACED) != pid_ || !WIFSTOPPED(status)) fail("waitpid after SIGSTOP");
  frozen_ = true;
}

void child_process::thaw() {
  frozen_ = false;
  send_signal(SIGCONT);
}

void child_process::kill() {
  send_signal(SIGKILL);
  reap(true);
  frozen_ = false;
}

std::optional<int> child_process::wait_for_exit(milliseconds deadline) {
  wait_until(deadline, [this] { return !is_running(); });
  return exit_code_;
}

process_usage child_process::usage() const {
  process_usage out;
  const std::filesystem::path directory = "/proc/" + std::to_string(pid_);
  const std::string status = read_file(directory / "status");
  out.resident_bytes = kibibytes_after(status, "VmRSS");
  out.peak_resident_bytes = kibibytes_after(status, "VmHWM");
  out.threads = static_cast<std::size_t>(kibibytes_after(status, "Threads") / 1024);
  const std::string stat = read_file(directory / "stat");
  if (auto name_end = stat.rfind(')'); name_end != std::string::npos) {
    std::istringstream fields(stat.substr(name_end + 1));
    // proc(5): utime and stime are the 14th and 15th field; the name is the second.
    std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
    auto ticks = std::stoull(words.at(11)) + std::stoull(words.at(12));
    out.cpu_time = milliseconds(ticks * 1000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
  }
  std::error_code ignored;
  for (auto it = std::filesystem::directory_iterator(directory / "fd", ignored);
       it != std::filesystem::directory_iterator(); it.increment(ignored))
    ++out.open_files;
  return out;
}

std::string tail_of(const std::filesystem::path& file, std::size_t lines) {
  std::string all = read_file(file);
  auto at = all.size();
  for (std::size_t i = 0; i <= lines && at != std::string::npos && at > 0; ++i) at = all.rfind('\n', at - 1);
  return at == std::string::npos ? all : all.substr(at);
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace kaiku::test
