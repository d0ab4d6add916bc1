#include "kaiku/messages/trace.hpp"

#include <algorithm>
#include <chrono>
#include <random>

namespace kaiku {
namespace {

std::uint64_t random_bits() {
  static thread_local std::mt19937_64 engine{[] {
    std::random_device seed;
    return std::uint64_t{seed()} << 32 | seed();
  }()};
  return engine();
}

constexpr std::uint64_t keep_us = std::uint64_t{limits::trace_keep_ms} * 1000;

}  // namespace

void trace_set::add(const trace_context& x) {
  const auto known = all();
  if (size_ < of_.size() && std::find(known.begin(), known.end(), x) == known.end()) of_[size_++] = x;
}

void trace_set::add(const trace_set& more) {
  for (const auto& one : more.all()) add(one);
}

trace_set_ptr set_of(const trace_context& x) {
  auto out = std::make_shared<trace_set>();
  out->add(x);
  return out;
}

span_id new_span() {
  for (;;)
    if (const span_id x{random_bits()}; x.value != 0) return x;
}

trace_id new_trace() {
  trace_id out;
  for (std::size_t i = 0; i < out.bytes.size(); i += 8) {
    const auto bits = random_bits();
    for (std::size_t k = 0; k < 8; ++k) out.bytes[i + k] = static_cast<std::uint8_t>(bits >> (8 * k));
  }
  return out;
}

std::uint64_t wall_clock_us() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(duration_cast<microseconds>(system_clock::now().time_since_epoch()).count());
}

// --- one step ------------------------------------------------------------------------------------------------------

open_span::open_span(const trace_set_ptr& below) : below_(below) {
  if (!below_) return;
  auto inside = std::make_shared<trace_set>();
  for (const auto& one : below_->all()) inside->add({one.id, new_span()});
  inside_ = std::move(inside);
  began_us_ = wall_clock_us();
}

void open_span::end(trace_span like) {
  if (!below_) return;
  like.start_us = began_us_;
  const auto now = wall_clock_us();
  like.took_us = now > began_us_ ? now - began_us_ : 0;
  end_at(std::move(like));
}

void open_span::end_at(trace_span like) {
  if (!below_) return;
  const auto above = below_->all();
  const auto here = inside_->all();
  for (std::size_t i = 0; i < above.size(); ++i) {
    like.id = here[i].span;
    like.parent = above[i].span;
    trace_store::instance().add(above[i].id, like);
  }
}

// --- the store -----------------------------------------------------------------------------------------------------

trace_store& trace_store::instance() {
  static trace_store all;
  return all;
}

trace_store::known_trace& trace_store::entry(const trace_id& id) {
  const auto found = std::find_if(traces_.begin(), traces_.end(), [&](const auto& x) { return x.id == id; });
  if (found != traces_.end()) return *found;
  const auto now = wall_clock_us();
  while (!traces_.empty() && (traces_.size() >= limits::traces || traces_.front().start_us + keep_us < now))
    traces_.pop_front();
  traces_.push_back({id, {}, now, std::nullopt, {}});
  return traces_.back();
}

void trace_store::begin(const trace_id& id, const std::string& what) {
  std::lock_guard guard{mutex_};
  entry(id).what = what;
}

void trace_store::add(const trace_id& id, trace_span x) {
  std::lock_guard guard{mutex_};
  auto& spans = entry(id).spans;
  if (spans.size() < limits::trace_spans) spans.push_back(std::move(x));
}

void trace_store::end(const trace_id& id, trace_span root) {
  std::lock_guard guard{mutex_};
  auto& to = entry(id);
  to.took_us = root.took_us;
  // There is always room for the root: without it nothing hangs together.
  if (to.spans.size() >= limits::trace_spans) to.spans.pop_back();
  to.spans.push_back(std::move(root));
}

std::optional<trace_store::known_trace> trace_store::find(const trace_id& id) const {
  std::lock_guard guard{mutex_};
  const auto found = std::find_if(traces_.begin(), traces_.end(), [&](const auto& x) { return x.id == id; });
  if (found == traces_.end() || found->start_us + keep_us < wall_clock_us()) return std::nullopt;
  return *found;
}

std::vector<trace_summary> trace_store::roots() const {
  std::vector<trace_summary> out;
  const auto now = wall_clock_us();
  std::lock_guard guard{mutex_};
  for (auto one = traces_.rbegin(); one != traces_.rend(); ++one)
    if (!one->what.empty() && one->took_us && one->start_us + keep_us >= now)
      out.push_back({one->id, one->start_us, one->what, *one->took_us});
  return out;
}

}  // namespace kaiku
