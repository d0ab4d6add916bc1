#pragma once

/// Purpose: makes reports of the actors' counters: rates, the last ten minutes, sums of what comes and goes. Owner: the
/// inspector. Thread: its own; the counters are read as `figures.hpp` says.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "kaiku/actors/figures.hpp"
#include "kaiku/core/ids.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/messages/inspection.hpp"

namespace kaiku {

using figures_ptr = std::shared_ptr<const actor_figures>;

/// How fast a counter has grown lately.
class rate_meter {
 public:
  /// The counter now. What comes too soon after another one is passed over.
  void note(instant now, std::uint64_t count);
  /// In a thousand seconds, since what was noted a few seconds ago.
  std::uint64_t milli_per_second(instant now, std::uint64_t count) const;

 private:
  struct sample {
    instant at;
    std::uint64_t count = 0;
  };
  std::deque<sample> samples_;
};

class actor_book {
 public:
  /// To be called every `limits::inspection_look_ms` or sooner. `step`: another step of the history ends now.
  void look(instant now, const std::vector<figures_ptr>& all, bool step);
  /// By number; of uploads beyond `limits::reported_uploads` a sum.
  std::vector<actor_report> report(instant now, const std::vector<figures_ptr>& all) const;
  actor_report report(instant now, const actor_figures& of) const;
  /// All but senders' names: `name` gives that of a CAF node, empty when it is not known.
  actor_detail detail(instant now, unix_time_ms time, const actor_figures& of,
                      const std::function<node_id(const caf::node_id&)>& name) const;

 private:
  struct point {
    std::uint64_t milli_per_second = 0;
    std::uint64_t depth = 0;
    figure busy_ppm;
  };
  struct page {
    rate_meter processed;
    rate_meter busy_ns;
    std::map<message_key, rate_meter> types;
    std::deque<point> history;
    std::uint64_t at_step = 0;  ///< processed by then
    std::optional<instant> stepped;
  };
  static std::uint64_t depth_of(const actor_figures& x);
  figure busy_of(instant now, const page& of, const actor_figures& x) const;

  std::map<actor_number, page> pages_;
};

}  // namespace kaiku
