#include "kaiku/storage/redis/mirror.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <tuple>

#include "kaiku/storage/redis/copy.hpp"

namespace kaiku::redis {
namespace {

using state = mirror_view::state;

/// Of the thread, above the process': setpriority(2).
constexpr int niceness = 10;

command watch_token(const layout& of) {
  return {"WATCH", of.token_key()};
}

void forget_repeats(std::vector<changed_key>& keys) {
  const auto both = [](const changed_key& x) { return std::tie(x.what, x.key); };
  std::sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) { return both(a) < both(b); });
  keys.erase(std::unique(keys.begin(), keys.end(), [&](const auto& a, const auto& b) { return both(a) == both(b); }),
             keys.end());
}

command get_token(const layout& of) {
  command out{"HMGET", of.token_key()};
  for (const auto field : token_fields) out.emplace_back(field);
  return out;
}

bool says(const reply& token, const std::vector<std::string>& values) {
  return std::equal(token.items.begin(), token.items.end(), values.begin(), values.end(),
                    [](const reply& one, const std::string& value) { return !one.nil && one.text == value; });
}

/// The process ends while Redis is being filled.
error stopped() {
  return {errc::overloaded, "the node stops"};
}

}  // namespace

mirror::mirror(redis_address at, node_id self, std::shared_ptr<const store> disk, std::shared_ptr<change_feed> feed,
               standing& with)
    : at_(std::move(at)), self_(std::move(self)), disk_(std::move(disk)), feed_(std::move(feed)), with_(with) {
  thread_ = std::thread([this] { run(); });
}

mirror::~mirror() {
  stopping_ = true;
  feed_->wake();
  thread_.join();
}

void mirror::distrust(const std::string& generation) {
  {
    std::lock_guard guard{distrusted_mutex_};
    distrusted_ = generation;
  }
  const auto now = with_.now();
  if (now && now->of.name == generation) with_.show(std::nullopt);
  feed_->wake();
}

// --- what is written -----------------------------------------------------------------------------------------------

status mirror::check_token() {
  looked_ = clock::now();
  auto token = to_->call(get_token(*layout_));
  if (!token) return token.failure();
  if (doubt_ && says(*token, layout_->token(*doubt_))) shown_ = *doubt_;
  doubt_.reset();
  if (says(*token, layout_->token(shown_))) return success();
  return {errc::busy, "Redis does not show what this node wrote last"};
}

status mirror::write(log_position now, const std::vector<command>& changes) {
  if (auto watched = to_->call(watch_token(*layout_)); !watched) return watched.failure();
  if (auto checked = check_token(); !checked) {
    static_cast<void>(to_->call({"UNWATCH"}));
    return checked;
  }
  auto all = changes;
  all.push_back(copy_token(*layout_, now));
  doubt_ = now;
  auto done = to_->transact(all);
  if (!done && done.failure().code == errc::io_error) return done;
  doubt_.reset();
  if (!done) return done;
  shown_ = now;
  unwritten_.clear();
  with_.show(shown{prefix_, layout_->of(), shown_});
  return success();
}

status mirror::round() {
  auto now = look();
  auto changed = feed_->take(now.sequence());
  unwritten_.insert(unwritten_.end(), changed.keys.begin(), changed.keys.end());
  if (unwritten_.size() > limits::redis_transaction_keys) forget_repeats(unwritten_);
  if (changed.everything || unwritten_.size() > limits::redis_transaction_keys)
    return error{errc::busy, "too much has changed for one transaction"};
  if (now.last() != shown_ || !unwritten_.empty()) return write(now.last(), copy_changed(now, *layout_, unwritten_));
  if (clock::now() - looked_ < milliseconds(limits::redis_look_ms)) return success();
  if (auto checked = check_token(); !checked) return checked;
  with_.show(shown{prefix_, layout_->of(), shown_});
  return success();
}

status mirror::build() {
  if (auto room = make_room(); !room) return room;
  const layout fresh{prefix_, generation::make()};
  const auto send = [&](const std::vector<command>& some) {
    if (stopping_) return status{stopped()};
    auto done = to_->send(some);
    if (done.ok()) become(state::building, "");
    return done;
  };
  {
    auto from = look();
    feed_->take(from.sequence());
    if (auto copied = copy_all(from, fresh, send); !copied) return copied;
  }
  // What was written meanwhile; nobody reads this generation before its token stands.
  for (;;) {
    auto now = look();
    auto changed = feed_->take(now.sequence());
    if (changed.everything) return error{errc::busy, "too much was written while Redis was filled"};
    forget_repeats(changed.keys);
    auto commands = copy_changed(now, fresh, changed.keys);
    if (changed.keys.size() > limits::redis_transaction_keys) {
      if (auto copied = send(commands); !copied) return copied;
      continue;
    }
    // An earlier filling's last word that is still on its way is void then.
    if (auto watched = to_->call(watch_token(fresh)); !watched) return watched.failure();
    commands.push_back({"DEL", fresh.token_key()});  // it may be anything
    commands.push_back(copy_token(fresh, now.last()));
    if (auto done = to_->transact(commands); !done) return done;
    shown_ = now.last();
    break;
  }
  layout_ = std::make_unique<layout>(prefix_, fresh.of());
  looked_ = built_ = clock::now();
  sweep_at_ = "0";
  sweeping_ = true;
  ++with_.rebuilds;
  with_.show(shown{prefix_, layout_->of(), shown_});
  return success();
}

// --- what is removed -----------------------------------------------------------------------------------------------

result<bool> mirror::sweep(const std::string& keep) {
  auto page = to_->call({"SCAN", sweep_at_, "MATCH", prefix_ + "*", "COUNT", std::to_string(limits::redis_sweep_keys)});
  if (!page) return page.failure();
  if (page->items.size() != 2) return {errc::bad_request, "Redis does not know SCAN"};
  command removal{"UNLINK"};
  for (auto& key : page->items[1].items)
    if (keep.empty() || (key.text != prefix_ + "token" && !key.text.starts_with(keep)))
      removal.push_back(std::move(key.text));
  if (removal.size() > 1) {
    if (auto removed = to_->call(removal); !removed) return removed.failure();
  }
  sweep_at_ = page->items[0].text;
  return sweep_at_ != "0";
}

status mirror::sweep_all(const std::string& keep) {
  sweep_at_ = "0";
  for (;;) {
    auto more = sweep(keep);
    if (!more) return more.failure();
    if (!*more || stopping_) return success();
  }
}

status mirror::make_room() {
  const layout any{prefix_, {}};
  auto token = to_->call(get_token(any));
  const bool stands = token.ok() && !token->items.empty() && !token->items.front().nil;
  if (!token && token.failure().code != errc::bad_request) return token.failure();
  return sweep_all(stands ? prefix_ + token->items.front().text + ":" : std::string{});
}

// --- thread --------------------------------------------------------------------------------------------------------

void mirror::become(state next, const std::string& why) {
  const auto before = with_.state.exchange(next);
  if (before == next) return;
  if (next == state::current) {
    spdlog::info("redis at {} shows the name space, and is asked", at_.shown());
  } else if (next == state::building) {
    spdlog::info("redis at {} is being filled", at_.shown());
  } else {
    spdlog::warn("redis at {} is not used, the embedded store serves alone: {}", at_.shown(), why);
  }
}

void mirror::drop_generation(bool wrong) {
  with_.show(std::nullopt);
  if (wrong && to_ && layout_) static_cast<void>(to_->call({"DEL", layout_->token_key()}));
  layout_.reset();
  doubt_.reset();
  unwritten_.clear();
}

void mirror::recover(const error& why) {
  pause_ms_ = std::clamp(2 * pause_ms_, limits::redis_retry_ms, limits::redis_retry_most_ms);
  switch (why.code) {
    case errc::io_error:
    case errc::overloaded:
      to_.reset();
      if (!stopping_) become(state::unreachable, why.detail);
      return;
    case errc::disk_full:
      become(state::full, why.detail);
      // What was begun is in the way of the next attempt, and so is what nobody reads any more.
      sweeping_ = false;
      if (!sweep_all(layout_ ? layout_->generation_prefix() : std::string{})) to_.reset();
      return;
    case errc::busy:
    case errc::corrupt:
      if (layout_) {
        spdlog::warn("redis at {} is filled anew: {}", at_.shown(), why.detail);
        pause_ms_ = 0;
      }
      drop_generation(why.code == errc::corrupt);
      return;
    default:
      drop_generation(false);
      to_.reset();
      become(state::unreachable, why.detail);
      return;
  }
}

status mirror::step() {
  // Before that, another leader may yet name another cluster.
  const auto members = disk_->members();
  if (!members.confirmed) return success();
  prefix_ = key_prefix(members.cluster, self_);
  if (!to_) {
    auto opened = connection::open(at_);
    if (!opened) return opened.failure();
    to_ = std::move(opened).value();
  }
  {
    std::lock_guard guard{distrusted_mutex_};
    if (layout_ && distrusted_ == layout_->of().name) {
      spdlog::warn("redis at {} is filled anew: it holds what this node did not write, or lacks something",
                   at_.shown());
      drop_generation(true);
    }
  }
  if (!layout_) {
    // One that others change all the time must not keep the disk busy.
    const bool lasted = clock::now() - built_ > milliseconds(limits::redis_lasting_ms);
    if (lasted) build_pause_ms_ = 0;
    if (clock::now() - built_ < milliseconds(build_pause_ms_)) return success();
    build_pause_ms_ = std::clamp(2 * build_pause_ms_, limits::redis_retry_ms, limits::redis_retry_most_ms);
    if (auto built = build(); !built) return built;
  } else if (auto done = round(); !done) {
    return done;
  }
  become(state::current, "");
  if (!sweeping_) return success();
  auto more = sweep(layout_->generation_prefix());
  if (!more) return more.failure();
  sweeping_ = *more;
  return success();
}

void mirror::run() {
  // Whoever writes or reads files goes first.
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, niceness));
  while (!stopping_) {
    const auto began = clock::now();
    if (auto done = step(); done.ok()) {
      pause_ms_ = 0;
    } else {
      recover(done.failure());
    }
    // What comes meanwhile goes together: the more there is, the longer.
    const std::chrono::nanoseconds rest = (clock::now() - began) * limits::redis_rest;
    std::this_thread::sleep_for(std::clamp<std::chrono::nanoseconds>(rest, milliseconds(limits::redis_gather_ms),
                                                                     milliseconds(limits::redis_gather_most_ms)));
    const auto idle = layout_ && !sweeping_ ? limits::redis_look_ms : limits::redis_retry_ms;
    const auto until = clock::now() + milliseconds(pause_ms_);
    if (pause_ms_ == 0) feed_->wait(milliseconds(sweeping_ ? 1 : idle));
    while (!stopping_ && clock::now() < until) feed_->wait(std::chrono::ceil<milliseconds>(until - clock::now()));
  }
}

}  // namespace kaiku::redis
