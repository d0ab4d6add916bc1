#pragma once

/// Purpose: the keys and values of a node's name space in Redis, as `docs/redis.md` describes them, and the checks that
/// tell what this process wrote from anything else. One object is one generation: one filling of Redis, with a name and
/// a secret of its own. Thread: const, but one thread at a time (the hash has a state).

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/command.hpp"

namespace kaiku::redis {

/// Begins the keys of one node; in braces, so that all of them are in one slot.
std::string key_prefix(const cluster_id& cluster, const node_id& node);

/// SipHash-2-4 of 64 bits under a random key: 16 hexadecimal digits.
class keyed_hash {
 public:
  using secret = std::array<unsigned char, 16>;
  explicit keyed_hash(const secret& key);
  ~keyed_hash();
  keyed_hash(const keyed_hash&) = delete;
  keyed_hash& operator=(const keyed_hash&) = delete;
  std::string operator()(std::string_view text) const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Names a generation, and makes its checks.
struct generation {
  std::string name;  ///< 16 hexadecimal digits
  keyed_hash::secret secret{};

  static generation make();
  friend bool operator==(const generation&, const generation&) = default;
};

/// Stands behind all names of a directory; no name begins so, since it is not UTF-8.
inline constexpr std::string_view end_name = "\xff";
/// Fields of an inode, in the order in which they are checked; the last is the check.
inline constexpr std::array<std::string_view, 11> inode_fields{
    "type",    "size",     "sha256", "version", "created", "modified", "content_type", "content_encoding",
    "expires", "metadata", "check"};
/// Fields of the token that say which state Redis shows; the last is the check.
inline constexpr std::array<std::string_view, 4> token_fields{"generation", "term", "index", "check"};

class layout {
 public:
  layout(const std::string& prefix, generation of);

  const generation& of() const { return of_; }
  const std::string& token_key() const { return token_key_; }
  /// Followed by an inode's number in decimal: its hash, or a directory's index.
  const std::string& inode_prefix() const { return inode_prefix_; }
  const std::string& index_prefix() const { return index_prefix_; }
  /// What all keys of this generation begin with.
  const std::string& generation_prefix() const { return generation_prefix_; }
  std::string inode_key(inode_id which) const { return inode_prefix_ + to_string(which); }
  std::string index_key(inode_id directory) const { return index_prefix_ + to_string(directory); }

  /// Values of `token_fields`.
  std::vector<std::string> token(log_position at) const;
  /// Values of `inode_fields`.
  std::vector<std::string> record(const file_info& x) const;
  /// Member of a directory's index. Its check covers the name in front of it (empty: none), so that a gap is noticed.
  std::string member(inode_id directory, std::string_view before, std::string_view name, inode_id leads_to) const;
  /// The last member of every index.
  std::string end(inode_id directory, std::string_view before) const {
    return member(directory, before, end_name, inode_id{});
  }
  /// What every member of this name begins with, and what is behind them all.
  static std::string first_member(std::string_view name) { return std::string{name} + '\0'; }
  static std::string behind_member(std::string_view name) { return std::string{name} + '\0' + '\xff'; }

  struct entry {
    std::string_view name;
    inode_id leads_to;
  };
  /// Nothing if it is not what `member` gave for a name that follows `before`.
  std::optional<entry> read_member(inode_id directory, std::string_view before, std::string_view member) const;
  static std::string_view name_of(std::string_view member) { return member.substr(0, member.find('\0')); }
  /// `joined`: the values, with a NUL between two of them. Nothing if it is not what `record` gave for this inode.
  std::optional<file_info> read_record(inode_id which, std::string_view joined) const;

 private:
  std::string check_member(inode_id directory, std::string_view before, std::string_view body) const;
  std::string check_record(inode_id which, std::string_view body) const;

  generation of_;
  keyed_hash hash_;
  std::string token_key_;
  std::string generation_prefix_;
  std::string inode_prefix_;
  std::string index_prefix_;
};

}  // namespace kaiku::redis
