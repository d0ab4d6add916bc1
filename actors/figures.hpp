#pragma once

/// Purpose: what is counted of one actor: always, how many messages of which type came and were processed; while
/// somebody watches, also how long they waited and took, who sent them, and a few of them to look at. Counting costs a
/// few nanoseconds, never a lock or an allocation; watching costs both. Owner: each actor owns its figures; the
/// registry holds them weakly. Thread: `received` and arrivals are written by whoever sends, the rest by the actor's
/// own thread; anybody reads. `mutex_` guards the details and the state line, `arrivals_mutex_` the arrivals; what is
/// atomic stands by itself.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <caf/actor_addr.hpp>
#include <caf/mailbox_element.hpp>

#include "kaiku/core/limits.hpp"
#include "kaiku/messages/inspection.hpp"
#include "kaiku/messages/trace.hpp"

namespace kaiku {

using figures_clock = std::chrono::steady_clock;

/// Whether somebody watches this process. One thread, the inspector's, turns it; every actor looks at it. Both may be
/// seen in either order: what is gathered under an epoch that is over is cleared by whoever gathers next, and not
/// shown.
struct watching {
  /// On a cache line of its own: every message reads it, and hardly ever it changes.
  alignas(64) static inline std::atomic<bool> on{false};
  /// Counts how often it began: what was gathered before is of another time.
  alignas(64) static inline std::atomic<std::uint32_t> epoch{0};
};

/// Type of a message's first value: a small number of CAF's own types, else the address of its `std::type_info`.
using message_key = std::uintptr_t;
message_key key_of(const caf::type_erased_tuple& x);
/// Without the name space.
std::string name_of(message_key x);

/// How long things took, in buckets a quarter of their length apart, beyond two hours in one. One writer, any reader.
class duration_histogram {
 public:
  void add(std::chrono::nanoseconds x);
  void clear();
  /// Unknown while nothing was added.
  timing read() const;

 private:
  static constexpr std::size_t size = 128;
  std::array<std::atomic<std::uint64_t>, size> counts_{};
  std::atomic<std::uint64_t> most_us_{0};
};

class actor_figures {
 public:
  /// Set once, before the figures are registered.
  std::string name;
  actor_number number;
  actor_number parent;
  caf::actor_addr address;

  alignas(64) std::atomic<std::uint64_t> received{0};
  alignas(64) std::atomic<std::uint64_t> processed{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<bool> alive{true};

  /// A message of this type was processed.
  void count(message_key type) {
    bump(processed);
    bump(slot_of(type).count);
  }
  static void bump(std::atomic<std::uint64_t>& x, std::uint64_t by = 1) {
    // One writer: no locked instruction is needed.
    x.store(x.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  /// The next message is more than counted. By the actor.
  bool looks_closely() const {
    return watching::on.load(std::memory_order_relaxed) || noted_.load(std::memory_order_relaxed) != 0 ||
           !marked_.empty();
  }

  // --- by whoever sends
  /// A message comes that is watched, or belongs to what the sender's thread does.
  void note_arrival(const caf::mailbox_element& x);

  // --- by the actor
  struct arrival {
    std::optional<figures_clock::time_point> at;
    trace_set_ptr of;
  };
  /// The next message from this sender, on another node, belongs to these.
  void mark_next(const caf::strong_actor_ptr& sender, trace_set_ptr of);
  arrival take_arrival(const caf::mailbox_element& x, figures_clock::time_point now = figures_clock::now());
  /// From now until `note_processed` it works on a message.
  void begins(figures_clock::time_point now) {
    began_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  struct looked_at {
    message_key type{};
    caf::strong_actor_ptr sender;
    std::optional<figures_clock::duration> waited;
    figures_clock::duration took{};
    std::optional<std::string> text;  ///< for the samples
  };
  /// Is it time to keep a message?
  bool wants_sample() const;
  void note_processed(looked_at x);
  void set_state(std::string line);

  // --- by the inspector
  std::string state() const;
  /// Age of the oldest message that waits; empty: none, or not watched.
  std::optional<figures_clock::duration> oldest() const;
  struct type_figures {
    message_key type{};
    std::uint64_t count = 0;
    timing took;
  };
  std::vector<type_figures> types() const;
  struct sample {
    std::chrono::system_clock::time_point at;
    message_key type{};
    caf::node_id from_node;
    actor_number from;
    std::string text;
    std::optional<figures_clock::duration> waited;
    figures_clock::duration took{};
  };
  /// Newest first.
  std::vector<sample> samples() const;
  struct sender_count {
    caf::node_id node;
    actor_number number;
    std::uint64_t count = 0;
  };
  std::vector<sender_count> senders() const;
  timing took() const;
  /// With what the message under work has taken so far. Unknown unless watched.
  figure busy_ns() const;

 private:
  struct slot {
    std::atomic<message_key> type{0};
    std::atomic<std::uint64_t> count{0};
  };
  /// What is gathered only while somebody watches.
  struct details {
    std::uint32_t epoch = 0;
    std::atomic<std::uint64_t> busy_ns{0};
    duration_histogram took;
    /// Of those that came: there may be thousands of uploads, and each sees a few types.
    std::array<std::unique_ptr<duration_histogram>, limits::counted_types> took_by_type;
    std::vector<sender_count> senders;
    std::vector<sample> samples;  ///< a ring
    std::size_t next_sample = 0;
    figures_clock::time_point sampled_at{};
  };

  struct marked {
    caf::actor_addr from;
    trace_set_ptr of;
    figures_clock::time_point at;
  };

  slot& slot_of(message_key type);
  /// Of the present epoch; null: nothing was processed in it. With `mutex_`.
  const details* current() const;
  details& begin_details();

  std::array<slot, limits::counted_types> slots_;  ///< the last one: all that have no other
  slot* last_ = &slots_.back();                    ///< of the message before: most come in runs of one type
  std::atomic<figures_clock::rep> began_{0};       ///< with the message under work, if it is looked at; 0: none
  mutable std::mutex mutex_;
  std::unique_ptr<details> details_;
  std::string state_;
  mutable std::mutex arrivals_mutex_;
  std::unordered_map<const caf::mailbox_element*, arrival> arrivals_;
  std::atomic<std::uint32_t> noted_{0};  ///< of these
  std::vector<marked> marked_;           ///< the actor's alone
};

}  // namespace kaiku
