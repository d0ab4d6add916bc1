#pragma once

/// Purpose: how often something was said. Thread: values.

#include <cstddef>
#include <string>
#include <string_view>

namespace kaiku::test {

inline std::size_t count_in(const std::string& text, std::string_view what) {
  std::size_t out = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++out;
  return out;
}

}  // namespace kaiku::test
