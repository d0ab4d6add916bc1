/// What goes away: entries of the past, and what nothing leads to any more.

#include <algorithm>

#include "kaiku/storage/journal.hpp"
#include "kaiku/storage/store_impl.hpp"

namespace kaiku {

status store::compact(log_index upto) {
  auto& own = *impl_;
  INVARIANT(upto <= own.state.last.index, "only what is in the log is compacted");
  while (own.figures.log.boundary.index < upto) {
    auto batch = own.begin();
    auto& boundary = batch.after.log.boundary;
    for (std::size_t i = 0; i < limits::batch_entries && boundary.index < upto; ++i) {
      const auto next = journal::position_at(*own.db, boundary.index.next());
      INVARIANT(next.has_value(), "the log has no holes");
      journal::forget(batch, next->index);
      boundary = *next;
    }
    journal::prune_terms(batch);
    own.commit(batch, own.state);
  }
  if (superseded().value == 0) content_->forget_refusals();
  return success();
}

log_index store::superseded() const {
  std::lock_guard guard{impl_->mutex};
  const auto& [log, set_aside, last] = impl_->figures;
  return last > log.boundary.index ? last : log_index{};
}

byte_count store::log_bytes() const {
  std::lock_guard guard{impl_->mutex};
  return impl_->figures.log.bytes;
}

/// One call's worth of collecting: a budget of keys, and one batch.
class store::impl::collector {
 public:
  collector(impl& of, std::size_t budget) : own_(of), batch_(of.begin()), left_(budget) {}

  /// Whether there is more to do.
  bool run() {
    remove_doomed();
    clear_replaced_state();
    reclaim_orphans();
    drop_unnamed();
    own_.commit(batch_, own_.state);
    return left_ == 0 || more_;
  }

 private:
  bool spend() {
    if (left_ == 0) return false;
    --left_;
    return true;
  }

  /// Blob files whose keys went with an earlier batch: only what the database has forgotten, durably, may be unlinked.
  void remove_doomed() {
    std::vector<digest> gone;
    const std::string prefix(1, static_cast<char>(chore::doomed));
    auto it = own_.db->scan(family::work);
    for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
      more_ = gone.size() == limits::garbage_step_unlinks;
      if (more_ || !spend()) break;
      const auto what = format::digest_of_key(as_view(it->key()));
      if (!own_.is_here(what)) gone.push_back(what);  // it may have come back since
      batch_.erase(family::work, as_view(it->key()));
    }
    own_.db->check_scan(*it);
    if (auto removed = own_.content.remove(gone); !removed) own_.db->stop(removed.failure().detail);
  }

  /// What an install replaced, or what one that was given up had brought; and the entries in front of the boundary.
  void clear_replaced_state() {
    if (!own_.db->get(family::meta, format::clearing_key)) return;
    if (!clear_entries() || !clear_inodes()) return;
    batch_.erase_all(family::other_dentries);
    batch_.erase_all(family::other_orphans);
    batch_.erase_all(family::other_expiries);
    batch_.erase_all(family::other_requests);
    batch_.erase(family::meta, format::clearing_key);
    own_.cleared_to.clear();
  }

  /// Whether all are gone.
  bool clear_entries() {
    const auto bytes = batch_.after.log.bytes;  // that of what follows the boundary
    const auto first_kept = format::key(own_.figures.log.boundary.index.next());
    auto it = own_.db->scan(family::log);
    for (it->SeekToFirst(); it->Valid() && it->key().compare(first_kept) < 0; it->Next()) {
      if (!spend()) break;
      journal::forget(batch_, format::index_of_key(as_view(it->key())));
    }
    own_.db->check_scan(*it);
    batch_.after.log.bytes = bytes;
    return !it->Valid() || it->key().compare(first_kept) >= 0;
  }

  bool clear_inodes() {
    auto it = own_.db->scan(family::other_inodes);
    for (it->Seek(own_.cleared_to); it->Valid(); it->Next()) {
      if (!spend()) return false;
      own_.cleared_to = it->key().ToString();
      if (const auto named = format::content_of_inode(as_view(it->value()))) {
        batch_.unname(named);
        batch_.holding_of(*named).lacked_by = {};  // by a state that was given up; no other is begun before it is gone
      }
      batch_.erase(family::other_inodes, own_.cleared_to);
    }
    own_.db->check_scan(*it);
    return true;
  }

  /// Directories whose removal can't be undone any more.
  void reclaim_orphans() {
    const auto first_kept = format::key(own_.figures.log.boundary.index.next());
    auto it = own_.db->scan(family::orphans);
    for (it->SeekToFirst(); it->Valid() && it->key().compare(first_kept) < 0 && spend(); it->Next()) {
      if (reclaim(as_view(it->key()))) batch_.erase(family::orphans, as_view(it->key()));
    }
    own_.db->check_scan(*it);
  }

  /// Whether all of the directory is gone; what it held of directories is left as orphans of the same entry.
  bool reclaim(std::string_view orphan) {
    const auto [removed_by, directory] = format::orphan_of_key(orphan);
    const auto prefix = format::key(directory);
    auto it = own_.db->scan(family::dentries);
    it->Seek(own_.reclaimed_to.starts_with(prefix) ? own_.reclaimed_to : prefix);
    for (; it->Valid() && it->key().starts_with(prefix); it->Next()) {
      if (!spend()) return false;
      const auto child = format::read_dentry(as_view(it->value()));
      batch_.erase(family::dentries, as_view(it->key()));
      own_.reclaimed_to = it->key().ToString();
      if (child.type == file_info::kind::directory) {
        leave_as_orphan(removed_by, child.inode);
        more_ = true;
      } else {
        drop_inode(format::key(child.inode));
      }
    }
    own_.db->check_scan(*it);
    drop_inode(prefix);
    return true;
  }

  void leave_as_orphan(log_index removed_by, inode_id directory) {
    const auto key = format::key(directory);
    const auto value = own_.db->get(family::inodes, key);
    INVARIANT(value.has_value(), "every name leads to an inode");
    auto orphan = format::read_inode(directory, *value);
    orphan.parent = {};
    batch_.put(family::orphans, format::key(removed_by, directory), "");
    batch_.put(family::inodes, key, format::write_inode(orphan));
  }

  void drop_inode(const std::string& key) {
    const auto value = own_.db->get(family::inodes, key);
    INVARIANT(value.has_value(), "every name leads to an inode");
    batch_.unname(format::content_of_inode(*value));
    batch_.erase(family::inodes, key);
  }

  /// Content without a name, oldest first, once its grace is over and no view knows it by a name.
  void drop_unnamed() {
    const std::string prefix(1, static_cast<char>(chore::unnamed));
    const unix_time_ms ripe{batch_.now().value - std::int64_t{limits::content_grace_ms}};
    auto it = own_.db->scan(family::work);
    it->Seek(own_.dropped_to.empty() ? prefix : own_.dropped_to);
    bool ended = true;
    for (; it->Valid() && it->key().starts_with(prefix); it->Next()) {
      const auto [since, what] = format::unnamed_of_key(as_view(it->key()));
      if (since > ripe) break;
      if (!spend()) {
        ended = false;
        break;
      }
      own_.dropped_to = it->key().ToString();
      drop(what);
    }
    own_.db->check_scan(*it);
    // What a view has held back is looked at again the next time round.
    if (ended) own_.dropped_to.clear();
  }

  void drop(const digest& what) {
    auto& held = batch_.holding_of({what, {}});
    // Named again by this batch, or unnamed by it for the first time: another call's.
    if (held.names > 0 || !held.here || own_.is_named_in_a_view(what)) return;
    held.here = false;
    if (content_ref{what, held.size}.is_small()) {
      batch_.erase(family::contents, format::key(what));
      own_.dropped_small.value += held.size.value;
    } else {
      more_ = true;  // the file itself
    }
  }

  impl& own_;
  changes batch_;
  std::size_t left_;
  bool more_ = false;
};

bool store::impl::is_named_in_a_view(const digest& what) const {
  std::lock_guard guard{views_mutex};
  return std::any_of(views.begin(), views.end(), [&](const kaiku::snapshot* view) {
    const auto held = view->get(family::holdings, format::key(what));
    return held && format::read_holding(*held).names > 0;
  });
}

bool store::collect_garbage(std::size_t budget) {
  auto& own = *impl_;
  own.db->bound_relocation();
  const bool more = impl::collector{own, budget}.run();
  // RocksDB would keep the bytes until much else is written, and on a full disk nothing else is.
  if (own.dropped_small.value >= limits::dropped_bytes && !own.db->is_flushing_or_compacting(family::contents)) {
    own.db->begin_flush(family::contents);
    own.dropped_small = {};
  }
  return more;
}

}  // namespace kaiku
