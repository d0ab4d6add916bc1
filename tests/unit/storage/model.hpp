#pragma once

/// Purpose: the store as it should be, in a few lines: a list of entries, and the state as the fold of all of them,
/// computed anew whenever it is asked for. Shares no code with the store. Thread: a value.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kaiku/core/command.hpp"
#include "kaiku/core/fence.hpp"

namespace kaiku::test {

/// Everything reachable, by path; the root under "".
using model_tree = std::map<std::string, file_info>;

struct model_outcome {
  errc refusal = errc::none;
  model_tree after;
};

inline std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

inline bool is_below(const std::string& path, const std::string& directory) {
  return directory.empty() ? !path.empty() : path.starts_with(directory + '/');
}

class model_fold {
 public:
  model_fold() { tree_[""].inode = {1}; }

  const model_tree& tree() const { return tree_; }

  errc apply(const command& what, const precondition& when, log_index index) {
    index_ = index;
    next_inode_ = index.value * limits::inodes_per_entry;
    if (const auto* x = std::get_if<put_file>(&what)) return put(*x, when);
    if (const auto* x = std::get_if<make_directory>(&what)) return make(*x, when);
    if (const auto* x = std::get_if<remove_path>(&what)) return remove(*x, when);
    return errc::none;
  }

 private:
  const file_info* find(const std::string& path) const {
    const auto it = tree_.find(path);
    return it == tree_.end() ? nullptr : &it->second;
  }

  static bool holds(const precondition& when, const file_info* there) {
    if (there == nullptr) return !when.if_match_any && when.if_match.empty();
    const auto has = [&](const std::vector<std::string>& tags) {
      for (const auto& tag : tags) {
        if (tag == there->etag()) return true;
      }
      return false;
    };
    return (when.if_match.empty() || has(when.if_match)) && !when.if_none_match_any && !has(when.if_none_match);
  }

  errc check_way(const std::string& path, bool make_parents) const {
    for (auto above = parent_of(path); !above.empty(); above = parent_of(above)) {
      const auto* there = find(above);
      if (there != nullptr && !there->is_directory()) return errc::not_a_directory;
    }
    return make_parents || find(parent_of(path)) != nullptr ? errc::none : errc::parent_missing;
  }

  void name_changed(const std::string& path, unix_time_ms time) {
    auto& directory = tree_[parent_of(path)];
    directory.version = index_;
    directory.modified = time;
  }

  file_info& add(const std::string& path, unix_time_ms time) {
    if (find(parent_of(path)) == nullptr) {
      add(parent_of(path), time);
    } else {
      name_changed(path, time);
    }
    auto& fresh = tree_[path];
    fresh.inode = {next_inode_++};
    fresh.version = index_;
    fresh.created = fresh.modified = time;
    return fresh;
  }

  errc put(const put_file& what, const precondition& when) {
    const auto& path = what.path.text();
    const auto* there = find(path);
    if (there != nullptr && there->is_directory()) return errc::is_a_directory;
    if (auto way = check_way(path, what.make_parents); way != errc::none) return way;
    if (!holds(when, there)) return errc::precondition_failed;
    auto& file = there != nullptr ? tree_[path] : add(path, what.modified);
    file.type = file_info::kind::file;
    file.version = index_;
    file.modified = what.modified;
    file.content = what.content;
    file.content_type = what.content_type;
    return errc::none;
  }

  errc make(const make_directory& what, const precondition& when) {
    const auto& path = what.path.text();
    if (find(path) != nullptr) return errc::already_exists;
    if (auto way = check_way(path, what.make_parents); way != errc::none) return way;
    if (!holds(when, nullptr)) return errc::precondition_failed;
    add(path, what.modified);
    return errc::none;
  }

  errc remove(const remove_path& what, const precondition& when) {
    const auto& path = what.path.text();
    const auto* there = find(path);
    if (there == nullptr) return errc::not_found;
    std::vector<std::string> gone{path};
    for (const auto& [other, info] : tree_) {
      if (is_below(other, path)) gone.push_back(other);
    }
    if (gone.size() > 1 && !what.recursive) return errc::directory_not_empty;
    if (!holds(when, there)) return errc::precondition_failed;
    for (const auto& one : gone) tree_.erase(one);
    name_changed(path, what.modified);
    return errc::none;
  }

  model_tree tree_;
  log_index index_;
  std::uint64_t next_inode_ = 0;
};

/// A log with what belongs to its entries.
struct model_entry {
  log_position at;
  command what;
};

inline model_fold fold(const std::vector<model_entry>& log) {
  model_fold state;
  for (const auto& entry : log) state.apply(entry.what, {}, entry.at.index);
  return state;
}

}  // namespace kaiku::test
