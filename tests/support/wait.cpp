#include "support/wait.hpp"

#include <cstdlib>
#include <string>
#include <thread>

namespace kaiku::test {

bool wait_until(milliseconds deadline, const std::function<bool()>& holds) {
  constexpr milliseconds pause{5};
  const auto end = clock::now() + deadline;
  for (;;) {
    if (holds()) return true;
    if (clock::now() >= end) return false;
    std::this_thread::sleep_for(pause);
  }
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::stoull(text);
}

}  // namespace kaiku::test
