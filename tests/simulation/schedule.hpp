#pragma once

/// Purpose: the simulation's time, chance and diary: the same seed gives the same run on every machine.
/// Owner: `scenario` owns one of each. Thread: the test's.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "kaiku/core/ids.hpp"

namespace kaiku::simulation {

using std::chrono::microseconds;

/// splitmix64: small, fast, and the same everywhere (the standard's distributions are not).
class chance {
 public:
  explicit chance(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t x = (state_ += 0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }
  /// From [0, bound).
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool percent(unsigned share) { return below(100) < share; }
  microseconds between(microseconds low, microseconds high) {
    return low + microseconds{below(static_cast<std::uint64_t>((high - low).count()) + 1)};
  }

 private:
  std::uint64_t state_;
};

/// Events in virtual time; those of one instant in the order in which they were scheduled.
class schedule {
 public:
  using action = std::function<void()>;

  instant now() const { return now_; }
  void at(instant when, action what) {
    events_.push_back({std::max(when, now_), ++sequence_, std::move(what)});
    std::push_heap(events_.begin(), events_.end());
  }
  void after(microseconds delay, action what) { at(now_ + delay, std::move(what)); }

  /// Runs the next event unless it is due after `end`. False when there was none.
  bool step(instant end) {
    if (events_.empty() || events_.front().when > end) return false;
    std::pop_heap(events_.begin(), events_.end());
    const auto next = std::move(events_.back());
    events_.pop_back();
    now_ = next.when;
    next.what();
    return true;
  }

 private:
  struct event {
    instant when;
    std::uint64_t sequence;
    action what;
    bool operator<(const event& other) const {
      return when != other.when ? when > other.when : sequence > other.sequence;
    }
  };
  std::vector<event> events_;  ///< a heap: a queue of the standard's would copy each event out
  std::uint64_t sequence_ = 0;
  instant now_{};
};

/// What happened, line by line; kept only when somebody is going to read it.
class diary {
 public:
  diary(const schedule& time, bool kept) : time_(time), kept_(kept) {}

  template <class... Parts>
  void note(const Parts&... parts) {
    if (!kept_) return;
    std::ostringstream line;
    const auto us = time_.now().time_since_epoch().count();
    line << us / 1'000'000 << '.' << std::to_string(1'000'000 + us % 1'000'000).substr(1) << ' ';
    (line << ... << parts);
    lines_.push_back(std::move(line).str());
  }
  bool kept() const { return kept_; }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  const schedule& time_;
  bool kept_;
  std::vector<std::string> lines_;
};

}  // namespace kaiku::simulation
