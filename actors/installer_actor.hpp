#pragma once

/// Purpose: brings the leader's committed state to a follower whose log the leader can no longer serve: asks for it
/// piece by piece, has the content that it names fetched, and lets storage put it in the place of the own state, at
/// once. Until then the node serves what it has. Owner: owns the install under way; storage owns what has arrived, and
/// keeps it over a restart. Learns the actors of its node from `local_handles`.
/// Lifecycle: spawned by the node; lives as long and lets go of all handles when it ends. Event-based.
///
///   begin_install -> read_snapshot -> install_piece -> (fetch_content -> keep_for_install) -> ... -> finish_install
///                        ^                          -> (read_content -> repair_content)     |
///                        |__________________________________________________________________|
///
/// Small content comes with the pieces. What the source could not read then is asked for by itself.

#include <deque>
#include <string>

#include <caf/typed_response_promise.hpp>

#include "kaiku/actors/observed.hpp"
#include "kaiku/messages/messages.hpp"

namespace kaiku {

class installer_actor : public observed<installer_handle::base> {
 public:
  explicit installer_actor(caf::actor_config& cfg);

  const char* name() const override { return "installer"; }
  behavior_type make_behavior() override;
  void on_exit() override;

 protected:
  std::string state_line() override;

 private:
  using promise = caf::typed_response_promise<installed>;

  promise begin(const install& x);
  void on_begun(const install_begun& x);
  void read_next();
  void on_range(const snapshot_range& x);
  /// Has some of what is missing fetched, again and again, and then goes on behind the last piece.
  void go_on();
  /// The first of what is missing, which the source left out of a piece.
  void read_small();
  void end(installed how);
  void fail(error why);
  /// `handle` a reply, unless the install it belongs to is over.
  template <class Reply, class Handler>
  auto current(Handler handle);
  /// For a request to the source.
  auto unanswered();

  local_handles local_;
  install what_;
  promise answer_;
  bool active_ = false;
  std::string cursor_;               ///< behind the last piece that storage has
  bool complete_ = false;            ///< that was the last one
  std::deque<content_ref> missing_;  ///< what it names and is not here
  std::uint64_t attempt_ = 0;
};

}  // namespace kaiku
