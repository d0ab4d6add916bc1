// The inspector and those of the other nodes.

#include <caf/all.hpp>

#include <algorithm>

#include "kaiku/actors/clock.hpp"
#include "kaiku/actors/inspector_actor.hpp"
#include "kaiku/actors/timeline.hpp"
#include "kaiku/core/wall_clock.hpp"

namespace kaiku {
namespace {

/// No event lies behind it: says only which is the last.
constexpr event_number no_events{~std::uint64_t{0}};

/// What is asked of several at once; `done` is called when the last one that holds it lets go.
struct question {
  explicit question(std::function<void()> x) : done(std::move(x)) {}
  std::function<void()> done;
  std::size_t open = 1;

  void answered() {
    if (--open == 0) done();
  }
};

}  // namespace

std::map<node_id, inspector_handle> inspector_actor::others() const {
  std::map<node_id, inspector_handle> out;
  for (const auto* all : {&picture_.members().voters, &picture_.members().learners})
    for (const auto& one : *all) {
      if (one.id == settings_.self) continue;
      const auto known = inspectors_.find(one.id);
      out[one.id] = known == inspectors_.end() ? inspector_handle{} : known->second;
    }
  return out;
}

template <class Reply, class Question>
void inspector_actor::ask_others(const node_id& only, const std::function<Question(const node_id&)>& what,
                                 std::function<void(const node_id&, const Reply*, std::string)> each,
                                 std::function<void()> then) {
  const auto all = std::make_shared<question>(std::move(then));
  for (const auto& [id, inspector] : others()) {
    if (!only.name.empty() && id != only) continue;
    if (!inspector) {
      each(id, nullptr, {});
      continue;
    }
    ++all->open;
    request(inspector, milliseconds(limits::report_timeout_ms), what(id))
        .then(
            [this, all, each, id = id](const Reply& x) {
              heard_at_[id] = now();
              each(id, &x, {});
              all->answered();
            },
            [all, each, id = id](const caf::error& e) {
              each(id, nullptr,
                   e == caf::sec::request_timeout
                       ? "no answer within " + std::to_string(limits::report_timeout_ms) + " ms"
                       : "its answer can't be used");
              all->answered();
            });
  }
  all->answered();
}

// --- reports -------------------------------------------------------------------------------------------------------

inspector_actor::cluster_promise inspector_actor::on_ask(const ask_cluster& x) {
  auto promise = make_response_promise<told_cluster>();
  if (!x.watch) {
    auto& asked = asked_[x.only];
    asked.waiting.push_back(promise);
    if (!std::exchange(asked.under_way, true)) gather_for(x.only);
    return promise;
  }
  watchers_.push_back(promise);
  if (!std::exchange(beating_, true)) {
    const auto due = std::max(last_beat_ + milliseconds(limits::watch_interval_ms), now());
    delayed_send(this, due - now(), timer_due{{1}});
  }
  return promise;
}

void inspector_actor::gather_for(const node_id& only) {
  gather(only, false, std::exchange(asked_[only].waiting, {}), [this, only] {
    if (asked_[only].waiting.empty())
      asked_.erase(only);
    else
      gather_for(only);
  });
}

void inspector_actor::beat() {
  beating_ = false;
  // Those that nobody waited for count too.
  const auto passed = beats_ == 0 ? 1 : (now() - last_beat_) / milliseconds(limits::watch_interval_ms);
  beats_ += static_cast<std::uint64_t>(std::max<std::int64_t>(passed, 1));
  last_beat_ = now();
  watch();
  gather({}, true, std::exchange(watchers_, {}), [] {});
}

void inspector_actor::gather(const node_id& only, bool watch, std::vector<cluster_promise> waiting,
                             std::function<void()> then) {
  auto members = std::make_shared<std::map<node_id, member_report>>();
  const auto is_wanted = only.name.empty() || only == settings_.self;
  if (is_wanted) {
    const auto up_to = heard_up_to_.find(settings_.self);
    const auto own = report(up_to == heard_up_to_.end() ? no_events : up_to->second);
    if (watch) hear(settings_.self, own);
    members->emplace(settings_.self, member_of(settings_.self, &own, {}));
  }
  ask_others<node_report, ask_report>(
      only,
      [&](const node_id& id) {
        const auto up_to = heard_up_to_.find(id);
        return ask_report{watch, watch && up_to != heard_up_to_.end() ? up_to->second : no_events};
      },
      [this, members, watch](const node_id& id, const node_report* said, std::string why) {
        if (said != nullptr && watch) hear(id, *said);
        members->emplace(id, member_of(id, said, std::move(why)));
      },
      [this, members, waiting = std::move(waiting), then = std::move(then)]() mutable {
        auto all = std::make_shared<cluster_report>();
        all->at = wall_clock();
        all->answered_by = settings_.self;
        all->beat = beats_;
        for (auto& [id, one] : *members) all->members.push_back(std::move(one));
        const auto told = std::min(heard_.size(), limits::reported_events);
        all->events.assign(heard_.end() - static_cast<std::ptrdiff_t>(told), heard_.end());
        for (auto& one : waiting) one.deliver(told_cluster{all});
        then();
      });
}

member_report inspector_actor::member_of(const node_id& id, const node_report* said, std::string why) const {
  member_report out;
  out.id = id;
  out.reachable = said != nullptr;
  const auto at = kaiku::now(system());
  auto heard = picture_.last_heard(id, at);
  if (const auto answered = heard_at_.find(id); answered != heard_at_.end()) {
    const auto age = std::chrono::duration_cast<milliseconds>(at - answered->second);
    heard = heard ? std::min(*heard, age) : age;
  }
  if (id == settings_.self) heard = milliseconds{0};
  if (heard) out.last_heard_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(heard->count(), 0));
  if (said != nullptr) {
    out.said = *said;
  } else if (!picture_.peers().contains(id)) {
    out.reason = "not connected";
  } else if (picture_.peers().at(id).version < inspection_version) {
    out.reason = "its version can't be asked";
  } else if (!inspectors_.contains(id)) {
    out.reason = "it has just connected";
  } else {
    out.reason = std::move(why);
  }
  return out;
}

void inspector_actor::hear(const node_id& from, const node_report& said) {
  const bool first = !heard_up_to_.contains(from);
  auto& up_to = heard_up_to_[from];
  if (!first)
    for (const auto& one : said.events) {
      if (one.number <= up_to) continue;
      auto& added = heard_.emplace_back(heard_event{++heard_serial_, one});
      added.what.node = from;  // whatever it says
      if (heard_.size() > limits::timeline_events) heard_.pop_front();
    }
  up_to = said.last_event;  // also when that is earlier: another life, whose clock was set back
}

// --- one actor, and what happened ----------------------------------------------------------------------------------

caf::typed_response_promise<told_actor_of> inspector_actor::on_ask(const ask_actor_of& x) {
  auto promise = make_response_promise<told_actor_of>();
  auto answer = [promise, id = x.node, number = x.number](const told_actor* said) mutable {
    told_actor_of out;
    const auto name = id.name + ":" + to_string(number);
    if (said == nullptr)
      out.failure = {errc::overloaded, id.name + " does not answer"};
    else if (!said->found)
      out.failure = {errc::not_found, "there is no actor " + name};
    else
      out.what = std::make_shared<const actor_detail>(said->what);
    promise.deliver(std::move(out));
  };
  if (x.node == settings_.self) {
    const auto own = detail_of(x.number);
    answer(&own);
    return promise;
  }
  if (!others().contains(x.node)) {
    promise.deliver(told_actor_of{{errc::not_found, "'" + x.node.name + "' is not a member"}, nullptr});
    return promise;
  }
  ask_others<told_actor, ask_actor>(
      x.node, [number = x.number](const node_id&) { return ask_actor{number}; },
      [answer](const node_id&, const told_actor* said, const std::string&) mutable { answer(said); }, [] {});
  return promise;
}

caf::typed_response_promise<told_timelines> inspector_actor::on_ask(const ask_timelines&) {
  auto promise = make_response_promise<told_timelines>();
  auto all = std::make_shared<timeline_report>();
  const auto add = [all](const node_id& from, std::vector<timeline_event> events) {
    for (auto& one : events) {
      one.node = from;
      all->events.push_back(std::move(one));
    }
  };
  add(settings_.self, timeline::instance().behind({}, limits::timeline_events));
  ask_others<told_timeline, ask_timeline>(
      {}, [](const node_id&) { return ask_timeline{}; },
      [all, add](const node_id& id, const told_timeline* said, const std::string&) {
        if (said == nullptr)
          all->unreachable.push_back(id);
        else
          add(id, said->events);
      },
      [promise, all]() mutable {
        std::stable_sort(all->events.begin(), all->events.end(),
                         [](const auto& a, const auto& b) { return a.number < b.number; });
        promise.deliver(told_timelines{std::move(all)});
      });
  return promise;
}

caf::typed_response_promise<told_trace> inspector_actor::on_ask(const ask_trace& x) {
  auto promise = make_response_promise<told_trace>();
  auto all = std::make_shared<trace_report>();
  all->id = x.id;
  const auto add = [all](const node_id& from, const told_spans& said) {
    all->over = all->over || said.over;
    for (const auto& one : said.spans) all->spans.push_back({from, one});
  };
  add(settings_.self, spans_of(x.id));
  ask_others<told_spans, ask_spans>(
      {}, [id = x.id](const node_id&) { return ask_spans{id}; },
      [all, add](const node_id& id, const told_spans* said, const std::string&) {
        if (said == nullptr)
          all->unreachable.push_back(id);
        else
          add(id, *said);
      },
      [promise, all]() mutable {
        std::stable_sort(all->spans.begin(), all->spans.end(),
                         [](const auto& a, const auto& b) { return a.what.start_us < b.what.start_us; });
        told_trace told;
        if (!all->spans.empty()) told.what = std::move(all);
        promise.deliver(std::move(told));
      });
  return promise;
}

}  // namespace kaiku
