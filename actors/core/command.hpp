#pragma once

/// Purpose: what a log entry says. A command is evaluated once by the leader (`store::propose`) and folded the same way
/// on every node: everything that could differ between nodes (times, inode numbers) comes from the entry itself.
/// The inode numbers an entry creates are `index * limits::inodes_per_entry + k`; its files' version is its index.
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

/// A leader's first entry in its term (paper, section 8): commits everything before it.
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

/// Makes or replaces a file.
struct put_file {
  file_path path;
  content_ref content;
  std::string content_type;
  unix_time_ms modified;
  bool make_parents = true;
  friend bool operator==(const put_file&, const put_file&) = default;
};

struct make_directory {
  file_path path;
  unix_time_ms modified;
  bool make_parents = true;
  friend bool operator==(const make_directory&, const make_directory&) = default;
};

/// Removes a file or a directory. One key changes, whatever the size of what hangs below.
struct remove_path {
  file_path path;
  bool recursive = false;
  unix_time_ms modified;
  friend bool operator==(const remove_path&, const remove_path&) = default;
};

using command = std::variant<no_operation, set_members, put_file, make_directory, remove_path>;

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
struct precondition {
  std::vector<std::string> if_match;  ///< strong entity tags, quotes included; empty: no condition
  bool if_match_any = false;          ///< `If-Match: *`
  std::vector<std::string> if_none_match;
  bool if_none_match_any = false;  ///< `If-None-Match: *`

  bool empty() const { return if_match.empty() && !if_match_any && if_none_match.empty() && !if_none_match_any; }
};

/// What is at a path.
struct file_info {
  enum class kind : std::uint8_t { file = 1, directory = 2 };

  kind type = kind::directory;
  inode_id inode;
  content_ref content;   ///< files only
  log_index version;     ///< entry that last changed it
  unix_time_ms created;  ///< of the inode
  unix_time_ms modified;
  std::string content_type;  ///< files only

  bool is_directory() const { return type == kind::directory; }
  /// Strong entity tag, quotes included: version and the first 16 digits of the digest (RFC 9110, 8.8.3).
  std::string etag() const;
  friend bool operator==(const file_info&, const file_info&) = default;
};

struct directory_entry {
  std::string name;
  file_info info;
};

struct directory_page {
  std::vector<directory_entry> entries;  ///< in byte order of the names
  bool more = false;                     ///< another page follows after the last name
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
