#include "kaiku/actors/pull.hpp"

#include <algorithm>

namespace kaiku {

void pull::restart() {
  ++attempt_;
  asked_ = received_;
  available_ = received_;
  open_ = false;
  waits_ = false;
  in_flight_ = 0;
  early_.clear();
}

std::optional<pull::question> pull::next(bool may_load) {
  if (waits_ || load() >= limits::chunk_window) return std::nullopt;
  question x{attempt_, {asked_}, 0};
  if (asked_ < available_) {
    if (!may_load) return std::nullopt;
    x.bytes = std::min<std::uint64_t>(limits::chunk_bytes, available_ - asked_);
    asked_ += x.bytes;
    ++in_flight_;
    return x;
  }
  if (!open_) return std::nullopt;
  waits_ = true;
  return x;
}

result<std::vector<chunk>> pull::on_answer(const question& asked, const chunk& bytes) {
  const auto size = bytes.view().size();
  const error wrong{errc::corrupt, "a range of content has the wrong length"};
  if (asked.bytes != 0) {
    if (size != asked.bytes) return wrong;
    --in_flight_;
  } else {
    if (size > limits::chunk_bytes) return wrong;
    waits_ = false;
    asked_ += size;
    available_ = std::max(available_, asked_);
    // It has ended, and how is on its way here: asking again would bring nothing again.
    if (size == 0) open_ = false;
  }
  if (size != 0) early_.emplace(asked.offset.value, bytes);
  std::vector<chunk> ready;
  for (auto next = early_.find(received_); next != early_.end(); next = early_.find(received_)) {
    received_ += next->second.view().size();
    ++unwritten_;
    ready.push_back(std::move(next->second));
    early_.erase(next);
  }
  return ready;
}

}  // namespace kaiku
