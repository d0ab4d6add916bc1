#pragma once

/// Purpose: what the members of a backup and the records of their extended headers are called. The prefix of the
/// records makes extended attributes of them (`user.kaiku...`) in programs that know how to keep those.
/// Included by this folder only. Thread: constants.

#include <string_view>

namespace kaiku::backup_names {

inline constexpr std::string_view manifest = "kaiku-backup.json";
inline constexpr std::string_view end = "kaiku-backup-end.json";
inline constexpr std::string_view files = "files/";  ///< in front of every path
inline constexpr std::string_view format = "kaiku-backup";
inline constexpr unsigned version = 1;

inline constexpr std::string_view prefix = "SCHILY.xattr.user.kaiku.";
inline constexpr std::string_view changed_by = "version";  ///< TERM.INDEX of the entry
inline constexpr std::string_view created = "created";     ///< milliseconds since 1970, as all times here
inline constexpr std::string_view modified = "modified";
inline constexpr std::string_view digest = "sha256";
inline constexpr std::string_view content_type = "content-type";
inline constexpr std::string_view content_encoding = "content-encoding";
inline constexpr std::string_view expires = "expires";
inline constexpr std::string_view metadata = "meta.";  ///< and the name

}  // namespace kaiku::backup_names
