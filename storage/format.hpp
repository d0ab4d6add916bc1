#pragma once

/// Purpose: the keys and values of the database, byte by byte as `docs/storage-format.md` describes them.
/// Values that RocksDB hands back passed its checksums, so one that does not decode is an INVARIANT violation.
/// Thread: values.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kaiku/core/command.hpp"
#include "kaiku/core/fence.hpp"
#include "kaiku/core/vote.hpp"
#include "kaiku/storage/store_view.hpp"

namespace kaiku {

/// Column families. The numbers stand in undo records and never change.
/// State that is being installed, or that was replaced, stands in the `other_` ones.
enum class family : std::uint8_t {
  meta,
  log,
  undo,
  dentries,
  inodes,
  contents,
  holdings,
  set_aside,
  terms,
  work,
  orphans,
  other_dentries,
  other_inodes,
  other_orphans,
  expiries,
  requests,
  other_expiries,
  other_requests
};
inline constexpr std::size_t families = 18;

/// Where the log begins, and what it takes.
struct log_extent {
  log_position boundary;  ///< the last entry that was compacted, or that an installed state replaced
  byte_count bytes;       ///< entries behind it, their undo records and the small content they name

  friend bool operator==(const log_extent&, const log_extent&) = default;
};

/// What this disk knows of one content.
struct holding {
  byte_count size;
  std::uint64_t names = 0;     ///< inodes, log entries, undo records, entries set aside that name it
  bool here = false;           ///< its bytes are on this disk
  unix_time_ms unnamed_since;  ///< when `names` became 0
  log_index lacked_by;         ///< not here, and the state of this position, being installed, names it; 0: none does

  friend bool operator==(const holding&, const holding&) = default;
};

/// Kinds of keys in `work`, by first byte.
enum class chore : char {
  unnamed = 'u',     ///< then time and digest: content that nothing names
  wanted = 'w',      ///< then digest: content that is named and not here
  doomed = 'x',      ///< then digest: a blob file that may still be there, and is not to be
  term_start = 't',  ///< then index: key and value of `terms`, of a state being installed
  expected = 'e'     ///< then inode: what names of a state being installed lead to; how its value begins
};

namespace format {

inline constexpr inode_id root_inode{1};
/// Keys of `meta`.
inline constexpr std::string_view incarnation_key = "incarnation";
inline constexpr std::string_view hard_state_key = "hard_state";
inline constexpr std::string_view members_key = "members";
inline constexpr std::string_view confirmed_cluster_key = "confirmed_cluster";
inline constexpr std::string_view latecomer_key = "latecomer";
inline constexpr std::string_view extent_key = "extent";
inline constexpr std::string_view swapped_key = "swapped";
inline constexpr std::string_view install_key = "install";
inline constexpr std::string_view install_members_key = "install_members";
inline constexpr std::string_view clearing_key = "clearing";

std::string key(log_index index);
std::string key(inode_id inode);
std::string key(log_position at);
std::string key(const digest& what);
/// All names of one directory share the parent's key as prefix and follow in byte order.
std::string key(inode_id parent, std::string_view name);
/// Of `orphans`: the entry that removed the directory, and the directory.
std::string key(log_index removed_by, inode_id directory);
std::string key(chore kind, const digest& what);
std::string key(unix_time_ms unnamed_since, const digest& what);
/// Of `chore::expected`.
std::string key_of_expected(inode_id inode);
/// Of `expiries`: in the order in which files expire. The value is the file's key in `dentries`.
std::string key(unix_time_ms expires, inode_id file);
/// Of `requests`: what a key was answered; the key of the n-th request; the numbers of those that are known.
std::string key_of_request(const digest& key);
std::string key_of_request(std::uint64_t number);
inline constexpr std::string_view request_window_key = "w";

log_index index_of_key(std::string_view bytes);
log_position position_of_key(std::string_view bytes);
/// Of `chore::doomed` and `chore::wanted`.
digest digest_of_key(std::string_view bytes);
std::pair<unix_time_ms, digest> unnamed_of_key(std::string_view bytes);
std::pair<log_index, inode_id> orphan_of_key(std::string_view bytes);
std::pair<unix_time_ms, inode_id> expiry_of_key(std::string_view bytes);
/// Of `dentries`: the directory.
inode_id parent_of_key(std::string_view bytes);

/// What a name in a directory stands for.
struct dentry {
  inode_id inode;
  file_info::kind type = file_info::kind::directory;
};

/// Value of `inodes`.
struct inode_value {
  file_info info;
  /// Of a directory: the one that holds its name; 0: none, it is the root or an orphan.
  inode_id parent;
};

/// What a request was answered, as `requests` keeps it.
struct request_value {
  digest fingerprint;
  log_position at;  ///< of the entry that it became
  bool created = false;
  std::optional<file_info> file;  ///< as in the first answer; of its properties only when it expires
};
/// A known request by its number.
struct request_number {
  unix_time_ms time;  ///< of its entry
  digest key;
};
/// Numbers of the requests that are known: all from `first` on, up to `next`.
struct request_window {
  std::uint64_t first = 0;
  std::uint64_t next = 0;
  friend bool operator==(const request_window&, const request_window&) = default;
};

/// Value of `set_aside`.
struct set_aside_value {
  unix_time_ms since;
  std::string_view command;  ///< a view into what was read
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
std::string write_inode(const inode_value& x);
inode_value read_inode(inode_id inode, std::string_view bytes);
/// How the value of an inode begins that a name in `parent` leads to.
std::string inode_begins(file_info::kind type, inode_id parent);
std::string write_request(const request_value& x);
request_value read_request(std::string_view bytes);
std::string write_request_number(const request_number& x);
request_number read_request_number(std::string_view bytes);
std::string write_request_window(const request_window& x);
request_window read_request_window(std::string_view bytes);
std::string write_log(const log_entry& x);
log_value read_log(std::string_view bytes);
std::string write_hard_state(const hard_state& x);
hard_state read_hard_state(std::string_view bytes);
std::string write_cluster(const cluster_id& x);
std::string write_members(const membership& x);
membership read_members(std::string_view bytes);
std::string write_undo(const std::vector<old_value>& x);
std::vector<old_value> read_undo(std::string_view bytes);
std::string write_extent(const log_extent& x);
log_extent read_extent(std::string_view bytes);
std::string write_holding(const holding& x);
holding read_holding(std::string_view bytes);
std::string write_set_aside(unix_time_ms since, std::string_view encoded_command);
set_aside_value read_set_aside(std::string_view bytes);
std::string write_term(term x);
term read_term(std::string_view bytes);
std::string write_install(const install_progress& x);
install_progress read_install(std::string_view bytes);
digest read_digest(std::string_view bytes);
/// What another node sent may not decode: nothing then.
std::optional<dentry> decode_dentry(std::string_view bytes);
std::optional<inode_value> decode_inode(inode_id inode, std::string_view bytes);
/// Whether they can stand in `requests` of a state at `at`.
bool is_request(std::string_view key, std::string_view value, log_position at);
std::optional<membership> decode_members(std::string_view bytes);
/// The content that the value of an inode names.
std::optional<content_ref> content_of_inode(std::string_view bytes);

}  // namespace format
}  // namespace kaiku
