#pragma once

/// Purpose: one process under test: started, stopped, frozen, killed and measured.
/// Lifecycle: runs from the constructor on; the destructor kills and reaps it. It also ends when the test dies.
/// Thread: the test's main thread (the kernel ties a child's death to the thread that started it).

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "support/wait.hpp"

namespace kaiku::test {

/// What the kernel says about a process.
struct process_usage {
  std::uint64_t resident_bytes = 0;       ///< VmRSS
  std::uint64_t peak_resident_bytes = 0;  ///< VmHWM
  milliseconds cpu_time{};                ///< user and system
  std::size_t threads = 0;
  std::size_t open_files = 0;
};

class child_process {
 public:
  /// Runs `arguments[0]` with the rest as its arguments; what it prints is appended to `log`. Its
  /// environment is the test's without `KAIKU_...`, which would set options of a daemon.
  /// Throws std::system_error. A program that can't be executed exits with 127.
  child_process(std::vector<std::string> arguments, const std::filesystem::path& log);
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t pid() const { return pid_; }
  bool is_running();
  void send_signal(int number);
  /// SIGSTOP; returns once every thread stands still.
  void freeze();
  void thaw();
  bool is_frozen() const { return frozen_; }
  /// SIGKILL, and reaped.
  void kill();
  /// The exit code once it has ended, 128 + the signal's number when a signal ended it; empty: still running by then.
  std::optional<int> wait_for_exit(milliseconds deadline);

  /// All zero once it has ended.
  process_usage usage() const;

 private:
  void reap(bool wait);

  pid_t pid_ = -1;
  bool frozen_ = false;
  std::optional<int> exit_code_;
};

/// The last `lines` lines of a file.
std::string tail_of(const std::filesystem::path& file, std::size_t lines);
/// All of a file; empty when it is not there.
std::string read_file(const std::filesystem::path& file);

}  // namespace kaiku::test
