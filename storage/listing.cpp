/// Listings, a page at a time.

#include "kaiku/storage/tree.hpp"
#include "kaiku/storage/walk.hpp"

namespace kaiku::tree {
namespace {

using kind = file_info::kind;

names split(std::string_view text) {
  names parts;
  for (auto slash = text.find('/'); slash != std::string_view::npos; slash = text.find('/')) {
    parts.push_back(text.substr(0, slash));
    text.remove_prefix(slash + 1);
  }
  parts.push_back(text);
  return parts;
}

/// Walks through a directory, or all below it, in order: one step per name, one seek more per directory.
class lister {
 public:
  lister(const view& state, const page_request& wanted, unix_time_ms now)
      : state_(state), wanted_(wanted), now_(now), it_(state.scan(family::dentries)) {}

  directory_page list(inode_id directory) {
    names after;
    if (!wanted_.after.empty()) after = recursive() ? split(wanted_.after) : names{wanted_.after};
    if (begin(directory, std::move(after))) {
      while (!levels_.empty() && !page_.more) {
        if (!list_level()) levels_.pop_back();
      }
    }
    state_.check_scan(*it_);
    if (!page_.more) page_.next.clear();
    return std::move(page_);
  }

 private:
  /// A directory on the way to where the walk is.
  struct level {
    inode_id directory;
    std::string in_front;  ///< of its names, in the entries
    std::string last;      ///< name that was passed; empty: none yet
  };

  bool recursive() const { return wanted_.what.recursive; }

  std::optional<inode_id> directory_at(inode_id parent, std::string_view name) const {
    const auto found = state_.get(family::dentries, format::key(parent, name));
    if (!found) return std::nullopt;
    const auto leads_to = format::read_dentry(*found);
    return leads_to.type == kind::directory ? std::optional{leads_to.inode} : std::nullopt;
  }

  /// Goes to where the page begins. False: nothing follows.
  bool begin(inode_id directory, names after) {
    level top{directory, {}, {}};
    first_names_ = wanted_.what.prefix;
    if (recursive()) {
      auto way = split(first_names_);
      first_names_ = way.back();
      way.pop_back();
      for (const auto& name : way) {
        const auto next = directory_at(top.directory, name);
        if (!next) return false;
        if (!after.empty() && after.front() > name) return false;
        // In front of the directory that the prefix names: all of it follows.
        const bool inside = !after.empty() && after.front() == name;
        after.erase(after.begin(), inside ? after.begin() + 1 : after.end());
        top.directory = *next;
        top.in_front.append(name).push_back('/');
      }
    }
    levels_.push_back(std::move(top));
    resume(after);
    return true;
  }

  /// Passes by all in front of and at `after`, as far as it is still there.
  void resume(const names& after) {
    for (const auto& name : after) {
      auto& now = levels_.back();
      now.last = name;
      if (!recursive() || (levels_.size() == 1 && !name.starts_with(first_names_))) return;
      const auto next = directory_at(now.directory, name);
      if (!next) return;
      levels_.push_back({*next, now.in_front + now.last + '/', {}});
    }
  }

  void seek(const level& at) {
    const auto names_from = levels_.size() == 1 ? first_names_ : std::string_view{};
    const bool behind = at.last >= names_from;
    const auto start = format::key(at.directory, behind ? at.last : names_from);
    it_->Seek(start);
    if (behind && it_->Valid() && it_->key() == start) it_->Next();
  }

  /// Goes on in the innermost directory. True: there is another one inside it, or the page has ended.
  bool list_level() {
    auto& now = levels_.back();
    const auto key_prefix = format::key(now.directory);
    for (seek(now); it_->Valid() && it_->key().starts_with(key_prefix); it_->Next()) {
      const auto name = as_view(it_->key()).substr(key_prefix.size());
      if (levels_.size() == 1 && !name.starts_with(first_names_)) return false;
      if (page_.entries.size() == wanted_.limit || expired_ == limits::listing_expired) return page_.more = true;
      now.last = name;
      page_.next = now.in_front + now.last;
      auto info = read_inode(state_, format::read_dentry(as_view(it_->value())).inode).info;
      if (is_expired(info, now_)) {
        ++expired_;
        continue;
      }
      const bool inside = recursive() && info.is_directory();
      const auto inode = info.inode;
      page_.entries.push_back({page_.next, std::move(info)});
      if (!inside) continue;
      levels_.push_back({inode, page_.next + '/', {}});
      return true;
    }
    return false;
  }

  const view& state_;
  const page_request& wanted_;
  unix_time_ms now_;
  std::unique_ptr<rocksdb::Iterator> it_;
  std::string_view first_names_;  ///< how names of the outermost level begin
  std::vector<level> levels_;
  directory_page page_;
  std::size_t expired_ = 0;  ///< passed
};

}  // namespace

result<directory_page> list(const view& state, const file_path& path, const page_request& wanted, unix_time_ms now) {
  const auto at = walk(state, path.names(), now);
  if (!at.leaf) return missing(path);
  if (at.file) return {errc::not_a_directory, "/" + path.text() + " is a file"};
  return lister{state, wanted, now}.list(at.leaf->inode);
}

}  // namespace kaiku::tree
