#pragma once

/// Purpose: finds what the disk has lost: hashes all stored content again in the background, at a bounded rate, and has
/// what is not what its name says taken away and brought again from another member. Also looks at once at what a read
/// stumbled over, keeps asking for what is missing, and lets what was set aside expire.
/// Owner: owns the walk and the list of what it asks for. Learns members from the directory; the disk changes through
/// storage; large content comes through a fetch actor of its own.
/// Lifecycle: as long as the node. In a thread of its own: it reads the disk.
///
///   list_content -> hash -- right --> next
///                      \--- wrong --> quarantine_content -> ask member after member -> verify -> repair_content
///                                                            ^--- nobody has it: when a member comes, or later ---|
///
/// When this disk is full, or a member can't answer, it is asked for later just the same, but does not count as lost.
///
/// A pass begins at a random digest and goes round, so that a node that restarts often also sees all of its disk.

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "kaiku/actors/observed.hpp"
#include "kaiku/messages/messages.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku {

struct scrub_settings {
  byte_count bytes_per_second{limits::scrub_bytes_per_second};
  /// From a pass's begin to the next one's; 0: only when asked.
  std::chrono::hours interval{limits::scrub_interval_hours};
  std::chrono::hours keep_set_aside{24 * limits::set_aside_days};
  byte_count keep_set_aside_bytes{limits::set_aside_bytes};
};

class scrub_actor : public observed<scrub_handle::base> {
 public:
  scrub_actor(caf::actor_config& cfg, scrub_settings settings, std::shared_ptr<const store> disk, fetch_handle fetch);

  const char* name() const override { return "scrub"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 protected:
  std::string state_line() override;

 private:
  scrub_view on_ask(const ask_scrub& x);
  void on_suspect(const content_ref& what);
  /// Hashes a piece of the first suspect; how long to rest after it.
  milliseconds look_at_suspect();
  void on_timer();
  void set_timer(milliseconds after);

  void expire_set_aside();

  // --- the walk ---
  void begin_pass();
  void end_pass();
  /// Hashes one step's worth; how long to rest after it.
  milliseconds step();
  /// False: the pass is over.
  bool take_next();
  void on_verdict(const status& verdict);
  void take_away(const content_ref& what);

  // --- what is missing ---
  void look_for_missing();
  void want(const content_ref& what);
  void repair_next();
  void try_next_source();
  void on_refused(const error& why);
  void provide(chunk small_content);
  void end_repair(const error& why);

  scrub_settings settings_;
  std::shared_ptr<const store> disk_;
  fetch_handle fetch_;
  storage_handle storage_;
  std::map<node_id, content_handle> peers_;
  timer_epoch timer_;

  scrub_view known_;
  instant next_pass_{};
  instant next_expiry_{};
  digest origin_;                 ///< where the pass began
  std::optional<digest> cursor_;  ///< the last one taken
  bool wrapped_ = false;          ///< went on from the lowest digest
  std::deque<content_ref> page_;  ///< to be hashed next
  std::optional<content_check> check_;
  content_ref checking_;
  std::uint64_t left_ = 0;  ///< bytes of it, for the rate

  std::deque<content_ref>
      suspects_;  ///< a read failed on them; at most `limits::scrub_suspects`, looked at before the walk
  std::optional<content_check> suspected_;  ///< of the first

  instant next_look_{};                 ///< for what is missing
  std::deque<content_ref> wanted_;      ///< the first is asked for, when `sources_` says so
  std::map<content_ref, errc> failed_;  ///< why it did not come, the last time it was asked for
  error trouble_;                       ///< what else than damage stood in the way of the one that is asked for
  std::vector<content_handle> sources_;
  bool repairing_ = false;
  std::uint64_t attempt_ = 0;  ///< answers to an earlier one are dropped
};

}  // namespace kaiku
