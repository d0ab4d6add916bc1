#include "kaiku/actors/upload_actor.hpp"

#include <algorithm>

#include <caf/after.hpp>
#include <caf/all.hpp>

#include "kaiku/actors/clock.hpp"

namespace kaiku {

upload_handle spawn_upload(caf::actor_system& system, threads where, std::shared_ptr<store> disk,
                           std::shared_ptr<disk_steps> steps, std::shared_ptr<staged_file> file,
                           const caf::strong_actor_ptr& client, std::optional<milliseconds> idle) {
  const auto ends_with = caf::actor_cast<caf::actor_addr>(client);
  if (where == threads::shared)
    return system.spawn<upload_actor>(std::move(disk), std::move(steps), std::move(file), ends_with, idle);
  return system.spawn<upload_actor, caf::detached>(std::move(disk), std::move(steps), std::move(file), ends_with, idle);
}

upload_actor::upload_actor(caf::actor_config& cfg, std::shared_ptr<store> disk, std::shared_ptr<disk_steps> steps,
                           std::shared_ptr<staged_file> file, caf::actor_addr client, std::optional<milliseconds> idle)
    : observed(cfg),
      disk_(std::move(disk)),
      steps_(std::move(steps)),
      file_(std::move(file)),
      client_(std::move(client)),
      idle_(idle) {}

upload_actor::behavior_type upload_actor::make_behavior() {
  set_down_handler([this](const caf::down_msg&) { quit(); });
  // Its client ends it, also from another node; of that no other.
  set_exit_handler([this](caf::scheduled_actor* self, caf::exit_msg& x) {
    if (!x.source || x.source == client_ || x.source.node() == node()) default_exit_handler(self, x);
  });
  if (client_) monitor(client_);
  heard_ = kaiku::now(system());
  return {
      [this](const upload_chunk& x) { return write(x); },
      [this](const upload_finish&) { return finish(); },
      [this](const read_upload& x) { return read(x); },
      [this](const watch_upload&) { return watch(); },
      caf::after(milliseconds(limits::upload_silence_ms)) >> [this] { on_silence(); },
  };
}

std::string upload_actor::state_line() {
  return std::to_string(readers_.size()) + " readers, " + std::to_string(held_.size()) + " answers held back" +
         (ended_ ? ", ended" : "");
}

void upload_actor::on_exit() {
  if (!ended_) give_up({errc::not_found, "the upload was given up"});
  file_ = nullptr;  // now, not when the last handle to this actor goes
}

/// Its handle is told to all members, so that they read along.
bool upload_actor::is_of_client() {
  const auto& who = current_sender();
  return !who || !client_ || who->address() == client_;
}

upload_actor::write_promise upload_actor::write(const upload_chunk& x) {
  const bool good = is_of_client();  // before the promise: that takes the sender away
  auto promise = make_response_promise<upload_written>();
  if (!good) {
    promise.deliver(upload_written{{errc::bad_request, "the upload is another's"}});
    return promise;
  }
  heard_ = kaiku::now(system());
  const disk_steps::step on_disk{*steps_, heard_};
  if (ended_) {
    promise.deliver(upload_written{{errc::bad_request, "the upload is over"}});
  } else if (auto written = file_->write(x.bytes.view()); !written) {
    give_up(written.failure());
    promise.deliver(upload_written{written.failure()});
  } else {
    serve_readers();
    if (held_.empty()) held_since_ = heard_;
    held_.push_back(promise);
    let_go(false);
  }
  return promise;
}

bool upload_actor::is_far_ahead() const {
  if (readers_.empty()) return false;
  std::vector<byte_count> at;
  for (const auto& [who, offset] : readers_) at.push_back(offset);
  std::sort(at.rbegin(), at.rend());
  return file_->size().value > at[(at.size() - 1) / 2].value + limits::upload_lead_bytes;
}

void upload_actor::let_go(bool at_once) {
  if (held_.empty()) return;
  if (!at_once && kaiku::now(system()) - held_since_ < milliseconds(limits::upload_hold_ms) && is_far_ahead()) return;
  for (auto& one : std::exchange(held_, {})) one.deliver(upload_written{});
}

void upload_actor::on_silence() {
  readers_.clear();
  let_go(true);
  // Also long enough for the write that names the finished content to be settled.
  if (idle_ && kaiku::now(system()) - heard_ >= *idle_) quit();
}

upload_finished upload_actor::finish() {
  if (!is_of_client()) return {{errc::bad_request, "the upload is another's"}, {}};
  heard_ = kaiku::now(system());
  const disk_steps::step on_disk{*steps_, heard_};
  if (ended_) return {{errc::bad_request, "the upload is over"}, {}};
  // First the readers: they sync while this disk does.
  upload_ended all_came;
  all_came.content = file_->seal();
  end(all_came);
  open_span step{trace_scope::now()};
  auto content = file_->finish();
  step.end(sync_span({id()}, name(), content ? to_string(content->size) + " bytes" : "failed"));
  if (!content) return {content.failure(), {}};
  return {{}, *content};
}

void upload_actor::give_up(const error& why) {
  upload_ended failed;
  failed.failure = why;
  end(failed);
}

void upload_actor::end(const upload_ended& how) {
  ended_ = how;
  let_go(true);
  for (auto& one : std::exchange(watching_, {})) one.deliver(*ended_);
  serve_readers();
}

upload_actor::range_promise upload_actor::read(const read_upload& x) {
  const disk_steps::step on_disk{*steps_, kaiku::now(system())};
  // Before the promise: that takes the sender away.
  if (const auto who = current_sender();
      who && (readers_.size() < limits::upload_readers || readers_.contains(who->address())))
    readers_[who->address()] = x.offset;
  auto promise = make_response_promise<upload_range>();
  let_go(false);
  if (ended_ || x.offset < file_->size()) {
    promise.deliver(range(x));
  } else if (waiting_.size() >= limits::upload_readers) {
    promise.deliver(upload_range{{errc::overloaded, "too many wait for this upload"}, {}, {}});
  } else {
    waiting_.emplace(x.offset, waiting_reader{x, promise});
  }
  return promise;
}

upload_actor::end_promise upload_actor::watch() {
  auto promise = make_response_promise<upload_ended>();
  if (ended_) {
    promise.deliver(*ended_);
  } else if (watching_.size() >= limits::upload_readers) {
    promise.deliver(upload_ended{{errc::overloaded, "too many wait for this upload"}, {}});
  } else {
    watching_.push_back(promise);
  }
  return promise;
}

void upload_actor::serve_readers() {
  while (!waiting_.empty() && (ended_ || waiting_.begin()->first < file_->size())) {
    auto next = waiting_.extract(waiting_.begin());
    next.mapped().promise.deliver(range(next.mapped().wants));
  }
}

upload_range upload_actor::range(const read_upload& x) const {
  if (ended_ && ended_->failure.code != errc::none) return {ended_->failure, {}, {}};
  auto bytes = file_->read(x.offset, std::min<std::uint64_t>(x.most.value, limits::chunk_bytes));
  if (!bytes) return {bytes.failure(), {}, {}};
  return {{}, chunk{std::move(*bytes)}, file_->size()};
}

}  // namespace kaiku
