#pragma once

/// Purpose: what clients were told, chapter by chapter, each written below a directory of its own, so that a long test
/// can check what is new often and everything at its end.
/// Thread: the main thread; a chapter's `history` any.

#include <memory>
#include <string>
#include <vector>

#include "fates.hpp"
#include "support/history.hpp"
#include "support/test_cluster.hpp"

namespace kaiku::test {

class chronicle {
 public:
  explicit chronicle(test_cluster& cluster) : cluster_(cluster) {}

  /// Begins a chapter.
  history& begin();
  /// The directory of the last one.
  std::string directory() const;
  std::size_t chapters() const { return chapters_.size(); }

  /// Checks on every node what the last chapter left, as `check_promises`.
  void check_last(const std::vector<lost_disk>& lost_disks = {});
  /// Removes its files; it is not checked again.
  void remove_last();
  /// Checks once more, on every node, everything that was not removed, and that nobody holds anything else.
  void check_all(const std::vector<lost_disk>& lost_disks = {});

  /// Over all chapters.
  std::size_t count(outcome told) const;
  /// Leader-acknowledged writes that are gone, as each chapter's check found them.
  const fates& gone() const { return gone_; }

 private:
  struct chapter {
    std::string directory;
    history told;
    bool removed = false;
  };

  test_cluster& cluster_;
  std::vector<std::unique_ptr<chapter>> chapters_;
  fates gone_;
};

}  // namespace kaiku::test
