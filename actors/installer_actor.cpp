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

std::string installer_actor::state_line() {
  if (!active_) return "nothing to install";
  return "takes the state at " + to_string(what_.at.index) + ", " + std::to_string(missing_.size()) +
         " contents missing";
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

auto installer_actor::unanswered() {
  return [this, attempt = attempt_](const caf::error&) {
    if (active_ && attempt == attempt_) fail({errc::io_error, "the snapshot's source did not answer"});
  };
}

installer_actor::promise installer_actor::begin(const install& x) {
  if (active_) fail({errc::io_error, "another install took its place"});
  answer_ = make_response_promise<installed>();
  auto answer = answer_;
  what_ = x;
  active_ = true;
  ++attempt_;
  monitor(caf::actor_cast<caf::actor_addr>(what_.source));
  request(local_.storage, storage_patience, begin_install{x.at})
      .then(current<install_begun>([this](const install_begun& begun) { on_begun(begun); }));
  return answer;
}

void installer_actor::on_begun(const install_begun& x) {
  spdlog::info("taking the state at entry {} of term {}{}", what_.at.index.value, what_.at.in_term.value,
               x.cursor.empty() ? "" : ", going on where it was left");
  cursor_ = x.cursor;
  complete_ = x.complete;
  missing_.assign(x.missing.begin(), x.missing.end());
  go_on();
}

void installer_actor::read_next() {
  request(what_.source, milliseconds(limits::chunk_timeout_ms), read_snapshot{what_.at, cursor_})
      .then(current<snapshot_range>([this](const snapshot_range& x) { on_range(x); }), unanswered());
}

void installer_actor::on_range(const snapshot_range& x) {
  cursor_ = x.next;
  complete_ = x.done;
  request(local_.storage, storage_patience, install_piece{x.bytes})
      .then(current<content_wanted>([this](const content_wanted& wanted) {
        missing_.assign(wanted.missing.begin(), wanted.missing.end());
        go_on();
      }));
}

void installer_actor::go_on() {
  if (missing_.empty() && complete_) {
    request(local_.storage, storage_patience, finish_install{what_.leader_term, what_.at})
        .then(current<installed>([this](const installed& how) { end(how); }));
    return;
  }
  if (missing_.empty()) return read_next();
  if (missing_.front().is_small()) return read_small();
  std::vector<content_ref> some;
  for (; some.size() < limits::install_fetch && !missing_.empty() && !missing_.front().is_small(); missing_.pop_front())
    some.push_back(missing_.front());
  // No time bound of its own, as in replication: each chunk has one.
  request(local_.fetch, caf::infinite, fetch_content{some, what_.source})
      .then(current<fetched>([this, some](const fetched&) {
        request(local_.storage, storage_patience, keep_for_install{some})
            .then(current<content_wanted>([this](const content_wanted&) { go_on(); }));
      }));
}

void installer_actor::read_small() {
  const auto content = missing_.front();
  missing_.pop_front();
  const auto answered = [this, content, attempt = attempt_](const content_range& x) {
    if (!active_ || attempt != attempt_) return;
    // Being asked for it, the source has told its scrub.
    if (x.failure.code != errc::none)
      return fail({x.failure.code, "the source can't give content " + to_string(content.sha256) + " (" +
                                       x.failure.detail +
                                       "); if it is damaged, its scrub mends it, and this is tried again"});
    request(local_.storage, storage_patience, repair_content{content, x.bytes})
        .then(current<disk_changed>([this](const disk_changed&) { go_on(); }));
  };
  request(what_.source, milliseconds(limits::chunk_timeout_ms), read_content{content, {}}).then(answered, unanswered());
}

void installer_actor::end(installed how) {
  active_ = false;
  ++attempt_;
  missing_.clear();
  demonitor(caf::actor_cast<caf::actor_addr>(what_.source));
  what_.source = nullptr;
  answer_.deliver(std::move(how));
}

void installer_actor::fail(error why) {
  end({std::move(why), {}});
}

}  // namespace kaiku
