#pragma once

/// Purpose: what can't happen. Stays on in release builds: a node that stops can be restarted, one that diverges can't
/// be trusted. Thread: any.

#include <string_view>

namespace kaiku {

/// Writes one line to standard error and ends the process with SIGABRT, or throws when a test has asked for that.
[[noreturn]] void invariant_violated(std::string_view condition, std::string_view what, const char* file, int line);

/// Tests only: makes `invariant_violated` throw `std::logic_error` instead of ending the process.
void throw_on_invariant_violation(bool on);

}  // namespace kaiku

#define INVARIANT(condition, what) \
  ((condition) ? static_cast<void>(0) : ::kaiku::invariant_violated(#condition, what, __FILE__, __LINE__))
