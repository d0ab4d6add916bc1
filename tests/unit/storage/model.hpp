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

/// What a request with a key was answered first.
struct model_request {
  digest fingerprint;
  log_position at;
  bool created = false;
};

/// Names along the path, so that a directory comes right in front of what it holds.
inline std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> names(1);
  for (const char c : path) {
    if (c == '/') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  return names;
}

class model_fold {
 public:
  model_fold() { tree_[""].inode = {1}; }

  /// With what has expired and was not removed yet.
  const model_tree& tree() const { return tree_; }
  /// As a reader sees it.
  model_tree tree_at(unix_time_ms now) const {
    auto seen = tree_;
    std::erase_if(seen, [&](const auto& one) { return is_over(one.second, now); });
    return seen;
  }

  /// What the request was answered, if its key is known.
  std::optional<model_request> known(const command& what) const {
    const auto* key = key_of(what);
    const auto it = key == nullptr ? requests_.end() : requests_.find(key->key);
    return it == requests_.end() ? std::nullopt : std::optional{it->second};
  }

  errc apply(const command& what, const precondition& when, log_position at) {
    at_ = at;
    now_ = time_of(what).value_or(unix_time_ms{});
    next_inode_ = at_.index.value * limits::inodes_per_entry;
    created_ = false;
    const auto outcome = std::visit([&](const auto& x) { return fold(x, when); }, what);
    const auto* key = key_of(what);
    if (outcome == errc::none && key != nullptr) requests_[key->key] = {key->fingerprint, at, created_};
    return outcome;
  }

 private:
  static bool is_over(const file_info& x, unix_time_ms now) {
    return !x.is_directory() && x.properties.expires && *x.properties.expires <= now;
  }

  const file_info* find(const std::string& path) const {
    const auto it = tree_.find(path);
    return it == tree_.end() || is_over(it->second, now_) ? nullptr : &it->second;
  }

  bool holds(const precondition& when, const file_info* there) const {
    if (there == nullptr) return !when.if_match_any && when.if_match.empty();
    const auto has = [&](const std::vector<std::string>& tags) {
      for (const auto& tag : tags) {
        if (tag == there->etag()) return true;
      }
      return false;
    };
    const bool dated = when.if_unmodified_since && when.if_match.empty() && !when.if_match_any;
    if (dated && there->modified.value / 1000 > when.if_unmodified_since->value / 1000) return false;
    return (when.if_match.empty() || has(when.if_match)) && !when.if_none_match_any && !has(when.if_none_match);
  }

  errc check_way(const std::string& path, bool make_parents) const {
    for (auto above = parent_of(path); !above.empty(); above = parent_of(above)) {
      const auto* there = find(above);
      if (there != nullptr && !there->is_directory()) return errc::not_a_directory;
    }
    return make_parents || find(parent_of(path)) != nullptr ? errc::none : errc::parent_missing;
  }

  std::vector<std::string> children(const std::string& directory) const {
    std::vector<std::string> all;
    for (const auto& [path, info] : tree_) {
      if (!path.empty() && parent_of(path) == directory) all.push_back(path);
    }
    return all;
  }

  bool is_empty(const std::string& directory) const {
    for (const auto& child : children(directory)) {
      if (find(child) != nullptr) return false;
    }
    return true;
  }

  void name_changed(const std::string& path) {
    auto& directory = tree_[parent_of(path)];
    directory.version = at_;
    directory.modified = now_;
  }

  /// Takes away a name, with all that is below.
  void drop(const std::string& path) {
    std::erase_if(tree_, [&](const auto& one) { return one.first == path || is_below(one.first, path); });
  }

  /// Directories up to the one that is to hold the path's name.
  void make_way(const std::string& path) {
    if (find(parent_of(path)) == nullptr) {
      add(parent_of(path));
    } else {
      name_changed(path);
    }
    if (tree_.contains(path) && find(path) == nullptr) drop(path);
  }

  file_info& add(const std::string& path) {
    make_way(path);
    return add_here(path, {});
  }

  file_info& add_here(const std::string& path, file_info fresh) {
    fresh.inode = {next_inode_++};
    fresh.version = at_;
    fresh.created = fresh.modified = now_;
    return tree_[path] = fresh;
  }

  errc fold(const no_operation&, const precondition&) { return errc::none; }
  errc fold(const set_members&, const precondition&) { return errc::none; }

  errc fold(const put_file& what, const precondition& when) {
    const auto& path = what.path.text();
    const auto* there = find(path);
    if (there != nullptr && there->is_directory()) return errc::is_a_directory;
    if (auto way = check_way(path, what.make_parents); way != errc::none) return way;
    if (!holds(when, there)) return errc::precondition_failed;
    created_ = there == nullptr;
    auto& file = there != nullptr ? tree_[path] : add(path);
    file.type = file_info::kind::file;
    file.version = at_;
    file.modified = what.modified;
    file.content = what.content;
    file.properties = what.properties;
    return errc::none;
  }

  errc fold(const make_directory& what, const precondition& when) {
    const auto& path = what.path.text();
    if (find(path) != nullptr) return errc::already_exists;
    if (auto way = check_way(path, what.make_parents); way != errc::none) return way;
    if (!holds(when, nullptr)) return errc::precondition_failed;
    created_ = true;
    add(path);
    return errc::none;
  }

  errc fold(const remove_path& what, const precondition& when) {
    const auto& path = what.path.text();
    const auto* there = find(path);
    if (there == nullptr || (what.directory_only && !there->is_directory())) return errc::not_found;
    if (there->is_directory() && !what.recursive && !is_empty(path)) return errc::directory_not_empty;
    if (!holds(when, there)) return errc::precondition_failed;
    drop(path);
    name_changed(path);
    return errc::none;
  }

  template <class Transfer>
  errc check_transfer(const Transfer& what, const precondition& when) const {
    const auto& from = what.from.text();
    const auto& to = what.to.text();
    if (from == to || is_below(to, from)) return errc::bad_request;
    const auto* source = find(from);
    if (source == nullptr) return errc::not_found;
    if (auto way = check_way(to, what.make_parents); way != errc::none) return way;
    if (const auto* target = find(to)) {
      if (!what.overwrite) return errc::precondition_failed;
      if (source->is_directory() && !target->is_directory()) return errc::not_a_directory;
      if (!source->is_directory() && target->is_directory()) return errc::is_a_directory;
      if (target->is_directory() && !is_empty(to)) return errc::directory_not_empty;
    }
    return holds(when, source) ? errc::none : errc::precondition_failed;
  }

  void clear_target(const std::string& to) {
    created_ = find(to) == nullptr;
    if (created_) return make_way(to);
    drop(to);
    name_changed(to);
  }

  errc fold(const move_path& what, const precondition& when) {
    if (auto why = check_transfer(what, when); why != errc::none) return why;
    const auto& from = what.from.text();
    const auto& to = what.to.text();
    name_changed(from);
    clear_target(to);
    model_tree moved;
    for (const auto& [path, info] : tree_) {
      if (path == from || is_below(path, from)) moved[to + path.substr(from.size())] = info;
    }
    moved[to].modified = std::max(moved[to].modified, what.modified);
    drop(from);
    tree_.merge(moved);
    return errc::none;
  }

  errc fold(const copy_path& what, const precondition& when) {
    if (auto why = check_transfer(what, when); why != errc::none) return why;
    clear_target(what.to.text());
    add_here(what.to.text(), tree_.at(what.from.text()));
    std::vector<std::pair<std::string, std::string>> open{{what.from.text(), what.to.text()}};
    while (!open.empty()) {
      const auto [from, to] = open.back();
      open.pop_back();
      for (const auto& child : children(from)) {
        if (find(child) == nullptr) continue;
        const auto copy = to + child.substr(from.size());
        if (add_here(copy, tree_.at(child)).is_directory()) open.emplace_back(child, copy);
      }
    }
    return errc::none;
  }

  errc fold(const change_properties& what, const precondition& when) {
    const auto& path = what.path.text();
    const auto* there = find(path);
    if (there == nullptr) return errc::not_found;
    if (there->is_directory()) return errc::is_a_directory;
    if (!holds(when, there)) return errc::precondition_failed;
    auto& file = tree_[path];
    auto& x = file.properties;
    if (what.patch.content_type) x.content_type = *what.patch.content_type;
    if (what.patch.content_encoding) x.content_encoding = *what.patch.content_encoding;
    if (what.patch.expires) x.expires = *what.patch.expires;
    std::map<std::string, std::string> metadata;
    if (!what.patch.no_metadata) metadata = {x.metadata.begin(), x.metadata.end()};
    for (const auto& [name, value] : what.patch.metadata) {
      metadata.erase(name);
      if (value) metadata[name] = *value;
    }
    x.metadata = {metadata.begin(), metadata.end()};
    file.version = at_;
    file.modified = what.modified;
    return errc::none;
  }

  errc fold(const remove_expired&, const precondition&) {
    std::vector<std::string> gone;
    for (const auto& [path, info] : tree_) {
      if (is_over(info, now_)) gone.push_back(path);
    }
    for (const auto& path : gone) {
      drop(path);
      name_changed(path);
    }
    return errc::none;
  }

  model_tree tree_;
  std::map<digest, model_request> requests_;
  log_position at_;
  unix_time_ms now_;
  bool created_ = false;
  std::uint64_t next_inode_ = 0;
};

/// A log with what belongs to its entries.
struct model_entry {
  log_position at;
  command what;
};

inline model_fold fold(const std::vector<model_entry>& log) {
  model_fold state;
  for (const auto& entry : log) state.apply(entry.what, {}, entry.at);
  return state;
}

}  // namespace kaiku::test
