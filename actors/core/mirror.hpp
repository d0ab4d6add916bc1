#pragma once

/// Purpose: what is asked of a copy of the name space that a node keeps outside its own disk, and how that copy fares.
/// Thread: values.

#include <cstdint>
#include <optional>
#include <string>

#include "kaiku/core/command.hpp"

namespace kaiku {

/// What is at a path, and a page of it if it is a directory.
struct file_question {
  file_path path;
  std::string after{};
  std::size_t limit = 0;
  list_filter what{};
};

struct file_answer {
  file_info info;
  std::optional<directory_page> page;  ///< of a directory
};

/// A node's Redis, as the node sees it.
struct mirror_view {
  enum class state : std::uint8_t {
    unreachable,  ///< no connection, or no answer
    building,     ///< being filled
    full,         ///< it takes nothing more
    current       ///< mirrors the name space
  };
  std::string address;  ///< without the password
  state now = state::unreachable;
  bool asked = false;               ///< reads go there: no failure has put it off
  std::uint64_t lag = 0;            ///< entries of the log that it does not show yet
  std::uint64_t rebuilds = 0;       ///< times it was filled
  std::uint64_t put_off = 0;        ///< times reads were put off because an answer was late or missing
  std::uint64_t wrong = 0;          ///< records that were missing, or not as this node wrote them
  std::uint64_t answered = 0;       ///< reads that it answered
  std::uint64_t answered_late = 0;  ///< reads that it did not answer in time
  std::uint64_t behind = 0;         ///< reads for which it did not show the log's end
  std::uint64_t left_to_store = 0;  ///< reads that it could not answer: nothing there, or expired
  std::uint64_t not_asked = 0;      ///< reads while it was put off or full of other reads
};

std::string_view to_string(mirror_view::state x);

}  // namespace kaiku
