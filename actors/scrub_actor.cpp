#include "kaiku/actors/scrub_actor.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include <spdlog/spdlog.h>
#include <caf/all.hpp>

#include "kaiku/actors/clock.hpp"
#include "kaiku/actors/timeline.hpp"
#include "kaiku/core/wall_clock.hpp"

namespace kaiku {
namespace {

/// What a small content costs the disk at least.
constexpr std::uint64_t block_bytes = 4096;

digest random_digest() {
  digest out;
  std::random_device random;
  for (auto& byte : out.bytes) byte = static_cast<std::uint8_t>(random());
  return out;
}

/// The disk gives something else than what was written, or nothing. A lack of descriptors or memory says nothing of it.
bool is_damage(errc code) {
  return code == errc::corrupt || code == errc::io_error;
}

/// This disk's trouble, or one that passes: it says nothing of whether a member has the content whole.
bool is_passing(errc code) {
  return code == errc::disk_full || code == errc::overloaded || code == errc::io_error;
}

}  // namespace

scrub_actor::scrub_actor(caf::actor_config& cfg, scrub_settings settings, std::shared_ptr<const store> disk,
                         fetch_handle fetch)
    : observed(cfg), settings_(settings), disk_(std::move(disk)), fetch_(std::move(fetch)) {}

scrub_actor::behavior_type scrub_actor::make_behavior() {
  return {
      [this](const ask_scrub& x) { return on_ask(x); },
      [this](const suspect_content& x) { on_suspect(x.what); },
      [this](const peer_up& x) {
        peers_[x.id] = x.actors.content;
        look_for_missing();
      },
      [this](const peer_down& x) { peers_.erase(x.id); },
      [this](const local_handles& x) {
        storage_ = x.storage;
        set_timer(milliseconds(limits::scrub_look_ms));
      },
      [this](const timer_due& x) {
        if (x.epoch == timer_) on_timer();
      },
  };
}

std::string scrub_actor::state_line() {
  return std::string(known_.running ? "checks: " : "rests: ") + std::to_string(known_.checked) + " contents checked, " +
         std::to_string(known_.damaged) + " damaged, " + std::to_string(known_.repaired) + " repaired";
}

void scrub_actor::on_exit() {
  storage_ = nullptr;
  fetch_ = nullptr;
  peers_.clear();
  sources_.clear();
  check_.reset();
  suspected_.reset();
}

scrub_view scrub_actor::on_ask(const ask_scrub& x) {
  if (x.start && !known_.running) {
    begin_pass();
    set_timer(milliseconds(0));
  }
  auto answer = known_;
  answer.unrepairable = static_cast<std::uint64_t>(
      std::count_if(failed_.begin(), failed_.end(), [](const auto& one) { return !is_passing(one.second); }));
  return answer;
}

void scrub_actor::set_timer(milliseconds after) {
  timer_ = timer_.next();
  delayed_send(this, after, timer_due{timer_});
}

void scrub_actor::on_timer() {
  const auto at = kaiku::now(system());
  if (at >= next_look_) look_for_missing();
  if (at >= next_expiry_) expire_set_aside();
  if (!known_.running && settings_.interval.count() > 0 && at >= next_pass_) begin_pass();
  if (!suspects_.empty()) {
    set_timer(look_at_suspect());
  } else {
    set_timer(known_.running ? step() : milliseconds(limits::scrub_look_ms));
  }
}

void scrub_actor::expire_set_aside() {
  next_expiry_ = kaiku::now(system()) + milliseconds(limits::set_aside_look_ms);
  if (disk_->set_aside_count() == 0) return;
  const auto oldest = wall_clock().value - milliseconds(settings_.keep_set_aside).count();
  send(storage_, kaiku::expire_set_aside{{oldest}, settings_.keep_set_aside_bytes});
}

// --- the walk ------------------------------------------------------------------------------------------------------

void scrub_actor::begin_pass() {
  known_ = {};
  known_.running = true;
  known_.began = wall_clock();
  next_pass_ = kaiku::now(system()) + settings_.interval;
  origin_ = random_digest();
  cursor_ = origin_;
  wrapped_ = false;
  page_.clear();
}

void scrub_actor::end_pass() {
  known_.running = false;
  known_.ended = wall_clock();
  spdlog::info("checked stored content contents={} bytes={} damaged={} repaired={}", known_.checked,
               known_.checked_bytes.value, known_.damaged, known_.repaired);
}

milliseconds scrub_actor::step() {
  std::uint64_t spent = 0;
  while (spent < limits::chunk_bytes) {
    if (!check_ && !take_next()) {
      end_pass();
      return milliseconds(limits::scrub_look_ms);
    }
    const auto piece = std::min<std::uint64_t>(left_, limits::chunk_bytes);
    left_ -= piece;
    spent += std::max(piece, block_bytes);
    auto verdict = check_->step(piece);
    if (verdict) on_verdict(*verdict);
  }
  return milliseconds(spent * 1000 / std::max<std::uint64_t>(settings_.bytes_per_second.value, 1));
}

bool scrub_actor::take_next() {
  while (page_.empty()) {
    const auto found = disk_->list_content(cursor_, limits::batch_entries);
    if (found.empty() && wrapped_) return false;
    if (found.empty()) {
      wrapped_ = true;
      cursor_.reset();
      continue;
    }
    page_.assign(found.begin(), found.end());
    cursor_ = found.back().sha256;
  }
  if (wrapped_ && page_.front().sha256 > origin_) {
    page_.clear();
    return false;
  }
  checking_ = page_.front();
  page_.pop_front();
  left_ = checking_.size.value;
  check_.emplace(disk_->verify(checking_));
  return true;
}

void scrub_actor::on_verdict(const status& verdict) {
  check_.reset();
  if (verdict.ok()) {
    ++known_.checked;
    known_.checked_bytes.value += checking_.size.value;
  } else if (is_damage(verdict.failure().code) && disk_->holds(checking_)) {
    ++known_.checked;
    spdlog::error("stored content is damaged: {}", verdict.failure().detail);
    take_away(checking_);
  }  // else it was reclaimed meanwhile, or can't be looked at now
}

void scrub_actor::on_suspect(const content_ref& what) {
  if (failed_.contains(what)) return;  // asked for again when a member comes, and now and then
  if (!disk_->holds(what)) return want(what);
  if (suspects_.size() >= limits::scrub_suspects ||
      std::find(suspects_.begin(), suspects_.end(), what) != suspects_.end())
    return;
  suspects_.push_back(what);
  set_timer(milliseconds(0));
}

milliseconds scrub_actor::look_at_suspect() {
  if (!suspected_) suspected_.emplace(disk_->verify(suspects_.front()));
  if (const auto verdict = suspected_->step(limits::chunk_bytes)) {
    const auto what = suspects_.front();
    suspects_.pop_front();
    suspected_.reset();
    if (!verdict->ok() && is_damage(verdict->failure().code) && disk_->holds(what)) {
      spdlog::error("a read met damaged content: {}", verdict->failure().detail);
      take_away(what);
    }
  }
  return milliseconds(limits::chunk_bytes * 1000 / limits::scrub_suspect_bytes_per_second);
}

void scrub_actor::take_away(const content_ref& what) {
  ++known_.damaged;
  timeline::instance().note(event_kind::scrub_damage, to_string(what.sha256));
  request(storage_, milliseconds(limits::storage_timeout_ms), quarantine_content{what})
      .then([this, what](const disk_changed& x) {
        if (x.failure.code == errc::none) return want(what);
        spdlog::error("damaged content could not be taken away: {}", x.failure.detail);
      });
}

// --- what is missing -----------------------------------------------------------------------------------------------

void scrub_actor::look_for_missing() {
  next_look_ = kaiku::now(system()) + milliseconds(limits::scrub_look_ms);
  // What a state to come names, its installer fetches.
  if (disk_->installing()) return;
  const auto missing = disk_->list_wanted({}, limits::listing_page);
  std::erase_if(failed_,
                [&](const auto& one) { return std::find(missing.begin(), missing.end(), one.first) == missing.end(); });
  for (const auto& what : missing) want(what);
}

void scrub_actor::want(const content_ref& what) {
  const bool known = std::find(wanted_.begin(), wanted_.end(), what) != wanted_.end();
  if (known || wanted_.size() >= limits::listing_page) return;
  wanted_.push_back(what);
  repair_next();
}

void scrub_actor::repair_next() {
  if (repairing_ || wanted_.empty()) return;
  repairing_ = true;
  trouble_ = {};
  sources_.clear();
  for (const auto& [id, content] : peers_) sources_.push_back(content);
  try_next_source();
}

void scrub_actor::try_next_source() {
  if (sources_.empty()) {
    if (trouble_.code != errc::none) return end_repair(trouble_);
    return end_repair({errc::content_missing, "no member that can be asked has it whole"});
  }
  const auto& what = wanted_.front();
  const auto source = sources_.back();
  sources_.pop_back();
  const auto attempt = ++attempt_;
  const auto lost = [this, attempt](const caf::error&) {
    if (attempt == attempt_) on_refused({errc::io_error, "a member did not answer"});
  };
  if (what.is_small()) {
    request(source, milliseconds(limits::chunk_timeout_ms), read_content{what, {}})
        .then(
            [this, attempt](const content_range& x) {
              if (attempt != attempt_) return;
              if (x.failure.code != errc::none) return on_refused(x.failure);
              if (sha256(x.bytes.view()) != wanted_.front().sha256) return try_next_source();
              provide(x.bytes);
            },
            lost);
  } else {
    // No time bound of its own: each chunk has one.
    request(fetch_, caf::infinite, fetch_content{{what}, source})
        .then(
            [this, attempt](const fetched& x) {
              if (attempt != attempt_) return;
              if (x.failure.code != errc::none) return on_refused(x.failure);
              provide({});
            },
            lost);
  }
}

void scrub_actor::on_refused(const error& why) {
  if (is_passing(why.code)) trouble_ = why;
  try_next_source();
}

void scrub_actor::provide(chunk small_content) {
  request(storage_, milliseconds(limits::storage_timeout_ms), repair_content{wanted_.front(), std::move(small_content)})
      .then([this](const disk_changed& x) { end_repair(x.failure); });
}

void scrub_actor::end_repair(const error& why) {
  const auto what = wanted_.front();
  wanted_.pop_front();
  repairing_ = false;
  ++attempt_;
  if (why.code == errc::none) {
    failed_.erase(what);
    ++known_.repaired;
    timeline::instance().note(event_kind::scrub_repaired, to_string(what.sha256));
    spdlog::info("content {} of {} bytes was brought again and is whole", to_string(what.sha256), what.size.value);
  } else if (why.code != errc::not_found) {  // else nothing names it any more
    const auto before = std::exchange(failed_[what], why.code);
    if (before != why.code)
      spdlog::error("content {} of {} bytes is missing on this disk: {}", to_string(what.sha256), what.size.value,
                    why.detail);
  }
  repair_next();
}

}  // namespace kaiku
