#include "kaiku/messages/trace.hpp"
#include "kaiku/core/wall_clock.hpp"

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

trace_span sync_span(actor_number actor, std::string name, std::string note) {
  trace_span out;
  out.actor = actor;
  out.name = std::move(name);
  out.what = "fsync";
  out.kind = span_kind::sync;
  out.note = std::move(note);
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

trace_store::entry& trace_store::entry_of(const trace_id& id) {
  const auto now = wall_clock_us();
  drop_older_than(now);  // also this one: an id that is used for longer than that begins anew
  const auto known = std::find_if(traces_.begin(), traces_.end(), [&](const auto& x) { return x.what.id == id; });
  if (known != traces_.end()) return *known;
  if (traces_.size() >= limits::traces) drop_oldest();
  traces_.push_back({{id, {}, now, std::nullopt, {}}, {}});
  return traces_.back();
}

void trace_store::drop_oldest() {
  spans_ -= traces_.front().what.spans.size();
  traces_.pop_front();
}

void trace_store::drop_older_than(std::uint64_t now_us) {
  while (!traces_.empty() && traces_.front().what.start_us + keep_us < now_us) drop_oldest();
}

void trace_store::drop_old() {
  std::lock_guard guard{mutex_};
  drop_older_than(wall_clock_us());
}

void trace_store::keep(entry& to, trace_span x) {
  to.what.spans.push_back(std::move(x));
  ++spans_;
  while (spans_ > limits::spans && &traces_.front() != &to) drop_oldest();
}

void trace_store::begin(const trace_id& id, const std::string& what) {
  std::lock_guard guard{mutex_};
  auto& to = entry_of(id).what;
  to.what = what;
  to.took_us.reset();  // one more request with the same id
}

void trace_store::add(const trace_id& id, trace_span x) {
  std::lock_guard guard{mutex_};
  auto& to = entry_of(id);
  const auto& spans = to.what.spans;
  std::size_t alike = 0, last = 0;
  for (std::size_t i = 0; i < spans.size(); ++i)
    if (spans[i].actor == x.actor && spans[i].what == x.what && spans[i].name == x.name) {
      ++alike;
      last = i;
    }
  if (alike >= limits::trace_spans_alike)
    ++to.left_out[last];
  else if (spans.size() < limits::trace_spans)
    keep(to, std::move(x));
}

void trace_store::end(const trace_id& id, trace_span root) {
  std::lock_guard guard{mutex_};
  auto& to = entry_of(id);
  to.what.took_us = root.took_us;
  // There is always room for the root: without it nothing hangs together.
  if (to.what.spans.size() >= limits::trace_spans) {
    to.what.spans.pop_back();
    to.left_out.erase(to.what.spans.size());
    --spans_;
  }
  keep(to, std::move(root));
}

std::optional<trace_store::known_trace> trace_store::find(const trace_id& id) const {
  std::lock_guard guard{mutex_};
  const auto found = std::find_if(traces_.begin(), traces_.end(), [&](const auto& x) { return x.what.id == id; });
  if (found == traces_.end() || found->what.start_us + keep_us < wall_clock_us()) return std::nullopt;
  auto out = found->what;
  for (const auto& [index, count] : found->left_out) {
    auto& note = out.spans[index].note;
    const auto more = "and " + std::to_string(count) + " more like it";
    note = note.empty() || note.size() + more.size() + 2 > limits::span_text_bytes ? more : note + "; " + more;
  }
  return out;
}

std::vector<trace_summary> trace_store::roots() const {
  std::vector<trace_summary> out;
  const auto now = wall_clock_us();
  std::lock_guard guard{mutex_};
  for (auto one = traces_.rbegin(); one != traces_.rend(); ++one) {
    const auto& x = one->what;
    if (!x.what.empty() && x.took_us && x.start_us + keep_us >= now)
      out.push_back({x.id, x.start_us, x.what, *x.took_us});
  }
  return out;
}

}  // namespace kaiku
