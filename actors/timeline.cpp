#include "kaiku/actors/timeline.hpp"

#include <algorithm>
#include <chrono>

#include "kaiku/actors/message_text.hpp"
#include "kaiku/core/limits.hpp"

namespace kaiku {

timeline& timeline::instance() {
  static timeline events;
  return events;
}

void timeline::note(event_kind what, std::string text) {
  using namespace std::chrono;
  const auto time = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  std::lock_guard guard{mutex_};
  event_number number{static_cast<std::uint64_t>(time)};
  // Also when the clock was set back.
  if (!events_.empty()) number = std::max(number, events_.back().number.next());
  events_.push_back({number, {}, what, shortened(std::move(text), limits::event_text_bytes)});
  if (events_.size() > limits::timeline_events) events_.pop_front();
}

std::vector<timeline_event> timeline::behind(event_number number, std::size_t most) const {
  std::lock_guard guard{mutex_};
  auto first = std::partition_point(events_.begin(), events_.end(), [&](const auto& x) { return x.number <= number; });
  const auto found = static_cast<std::size_t>(events_.end() - first);
  if (found > most) first += static_cast<std::ptrdiff_t>(found - most);
  return {first, events_.end()};
}

event_number timeline::last() const {
  std::lock_guard guard{mutex_};
  return events_.empty() ? event_number{} : events_.back().number;
}

}  // namespace kaiku
