#include "kaiku/actors/storage_actor.hpp"

#include <spdlog/spdlog.h>

namespace kaiku {
namespace {

disk_changed outcome_of(const status& x) {
  return {x.ok() ? error{} : x.failure()};
}

/// Does what `change` does, which ends with an fsync; a step of what the message belongs to.
template <class Change>
auto synced(actor_number self, Change change) {
  open_span step{trace_scope::now()};
  auto outcome = change();
  if (step.inside()) {
    const auto& last = outcome.after.last;
    step.end(sync_span(self, "storage",
                       outcome.failure.code == errc::none
                           ? "durable at " + to_string(last.in_term) + ":" + to_string(last.index)
                           : std::string(to_string(outcome.failure.code))));
  }
  return outcome;
}

}  // namespace

storage_actor::storage_actor(caf::actor_config& cfg, std::shared_ptr<store> disk)
    : observed(cfg), disk_(std::move(disk)) {}

storage_actor::behavior_type storage_actor::make_behavior() {
  collect_garbage();
  return {
      [this](const vote_request& ballot) { return disk_->decide_ballot(ballot); },
      [this](const adopt_term& x) { return disk_->adopt_term(x.in_term); },
      [this](const confirm_cluster&) { return disk_->confirm_cluster(); },
      [this](const note_latecomer&) { return disk_->note_latecomer(); },
      [this](const propose& x) { return synced({id()}, [&] { return disk_->propose(x.in_term, x.proposals); }); },
      [this](const append& x) { return synced({id()}, [&] { return disk_->append(x.what); }); },
      [this](const compact& x) {
        auto outcome = disk_->compact(x.upto);
        return compacted{outcome.ok() ? error{} : outcome.failure()};
      },
      [this](const begin_install& x) { return begin(x); },
      [this](const install_piece& x) -> content_wanted {
        auto missing = disk_->install_piece(x.bytes.view());
        if (!missing) return {missing.failure(), {}};
        return {{}, std::move(*missing)};
      },
      [this](const keep_for_install& x) -> content_wanted {
        for (const auto& content : x.staged)
          if (auto kept = disk_->provide_repaired(content); !kept) return {kept.failure(), {}};
        return {};
      },
      [this](const finish_install& x) -> installed {
        auto outcome = disk_->finish_install(x.leader_term, x.at);
        return {outcome.ok() ? error{} : outcome.failure(), disk_->state()};
      },
      [this](const timer_due&) { collect_garbage(); },
      [this](const purge_set_aside& x) { return outcome_of(disk_->purge_set_aside(x.at)); },
      [this](const expire_set_aside& x) {
        const auto dropped = disk_->expire_set_aside(x.older_than, x.keep);
        if (dropped > 0) spdlog::info("forgot {} entries that were set aside: too old, or too much", dropped);
      },
      [this](const quarantine_content& x) { return outcome_of(disk_->quarantine(x.what)); },
      [this](const repair_content& x) { return outcome_of(disk_->provide_repaired(x.what, x.small_content.view())); },
  };
}

std::string storage_actor::state_line() {
  const auto state = disk_->state();
  const auto counters = disk_->counters();
  return "log " + to_string(disk_->first_index()) + " to " + to_string(state.last.index) + " in term " +
         to_string(state.current) + ", " + std::to_string(counters.syncs) + " syncs";
}

install_begun storage_actor::begin(const begin_install& x) {
  install_begun begun;
  if (auto possible = disk_->begin_install(x.at); !possible) {
    begun.failure = possible.failure();
    return begun;
  }
  if (const auto so_far = disk_->installing()) {
    begun.cursor = so_far->cursor;
    begun.complete = so_far->complete;
  }
  begun.missing = disk_->list_lacked(limits::listing_page);
  return begun;
}

void storage_actor::collect_garbage() {
  const bool more = disk_->collect_garbage(limits::garbage_step_keys);
  delayed_send(this, milliseconds(more ? limits::garbage_busy_interval_ms : limits::garbage_interval_ms), timer_due{});
}

}  // namespace kaiku
