#pragma once

/// Purpose: what a log entry says. A command is evaluated once by the leader (`store::propose`) and folded the same way
/// on every node: everything that could differ between nodes (times, inode numbers) comes from the entry itself.
/// The inode numbers an entry creates are `index * limits::inodes_per_entry + k`; its files' version is its position.
/// Encoded as described in `docs/storage-format.md`; the same bytes stand in the log and travel to followers.
/// Thread: any.

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kaiku/core/error.hpp"
#include "kaiku/core/ids.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/core/path.hpp"
#include "kaiku/core/properties.hpp"

namespace kaiku {

/// A file's bytes by name and length.
struct content_ref {
  digest sha256;
  byte_count size;

  /// Small content lives in RocksDB and travels inside log messages.
  bool is_small() const { return size.value <= limits::small_content_bytes; }
  friend auto operator<=>(const content_ref&, const content_ref&) = default;
};

/// One member: who it is, which disk it has, and where its peers reach it.
struct member {
  node_id id;
  incarnation disk;          ///< all zero until this member was first seen
  std::string peer_address;  ///< host:port

  friend bool operator==(const member&, const member&) = default;
};

/// A leader's first entry in its term (paper, section 8): commits everything before it. Later: how it tries its disk.
struct no_operation {
  friend bool operator==(const no_operation&, const no_operation&) = default;
};

/// The cluster's identity and its members. The first leader's first entry, and again when a voter's disk becomes known
/// or one member comes, is promoted, or goes.
struct set_members {
  cluster_id cluster;
  std::vector<member> voters;
  std::vector<member> learners{};  ///< replicate, but do not count
  friend bool operator==(const set_members&, const set_members&) = default;
};
/// What a log may name: a known cluster, voters, each member once, no more than `limits::members`, with legal names and
/// addresses that can be shown. Asked of what other nodes send.
bool is_legal(const set_members& x);

/// Names one request of a client, so that repeating it changes nothing more.
struct request_key {
  digest key;          ///< of what the client calls it
  digest fingerprint;  ///< of what it asks for: the same key with another one is a mistake
  friend bool operator==(const request_key&, const request_key&) = default;
};

/// Makes or replaces a file, with all its properties.
struct put_file {
  file_path path;
  content_ref content;
  file_properties properties;
  unix_time_ms modified;
  bool make_parents = true;
  std::optional<request_key> key{};
  friend bool operator==(const put_file&, const put_file&) = default;
};

struct make_directory {
  file_path path;
  unix_time_ms modified;
  bool make_parents = true;
  std::optional<request_key> key{};
  friend bool operator==(const make_directory&, const make_directory&) = default;
};

/// Removes a file or a directory. One key changes, whatever the size of what hangs below.
struct remove_path {
  file_path path;
  bool recursive = false;
  unix_time_ms modified;
  std::optional<request_key> key{};
  bool directory_only = false;  ///< a file there is not found
  friend bool operator==(const remove_path&, const remove_path&) = default;
};

/// Gives a file or a directory another path. It stays what it is, with its version; a directory takes all below it
/// along, whatever the size. Never onto itself or below itself. What stands at `to` is replaced: a file by a file, or
/// an empty directory by a directory.
struct move_path {
  file_path from;
  file_path to;
  bool overwrite = false;  ///< else nothing may stand at `to`
  bool make_parents = true;
  unix_time_ms modified;
  std::optional<request_key> key{};
  friend bool operator==(const move_path&, const move_path&) = default;
};

/// Makes at `to` what is at `from`, with its properties: a new file, or a new directory with all below it, up to
/// `limits::copy_entries`. Otherwise as `move_path`.
struct copy_path {
  file_path from;
  file_path to;
  bool overwrite = false;
  bool make_parents = true;
  unix_time_ms modified;
  std::optional<request_key> key{};
  friend bool operator==(const copy_path&, const copy_path&) = default;
};

/// Changes a file's properties where it is folded, so that changes of different properties never undo each other.
struct change_properties {
  file_path path;
  properties_patch patch;
  unix_time_ms modified;
  std::optional<request_key> key{};
  friend bool operator==(const change_properties&, const change_properties&) = default;
};

/// The leader's own: removes the first `limits::expired_batch` files whose time is over at `modified`.
struct remove_expired {
  unix_time_ms modified;
  friend bool operator==(const remove_expired&, const remove_expired&) = default;
};

using command = std::variant<no_operation, set_members, put_file, make_directory, remove_path, move_path, copy_path,
                             change_properties, remove_expired>;

/// When a command that dates what it changes was given by the leader. A file that has expired by then counts as absent
/// for it.
std::optional<unix_time_ms> time_of(const command& x);
/// Dates it, and makes a time of a `ttl`; nothing for those that have no time.
void set_time(command& x, unix_time_ms time);
/// Key of the request that it came with, if any. Lives as long as `x`.
const request_key* key_of(const command& x);
/// About how many bytes of keys and values folding it may write, beside what it carries itself.
byte_count work_of(const command& x);
/// The content a command names, if any.
std::optional<content_ref> content_of(const command& x);

/// Deterministic: equal commands give equal bytes.
std::string encode(const command& x);
/// Errors: `corrupt`, for anything that `encode` can't have written (unknown kind, trailing bytes, illegal path).
result<command> decode_command(std::string_view bytes);

/// One line of the log as it is stored and sent.
struct log_entry {
  log_position at;
  std::string encoded_command;
  friend bool operator==(const log_entry&, const log_entry&) = default;
};

/// What must hold on the state in front of a command, or the command is refused before it is logged (RFC 9110, 13.1).
/// It is about what the request names: of a move or a copy, `from`.
struct precondition {
  std::vector<std::string> if_match;  ///< strong entity tags, quotes included; empty: no condition
  bool if_match_any = false;          ///< `If-Match: *`
  std::vector<std::string> if_none_match;
  bool if_none_match_any = false;  ///< `If-None-Match: *`
  /// Whole seconds. Passed over where there is an `If-Match`, or nothing whose date it could be compared with.
  std::optional<unix_time_ms> if_unmodified_since{};

  bool empty() const {
    return if_match.empty() && !if_match_any && if_none_match.empty() && !if_none_match_any && !if_unmodified_since;
  }
};

/// What is at a path.
struct file_info {
  enum class kind : std::uint8_t { file = 1, directory = 2 };

  kind type = kind::directory;
  inode_id inode;
  content_ref content;   ///< files only
  log_position version;  ///< entry that last changed it
  unix_time_ms created;  ///< of the inode
  unix_time_ms modified;
  file_properties properties;  ///< files only

  bool is_directory() const { return type == kind::directory; }
  /// Strong entity tag, quotes included: term and index of the version, and the first 16 digits of the digest (RFC
  /// 9110, 8.8.3). The term, because a failover can give an index to another change.
  std::string etag() const;
  friend bool operator==(const file_info&, const file_info&) = default;
};
/// What the path that the precondition is about holds (null: nothing) fits it (RFC 9110, 13.1.1, 13.1.2 and 13.1.4).
/// Own tags are strong, so a weak one never equals them. Errors: `precondition_failed`.
status check_precondition(const precondition& when, const file_info* there);

/// What of a directory is to be listed.
struct list_filter {
  std::string prefix{};    ///< only names that begin with it; of a recursive listing, paths relative to the directory
  bool recursive = false;  ///< all that is below, each directory in front of what it holds
};

struct directory_entry {
  std::string name;  ///< of a recursive listing, the path relative to the directory
  file_info info;
};

struct directory_page {
  std::vector<directory_entry> entries;  ///< in byte order of the names; recursive: name by name along the paths
  bool more = false;                     ///< another page may follow
  std::string next{};                    ///< if `more`: what it follows; not always the last entry's name
};

/// How many nodes must hold a write before it is answered.
enum class durability : std::uint8_t { leader = 1, majority = 2, all = 3 };
std::string_view to_string(durability x);
std::optional<durability> parse_durability(std::string_view text);

/// The first bytes of a cluster's id: enough to tell a token of another cluster.
struct cluster_tag {
  std::array<std::uint8_t, 4> bytes{};
  friend auto operator<=>(const cluster_tag&, const cluster_tag&) = default;
};
cluster_tag tag_of(const cluster_id& x);

/// Names one write for good: shown to clients as `cluster.term.index`, the cluster by 8 hexadecimal digits.
struct write_token {
  cluster_tag cluster;
  log_position at;
  friend bool operator==(const write_token&, const write_token&) = default;
};
std::string to_string(const write_token& x);
/// Reads what `to_string` wrote; nothing when it is anything else.
std::optional<write_token> parse_write_token(std::string_view text);

/// What became of a write, as the leader knows it.
struct write_status {
  enum class fate : std::uint8_t {
    unknown = 1,    ///< not in the leader's log, and no other entry is committed in its place (yet)
    leader = 2,     ///< in the leader's log
    majority = 3,   ///< committed
    all = 4,        ///< every voter's disk has it
    set_aside = 5,  ///< another entry is committed in its place; whoever had it keeps it aside
  };
  fate what = fate::unknown;
  std::uint32_t holders = 0;  ///< voters known to hold it durably
  std::uint32_t voters = 0;
};
std::string_view to_string(write_status::fate x);

}  // namespace kaiku
