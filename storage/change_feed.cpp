#include "kaiku/storage/change_feed.hpp"

#include <iterator>

namespace kaiku {

void change_feed::announce(changed_keys batch) {
  std::lock_guard guard{mutex_};
  announced_.clear();
  for (auto& [what, key] : batch.keys) {
    auto tagged = static_cast<char>(what) + std::move(key);
    keys_[tagged] = unsettled;
    announced_.push_back(std::move(tagged));
  }
  if (!batch.everything && keys_.size() <= most_keys_) return;
  keys_.clear();
  announced_.clear();
  everything_ = unsettled;
}

void change_feed::settle(std::uint64_t sequence) {
  {
    std::lock_guard guard{mutex_};
    for (const auto& key : announced_) keys_[key] = sequence;
    announced_.clear();
    if (everything_ == unsettled) everything_ = sequence;
    has_news_ = true;
  }
  news_.notify_one();
}

changed_keys change_feed::take(std::uint64_t sequence) {
  std::lock_guard guard{mutex_};
  changed_keys out;
  out.everything = everything_.has_value();
  if (everything_ && *everything_ <= sequence) everything_.reset();
  out.keys.reserve(keys_.size());
  // A key that a later batch touched may have been touched by an earlier one too: all go, some stay.
  for (auto it = keys_.begin(); it != keys_.end();) {
    out.keys.push_back({static_cast<changed_key::kind>(it->first.front()), it->first.substr(1)});
    it = it->second <= sequence ? keys_.erase(it) : std::next(it);
  }
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
