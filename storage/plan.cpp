#include <algorithm>
#include <set>

#include "kaiku/storage/planner.hpp"

namespace kaiku::tree {
namespace {

using kind = file_info::kind;

/// Whether directories can be reached from the root, remembered for as long as one command looks.
class reach {
 public:
  explicit reach(const view& state) : state_(state) { known_[format::root_inode] = true; }

  bool leads_to(inode_id directory) {
    std::vector<inode_id> way;
    std::optional<bool> found;
    // A cycle, which only a leader gone wrong can have sent, leads nowhere.
    for (auto at = directory; !found && way.size() < most_deep;) {
      if (const auto known = known_.find(at); known != known_.end()) {
        found = known->second;
        break;
      }
      way.push_back(at);
      const auto value = state_.get(family::inodes, format::key(at));
      // Reclaimed, or the directory that a removal has left to be reclaimed.
      if (!value) break;
      at = format::read_inode(at, *value).parent;
      if (at.value == 0) break;
    }
    for (const auto& one : way) known_[one] = found.value_or(false);
    return found.value_or(false);
  }

 private:
  /// No path is longer; moves may have made deeper trees, though.
  static constexpr std::size_t most_deep = 1'000'000;

  const view& state_;
  std::map<inode_id, bool> known_;
};

}  // namespace

result<change> plan(const view& state, const command& what, const precondition& when, log_position at) {
  auto planned = std::visit(planner{state, when, at, time_of(what).value_or(unix_time_ms{})}, what);
  if (planned) remember_request(state, what, at, *planned);
  return planned;
}

planner::planner(const view& state, const precondition& when, log_position at, unix_time_ms now)
    : state_(state), when_(when), at_(at), now_(now) {}

// --- checks --------------------------------------------------------------------------------------------------------

/// What a command that makes something needs of the way to it.
status planner::check_way(const file_path& path, const names& parts, const place& at, bool make_parents) const {
  if (at.blocked) return {errc::not_a_directory, "a file stands in the middle of /" + path.text()};
  if (!at.leaf && at.depth + 1 < parts.size() && !make_parents) {
    return {errc::parent_missing, "the directory /" + path.parent().text() + " is not there"};
  }
  return success();
}

std::vector<planner::child> planner::children(inode_id directory, std::size_t most) const {
  std::vector<child> all;
  const auto prefix = format::key(directory);
  auto it = state_.scan(family::dentries);
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix) && all.size() < most; it->Next()) {
    const auto name = as_view(it->key()).substr(prefix.size());
    const auto leads_to = format::read_dentry(as_view(it->value()));
    all.push_back({std::string{name}, read_inode(state_, leads_to.inode)});
  }
  state_.check_scan(*it);
  return all;
}

bool planner::has_names(inode_id directory) const {
  const auto prefix = format::key(directory);
  auto it = state_.scan(family::dentries);
  it->Seek(prefix);
  const bool found = it->Valid() && it->key().starts_with(prefix);
  state_.check_scan(*it);
  return found;
}

bool planner::is_empty(inode_id directory) const {
  const auto prefix = format::key(directory);
  std::size_t looked_at = 0;
  bool empty = true;
  auto it = state_.scan(family::dentries);
  for (it->Seek(prefix); empty && it->Valid() && it->key().starts_with(prefix); it->Next()) {
    const auto leads_to = format::read_dentry(as_view(it->value()));
    empty = ++looked_at <= limits::emptiness_names && leads_to.type == kind::file &&
            is_expired(read_inode(state_, leads_to.inode).info, now_);
  }
  state_.check_scan(*it);
  return empty;
}

// --- writes --------------------------------------------------------------------------------------------------------

void planner::put(family where, std::string key, std::string value) {
  out_.writes.push_back({where, std::move(key), std::move(value)});
}

void planner::erase(family where, std::string key) {
  out_.writes.push_back({where, std::move(key), std::nullopt});
}

inode_id planner::fresh_inode() {
  INVARIANT(inodes_ < limits::inodes_per_entry, "an entry has inodes enough for all that it makes");
  return {at_.index.value * limits::inodes_per_entry + inodes_++};
}

void planner::date(file_info& x) const {
  x.version = at_;
  x.created = x.modified = now_;
}

void planner::touch(inode_id directory) {
  auto changed = read_inode(state_, directory);
  changed.info.version = at_;
  changed.info.modified = now_;
  put(family::inodes, format::key(directory), format::write_inode(changed));
}

void planner::write_named(inode_id parent, std::string_view name, const file_info& x) {
  auto key = format::key(parent, name);
  if (x.properties.expires) put(family::expiries, format::key(*x.properties.expires, x.inode), key);
  put(family::dentries, std::move(key), format::write_dentry({x.inode, x.type}));
  put(family::inodes, format::key(x.inode), format::write_inode({x, parent}));
}

void planner::drop_file(const file_info& x) {
  if (x.properties.expires) erase(family::expiries, format::key(*x.properties.expires, x.inode));
  erase(family::inodes, format::key(x.inode));
}

void planner::drop_directory(inode_id directory) {
  const auto key = format::key(directory);
  if (!has_names(directory)) return erase(family::inodes, key);
  // What hangs below is unreachable from here on, and reclaimed once this can't be undone any more.
  auto orphan = read_inode(state_, directory);
  orphan.parent = {};
  put(family::orphans, format::key(at_.index, directory), "");
  put(family::inodes, key, format::write_inode(orphan));
}

inode_id planner::make_way(const names& parts, const place& at) {
  touch(at.directory);
  if (at.expired) drop_file(*at.expired);
  auto parent = at.directory;
  for (std::size_t i = at.depth; i + 1 < parts.size(); ++i) {
    file_info fresh;
    fresh.inode = fresh_inode();
    date(fresh);
    write_named(parent, parts[i], fresh);
    parent = fresh.inode;
  }
  return parent;
}

// --- commands ------------------------------------------------------------------------------------------------------

result<change> planner::operator()(const no_operation&) {
  return std::move(out_);
}

result<change> planner::operator()(const set_members& what) {
  const auto now = members(state_);
  if (now.cluster.known() && now.cluster != what.cluster) {
    return {errc::wrong_cluster, "the cluster is " + to_string(now.cluster) + " for good"};
  }
  const membership next{what.cluster, what.voters, what.learners, at_.index, false};
  put(family::meta, std::string{format::members_key}, format::write_members(next));
  return std::move(out_);
}

result<change> planner::operator()(const put_file& what) {
  const auto parts = what.path.names();
  const auto at = walk(parts);
  if (auto way = check_way(what.path, parts, at, what.make_parents); !way) return way.failure();
  if (at.leaf && !at.file) return {errc::is_a_directory, "/" + what.path.text() + " is a directory"};
  if (auto holds = check_precondition(when_, at.file ? &*at.file : nullptr); !holds) return holds.failure();

  out_.created = !at.file;
  const auto parent = at.file ? at.directory : make_way(parts, at);
  file_info file;
  if (at.file) {
    const auto& before = at.file->properties.expires;
    if (before) erase(family::expiries, format::key(*before, at.file->inode));
    file = *at.file;
  } else {
    file.inode = fresh_inode();
    file.created = now_;
  }
  file.type = kind::file;
  file.content = what.content;
  file.version = at_;
  file.modified = now_;
  file.properties = what.properties;
  write_named(parent, what.path.name(), file);
  out_.file = std::move(file);
  return std::move(out_);
}

result<change> planner::operator()(const make_directory& what) {
  const auto parts = what.path.names();
  const auto at = walk(parts);
  if (auto way = check_way(what.path, parts, at, what.make_parents); !way) return way.failure();
  if (at.leaf) return {errc::already_exists, "/" + what.path.text() + " is there already"};
  if (auto holds = check_precondition(when_, nullptr); !holds) return holds.failure();
  const auto parent = make_way(parts, at);
  file_info fresh;
  fresh.inode = fresh_inode();
  date(fresh);
  write_named(parent, what.path.name(), fresh);
  out_.file = std::move(fresh);
  out_.created = true;
  return std::move(out_);
}

result<change> planner::operator()(const remove_path& what) {
  if (what.path.is_root()) return {errc::method_not_allowed, "the root directory can't be removed"};
  const auto at = walk(what.path.names());
  if (!at.leaf || (at.file && what.directory_only)) return missing(what.path);
  if (!at.file && !what.recursive && !is_empty(at.leaf->inode)) {
    return {errc::directory_not_empty, "/" + what.path.text() + " is not empty; say recursive to remove all of it"};
  }
  if (!when_.empty()) {
    const auto there = at.file ? *at.file : read_inode(state_, at.leaf->inode).info;
    if (auto holds = check_precondition(when_, &there); !holds) return holds.failure();
  }
  erase(family::dentries, format::key(at.directory, what.path.name()));
  if (at.file) drop_file(*at.file);
  if (!at.file) drop_directory(at.leaf->inode);
  touch(at.directory);
  return std::move(out_);
}

result<change> planner::operator()(const change_properties& what) {
  const auto at = walk(what.path.names());
  if (!at.leaf) return missing(what.path);
  if (!at.file) return {errc::is_a_directory, "/" + what.path.text() + " is a directory, and has no properties"};
  auto changed = apply(what.patch, at.file->properties);
  if (!changed) return changed.failure();
  if (auto holds = check_precondition(when_, &*at.file); !holds) return holds.failure();
  if (const auto& before = at.file->properties.expires) {
    erase(family::expiries, format::key(*before, at.file->inode));
  }
  auto file = *at.file;
  file.properties = std::move(changed).value();
  file.version = at_;
  file.modified = now_;
  write_named(at.directory, what.path.name(), file);
  out_.file = std::move(file);
  return std::move(out_);
}

result<change> planner::operator()(const remove_expired&) {
  reach reachable{state_};
  std::set<inode_id> touched;
  std::size_t left = limits::expired_batch;
  auto it = state_.scan(family::expiries);
  for (it->SeekToFirst(); it->Valid() && left > 0; it->Next(), --left) {
    const auto [expires, inode] = format::expiry_of_key(as_view(it->key()));
    if (expires > now_) break;
    erase(family::expiries, it->key().ToString());
    // What can't be reached is reclaimed in each node's own time: what stands of it must not matter here.
    const auto parent = format::parent_of_key(as_view(it->value()));
    if (!reachable.leads_to(parent)) continue;
    auto name = it->value().ToString();
    const auto found = state_.get(family::dentries, name);
    if (!found || format::read_dentry(*found).inode != inode) continue;
    erase(family::dentries, std::move(name));
    erase(family::inodes, format::key(inode));
    touched.insert(parent);
  }
  state_.check_scan(*it);
  for (const auto& directory : touched) touch(directory);
  return std::move(out_);
}

}  // namespace kaiku::tree
