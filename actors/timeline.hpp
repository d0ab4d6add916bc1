#pragma once

/// Purpose: what happened to this node, for people who look back: the last `limits::timeline_events`, in memory.
/// Owner: the process. Anybody notes; the inspector tells. Thread: any.

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "kaiku/messages/inspection.hpp"

namespace kaiku {

class timeline {
 public:
  static timeline& instance();

  /// Now. At most `limits::event_text_bytes` of the text are kept.
  void note(event_kind what, std::string text);
  /// Oldest first, the last `most` of those behind `number`. The node is left for the teller to fill in.
  std::vector<timeline_event> behind(event_number number, std::size_t most) const;
  event_number last() const;

 private:
  mutable std::mutex mutex_;
  std::deque<timeline_event> events_;
};

}  // namespace kaiku
