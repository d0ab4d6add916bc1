#pragma once

/// Purpose: the few calls to the operating system that a durable directory needs, with errors as values, and the way a
/// node stops when its disk fails.
/// Thread: any.

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "kaiku/core/content.hpp"
#include "kaiku/core/error.hpp"

namespace kaiku {

/// Told why the disk can't be trusted any more; must not return.
using fatal_callback = std::function<void(const std::string&)>;

/// Calls `fatal`; ends the process if it returns nevertheless. A failed fsync is never retried: the kernel may have
/// dropped the pages and say "clean" next time ("Can applications recover from fsync failures?", ATC'20).
[[noreturn]] void stop_node(const fatal_callback& fatal, const std::string& why);

/// `disk_full` for ENOSPC and EDQUOT; `overloaded` when the process or the system is out of descriptors or memory,
/// which says nothing about the disk; else `io_error`. The detail says `what` and the system's reason.
error system_error(int code, const std::string& what);

/// Makes `directory` and what is missing above it, mode 0700, each durable in its parent. Errors: `io_error`,
/// `disk_full`.
status make_directories(const std::filesystem::path& directory);
/// What was named, renamed or removed in it is so for good. Errors: `io_error`, `disk_full`, `overloaded`.
status sync_directory(const std::filesystem::path& directory);
/// Writes everything; goes on after partial writes and signals. Zero, or the errno.
int write_all(int file, std::string_view bytes);

}  // namespace kaiku
