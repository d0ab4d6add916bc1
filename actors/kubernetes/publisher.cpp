#include "kaiku/kubernetes/publisher.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include <spdlog/spdlog.h>

#include "kaiku/kubernetes/api.hpp"
#include "kaiku/kubernetes/limits.hpp"

namespace kaiku::kubernetes {
namespace {

instant now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::steady_clock::now());
}

std::uint64_t random_below(std::uint64_t bound) {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  return std::uniform_int_distribution<std::uint64_t>{0, bound - 1}(engine);
}

}  // namespace

struct label_publisher::impl {
  explicit impl(const settings& with) : pod(with.name_space + "/" + with.pod), server(with) {}

  void run();
  void on_answer(const answer& x);
  void show(const answer& x, bool changed);
  milliseconds wait() const;

  const std::string pod;  ///< for the log
  api server;
  label_upkeep upkeep{random_below};
  mutable std::mutex mutex;
  std::condition_variable answered;
  std::optional<pod_role> wish;  ///< not yet taken by the thread
  bool stopping = false;
  label_view shown;
  std::thread thread;
};

label_publisher::label_publisher(settings with) : impl_(std::make_unique<impl>(with)) {
  impl_->thread = std::thread([own = impl_.get()] { own->run(); });
}

label_publisher::~label_publisher() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->server.wake();
  impl_->thread.join();
}

void label_publisher::want(pod_role x) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->shown.wanted == x) return;
    impl_->shown.wanted = x;
    impl_->wish = x;
  }
  impl_->server.wake();
}

void label_publisher::part_from(pod_role x) {
  std::unique_lock lock(impl_->mutex);
  const auto& stands = impl_->shown.stands;
  impl_->answered.wait_for(lock, milliseconds(limits::farewell_ms), [&] { return stands && stands != x; });
}

label_view label_publisher::view() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->shown;
}

void label_publisher::impl::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex);
      if (stopping) return;
      if (wish) upkeep.want(now(), *wish);
      wish.reset();
    }
    if (const auto role = upkeep.begin(now())) server.begin(*role);
    if (const auto ended = server.turn(wait())) on_answer(*ended);
  }
}

/// libcurl ends it sooner when something happens on the network.
milliseconds label_publisher::impl::wait() const {
  constexpr milliseconds most{limits::check_ms};
  const auto due = upkeep.due();
  if (due == instant::max()) return most;
  return std::clamp(std::chrono::ceil<milliseconds>(due - now()), milliseconds{0}, most);
}

void label_publisher::impl::on_answer(const answer& x) {
  const auto what = upkeep.end(now(), x);
  if (what.failing) spdlog::warn("kubernetes: the label of pod {} can't be written: {}; trying on", pod, x.words);
  if (what.recovered) spdlog::warn("kubernetes: the label of pod {} can be written again", pod);
  if (what.changed) spdlog::info("kubernetes: pod={} kaiku.io/role={}", pod, to_string(*upkeep.stands()));
  {
    const std::lock_guard lock(mutex);
    show(x, what.changed);
  }
  answered.notify_all();
}

/// Called with the lock held.
void label_publisher::impl::show(const answer& x, bool changed) {
  ++shown.answers[x.code];
  if (changed) ++shown.changes;
  shown.stands = upkeep.stands();
  shown.trouble = upkeep.is_failing() ? x.words : std::string{};
}

}  // namespace kaiku::kubernetes
