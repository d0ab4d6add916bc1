#include "kaiku/storage/tree.hpp"

#include <algorithm>

namespace kaiku::tree {
namespace {

using format::dentry;
using kind = file_info::kind;
using names = std::vector<std::string_view>;

/// How far the names of a path lead.
struct place {
  inode_id directory = format::root_inode;  ///< the last directory on the way to the path's last name
  std::size_t depth = 0;                    ///< names that lead to `directory`
  bool blocked = false;                     ///< a file stands where the path needs a directory
  std::optional<dentry> leaf;               ///< what the whole path names
};

place walk(const view& state, const names& path) {
  place at;
  at.leaf = dentry{format::root_inode, kind::directory};
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (at.leaf->type == kind::file) {
      at.leaf.reset();
      at.blocked = true;
      return at;
    }
    at.directory = at.leaf->inode;
    at.depth = i;
    auto found = state.get(family::dentries, format::key(at.directory, path[i]));
    if (!found) {
      at.leaf.reset();
      return at;
    }
    at.leaf = format::read_dentry(*found);
  }
  return at;
}

file_info inode(const view& state, inode_id which) {
  auto record = state.get(family::inodes, format::key(which));
  INVARIANT(record.has_value(), "every name leads to an inode");
  return format::read_inode(which, *record);
}

bool has_children(const view& state, inode_id directory) {
  const auto prefix = format::key(directory);
  auto it = state.scan(family::dentries);
  it->Seek(prefix);
  const bool found = it->Valid() && it->key().starts_with(prefix);
  state.check_scan(*it);
  return found;
}

bool is_among(const std::vector<std::string>& tags, const std::string& tag) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

/// RFC 9110, 13.1.1 and 13.1.2. Own tags are strong, so a weak one never equals them.
status check(const precondition& when, const file_info* there) {
  if (when.empty()) return success();
  const auto tag = there == nullptr ? std::string{} : there->etag();
  if (when.if_match_any && there == nullptr) {
    return {errc::precondition_failed, "If-Match: *, but nothing is there"};
  }
  if (!when.if_match.empty() && (there == nullptr || !is_among(when.if_match, tag))) {
    return {errc::precondition_failed, there == nullptr ? "If-Match, but nothing is there" : "what is there is " + tag};
  }
  if (there != nullptr && (when.if_none_match_any || is_among(when.if_none_match, tag))) {
    return {errc::precondition_failed, "what is there is " + tag};
  }
  return success();
}

void write_inode(change& out, const file_info& x) {
  out.writes.push_back({family::inodes, format::key(x.inode), format::write_inode(x)});
}

/// A name was added to or removed from `directory`.
void touch(const view& state, inode_id directory, unix_time_ms modified, log_index index, change& out) {
  auto changed = inode(state, directory);
  changed.version = index;
  changed.modified = modified;
  write_inode(out, changed);
}

/// Adds the names of `path` behind `at.directory`: directories, and `leaf` as the last.
void add(const view& state, const names& path, const place& at, file_info leaf, change& out) {
  INVARIANT(path.size() - at.depth <= limits::inodes_per_entry, "an entry has inodes enough for the deepest path");
  touch(state, at.directory, leaf.modified, leaf.version, out);
  auto parent = at.directory;
  inode_id next{leaf.version.value * limits::inodes_per_entry};
  for (std::size_t i = at.depth; i < path.size(); ++i) {
    file_info fresh;
    if (i + 1 == path.size()) fresh = leaf;
    fresh.inode = next;
    fresh.version = leaf.version;
    fresh.created = fresh.modified = leaf.modified;
    out.writes.push_back(
        {family::dentries, format::key(parent, path[i]), format::write_dentry({fresh.inode, fresh.type})});
    write_inode(out, fresh);
    parent = fresh.inode;
    next = next.next();
    out.file = std::move(fresh);
  }
  out.created = true;
}

error missing(const file_path& path) {
  return {errc::not_found, "nothing is at /" + path.text()};
}

/// What a command that makes something needs of the way to it.
status check_way(const file_path& path, const names& parts, const place& at, bool make_parents) {
  if (at.blocked) return {errc::not_a_directory, "a file stands in the middle of /" + path.text()};
  if (!at.leaf && at.depth + 1 < parts.size() && !make_parents) {
    return {errc::parent_missing, "the directory /" + path.parent().text() + " is not there"};
  }
  return success();
}

struct planner {
  const view& state;
  const precondition& when;
  log_index index;

  result<change> operator()(const no_operation&) const { return change{}; }

  result<change> operator()(const set_members& what) const {
    const auto now = members(state);
    if (now.cluster.known() && now.cluster != what.cluster) {
      return {errc::wrong_cluster, "the cluster is " + to_string(now.cluster) + " for good"};
    }
    change out;
    const membership next{what.cluster, what.voters, what.learners, index, false};
    out.writes.push_back({family::meta, std::string{format::members_key}, format::write_members(next)});
    return out;
  }

  result<change> operator()(const put_file& what) const {
    const auto parts = what.path.names();
    const auto at = walk(state, parts);
    if (auto way = check_way(what.path, parts, at, what.make_parents); !way) return way.failure();
    if (at.leaf && at.leaf->type == kind::directory) {
      return {errc::is_a_directory, "/" + what.path.text() + " is a directory"};
    }
    std::optional<file_info> there;
    if (at.leaf) there = inode(state, at.leaf->inode);
    if (auto holds = check(when, there ? &*there : nullptr); !holds) return holds.failure();

    file_info file = there.value_or(file_info{});
    file.type = kind::file;
    file.content = what.content;
    file.version = index;
    file.modified = what.modified;
    file.content_type = what.content_type;
    change out;
    if (there) {
      write_inode(out, file);
      out.file = std::move(file);
    } else {
      add(state, parts, at, std::move(file), out);
    }
    return out;
  }

  result<change> operator()(const make_directory& what) const {
    const auto parts = what.path.names();
    const auto at = walk(state, parts);
    if (auto way = check_way(what.path, parts, at, what.make_parents); !way) return way.failure();
    if (at.leaf) return {errc::already_exists, "/" + what.path.text() + " is there already"};
    if (auto holds = check(when, nullptr); !holds) return holds.failure();
    file_info fresh;
    fresh.version = index;
    fresh.modified = what.modified;
    change out;
    add(state, parts, at, std::move(fresh), out);
    return out;
  }

  result<change> operator()(const remove_path& what) const {
    if (what.path.is_root()) return {errc::method_not_allowed, "the root directory can't be removed"};
    const auto parts = what.path.names();
    const auto at = walk(state, parts);
    if (!at.leaf) return missing(what.path);
    const bool full = at.leaf->type == kind::directory && has_children(state, at.leaf->inode);
    if (full && !what.recursive) {
      return {errc::directory_not_empty, "/" + what.path.text() + " is not empty; say recursive to remove all of it"};
    }
    if (!when.empty()) {
      const auto there = inode(state, at.leaf->inode);
      if (auto holds = check(when, &there); !holds) return holds.failure();
    }
    change out;
    out.writes.push_back({family::dentries, format::key(at.directory, what.path.name()), std::nullopt});
    // What hangs below a directory is unreachable from here on, and reclaimed once this can't be undone any more.
    if (full) out.writes.push_back({family::orphans, format::key(index, at.leaf->inode), ""});
    if (!full) out.writes.push_back({family::inodes, format::key(at.leaf->inode), std::nullopt});
    touch(state, at.directory, what.modified, index, out);
    return out;
  }
};

}  // namespace

result<change> plan(const view& state, const command& what, const precondition& when, log_index index) {
  return std::visit(planner{state, when, index}, what);
}

result<file_info> stat(const view& state, const file_path& path) {
  const auto at = walk(state, path.names());
  if (!at.leaf) return missing(path);
  return inode(state, at.leaf->inode);
}

result<directory_page> list(const view& state, const file_path& path, std::string_view after, std::size_t limit) {
  const auto at = walk(state, path.names());
  if (!at.leaf) return missing(path);
  if (at.leaf->type == kind::file) return {errc::not_a_directory, "/" + path.text() + " is a file"};

  directory_page page;
  const auto prefix = format::key(at.leaf->inode);
  const auto start = format::key(at.leaf->inode, after);
  auto it = state.scan(family::dentries);
  it->Seek(start);
  if (it->Valid() && it->key() == start) it->Next();
  for (; it->Valid() && it->key().starts_with(prefix); it->Next()) {
    if (page.entries.size() == limit) {
      page.more = true;
      break;
    }
    const auto name = as_view(it->key()).substr(prefix.size());
    page.entries.push_back({std::string{name}, inode(state, format::read_dentry(as_view(it->value())).inode)});
  }
  state.check_scan(*it);
  return page;
}

membership members(const view& state) {
  auto record = state.get(family::meta, format::members_key);
  if (!record) return {};
  auto now = format::read_members(*record);
  now.confirmed = state.get(family::meta, format::confirmed_cluster_key) == format::write_cluster(now.cluster);
  return now;
}

file_info empty_root() {
  file_info root;
  root.inode = format::root_inode;
  return root;
}

}  // namespace kaiku::tree
