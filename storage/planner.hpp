#pragma once

/// Purpose: one command at work on the tree: its checks, and the writes that it comes to. Included by this folder only.
/// Lifecycle: one command each; `plan` makes it and lets it visit the command. Thread: any.
///
/// What the writes keep true: each inode but the root's has one name, or is an orphan; a directory's value says which
/// directory holds its name; each file that expires, and no other, stands in `expiries` with its name, also where it
/// can't be reached any more. Reclaiming leaves `expiries` alone: it goes by each node's own time, and this must not.

#include "kaiku/storage/tree.hpp"
#include "kaiku/storage/walk.hpp"

namespace kaiku::tree {

class planner {
 public:
  planner(const view& state, const precondition& when, log_position at, unix_time_ms now);

  result<change> operator()(const no_operation&);
  result<change> operator()(const set_members& what);
  result<change> operator()(const put_file& what);
  result<change> operator()(const make_directory& what);
  result<change> operator()(const remove_path& what);
  result<change> operator()(const move_path& what);
  result<change> operator()(const copy_path& what);
  result<change> operator()(const change_properties& what);
  result<change> operator()(const remove_expired& what);

 private:
  /// What a move or a copy is between.
  struct transfer {
    place from;
    names to_names;
    place to;
    format::inode_value source;
  };
  /// A name and what it leads to.
  struct child {
    std::string name;
    format::inode_value inode;
  };

  // --- checks ---
  place walk(const names& path) const { return tree::walk(state_, path, now_); }
  status check_way(const file_path& path, const names& parts, const place& at, bool make_parents) const;
  status check_target(const file_path& to, const place& at, file_info::kind source, bool overwrite) const;
  result<transfer> check_transfer(const file_path& from, const file_path& to, bool overwrite, bool make_parents) const;
  /// Has a name, whatever it leads to.
  bool has_names(inode_id directory) const;
  /// Has nothing that is still there; only so many names are looked at.
  bool is_empty(inode_id directory) const;

  // --- writes ---
  void put(family where, std::string key, std::string value);
  void erase(family where, std::string key);
  inode_id fresh_inode();
  /// A fresh file or directory of this entry.
  void date(file_info& x) const;
  /// A name was added to or removed from `directory`.
  void touch(inode_id directory);
  /// The directories that are missing on the way to the last of `parts`; gives the one that is to hold that name. Takes
  /// away what has expired on the way.
  inode_id make_way(const names& parts, const place& at);
  /// Gives `x` a name: the dentry, the inode, and when it expires.
  void write_named(inode_id parent, std::string_view name, const file_info& x);
  void drop_file(const file_info& x);
  /// What hangs below it is left to be reclaimed.
  void drop_directory(inode_id directory);
  /// Takes away what stands at the target, and gives the directory that is to hold its name.
  inode_id clear_target(const transfer& x);
  /// Errors: `too_many_entries`.
  status copy_below(inode_id from, inode_id to);
  std::vector<child> children(inode_id directory, std::size_t most) const;

  const view& state_;
  const precondition& when_;
  log_position at_;
  unix_time_ms now_;
  change out_;
  std::uint64_t inodes_ = 0;
};

/// Drops requests that are too old, and takes in the one of `what`.
void remember_request(const view& state, const command& what, log_position at, change& out);

}  // namespace kaiku::tree
