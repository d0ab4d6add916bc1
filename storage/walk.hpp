#pragma once

/// Purpose: how a path leads through the tree. Shared by what reads it and what changes it; included by this folder
/// only. Thread: any.

#include <optional>
#include <string_view>
#include <vector>

#include "kaiku/storage/database.hpp"

namespace kaiku::tree {

using names = std::vector<std::string_view>;

/// How far the names of a path lead.
struct place {
  inode_id directory = format::root_inode;  ///< the last directory on the way to the path's last name
  std::size_t depth = 0;                    ///< names that lead to `directory`
  bool blocked = false;                     ///< a file stands where the path needs a directory
  std::optional<format::dentry> leaf;       ///< what the whole path names
  std::optional<file_info> file;            ///< the same, if it is a file
  /// The way ends in `directory` at a file whose time is over: as good as absent.
  std::optional<file_info> expired;
};

place walk(const view& state, const names& path, unix_time_ms now);
format::inode_value read_inode(const view& state, inode_id which);
bool is_expired(const file_info& x, unix_time_ms now);
error missing(const file_path& path);

}  // namespace kaiku::tree
