#include "kaiku/storage/tree.hpp"

#include "kaiku/storage/walk.hpp"

namespace kaiku::tree {

using kind = file_info::kind;

bool is_expired(const file_info& x, unix_time_ms now) {
  return x.properties.expires && *x.properties.expires <= now;
}

format::inode_value read_inode(const view& state, inode_id which) {
  auto record = state.get(family::inodes, format::key(which));
  INVARIANT(record.has_value(), "every name leads to an inode");
  return format::read_inode(which, *record);
}

error missing(const file_path& path) {
  return {errc::not_found, "nothing is at /" + path.text()};
}

place walk(const view& state, const names& path, unix_time_ms now) {
  place at;
  at.leaf = format::dentry{format::root_inode, kind::directory};
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (at.leaf->type == kind::file) {
      at.leaf.reset();
      at.file.reset();
      at.blocked = true;
      return at;
    }
    at.directory = at.leaf->inode;
    at.depth = i;
    at.leaf.reset();
    const auto found = state.get(family::dentries, format::key(at.directory, path[i]));
    if (!found) return at;
    const auto leads_to = format::read_dentry(*found);
    if (leads_to.type == kind::file) {
      at.file = read_inode(state, leads_to.inode).info;
      if (is_expired(*at.file, now)) {
        at.expired = std::exchange(at.file, std::nullopt);
        return at;
      }
    }
    at.leaf = leads_to;
  }
  return at;
}

result<file_info> stat(const view& state, const file_path& path, unix_time_ms now) {
  auto at = walk(state, path.names(), now);
  if (at.file) return *std::move(at.file);
  if (!at.leaf) return missing(path);
  return read_inode(state, at.leaf->inode).info;
}

std::optional<unix_time_ms> next_expiry(const view& state) {
  std::optional<unix_time_ms> first;
  auto it = state.scan(family::expiries);
  it->SeekToFirst();
  if (it->Valid()) first = format::expiry_of_key(as_view(it->key())).first;
  state.check_scan(*it);
  return first;
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
