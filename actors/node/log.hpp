#pragma once

/// Purpose: the log: one line an event on standard error, as text or as one JSON object. Quiet when all is well.
/// Thread: `set_up_log` once, before any other thread; logging itself from any (spdlog).

#include <memory>

#include <spdlog/formatter.h>

#include "kaiku/node/options.hpp"

namespace kaiku {

/// Writes one line for each message, whatever stands in it: control characters as `\x1b`, or as JSON has them.
std::unique_ptr<spdlog::formatter> make_log_formatter(const node_id& node, log_format format);
/// Makes spdlog's default logger write lines of `format` that are at least as severe as `level`; `node` stands in each.
void set_up_log(const node_id& node, log_level level, log_format format);

}  // namespace kaiku
