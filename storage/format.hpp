#pragma once

/// Purpose: the keys and values of the database, byte by byte as `docs/storage-format.md` describes them.
/// Values that RocksDB hands back passed its checksums, so one that does not decode is an INVARIANT violation.
/// Thread: values.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/command.hpp"
#include "kaiku/core/fence.hpp"
#include "kaiku/core/vote.hpp"

namespace kaiku {

/// Column families. The numbers stand in undo records and never change.
enum class family : std::uint8_t { meta, log, undo, dentries, inodes, contents, blobs, set_aside };
inline constexpr std::size_t families = 8;

namespace format {

inline constexpr inode_id root_inode{1};
/// Keys of `meta`.
inline constexpr std::string_view incarnation_key = "incarnation";
inline constexpr std::string_view hard_state_key = "hard_state";
inline constexpr std::string_view members_key = "members";
inline constexpr std::string_view confirmed_cluster_key = "confirmed_cluster";

std::string key(log_index index);
std::string key(inode_id inode);
std::string key(log_position at);
std::string key(const digest& what);
/// All names of one directory share the parent's key as prefix and follow in byte order.
std::string key(inode_id parent, std::string_view name);

log_index index_of_key(std::string_view bytes);
log_position position_of_key(std::string_view bytes);

/// What a name in a directory stands for.
struct dentry {
  inode_id inode;
  file_info::kind type = file_info::kind::directory;
};

/// Value of `log`: all of an entry but its index.
struct log_value {
  term in_term;
  std::string_view command;  ///< a view into what was read
};

/// A key's value before an entry changed it.
struct old_value {
  family where;
  std::string key;
  std::optional<std::string> value;
};

std::string write_dentry(const dentry& x);
dentry read_dentry(std::string_view bytes);
std::string write_inode(const file_info& x);
file_info read_inode(inode_id inode, std::string_view bytes);
std::string write_log(const log_entry& x);
log_value read_log(std::string_view bytes);
std::string write_hard_state(const hard_state& x);
hard_state read_hard_state(std::string_view bytes);
std::string write_cluster(const cluster_id& x);
std::string write_members(const membership& x);
membership read_members(std::string_view bytes);
std::string write_undo(const std::vector<old_value>& x);
std::vector<old_value> read_undo(std::string_view bytes);
std::string write_size(byte_count x);
byte_count read_size(std::string_view bytes);

}  // namespace format
}  // namespace kaiku
