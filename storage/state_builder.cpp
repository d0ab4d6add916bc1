#include "kaiku/storage/state_builder.hpp"

#include <algorithm>

#include "kaiku/storage/store_impl.hpp"

namespace kaiku {
namespace {

error corrupt(const file_path& path, const char* why) {
  return {errc::corrupt, "/" + path.text() + " " + why};
}

/// Every version is an entry; only the root directory is older than the first.
bool is_version(const file_path& path, log_position x) {
  return (x.in_term.value > 0 && x.index.value > 0) || (path.is_root() && x == log_position{});
}

}  // namespace

state_builder::state_builder(store& into) : into_(into), batch_(new changes(into.impl_->begin())) {
  INVARIANT(into.state().last == log_position{}, "only an empty store is filled");
}

state_builder::~state_builder() = default;

status state_builder::place(const file_path& path, file_info info) {
  if (!is_version(path, info.version)) return corrupt(path, "has a version that no entry gave it");
  newest_.in_term = std::max(newest_.in_term, info.version.in_term);
  newest_.index = std::max(newest_.index, info.version.index);
  if (path.is_root()) {
    if (!way_.empty() || !info.is_directory()) return corrupt(path, "is the root directory, and not the first");
    info.inode = format::root_inode;
    batch_->put(family::inodes, format::key(format::root_inode), format::write_inode({info, {}}));
    way_.push_back({0, format::root_inode});
    return success();
  }
  const auto above = path.parent();
  const auto path_of = [&](const directory& x) { return std::string_view{innermost_}.substr(0, x.path_bytes); };
  while (!way_.empty() && path_of(way_.back()) != above.text()) way_.pop_back();
  if (way_.empty()) return corrupt(path, "does not follow its directory");
  const auto parent = way_.back().inode;
  const auto name = format::key(parent, path.name());
  if (batch_->get(family::dentries, name)) return corrupt(path, "comes twice");
  info.inode = last_inode_ = last_inode_.next();
  batch_->put(family::dentries, name, format::write_dentry({info.inode, info.type}));
  batch_->put(family::inodes, format::key(info.inode),
              format::write_inode({info, info.is_directory() ? parent : inode_id{}}));
  if (info.properties.expires) batch_->put(family::expiries, format::key(*info.properties.expires, info.inode), name);
  if (info.is_directory()) {
    innermost_ = path.text();
    way_.push_back({innermost_.size(), info.inode});
  }
  ++gathered_;
  return success();
}

status state_builder::add_directory(const file_path& path, const file_info& info) {
  INVARIANT(info.is_directory() && !content_, "a directory has no content");
  if (auto placed = place(path, info); !placed) return placed;
  return flush_if_full();
}

status state_builder::begin_file(const file_path& path, const file_info& info) {
  INVARIANT(!info.is_directory() && !content_, "one file at a time");
  if (auto placed = place(path, info); !placed) return placed;
  content_ = info.content;
  batch_->name(content_);
  small_.clear();
  hasher_ = {};
  size_ = {};
  if (content_->is_small() || batch_->holding_of(*content_).here) return success();
  auto file = into_.content().begin(content_->size);
  if (!file) return file.failure();
  large_ = std::move(*file);
  return success();
}

status state_builder::write(std::string_view bytes) {
  INVARIANT(content_.has_value(), "content belongs to a file");
  hasher_.update(bytes);
  size_.value += bytes.size();
  if (size_ > content_->size) return {errc::corrupt, "a file has more content than it should"};
  if (content_->is_small()) small_ += bytes;
  return large_ ? large_->write(bytes) : success();
}

status state_builder::end_file() {
  INVARIANT(content_.has_value(), "content belongs to a file");
  const auto what = *std::exchange(content_, std::nullopt);
  if (size_ != what.size || hasher_.finish() != what.sha256)
    return {errc::corrupt, "content " + to_string(what.sha256) + " is not what its digest says"};
  if (large_) {
    auto named = large_->finish();
    if (!named) return named.failure();
    kept_.push_back(std::move(large_));
  }
  if (auto here = into_.impl_->provide(*batch_, what, small_); !here) return here;
  gathered_bytes_ += small_.size();
  return flush_if_full();
}

status state_builder::flush_if_full() {
  if (gathered_ < limits::batch_entries && gathered_bytes_ < limits::proposal_bytes &&
      kept_.size() < limits::install_fetch)
    return success();
  if (auto space = into_.impl_->check_space(into_.impl_->content.reserve()); !space) return space;
  flush();
  return success();
}

void state_builder::flush() {
  auto& own = *into_.impl_;
  own.commit(*batch_, own.state);
  batch_.reset(new changes(own.begin()));
  kept_.clear();
  gathered_ = gathered_bytes_ = 0;
}

status state_builder::finish(log_position last, const set_members& members) {
  INVARIANT(!content_, "the last file has all its content");
  if (way_.empty()) return {errc::corrupt, "there is no root directory"};
  // A term beyond it could come again in the new cluster, and with it a version that names another content.
  if (newest_.index > last.index || newest_.in_term > last.in_term)
    return {errc::corrupt, "a file was changed after the moment that all is of"};
  if (last_inode_.value / limits::inodes_per_entry > last.index.value)
    return {errc::corrupt, "there are more files than so many entries can make"};
  flush();
  auto& own = *into_.impl_;
  own.found(*batch_, last, members);
  batch_.reset(new changes(own.begin()));
  return success();
}

}  // namespace kaiku
