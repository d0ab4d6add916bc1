#pragma once

/// Purpose: the tree of one moment of a store as two sets of keys, the way a mirror copies it: directory entries and
/// inodes, also those of removed directories that are not reclaimed yet.
/// Owner: who asked for it. Holds the moment's view, so let it go soon. Thread: one at a time.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kaiku/core/command.hpp"
#include "kaiku/storage/change_feed.hpp"
#include "kaiku/storage/store_view.hpp"

namespace rocksdb {
class Iterator;
}

namespace kaiku {

/// A name in a directory.
struct name_key {
  inode_id directory;
  std::string name;
  friend auto operator<=>(const name_key&, const name_key&) = default;
};

class name_space {
 public:
  /// Of a view of the log's end.
  explicit name_space(std::shared_ptr<const store_view> at);
  ~name_space();
  name_space(const name_space&) = delete;
  name_space& operator=(const name_space&) = delete;

  log_position last() const { return at_->last(); }
  /// For `change_feed::take`.
  std::uint64_t sequence() const { return at_->sequence(); }

  static inode_id inode_of(const changed_key& x);
  static name_key name_of(const changed_key& x);

  std::optional<file_info> inode(inode_id which) const;
  /// A place in the order of a directory's names. Cheapest when asked for one name behind the other.
  struct place {
    std::optional<inode_id> leads_to;  ///< what the name itself stands for
    std::string before;                ///< the nearest name in front of it; empty: there is none
    std::string behind;                ///< and behind it
    inode_id behind_leads_to;
  };
  place find(const name_key& x);

  /// All of them, in the order of their keys, until `give` says false.
  void each_inode(const std::function<bool(const file_info&)>& give) const;
  /// `before`: the name in front in the same directory, or empty.
  void each_name(const std::function<bool(const name_key&, const std::string& before, inode_id)>& give) const;

 private:
  std::shared_ptr<const store_view> at_;
  std::unique_ptr<rocksdb::Iterator> names_;
  std::optional<name_key> in_front_;  ///< of where `find` left `names_`; an empty name: nothing is
};

}  // namespace kaiku
