#include "kaiku/core/invariant.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace kaiku {
namespace {
std::atomic<bool> throws{false};
}

void invariant_violated(std::string_view condition, std::string_view what, const char* file, int line) {
  std::string text = "invariant violated: " + std::string(what) + " (" + std::string(condition) + ") at " + file + ":" +
                     std::to_string(line);
  if (throws) throw std::logic_error(text);
  std::fprintf(stderr, "kaiku: %s\n", text.c_str());
  std::abort();
}

void throw_on_invariant_violation(bool on) {
  throws = on;
}

}  // namespace kaiku
