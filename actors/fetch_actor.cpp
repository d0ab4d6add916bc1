#include "kaiku/actors/fetch_actor.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>
#include <caf/after.hpp>
#include <caf/all.hpp>

#include "kaiku/actors/clock.hpp"

namespace kaiku {

fetch_actor::fetch_actor(caf::actor_config& cfg, std::shared_ptr<store> disk, std::shared_ptr<disk_steps> steps,
                         threads where)
    : observed(cfg), disk_(std::move(disk)), steps_(std::move(steps)), where_(where) {
  set_down_handler([this](const caf::down_msg& x) { on_down(x); });
}

fetch_actor::behavior_type fetch_actor::make_behavior() {
  return {
      [this](const fetch_content& x) { return start(x); },
      [this](const upload_begun& x) { on_begun(x); },
      caf::after(milliseconds(limits::fetch_sweep_ms)) >> [this] { sweep(); },
  };
}

std::string fetch_actor::state_line() {
  return std::to_string(transfers_.size()) + " transfers, " + std::to_string(wanted_.size()) + " contents asked for";
}

void fetch_actor::on_exit() {
  transfers_.clear();
  wanted_from_ = nullptr;
  promise_.reset();  // holds the actor that made it: this one
}

instant fetch_actor::now() {
  return kaiku::now(system());
}

byte_count fetch_actor::room() const {
  const auto& content = disk_->content();
  return content.free_space_above(limits::prefetch_reserves * content.reserve());
}

// --- what an append names ------------------------------------------------------------------------------------------

caf::typed_response_promise<fetched> fetch_actor::start(const fetch_content& x) {
  if (promise_) end_fetch({errc::io_error, "another fetch took its place"});
  promise_ = make_response_promise<fetched>();
  auto answer = *promise_;
  wanted_ = x.wanted;
  wanted_from_ = x.source;
  for (auto& [which, one] : transfers_) {
    if (one.now != stage::pulling || !one.content) continue;
    if (!is_wanted(one)) {
      if (!one.upload) rest(one);
    } else if (!one.has_source() || one.source != x.source) {
      read_from(one, x.source);
    }
  }
  begin_wanted();
  settle_wanted();
  ask_more();
  return answer;
}

bool fetch_actor::is_wanted(const transfer& x) const {
  return x.content && std::find(wanted_.begin(), wanted_.end(), *x.content) != wanted_.end();
}

void fetch_actor::begin_wanted() {
  auto under_way = std::count_if(transfers_.begin(), transfers_.end(), [this](const auto& one) {
    return one.second.now != stage::staged && is_wanted(one.second);
  });
  const auto wanted = wanted_;  // a failure empties it
  for (const auto& content : wanted) {
    if (static_cast<std::size_t>(under_way) >= limits::fetches_at_once) return;
    if (of_content(content) != transfers_.end()) continue;
    auto which = begin(content.size);
    if (!which) return end_fetch(which.failure());
    auto& one = transfers_.at(*which);
    one.content = content;
    read_from(one, wanted_from_);
    ++under_way;
  }
}

void fetch_actor::settle_wanted() {
  if (!promise_) return;
  const bool whole = std::all_of(wanted_.begin(), wanted_.end(), [this](const auto& content) {
    const auto one = of_content(content);
    return one != transfers_.end() && one->second.now == stage::staged;
  });
  if (whole) end_fetch({});
}

void fetch_actor::end_fetch(error why) {
  if (!promise_) return;
  wanted_.clear();
  wanted_from_ = nullptr;
  // The append that comes again may name it.
  for (auto& [which, one] : transfers_)
    if (one.now == stage::staged) one.changed = now();
  auto answer = std::move(*promise_);
  promise_.reset();
  answer.deliver(fetched{std::move(why)});
}

// --- uploads of peers ----------------------------------------------------------------------------------------------

void fetch_actor::on_begun(const upload_begun& x) {
  auto known = std::find_if(transfers_.begin(), transfers_.end(), [&](const auto& one) {
    return one.second.id == x.id && one.second.announced_by == x.source.node();
  });
  if (known != transfers_.end()) {
    const auto which = known->first;
    if (known->second.now != stage::pulling || (known->second.content && known->second.has_source())) return;
    if (x.upload) {
      follow(which, x);
    } else {
      rest(known->second);
      known->second.source = x.source;
      watch_source(x.source);
      set_content(which, x.content);
    }
  } else if (x.upload) {
    const auto followed =
        std::count_if(transfers_.begin(), transfers_.end(), [](const auto& one) { return one.second.id.known(); });
    if (static_cast<std::size_t>(followed) >= limits::prefetches || room() <= x.expected) return;
    auto which = begin(x.expected);
    if (!which) return;  // its entry will bring up the trouble again
    auto& one = transfers_.at(*which);
    one.id = x.id;
    one.announced_by = x.source.node();
    one.most = x.expected.value != 0 ? x.expected : byte_count{limits::http_body_bytes};
    follow(*which, x);
  }
  ask_more();
}

void fetch_actor::follow(serial which, const upload_begun& x) {
  auto& one = transfers_.at(which);
  one.upload = x.upload;
  one.source = x.source;
  one.changed = now();
  one.bytes.restart();
  one.bytes.open();
  monitor(x.upload.address());
  watch_source(x.source);
  request(x.upload, caf::infinite, watch_upload{})
      .then([this, which, attempt = one.bytes.attempt()](const upload_ended& how) { on_ended(which, attempt, how); },
            // It was over before this came. A link that breaks says nothing here, but ends what it led to.
            [this, which, attempt = one.bytes.attempt()](const caf::error&) {
              upload_ended gone;
              gone.failure = {errc::not_found, "the upload is over"};
              on_ended(which, attempt, gone);
            });
}

void fetch_actor::on_ended(serial which, std::uint64_t attempt, const upload_ended& x) {
  auto one = transfers_.find(which);
  if (one == transfers_.end() || one->second.bytes.attempt() != attempt) return;
  if (x.failure.code != errc::none) {
    drop(which);
  } else {
    set_content(which, x.content);
  }
  ask_more();
}

void fetch_actor::set_content(serial which, const content_ref& content) {
  auto& one = transfers_.at(which);
  const bool impossible = (one.content && *one.content != content) || one.bytes.received() > content.size ||
                          (!is_wanted(one) && content.size > one.most);
  if (impossible || content.is_small() || disk_->holds(content)) return drop(which);
  if (!one.content && merge(which, content)) return;
  one.content = content;
  one.changed = now();
  one.bytes.close();
  one.bytes.has_available(content.size);
  finish_if_whole(which, one);
}

bool fetch_actor::merge(serial which, const content_ref& content) {
  const auto twin = of_content(content);
  if (twin == transfers_.end()) return false;
  auto& one = transfers_.at(which);
  if (one.bytes.received() > twin->second.bytes.received()) {
    drop(twin->first);
    return false;
  }
  if (!twin->second.has_source() && twin->second.now == stage::pulling) read_from(twin->second, one.source);
  drop(which);
  return true;
}

// --- transfers -----------------------------------------------------------------------------------------------------

result<fetch_actor::serial> fetch_actor::begin(byte_count expected) {
  const disk_steps::step on_disk{*steps_, now()};
  auto file = disk_->content().begin(expected, origin::leader);
  if (!file) return file.failure();
  last_ = last_.next();
  auto& one = transfers_[last_];
  one.file = std::move(*file);
  one.sink = spawn_upload(system(), where_, disk_, steps_, one.file, caf::strong_actor_ptr{ctrl()}, std::nullopt);
  one.changed = now();
  return last_;
}

fetch_actor::transfer_map::iterator fetch_actor::of_content(const content_ref& x) {
  return std::find_if(transfers_.begin(), transfers_.end(), [&](const auto& one) { return one.second.content == x; });
}

void fetch_actor::read_from(transfer& x, const content_handle& source) {
  rest(x);
  x.source = source;
  watch_source(source);
  x.bytes.has_available(x.content->size);
}

void fetch_actor::rest(transfer& x) {
  x.upload = nullptr;
  x.source = nullptr;
  x.bytes.restart();
  x.changed = now();
}

void fetch_actor::watch_source(const content_handle& x) {
  if (monitored_.insert(x.address()).second) monitor(x.address());
}

/// Beside what an append waits for, all the others count for nothing: their source may be silent.
void fetch_actor::ask_more() {
  std::size_t load = 0, wanted_load = 0;
  for (const auto& [which, one] : transfers_) (is_wanted(one) ? wanted_load : load) += one.bytes.load();
  std::vector<serial> order;
  for (const auto& [which, one] : transfers_)
    if (one.now == stage::pulling && one.has_source()) order.push_back(which);
  // What an append waits for goes first; the others take turns, a chunk each.
  std::stable_partition(order.begin(), order.end(), [this](serial x) { return is_wanted(transfers_.at(x)); });
  for (bool asked = true; asked;) {
    asked = false;
    for (auto which : order) {
      auto& one = transfers_.at(which);
      const bool wanted = is_wanted(one);
      const auto taken = wanted ? wanted_load : wanted_load + load;
      const auto what = one.bytes.next(taken < limits::pull_window);
      if (!what) continue;
      ask(which, one, *what);
      (wanted ? wanted_load : load) += what->bytes != 0 ? 1 : 0;
      asked = true;
    }
  }
}

void fetch_actor::ask(serial which, transfer& x, const pull::question& what) {
  // Lost answers are seen by `sweep` and by monitors: CAF would keep a timer for each request long after the answer.
  auto lost = [this, which, what](const caf::error&) {
    on_range(which, what, {errc::io_error, "the content's source did not answer"}, {}, {});
  };
  if (x.upload) {
    const byte_count most{what.bytes != 0 ? what.bytes : limits::chunk_bytes};
    request(x.upload, caf::infinite, read_upload{what.offset, most})
        .then([this, which,
               what](const upload_range& got) { on_range(which, what, got.failure, got.bytes, got.available); },
              lost);
  } else {
    request(x.source, caf::infinite, read_content{*x.content, what.offset})
        .then([this, which, what](const content_range& got) { on_range(which, what, got.failure, got.bytes, {}); },
              lost);
  }
}

void fetch_actor::on_range(serial which, const pull::question& asked, const error& failure, const chunk& bytes,
                           byte_count available) {
  if (now() - swept_ >= milliseconds(limits::fetch_sweep_ms)) sweep();
  auto found = transfers_.find(which);
  if (found == transfers_.end() || !found->second.bytes.is_current(asked)) return;
  auto& one = found->second;
  one.changed = now();
  if (failure.code != errc::none) return lose_source(which, failure);
  one.bytes.has_available(available);
  auto ready = one.bytes.on_answer(asked, bytes);
  if (!ready) return fail(which, ready.failure());
  if (one.bytes.received() > (one.content ? one.content->size : one.most))
    return fail(which, {errc::corrupt, "more bytes came than the content has"});
  if (!is_wanted(one) && room().value == 0) return fail(which, {errc::disk_full, "no space to follow an upload"});
  for (const auto& piece : *ready) write(which, one, piece);
  finish_if_whole(which, one);
  ask_more();
}

void fetch_actor::write(serial which, transfer& x, const chunk& bytes) {
  request(x.sink, caf::infinite, upload_chunk{bytes})
      .then(
          [this, which](const upload_written& written) {
            auto one = transfers_.find(which);
            if (one == transfers_.end()) return;
            if (written.failure.code != errc::none) return fail(which, written.failure);
            one->second.bytes.on_written();
            one->second.changed = now();
            ask_more();
          },
          [this, which](const caf::error&) {
            fail(which, {errc::io_error, "the content could not be written"});
          });
}

void fetch_actor::finish_if_whole(serial which, transfer& x) {
  if (x.now != stage::pulling || !x.content || x.bytes.received() != x.content->size) return;
  x.now = stage::finishing;
  request(x.sink, caf::infinite, upload_finish{})
      .then([this, which](const upload_finished& finished) { on_finished(which, finished); },
            [this, which](const caf::error&) {
              fail(which, {errc::io_error, "the content could not be written"});
            });
}

void fetch_actor::on_finished(serial which, const upload_finished& x) {
  auto found = transfers_.find(which);
  if (found == transfers_.end()) return;
  auto& one = found->second;
  if (x.failure.code != errc::none) return fail(which, x.failure);
  if (x.content != *one.content)
    return fail(which, {errc::corrupt, "content " + to_string(one.content->sha256) + " came with other bytes"});
  rest(one);
  one.now = stage::staged;
  send_exit(one.sink, caf::exit_reason::user_shutdown);  // keeps no thread
  one.sink = nullptr;
  begin_wanted();
  settle_wanted();
  ask_more();
}

// --- what goes wrong -----------------------------------------------------------------------------------------------

void fetch_actor::lose_source(serial which, const error& why) {
  auto& one = transfers_.at(which);
  if (one.now != stage::pulling) return;
  if (one.upload && one.source && one.content) {
    read_from(one, content_handle{one.source});
    ask_more();
    return;
  }
  const bool wanted = is_wanted(one);
  rest(one);
  if (wanted) end_fetch(why);
  ask_more();
}

void fetch_actor::on_down(const caf::down_msg& x) {
  const auto& who = x.source;
  const bool link_broke = x.reason == caf::exit_reason::remote_link_unreachable;
  monitored_.erase(who);
  std::vector<serial> read_it, given_up;
  for (auto& [which, one] : transfers_) {
    if (one.upload && one.upload.address() == who) {
      (link_broke || one.content ? read_it : given_up).push_back(which);
    } else if (one.source && one.source.address() == who) {
      if (one.upload) {
        one.source = nullptr;
      } else {
        read_it.push_back(which);
      }
    }
  }
  for (auto which : given_up) drop(which);
  for (auto which : read_it) lose_source(which, {errc::io_error, "the link to the content's source broke"});
  ask_more();
}

void fetch_actor::fail(serial which, const error& why) {
  auto one = transfers_.find(which);
  if (one == transfers_.end()) return;
  const bool wanted = is_wanted(one->second);
  drop(which);
  if (wanted) end_fetch(why);
  ask_more();
}

void fetch_actor::drop(serial which) {
  const disk_steps::step on_disk{*steps_, now()};
  auto one = transfers_.extract(which);
  one.mapped().file = nullptr;  // the sink's thread is to remove it
  if (one.mapped().sink) send_exit(one.mapped().sink, caf::exit_reason::user_shutdown);
}

void fetch_actor::sweep() {
  swept_ = now();
  std::vector<serial> silent, useless;
  for (const auto& [which, one] : transfers_) {
    const auto quiet = swept_ - one.changed;
    const bool kept_for_long = quiet >= milliseconds(limits::staged_keep_ms) && !is_wanted(one);
    if (one.now == stage::staged) {
      // What is not held yet an entry of the append that waits for others may name.
      const bool held = disk_->holds(*one.content);
      if (held ? !is_wanted(one) : kept_for_long && !promise_) useless.push_back(which);
    } else if (one.now == stage::pulling && !one.has_source()) {
      if (kept_for_long) useless.push_back(which);
    } else if (one.now == stage::pulling && one.bytes.asks()) {
      if (one.content && quiet >= milliseconds(limits::chunk_timeout_ms)) silent.push_back(which);
      if (!one.content && quiet >= milliseconds(limits::prefetch_silence_ms)) useless.push_back(which);
    }
  }
  for (auto which : useless) drop(which);
  for (auto which : silent) lose_source(which, {errc::io_error, "the content's source did not answer"});
  ask_more();
}

}  // namespace kaiku
