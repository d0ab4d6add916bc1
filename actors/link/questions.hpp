#pragma once

/// Purpose: the questions that were sent to one node and have no answer yet, up to a bound: then the oldest goes.
/// Owner: the guard, one for each node. Thread: its.

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include <caf/fwd.hpp>

namespace kaiku {

class questions {
 public:
  /// Who asked, and its number there.
  using question = std::pair<caf::actor_id, std::uint64_t>;

  explicit questions(std::size_t most) : most_(most) {}

  void note(const question& x) {
    const auto [known, is_new] = ages_.emplace(x, next_);
    if (!is_new) return;
    by_age_.emplace(next_++, x);
    if (ages_.size() <= most_) return;
    ages_.erase(by_age_.begin()->second);
    by_age_.erase(by_age_.begin());
  }
  /// Whether it waited for an answer; it does so no more.
  bool take(const question& x) {
    const auto known = ages_.find(x);
    if (known == ages_.end()) return false;
    by_age_.erase(known->second);
    ages_.erase(known);
    return true;
  }

 private:
  std::size_t most_;
  std::uint64_t next_ = 0;
  std::map<question, std::uint64_t> ages_;
  std::map<std::uint64_t, question> by_age_;
};

}  // namespace kaiku
