#pragma once

/// Purpose: one read of the name space in Redis: the script that does it there in one step, its arguments, and what its
/// answer is worth. Nothing that this process did not write in this generation passes. Thread: as `layout`.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/mirror.hpp"
#include "kaiku/storage/redis/layout.hpp"

namespace kaiku::redis {

/// The script, for SCRIPT LOAD.
std::string_view lookup_script();
/// EVALSHA and its arguments. `at`: the state that Redis must show.
std::vector<std::string> lookup_command(const std::string& script, const layout& of, log_position at,
                                        const file_question& what);
/// Whether the script can answer it.
bool can_look_up(const file_question& what);

enum class looked_up {
  answered,
  behind,  ///< Redis shows another state
  left,    ///< nothing there, or something that has expired: the store is asked
  wrong    ///< missing, or not what was written
};

/// `said`: the answer's strings. `into` counts only when answered.
looked_up read_lookup(std::span<const std::string_view> said, const layout& of, const file_question& what,
                      unix_time_ms now, file_answer& into);

}  // namespace kaiku::redis
