#include "kaiku/storage/scrub.hpp"

#include <algorithm>

#include "kaiku/storage/store_impl.hpp"

namespace kaiku {

content_check::content_check(const content_ref& what, result<opened_content> opened)
    : what_(what), opened_(std::move(opened)) {
  if (opened_.ok() && opened_->file) opened_->file->drop_cached();
}

std::optional<status> content_check::step(std::size_t bytes) {
  if (!opened_) return opened_.failure();
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, what_.size.value - read_));
  if (opened_->file) {
    std::string piece(size, '\0');
    if (auto read = opened_->file->read(read_, piece); !read) return read;
    hasher_.update(piece);
  } else {
    hasher_.update(std::string_view{opened_->bytes}.substr(read_, size));
  }
  read_ += size;
  if (read_ < what_.size.value) return std::nullopt;
  if (hasher_.finish() == what_.sha256) return success();
  return error{errc::corrupt, "content " + to_string(what_.sha256) + " is damaged"};
}

content_check store::verify(const content_ref& what) const {
  return {what, open_content(what)};
}

std::vector<content_ref> store::list_content(const std::optional<digest>& after, std::size_t limit) const {
  std::vector<content_ref> found;
  const auto start = after ? format::key(*after) : std::string{};
  auto it = impl_->db->scan(family::holdings);
  it->Seek(start);
  if (after && it->Valid() && it->key() == start) it->Next();
  for (; it->Valid() && found.size() < limit; it->Next()) {
    const auto held = format::read_holding(as_view(it->value()));
    if (held.names > 0 && held.here) found.push_back({format::read_digest(as_view(it->key())), held.size});
  }
  impl_->db->check_scan(*it);
  return found;
}

std::vector<content_ref> store::list_wanted(const std::optional<digest>& after, std::size_t limit) const {
  std::vector<content_ref> found;
  const auto prefix = std::string(1, static_cast<char>(chore::wanted));
  const auto start = after ? format::key(chore::wanted, *after) : prefix;
  auto it = impl_->db->scan(family::work);
  it->Seek(start);
  if (it->Valid() && it->key() == start) it->Next();
  for (; it->Valid() && it->key().starts_with(prefix) && found.size() < limit; it->Next()) {
    const auto what = format::digest_of_key(as_view(it->key()));
    // It may be here by now.
    const auto held = impl_->db->get(family::holdings, format::key(what));
    if (held && !format::read_holding(*held).here) found.push_back({what, format::read_holding(*held).size});
  }
  impl_->db->check_scan(*it);
  return found;
}

status store::quarantine(const content_ref& what) {
  auto& own = *impl_;
  auto batch = own.begin();
  auto& held = batch.holding_of(what);
  if (!held.here) return {errc::not_found, "content " + to_string(what.sha256) + " is not here"};
  held.here = false;
  // What comes later of a state being installed says itself that it lacks this.
  if (own.is_named_by_install(what.sha256)) held.lacked_by = own.install->at.index;
  if (what.is_small()) batch.erase(family::contents, format::key(what.sha256));
  // First it is not served any more, then it is moved.
  own.commit(batch, own.state);
  if (what.is_small()) return success();
  return content_->set_apart(what.sha256);
}

status store::provide_repaired(const content_ref& what, std::string_view small_content) {
  auto& own = *impl_;
  auto batch = own.begin();
  const auto& held = batch.holding_of(what);
  if (held.names == 0) return {errc::not_found, "nothing names content " + to_string(what.sha256)};
  if (held.size != what.size) return {errc::corrupt, "content " + to_string(what.sha256) + " has another size"};
  if (auto here = own.provide(batch, what, small_content); !here) return here;
  own.commit(batch, own.state);
  return success();
}

}  // namespace kaiku
