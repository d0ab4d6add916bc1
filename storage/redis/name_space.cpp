#include "kaiku/storage/redis/name_space.hpp"

#include "kaiku/core/codec.hpp"
#include "kaiku/storage/database.hpp"
#include "kaiku/storage/format.hpp"

namespace kaiku {
namespace {

name_key read_name(std::string_view key) {
  const auto directory = format::parent_of_key(key);
  return {directory, std::string{key.substr(format::key(directory).size())}};
}

inode_id read_inode_key(std::string_view key) {
  decoder in{key};
  const inode_id which{in.u64()};
  INVARIANT(in.done(), "a key of inodes decodes");
  return which;
}

}  // namespace

name_space::name_space(std::shared_ptr<const store_view> at)
    : at_(std::move(at)), names_(at_->state().scan(family::dentries)) {}

name_space::~name_space() = default;

inode_id name_space::inode_of(const changed_key& x) {
  return read_inode_key(x.key);
}

name_key name_space::name_of(const changed_key& x) {
  return read_name(x.key);
}

std::optional<file_info> name_space::inode(inode_id which) const {
  const auto record = at_->state().get(family::inodes, format::key(which));
  if (!record) return std::nullopt;
  return format::read_inode(which, *record).info;
}

name_space::place name_space::find(const name_key& x) {
  const auto key = format::key(x.directory, x.name);
  const auto is_here = [&] { return names_->Valid() && as_view(names_->key()) == key; };
  const auto name = [&]() -> std::string {
    if (!names_->Valid()) return {};
    auto found = read_name(as_view(names_->key()));
    return found.directory == x.directory ? std::move(found.name) : std::string{};
  };
  if (!is_here() || !in_front_ || in_front_->directory != x.directory) {
    names_->SeekForPrev(key);
    if (is_here()) names_->Prev();
    in_front_ = {x.directory, name()};
    at_->state().check_scan(*names_);
    names_->Seek(key);
  }
  place out;
  out.before = in_front_->name;
  if (is_here()) {
    out.leads_to = format::read_dentry(as_view(names_->value())).inode;
    in_front_->name = x.name;
    names_->Next();
  }
  out.behind = name();
  if (!out.behind.empty()) out.behind_leads_to = format::read_dentry(as_view(names_->value())).inode;
  at_->state().check_scan(*names_);
  return out;
}

void name_space::each_inode(const std::function<bool(const file_info&)>& give) const {
  const auto it = at_->state().scan(family::inodes);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    if (!give(format::read_inode(read_inode_key(as_view(it->key())), as_view(it->value())).info)) return;
  }
  at_->state().check_scan(*it);
}

void name_space::each_name(
    const std::function<bool(const name_key&, const std::string& before, inode_id)>& give) const {
  const auto it = at_->state().scan(family::dentries);
  name_key last;
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    auto now = read_name(as_view(it->key()));
    if (now.directory != last.directory) last.name.clear();
    if (!give(now, last.name, format::read_dentry(as_view(it->value())).inode)) return;
    last = std::move(now);
  }
  at_->state().check_scan(*it);
}

}  // namespace kaiku
