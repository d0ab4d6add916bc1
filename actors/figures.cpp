#include "kaiku/actors/figures.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include <cxxabi.h>

#include <caf/type_nr.hpp>

#include "kaiku/actors/message_text.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {
namespace {

/// CAF's own types have numbers below this; no object's address has.
constexpr message_key first_address = 4096;

constexpr std::string_view name_space = "kaiku::";

/// Buckets 0 to 3 are a microsecond wide; from then on four share a power of two.
std::size_t bucket_of(std::uint64_t us) {
  if (us < 4) return us;
  const auto power = static_cast<std::size_t>(std::bit_width(us)) - 1;
  return 4 * (power - 1) + ((us >> (power - 2)) & 3);
}
/// The largest that falls into it.
std::uint64_t end_of(std::size_t bucket) {
  if (bucket < 4) return bucket;
  const auto power = bucket / 4 + 1;
  return ((std::uint64_t{4} + bucket % 4 + 1) << (power - 2)) - 1;
}

}  // namespace

message_key key_of(const caf::type_erased_tuple& x) {
  if (x.size() == 0) return 0;
  const auto type = x.type(0);
  return type.first != 0 ? type.first : reinterpret_cast<message_key>(type.second);
}

std::string name_of(message_key x) {
  if (x == 0) return "other";
  if (x < first_address) {
    std::string name = caf::numbered_type_names[x - 1];
    return name.starts_with('@') ? name.substr(1) : name;
  }
  const auto* type = reinterpret_cast<const std::type_info*>(x);
  int failed = 0;
  const std::unique_ptr<char, decltype(&std::free)> text{abi::__cxa_demangle(type->name(), nullptr, nullptr, &failed),
                                                         &std::free};
  std::string name = failed == 0 ? text.get() : type->name();
  return name.starts_with(name_space) ? name.substr(name_space.size()) : name;
}

// --- durations -----------------------------------------------------------------------------------------------------

void duration_histogram::add(std::chrono::nanoseconds x) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(x.count(), 0)) / 1000;
  auto& count = counts_[std::min(bucket_of(us), size - 1)];
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (us > most_us_.load(std::memory_order_relaxed)) most_us_.store(us, std::memory_order_relaxed);
}

void duration_histogram::clear() {
  for (auto& one : counts_) one.store(0, std::memory_order_relaxed);
  most_us_.store(0, std::memory_order_relaxed);
}

timing duration_histogram::read() const {
  timing out;
  std::array<std::uint64_t, size> counts{};
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < size; ++i) all += counts[i] = counts_[i].load(std::memory_order_relaxed);
  if (all == 0) return out;
  out.known = true;
  out.most = most_us_.load(std::memory_order_relaxed);
  const auto at = [&](std::uint64_t wanted) {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i + 1 < size; ++i)
      if ((seen += counts[i]) >= wanted) return std::min(end_of(i), out.most);
    return out.most;  // the last one has no end
  };
  out.p50 = at((all + 1) / 2);
  out.p99 = at(all - all / 100);
  return out;
}

// --- one actor -----------------------------------------------------------------------------------------------------

actor_figures::slot& actor_figures::slot_of(message_key type) {
  if (type != 0 && last_->type.load(std::memory_order_relaxed) == type) return *last_;
  constexpr auto own = limits::counted_types - 1;
  // Addresses of the same kind of object lie a multiple of their size apart.
  auto at = (type ^ (type >> 8)) / 16 % own;
  for (std::size_t tried = 0; type != 0 && tried < own; ++tried) {
    auto& one = slots_[at];
    const auto there = one.type.load(std::memory_order_relaxed);
    if (there == 0) one.type.store(type, std::memory_order_relaxed);
    if (there == 0 || there == type) return *(last_ = &one);
    at = (at + 1) % own;
  }
  return slots_.back();
}

void actor_figures::note_arrival(const caf::mailbox_element& x) {
  static const auto mark = reinterpret_cast<message_key>(&typeid(trace_mark));
  if (key_of(x.content()) == mark) return;  // it is part of the next message
  std::lock_guard guard{arrivals_mutex_};
  if (arrivals_.size() >= limits::noted_arrivals) return;
  arrivals_[&x] = {figures_clock::now(), trace_scope::now()};
  noted_.store(static_cast<std::uint32_t>(arrivals_.size()), std::memory_order_relaxed);
}

void actor_figures::mark_next(const caf::strong_actor_ptr& sender, trace_set_ptr of) {
  // One message each is on its way behind its mark; a peer that sends marks alone fills nothing.
  if (marked_.size() >= limits::members) marked_.erase(marked_.begin());
  marked_.push_back({sender->address(), std::move(of), figures_clock::now()});
}

actor_figures::arrival actor_figures::take_arrival(const caf::mailbox_element& x, figures_clock::time_point now) {
  arrival out;
  if (noted_.load(std::memory_order_relaxed) != 0) {
    std::lock_guard guard{arrivals_mutex_};
    if (auto found = arrivals_.extract(&x); !found.empty()) out = std::move(found.mapped());
    noted_.store(static_cast<std::uint32_t>(arrivals_.size()), std::memory_order_relaxed);
  }
  if (marked_.empty()) return out;
  // The message behind a mark may never come: its link broke.
  std::erase_if(marked_, [oldest = now - std::chrono::milliseconds(limits::trace_mark_keep_ms)](const auto& one) {
    return one.at < oldest;
  });
  if (!x.sender) return out;
  const auto found = std::find_if(marked_.begin(), marked_.end(),
                                  [from = x.sender->address()](const auto& one) { return one.from == from; });
  if (found == marked_.end()) return out;
  out.of = std::move(found->of);
  marked_.erase(found);
  return out;
}

actor_figures::details& actor_figures::begin_details() {
  const auto epoch = watching::epoch.load(std::memory_order_relaxed);
  if (!details_) details_ = std::make_unique<details>();
  if (details_->epoch == epoch) return *details_;
  details_->epoch = epoch;
  details_->busy_ns.store(0, std::memory_order_relaxed);
  details_->took.clear();
  for (auto& one : details_->took_by_type) one.reset();
  details_->senders.clear();
  details_->samples.clear();
  details_->next_sample = 0;
  details_->sampled_at = {};
  return *details_;
}

bool actor_figures::wants_sample() const {
  if (!watching::on.load(std::memory_order_relaxed)) return false;
  std::lock_guard guard{mutex_};
  const auto* now = current();
  return now == nullptr ||
         figures_clock::now() - now->sampled_at >= std::chrono::milliseconds(limits::sample_interval_ms);
}

void actor_figures::note_processed(looked_at x) {
  count(x.type);
  std::lock_guard guard{mutex_};  // who reads sees the message under work, or what it took, and never both
  began_.store(0, std::memory_order_relaxed);
  if (!watching::on.load(std::memory_order_relaxed)) return;
  auto& to = begin_details();
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(x.took);
  bump(to.busy_ns, static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)));
  to.took.add(took);
  auto& of_type = to.took_by_type[static_cast<std::size_t>(&slot_of(x.type) - slots_.data())];
  if (!of_type) of_type = std::make_unique<duration_histogram>();
  of_type->add(took);
  const auto from = x.sender ? actor_number{x.sender->id()} : actor_number{};
  if (x.sender) {
    const auto known = std::find_if(to.senders.begin(), to.senders.end(), [&](const sender_count& one) {
      return one.number == from && one.node == x.sender->node();
    });
    if (known != to.senders.end())
      ++known->count;
    else if (to.senders.size() < limits::counted_senders)
      to.senders.push_back({x.sender->node(), from, 1});
  }
  if (!x.text) return;
  to.sampled_at = figures_clock::now();
  sample one{std::chrono::system_clock::now() - std::chrono::duration_cast<std::chrono::system_clock::duration>(x.took),
             x.type,
             x.sender ? x.sender->node() : caf::node_id{},
             from,
             std::move(*x.text),
             x.waited,
             x.took};
  if (to.samples.size() < limits::sampled_messages)
    to.samples.push_back(std::move(one));
  else
    to.samples[to.next_sample] = std::move(one);
  to.next_sample = (to.next_sample + 1) % limits::sampled_messages;
}

void actor_figures::set_state(std::string line) {
  line = shortened(std::move(line), limits::state_line_bytes);
  std::lock_guard guard{mutex_};
  state_ = std::move(line);
}

std::string actor_figures::state() const {
  std::lock_guard guard{mutex_};
  return state_;
}

const actor_figures::details* actor_figures::current() const {
  const bool is = watching::on.load(std::memory_order_relaxed) && details_ &&
                  details_->epoch == watching::epoch.load(std::memory_order_relaxed);
  return is ? details_.get() : nullptr;
}

std::optional<figures_clock::duration> actor_figures::oldest() const {
  if (!watching::on.load(std::memory_order_relaxed)) return std::nullopt;
  const auto now = figures_clock::now();
  std::optional<figures_clock::duration> age;
  std::lock_guard guard{arrivals_mutex_};
  for (const auto& [element, one] : arrivals_)
    if (one.at && (!age || now - *one.at > *age)) age = now - *one.at;
  return age;
}

std::vector<actor_figures::type_figures> actor_figures::types() const {
  std::vector<type_figures> out;
  std::lock_guard guard{mutex_};
  const auto* now = current();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto count = slots_[i].count.load(std::memory_order_relaxed);
    if (count == 0) continue;
    out.push_back({slots_[i].type.load(std::memory_order_relaxed), count,
                   now == nullptr || !now->took_by_type[i] ? timing{} : now->took_by_type[i]->read()});
  }
  return out;
}

std::vector<actor_figures::sample> actor_figures::samples() const {
  std::vector<sample> out;
  std::lock_guard guard{mutex_};
  const auto* now = current();
  if (now == nullptr) return out;
  const auto size = now->samples.size();
  for (std::size_t i = 0; i < size; ++i) out.push_back(now->samples[(now->next_sample + 2 * size - 1 - i) % size]);
  return out;
}

std::vector<actor_figures::sender_count> actor_figures::senders() const {
  std::lock_guard guard{mutex_};
  const auto* now = current();
  return now == nullptr ? std::vector<sender_count>{} : now->senders;
}

timing actor_figures::took() const {
  std::lock_guard guard{mutex_};
  const auto* now = current();
  return now == nullptr ? timing{} : now->took.read();
}

figure actor_figures::busy_ns() const {
  std::lock_guard guard{mutex_};
  if (!watching::on.load(std::memory_order_relaxed)) return {};
  const auto* now = current();
  std::uint64_t out = now == nullptr ? 0 : now->busy_ns.load(std::memory_order_relaxed);
  if (const auto began = began_.load(std::memory_order_relaxed); began != 0) {
    const auto so_far = figures_clock::now().time_since_epoch() - figures_clock::duration{began};
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(so_far).count();
    out += static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0));
  }
  return out;
}

}  // namespace kaiku
