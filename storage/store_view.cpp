#include "kaiku/storage/store_view.hpp"

#include "kaiku/storage/journal.hpp"
#include "kaiku/storage/rewound.hpp"
#include "kaiku/storage/snapshot_piece.hpp"
#include "kaiku/storage/store_impl.hpp"

namespace kaiku {

struct store_view::inner {
  std::shared_ptr<store::impl> of;
  kaiku::snapshot at;
  unix_time_ms taken;                     ///< when
  log_position last;                      ///< of the state
  std::unique_ptr<const rewound> before;  ///< `at` without what follows `last`, if anything does

  inner(std::shared_ptr<store::impl> from, const std::optional<log_index>& upto)
      : of(std::move(from)), at(*of->db), taken(of->clock()) {
    last = journal::last(at);
    if (!upto || *upto >= last.index) return;
    const auto end = last.index;
    const auto stands = journal::position_at(at, std::max(*upto, journal::extent(at).boundary.index));
    INVARIANT(stands.has_value(), "the log has no holes");
    last = *stands;
    before = std::make_unique<rewound>(at, end, last.index);
  }
  const view& state() const { return before ? static_cast<const view&>(*before) : at; }
};

std::shared_ptr<const store_view> store::snapshot(const std::optional<log_index>& upto) const {
  // Not known before it is taken, nor taken before what it names is safe.
  std::lock_guard guard{impl_->views_mutex};
  auto taken = std::make_unique<store_view::inner>(impl_, upto);
  impl_->views.insert(&taken->at);
  return std::shared_ptr<const store_view>{new store_view{std::move(taken)}};
}

std::shared_ptr<const store_view> store::snapshot_of_names() const {
  return std::shared_ptr<const store_view>{
      new store_view{std::make_unique<store_view::inner>(impl_, std::optional<log_index>{})}};
}

store_view::store_view(std::unique_ptr<inner> taken) : inner_(std::move(taken)) {}

store_view::~store_view() {
  std::lock_guard guard{inner_->of->views_mutex};
  inner_->of->views.erase(&inner_->at);
}

const view& store_view::state() const {
  return inner_->state();
}

std::uint64_t store_view::sequence() const {
  return inner_->at.options().snapshot->GetSequenceNumber();
}

log_position store_view::last() const {
  return inner_->last;
}

snapshot_piece store_view::read_piece(std::string_view after, std::size_t max_bytes) const {
  piece_writer piece{inner_->at, inner_->state(), last(), after, max_bytes};
  auto bytes = piece.write();
  return {std::move(bytes), piece.cursor(), piece.done()};
}

result<file_info> store_view::stat(const file_path& path) const {
  return tree::stat(inner_->state(), path, inner_->taken);
}

result<directory_page> store_view::list(const file_path& path, std::string_view after, std::size_t limit,
                                        const list_filter& what) const {
  return tree::list(inner_->state(), path, {after, limit, what}, inner_->taken);
}

}  // namespace kaiku
