#include "kaiku/storage/store_view.hpp"

#include "kaiku/storage/snapshot_piece.hpp"
#include "kaiku/storage/store_impl.hpp"

namespace kaiku {

struct store_view::inner {
  std::shared_ptr<store::impl> of;
  kaiku::snapshot at;

  explicit inner(std::shared_ptr<store::impl> from) : of(std::move(from)), at(*of->db) {}
};

std::shared_ptr<const store_view> store::snapshot() const {
  // Not known before it is taken, nor taken before what it names is safe.
  std::lock_guard guard{impl_->views_mutex};
  auto taken = std::make_unique<store_view::inner>(impl_);
  impl_->views.insert(&taken->at);
  return std::shared_ptr<const store_view>{new store_view{std::move(taken)}};
}

store_view::store_view(std::unique_ptr<inner> taken) : inner_(std::move(taken)) {}

store_view::~store_view() {
  std::lock_guard guard{inner_->of->views_mutex};
  inner_->of->views.erase(&inner_->at);
}

log_position store_view::last() const {
  const auto hard = inner_->at.get(family::meta, format::hard_state_key);
  INVARIANT(hard.has_value(), "an open store has a hard state");
  return format::read_hard_state(*hard).last;
}

snapshot_piece store_view::read_piece(std::string_view after, std::size_t max_bytes) const {
  piece_writer piece{inner_->at, last(), after, max_bytes};
  auto bytes = piece.write();
  return {std::move(bytes), piece.cursor(), piece.done()};
}

result<file_info> store_view::stat(const file_path& path) const {
  return tree::stat(inner_->at, path, inner_->of->clock());
}

result<directory_page> store_view::list(const file_path& path, std::string_view after, std::size_t limit,
                                        const list_filter& what) const {
  return tree::list(inner_->at, path, {after, limit, what}, inner_->of->clock());
}

}  // namespace kaiku
