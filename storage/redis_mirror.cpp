#include "kaiku/storage/redis_mirror.hpp"

#include <mutex>
#include <shared_mutex>

#include "kaiku/core/wall_clock.hpp"
#include "kaiku/storage/redis/mirror.hpp"
#include "kaiku/storage/redis/reader.hpp"

namespace kaiku {
struct redis_mirror::impl {
  std::string address;
  std::shared_ptr<const store> disk;
  redis::standing standing;
  std::shared_mutex running;  ///< held to ask; exclusively to stop
  std::unique_ptr<redis::mirror> mirror;
  std::unique_ptr<redis::reader> reader;
};

redis_mirror::redis_mirror(redis_address at, node_id self, std::shared_ptr<const store> disk,
                           std::shared_ptr<change_feed> feed, std::function<unix_time_ms()> clock)
    : impl_(std::make_unique<impl>()) {
  auto& own = *impl_;
  own.address = at.shown();
  own.disk = disk;
  own.mirror = std::make_unique<redis::mirror>(at, std::move(self), std::move(disk), std::move(feed), own.standing);
  own.standing.distrust = [&own](const std::string& generation) { own.mirror->distrust(generation); };
  if (!clock) clock = wall_clock;
  own.reader = std::make_unique<redis::reader>(std::move(at), own.standing, std::move(clock));
}

redis_mirror::~redis_mirror() {
  stop();
}

void redis_mirror::stop() {
  std::unique_lock lock{impl_->running};
  impl_->reader.reset();
  impl_->mirror.reset();
}

bool redis_mirror::ask(log_position at, file_question what, std::function<void(std::optional<file_answer>)> done) {
  std::shared_lock lock{impl_->running};
  return impl_->reader && impl_->reader->ask(at, std::move(what), std::move(done));
}

mirror_view redis_mirror::view() const {
  const auto& from = impl_->standing;
  mirror_view out;
  out.address = impl_->address;
  out.now = from.state;
  out.asked = from.asked && from.now().has_value();
  const auto last = impl_->disk->state().last.index;
  const auto shown = from.now();
  const auto at = shown ? shown->at.index : log_index{};
  out.lag = last > at ? last.value - at.value : 0;
  out.rebuilds = from.rebuilds;
  out.put_off = from.put_off;
  out.wrong = from.wrong;
  out.answered = from.answered;
  out.answered_late = from.answered_late;
  out.behind = from.behind;
  out.left_to_store = from.left_to_store;
  out.not_asked = from.not_asked;
  return out;
}

}  // namespace kaiku
