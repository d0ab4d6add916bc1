#include "kaiku/storage/change_feed.hpp"

#include <algorithm>
#include <iterator>

namespace kaiku {

void change_feed::announce(changed_keys batch) {
  if (batch.keys.empty() && !batch.everything) return;
  std::lock_guard guard{mutex_};
  keys_ += batch.keys.size();
  if (!batch.everything && keys_ <= most_keys_) {
    batches_.push_back({unsettled, std::move(batch.keys)});
    return;
  }
  batches_.clear();
  keys_ = 0;
  everything_ = unsettled;
}

void change_feed::settle(std::uint64_t sequence) {
  {
    std::lock_guard guard{mutex_};
    if (!batches_.empty() && batches_.back().sequence == unsettled) batches_.back().sequence = sequence;
    if (everything_ == unsettled) everything_ = sequence;
    has_news_ = true;
  }
  news_.notify_one();
}

changed_keys change_feed::take(std::uint64_t sequence) {
  std::deque<written> taken;
  changed_keys out;
  {
    std::lock_guard guard{mutex_};
    out.everything = everything_.has_value();
    if (everything_ && *everything_ <= sequence) everything_.reset();
    while (!batches_.empty() && batches_.front().sequence <= sequence) {
      keys_ -= batches_.front().keys.size();
      taken.push_back(std::move(batches_.front()));
      batches_.pop_front();
    }
    for (const auto& later : batches_) out.keys.insert(out.keys.end(), later.keys.begin(), later.keys.end());
  }
  for (auto& batch : taken) std::move(batch.keys.begin(), batch.keys.end(), std::back_inserter(out.keys));
  return out;
}

void change_feed::wait(milliseconds at_most) {
  std::unique_lock lock{mutex_};
  news_.wait_for(lock, at_most, [this] { return has_news_; });
  has_news_ = false;
}

void change_feed::wake() {
  {
    std::lock_guard guard{mutex_};
    has_news_ = true;
  }
  news_.notify_one();
}

}  // namespace kaiku
