// What failovers displaced on this node, and the check of its stored content.

#include <caf/all.hpp>

#include "kaiku/actors/front_actor.hpp"
#include "kaiku/actors/front_ask.hpp"

namespace kaiku {
namespace {

displaced_write shown(const cluster_id& cluster, set_aside_entry&& kept) {
  return {{tag_of(cluster), kept.at}, kept.since, std::move(kept.what)};
}

error too_slow() {
  return {errc::overloaded, "this node's disk is busy; try again shortly"};
}

}  // namespace

result<displaced_page> front_actor::set_aside(const log_position& after, std::size_t limit) const {
  displaced_page page;
  for (auto& kept : disk_->set_aside(after, limit + 1)) {
    page.more = page.entries.size() == limit;
    if (!page.more) page.entries.push_back(shown(picture_.members().cluster, std::move(kept)));
  }
  return page;
}

result<displaced_write> front_actor::set_aside_at(const log_position& at) const {
  auto kept = disk_->set_aside_at(at);
  if (!kept) return kept.failure();
  return shown(picture_.members().cluster, std::move(*kept));
}

void front_actor::purge_set_aside(const log_position& at, std::function<void(status)> then) {
  post([this, at, then = std::move(then)] {
    ask<disk_changed>(
        settings_.self, local_.storage, milliseconds(limits::forwarded_write_timeout_ms), kaiku::purge_set_aside{at},
        too_slow(),
        [then](const disk_changed& x) { then(x.failure.code == errc::none ? success() : status{x.failure}); },
        [then](error why) { then(std::move(why)); });
  });
}

void front_actor::scrub(bool start, std::function<void(result<scrub_view>)> then) {
  post([this, start, then = std::move(then)] {
    ask<scrub_view>(
        settings_.self, local_.scrub, milliseconds(limits::forwarded_write_timeout_ms), ask_scrub{start}, too_slow(),
        [then](const scrub_view& x) { then(x); }, [then](error why) { then(std::move(why)); });
  });
}

}  // namespace kaiku
