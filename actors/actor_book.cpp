#include "kaiku/actors/actor_book.hpp"

#include <algorithm>
#include <functional>
#include <set>

namespace kaiku {
namespace {

using std::chrono::microseconds;

/// Rates are over so long: short enough to follow, long enough not to jump.
constexpr milliseconds rate_window{3000};
/// What is noted sooner than this after another says nothing of the rate.
constexpr milliseconds rate_least{400};

constexpr std::string_view upload_name = "upload";

std::uint64_t us(figures_clock::duration x) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(std::chrono::duration_cast<microseconds>(x).count(), 0));
}

}  // namespace

void rate_meter::note(instant now, std::uint64_t count) {
  if (!samples_.empty() && count < samples_.back().count) samples_.clear();  // counted anew
  if (!samples_.empty() && now - samples_.back().at < rate_least) return;
  samples_.push_back({now, count});
  while (samples_.size() > 2 && now - samples_[1].at >= rate_window) samples_.pop_front();
}

std::uint64_t rate_meter::milli_per_second(instant now, std::uint64_t count) const {
  if (samples_.empty() || count < samples_.front().count) return 0;
  const auto since = now - samples_.front().at;
  if (since < rate_least) return 0;
  // Nanoseconds of half a minute times what makes them a rate are more than 64 bits hold.
  return static_cast<std::uint64_t>(static_cast<double>(count - samples_.front().count) * 1e9 /
                                    static_cast<double>(since.count()));
}

std::uint64_t actor_book::depth_of(const actor_figures& x) {
  // In this order: what comes between both reads does not make it negative.
  const auto processed = x.processed.load(std::memory_order_relaxed);
  const auto received = x.received.load(std::memory_order_relaxed);
  return received > processed ? received - processed : 0;
}

void actor_book::look(instant now, const std::vector<figures_ptr>& all, bool step) {
  std::set<actor_number> here;
  for (const auto& one : all) {
    if (one->name == upload_name) continue;
    here.insert(one->number);
    auto& to = pages_[one->number];
    const auto processed = one->processed.load(std::memory_order_relaxed);
    to.processed.note(now, processed);
    const auto busy = one->busy_ns();
    if (busy.known)
      to.busy_ns.note(now, busy.value);
    else
      to.busy_ns = {};
    for (const auto& type : one->types()) to.types[type.type].note(now, type.count);
    if (!step) continue;
    if (to.stepped) {
      const auto passed = static_cast<std::uint64_t>(std::max<std::int64_t>((now - *to.stepped).count(), 1));
      to.history.push_back({(processed - to.at_step) * 1'000'000'000 / passed, depth_of(*one), busy_of(now, to, *one)});
      if (to.history.size() > limits::history_steps) to.history.pop_front();
    }
    to.stepped = now;
    to.at_step = processed;
  }
  std::erase_if(pages_, [&](const auto& x) { return !here.contains(x.first); });
}

figure actor_book::busy_of(instant now, const page& of, const actor_figures& x) const {
  const auto busy = x.busy_ns();
  if (!busy.known) return {};
  // Nanoseconds in a second are a thousandth of parts per million.
  return std::min<std::uint64_t>(of.busy_ns.milli_per_second(now, busy.value) / 1'000'000, 1'000'000);
}

actor_report actor_book::report(instant now, const actor_figures& of) const {
  actor_report out;
  out.number = of.number;
  out.name = of.name;
  out.parent = of.parent;
  out.state = of.state();
  out.depth = depth_of(of);
  if (const auto age = of.oldest()) out.oldest_ms = us(*age) / 1000;
  out.processed = of.processed.load(std::memory_order_relaxed);
  out.received = std::max(of.received.load(std::memory_order_relaxed), out.processed);
  out.errors = of.errors.load(std::memory_order_relaxed);
  out.alive = of.alive.load(std::memory_order_relaxed);
  out.took = of.took();
  if (const auto known = pages_.find(of.number); known != pages_.end()) {
    out.milli_per_second = known->second.processed.milli_per_second(now, out.processed);
    out.busy_ppm = busy_of(now, known->second, of);
  }
  return out;
}

std::vector<actor_report> actor_book::report(instant now, const std::vector<figures_ptr>& all) const {
  std::vector<actor_report> out;
  std::size_t uploads = 0, others = 0;
  actor_report sum;
  for (const auto& one : all) {
    const bool is_upload = one->name == upload_name;
    if (is_upload ? ++uploads <= limits::reported_uploads : ++others <= limits::reported_actors) {
      out.push_back(report(now, *one));
      continue;
    }
    if (!is_upload) continue;
    sum.depth += depth_of(*one);
    sum.received += one->received.load(std::memory_order_relaxed);
    sum.processed += one->processed.load(std::memory_order_relaxed);
    sum.errors += one->errors.load(std::memory_order_relaxed);
  }
  if (uploads > limits::reported_uploads) {
    sum.name = upload_name;
    sum.state = std::to_string(uploads - limits::reported_uploads) + " more";
    out.push_back(std::move(sum));
  }
  return out;
}

actor_detail actor_book::detail(instant now, unix_time_ms time, const actor_figures& of,
                                const std::function<node_id(const caf::node_id&)>& name) const {
  actor_detail out;
  out.actor = report(now, of);
  const auto known = pages_.find(of.number);
  for (const auto& one : of.types()) {
    type_report type{name_of(one.type), one.count, 0, one.took};
    if (known != pages_.end())
      if (const auto rate = known->second.types.find(one.type); rate != known->second.types.end())
        type.milli_per_second = rate->second.milli_per_second(now, one.count);
    out.types.push_back(std::move(type));
  }
  std::sort(out.types.begin(), out.types.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  for (auto& one : of.samples()) {
    sampled_message x;
    x.at = {std::chrono::duration_cast<milliseconds>(one.at.time_since_epoch()).count()};
    x.type = name_of(one.type);
    x.from_node = one.from.value == 0 ? node_id{} : name(one.from_node);
    if (!x.from_node.name.empty()) x.from = one.from;
    x.text = std::move(one.text);
    if (one.waited) x.waited_us = us(*one.waited);
    x.took_us = us(one.took);
    out.recent.push_back(std::move(x));
  }
  out.history.until = time;
  if (known == pages_.end()) return out;
  for (const auto& one : known->second.history) {
    out.history.milli_per_second.push_back(one.milli_per_second);
    out.history.depth.push_back(one.depth);
    out.history.busy_ppm.push_back(one.busy_ppm);
  }
  return out;
}

}  // namespace kaiku
