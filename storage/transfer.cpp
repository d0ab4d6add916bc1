/// Moves and copies.

#include "kaiku/storage/planner.hpp"

namespace kaiku::tree {
namespace {

using kind = file_info::kind;

bool is_below(const file_path& path, const file_path& directory) {
  return path.text().starts_with(directory.text() + '/');
}

}  // namespace

status planner::check_target(const file_path& to, const place& at, kind source, bool overwrite) const {
  if (!at.leaf) return success();
  if (!overwrite) return {errc::precondition_failed, "/" + to.text() + " is there, and is not to be replaced"};
  if (source == kind::file && !at.file) return {errc::is_a_directory, "/" + to.text() + " is a directory"};
  if (source == kind::directory && at.file) return {errc::not_a_directory, "/" + to.text() + " is a file"};
  if (!at.file && !is_empty(at.leaf->inode)) {
    return {errc::directory_not_empty, "/" + to.text() + " is not empty, and is not replaced"};
  }
  return success();
}

result<planner::transfer> planner::check_transfer(const file_path& from, const file_path& to, bool overwrite,
                                                  bool make_parents) const {
  if (from.is_root() || to.is_root()) return {errc::method_not_allowed, "the root directory stays what it is"};
  if (from == to || is_below(to, from)) {
    return {errc::bad_request, "/" + from.text() + " can't go to itself, or below itself"};
  }
  transfer x;
  x.from = walk(from.names());
  if (!x.from.leaf) return missing(from);
  x.source = x.from.file ? format::inode_value{*x.from.file, {}} : read_inode(state_, x.from.leaf->inode);
  x.to_names = to.names();
  x.to = walk(x.to_names);
  if (auto way = check_way(to, x.to_names, x.to, make_parents); !way) return way.failure();
  if (auto target = check_target(to, x.to, x.source.info.type, overwrite); !target) return target.failure();
  if (auto holds = check_precondition(when_, &x.source.info); !holds) return holds.failure();
  return x;
}

inode_id planner::clear_target(const transfer& x) {
  if (!x.to.leaf) return make_way(x.to_names, x.to);
  if (x.to.file) drop_file(*x.to.file);
  if (!x.to.file) drop_directory(x.to.leaf->inode);
  touch(x.to.directory);
  return x.to.directory;
}

result<change> planner::operator()(const move_path& what) {
  auto x = check_transfer(what.from, what.to, what.overwrite, what.make_parents);
  if (!x) return x.failure();
  touch(x->from.directory);
  const auto parent = clear_target(*x);
  erase(family::dentries, format::key(x->from.directory, what.from.name()));
  // Its tag stays, but not its date: at its new path something newer may have stood.
  x->source.info.modified = std::max(x->source.info.modified, what.modified);
  write_named(parent, what.to.name(), x->source.info);
  out_.created = !x->to.leaf;
  out_.file = std::move(x->source.info);
  return std::move(out_);
}

result<change> planner::operator()(const copy_path& what) {
  auto x = check_transfer(what.from, what.to, what.overwrite, what.make_parents);
  if (!x) return x.failure();
  const auto from = x->from.leaf->inode;
  const auto parent = clear_target(*x);
  auto fresh = x->source.info;
  fresh.inode = fresh_inode();
  date(fresh);
  write_named(parent, what.to.name(), fresh);
  if (fresh.is_directory()) {
    if (auto copied = copy_below(from, fresh.inode); !copied) return copied.failure();
  }
  out_.created = !x->to.leaf;
  out_.file = std::move(fresh);
  return std::move(out_);
}

status planner::copy_below(inode_id from, inode_id to) {
  const error too_many{errc::too_many_entries, "a copy takes up to " + std::to_string(limits::copy_entries) +
                                                   " files and directories; copy its parts"};
  struct pair {
    inode_id from;
    inode_id to;
  };
  std::vector<pair> open{{from, to}};
  std::size_t left = limits::copy_entries, bytes = 0;
  while (!open.empty()) {
    const auto [source, target] = open.back();
    open.pop_back();
    const auto found = children(source, left + 1);
    if (found.size() > left) return too_many;
    left -= found.size();
    for (const auto& [name, inode] : found) {
      auto fresh = inode.info;
      if (is_expired(fresh, now_)) continue;
      fresh.inode = fresh_inode();
      date(fresh);
      const auto written = out_.writes.size();
      write_named(target, name, fresh);
      for (auto i = written; i < out_.writes.size(); ++i) {
        bytes += out_.writes[i].key.size() + out_.writes[i].value->size();
      }
      if (bytes > limits::copy_bytes) return too_many;
      if (fresh.is_directory()) open.push_back({inode.info.inode, fresh.inode});
    }
  }
  return success();
}

}  // namespace kaiku::tree
