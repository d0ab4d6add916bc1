#pragma once

/// Purpose: members of a tar archive in the form of POSIX.1-2001 (pax, "ustar" headers with extended ones in front),
/// as far as backups need it: files and directories. Thread: pure functions.
///
///   [extended header: block, records, padding]  header: block  content  padding to whole blocks  ...  two empty blocks

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kaiku/core/error.hpp"
#include "kaiku/core/ids.hpp"

namespace kaiku::tar {

inline constexpr std::size_t block_bytes = 512;

/// Names and values of an extended header, in order. Names have no `=`.
using records = std::vector<std::pair<std::string, std::string>>;

enum class kind : char { file = '0', directory = '5', extended = 'x' };

struct member {
  kind type = kind::file;
  std::string name;  ///< as it is extracted; a directory's ends with `/`
  byte_count size;   ///< of a file
  unix_time_ms modified;
  records extended{};  ///< what the header has no place for; path and size are added where they are too long
};

/// All in front of the content.
std::string write_head(const member& x);
/// What follows a content: zeros, up to the end of its block.
std::string padding(byte_count size);
std::string end_of_archive();

/// One header block. Empty: it is all zeros, as at the end of an archive. Errors: `corrupt`: also for kinds of members
/// that no backup has.
result<std::optional<member>> parse_head(std::string_view block);
/// Errors: `corrupt`.
result<records> parse_records(std::string_view bytes);

}  // namespace kaiku::tar
