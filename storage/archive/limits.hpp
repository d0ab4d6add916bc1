#pragma once

/// Purpose: the bounds of archives, each with its reason; the unit stands last in the name. Thread: constants.

#include <cstddef>
#include <cstdint>

namespace kaiku::archive_limits {

/// Backups that one node writes at once: each holds a snapshot of the database, so that no space is reclaimed behind
/// it, and reads the disk as fast as its client takes it.
inline constexpr std::size_t backups_at_once = 2;
/// Entries that are looked up at once: with the longest path that can be named and all the metadata that a file may
/// have, 1 MB.
inline constexpr std::size_t page_entries = 100;
/// A path. Moves make it longer than any that can be named, each by `limits::path_bytes` at most: 256 of them.
inline constexpr std::size_t path_bytes = std::size_t{1024} * 1024;
/// An extended header: a path, and a file's properties, each with a name in front.
inline constexpr std::size_t records_bytes = path_bytes + std::size_t{64} * 1024;
/// The documents in front and at the end: a few short members.
inline constexpr std::size_t document_bytes = std::size_t{4} * 1024;
/// One piece of content.
inline constexpr std::size_t piece_bytes = std::size_t{256} * 1024;

}  // namespace kaiku::archive_limits
