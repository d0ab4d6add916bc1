#include "kaiku/http/server/worker.hpp"

#include <algorithm>
#include <vector>

#include "kaiku/http/server/session.hpp"

namespace kaiku {
worker_state::worker_state(http_worker worker, const http_settings& all, std::shared_ptr<server_counters> shared)
    : io(*worker.io),
      node(*worker.node),
      settings(all),
      counters(std::move(shared)),
      meter(counters->requests),
      timer_(*worker.io),
      last_look_(*worker.io) {
  // A quarter of the shortest timeout: none is missed by more, and none costs more than four looks.
  auto shortest =
      std::min({settings.header_timeout, settings.idle_timeout, settings.body_stall_timeout, settings.linger_timeout});
  tick_interval_ = std::clamp(shortest / 4, milliseconds{5}, milliseconds{1000});
}

void worker_state::add(session* one) {
  sessions_.insert(one);
  if (!ticking_) tick();
}

void worker_state::begin_handshake(session* one) {
  if (handshakes_.size() >= limits::http_handshakes) {
    auto* oldest = handshakes_.front();
    handshakes_.pop_front();
    oldest->give_up();
  }
  handshakes_.push_back(one);
}

void worker_state::tick() {
  ticking_ = !sessions_.empty() && !abandoned_;
  if (!ticking_) return;
  timer_.expires_after(tick_interval_);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code failed) {
    if (failed) return;
    const auto now = session_clock::now();
    for (auto* one : self->sessions_) one->check_deadline(now);
    self->tick();
  });
}

void worker_state::drain() {
  draining_ = closing_ = true;
  for (auto* one : sessions_) one->close_if_idle(false);
  last_look_.expires_after(settings.first_request_wait);
  last_look_.async_wait([self = shared_from_this()](boost::system::error_code failed) {
    if (failed) return;
    for (auto* one : self->sessions_) one->close_if_idle(true);
  });
}

void worker_state::abandon() {
  abandoned_ = draining_ = closing_ = true;
  timer_.cancel();
  last_look_.cancel();
  for (auto* one : sessions_) one->abandon();
}

}  // namespace kaiku
