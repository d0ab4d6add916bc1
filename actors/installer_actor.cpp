#include "kaiku/actors/installer_actor.hpp"

#include <spdlog/spdlog.h>

#include <caf/all.hpp>

namespace kaiku {
namespace {

constexpr milliseconds storage_patience{limits::storage_timeout_ms};

}  // namespace

installer_actor::installer_actor(caf::actor_config& cfg) : observed(cfg) {
  set_down_handler([this](const caf::down_msg& x) {
    if (active_ && x.source == caf::actor_cast<caf::actor_addr>(what_.source))
      fail({errc::io_error, "the link to the snapshot's source broke"});
  });
}

installer_actor::behavior_type installer_actor::make_behavior() {
  return {
      [this](const install& x) { return begin(x); },
      [this](const local_handles& x) { local_ = x; },
  };
}

void installer_actor::on_exit() {
  local_ = {};
  what_ = {};
  answer_ = {};  // holds the actor that made it: this one
}

template <class Reply, class Handler>
auto installer_actor::current(Handler handle) {
  return [this, attempt = attempt_, handle = std::move(handle)](const Reply& reply) {
    if (!active_ || attempt != attempt_) return;
    if constexpr (requires { reply.failure; })
      if (reply.failure.code != errc::none) return fail(reply.failure);
    handle(reply);
  };
}

installer_actor::promise installer_actor::begin(const install& x) {
  if (active_) fail({errc::io_error, "another install took its place"});
  answer_ = make_response_promise<append_outcome>();
  auto answer = answer_;
  what_ = x;
  active_ = true;
  ++attempt_;
  monitor(caf::actor_cast<caf::actor_addr>(what_.source));
  request(local_.storage, storage_patience, begin_install{x.at})
      .then(current<install_progress>([this](const install_progress& here) {
        spdlog::info("taking the state at entry {} of term {}{}", what_.at.index.value, what_.at.in_term.value,
                     here.cursor.empty() ? "" : ", going on where it was left");
        read_next(here.cursor);
      }));
  return answer;
}

void installer_actor::read_next(std::string after) {
  request(what_.source, milliseconds(limits::chunk_timeout_ms), read_snapshot{what_.at, std::move(after)})
      .then(current<snapshot_range>([this](const snapshot_range& x) { take(x); }),
            [this, attempt = attempt_](const caf::error&) {
              if (active_ && attempt == attempt_) fail({errc::io_error, "the snapshot's source did not answer"});
            });
}

void installer_actor::take(const snapshot_range& x) {
  request(local_.storage, storage_patience, install_piece{x.bytes})
      .then(current<piece_taken>([this, behind = snapshot_range{{}, {}, x.next, x.done}](const piece_taken& taken) {
        if (taken.missing.empty()) {
          go_on(behind);
        } else {
          fetch(taken.missing, behind);
        }
      }));
}

void installer_actor::fetch(std::vector<content_ref> missing, const snapshot_range& behind) {
  // No time bound of its own, as in replication: each chunk has one.
  request(local_.fetch, caf::infinite, fetch_content{missing, what_.source})
      .then(current<fetched>([this, missing, behind](const fetched&) {
        request(local_.storage, storage_patience, keep_for_install{missing})
            .then(current<piece_taken>([this, behind](const piece_taken&) { go_on(behind); }));
      }));
}

void installer_actor::go_on(const snapshot_range& behind) {
  if (!behind.done) return read_next(behind.next);
  request(local_.storage, storage_patience, finish_install{what_.leader_term, what_.at})
      .then(current<append_outcome>([this](const append_outcome& outcome) { end(outcome); }));
}

void installer_actor::end(append_outcome outcome) {
  active_ = false;
  ++attempt_;
  demonitor(caf::actor_cast<caf::actor_addr>(what_.source));
  what_.source = nullptr;
  answer_.deliver(std::move(outcome));
}

void installer_actor::fail(error why) {
  append_outcome outcome;
  outcome.failure = std::move(why);
  end(std::move(outcome));
}

}  // namespace kaiku
