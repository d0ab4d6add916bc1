#include "support/command.hpp"

#include <array>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kaiku::test {

std::string find_program(const std::string& name) {
  if (name.front() == '/') return ::access(name.c_str(), X_OK) == 0 ? name : "";
  const char* path = std::getenv("PATH");
  std::istringstream directories(std::string(path == nullptr ? "" : path) + ":/usr/bin:/usr/sbin:/bin:/sbin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    std::string candidate = directory + "/" + name;
    if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

std::string missing_program(const std::vector<std::string>& names) {
  for (const auto& name : names)
    if (find_program(name).empty()) return name;
  return {};
}

std::string run_command(std::vector<std::string> arguments) {
  std::string line;
  for (const auto& argument : arguments) line += (line.empty() ? "" : " ") + argument;
  const std::string program = find_program(arguments.at(0));
  if (program.empty()) throw std::runtime_error(arguments[0] + " is not installed");

  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe for " + line);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, pipe[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, pipe[1], STDERR_FILENO);
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, program.c_str(), &files, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::close(pipe[1]);

  std::string printed;
  std::array<char, 4096> piece{};
  for (ssize_t n = 0; (n = ::read(pipe[0], piece.data(), piece.size())) > 0;)
    printed.append(piece.data(), static_cast<std::size_t>(n));
  ::close(pipe[0]);
  int status = -1;
  if (failed == 0) ::waitpid(pid, &status, 0);
  if (status != 0) throw std::runtime_error(line + " failed: " + printed);
  return printed;
}

}  // namespace kaiku::test
