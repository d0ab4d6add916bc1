#pragma once

/// Purpose: a data directory whose cluster has lost a majority, made the first of a new cluster with all that it has.
/// Thread: the process's only one. Blocks on the disk; no node may run on the directory, which is locked meanwhile.

#include <filesystem>
#include <memory>
#include <vector>

#include "kaiku/core/fence.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

/// One voter; the others come back as learners, each with a disk that nobody has: who comes under such a name with an
/// empty directory takes over the state and then counts, and who has a disk of the former cluster is refused.
set_members new_cluster(const member& voter, const std::vector<member>& others);

class recovery {
 public:
  /// Opens it and finds out who it was: by its disk, or, where no entry has named that yet, by `name`. Errors: those of
  /// `store::open`; `bad_request` (there is no store, it belongs to no cluster yet, or is none of its members).
  static result<recovery> open(const std::filesystem::path& data, const node_id& name);

  const member& self() const { return self_; }
  const membership& before() const { return before_; }
  log_position last() const { return disk_->state().last; }

  /// Makes it so, in one step. The new cluster's id. Errors: `disk_full`.
  result<cluster_id> run();

 private:
  recovery(std::unique_ptr<store> disk, member self, membership before)
      : disk_(std::move(disk)), self_(std::move(self)), before_(std::move(before)) {}

  std::unique_ptr<store> disk_;
  member self_;
  membership before_;
};

}  // namespace kaiku
