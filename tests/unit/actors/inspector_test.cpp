// What can be seen of actors: their figures, one node's reports, and what one node tells of all.

#include <caf/all.hpp>

#include <algorithm>

#include "fixture.hpp"
#include "kaiku/actors/actor_book.hpp"
#include "kaiku/actors/inspector_actor.hpp"
#include "kaiku/actors/message_text.hpp"
#include "kaiku/actors/timeline.hpp"

namespace kaiku::test {
namespace {

/// Three nodes, each with an inspector that knows the others.
struct inspected_cluster : checked_cluster {
  inspected_cluster() {
    for (std::size_t i = 0; i < size(); ++i) {
      auto& one = node(i);
      inspector_settings with;
      with.self = one.id;
      with.picture = {one.id, "h:1", milliseconds{1000}, one.disk, nullptr};
      with.version = "1.2.3";
      with.started = {1'000};
      with.requests = requests;
      inspectors.push_back(system().spawn<inspector_actor>(with));
    }
    elect();
    for (std::size_t i = 0; i < size(); ++i) {
      caf::anon_send(inspectors[i], members_changed{disk(i).members()});
      caf::anon_send(inspectors[i], node(i).seen->role);
      for (const auto other : others(i)) link(i, other);
    }
    settle();
  }
  ~inspected_cluster() {
    for (const auto& one : inspectors) caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
    settle();
    watching::on = false;
  }
  void link(std::size_t to, std::size_t other) {
    caf::anon_send(inspectors[to], peer_up{node(other).id, {}, "h:2", {}, inspection_version});
    caf::anon_send(inspectors[to], peer_inspector{node(other).id, inspectors[other]});
  }

  template <class Reply, class Message>
  Reply ask(std::size_t at, Message what, milliseconds wait = milliseconds{0}) {
    auto asked = self->request(inspectors[at], caf::infinite, std::move(what));
    run_for(wait);
    settle();
    Reply out;
    asked.receive([&](Reply& x) { out = std::move(x); }, [](const caf::error&) { BOOST_ERROR("no answer"); });
    return out;
  }
  cluster_report_ptr report(std::size_t at, node_id only = {}, bool watch = false,
                            milliseconds wait = milliseconds{0}) {
    return ask<told_cluster>(at, ask_cluster{std::move(only), watch}, wait).what;
  }

  caf::scoped_actor self{system()};
  std::shared_ptr<request_figures> requests = std::make_shared<request_figures>();
  std::vector<inspector_handle> inspectors;
};

const actor_report& actor_of(const member_report& of, std::uint64_t number) {
  const auto& all = of.said.actors;
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.number.value == number; });
  BOOST_REQUIRE(found != all.end());
  return *found;
}
/// No actor does more for a message than count it.
void check_only_counted() {
  const auto all = actor_registry::instance().all();
  BOOST_TEST(!all.empty());
  for (const auto& one : all) BOOST_TEST(!one->looks_closely(), one->name);
}

template <class Handle>
std::uint64_t number_of(const Handle& x) {
  return caf::actor_cast<caf::actor_addr>(x).id();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(inspection)

BOOST_AUTO_TEST_CASE(percentiles_are_within_a_quarter_of_what_was_measured) {
  duration_histogram x;
  BOOST_TEST(!x.read().known);
  for (int i = 1; i <= 1000; ++i) x.add(std::chrono::microseconds(i));
  const auto told = x.read();
  BOOST_TEST(told.known);
  BOOST_TEST((told.p50 >= 500 && told.p50 <= 625));
  BOOST_TEST((told.p99 >= 990 && told.p99 <= 1000));
  BOOST_TEST(told.most == 1000u);
  x.clear();
  BOOST_TEST(!x.read().known);
}

BOOST_AUTO_TEST_CASE(a_duration_of_any_length_has_a_place) {
  duration_histogram x;
  for (const auto one : {std::chrono::nanoseconds{-5}, std::chrono::nanoseconds{0}, std::chrono::nanoseconds::max()})
    x.add(one);
  BOOST_TEST(x.read().p50 == 0u);
  // The longest stands where it belongs, in the last of them, and is told as long as it was.
  const auto longest = static_cast<std::uint64_t>(std::chrono::nanoseconds::max().count()) / 1000;
  BOOST_TEST(x.read().most == longest);
  BOOST_TEST(x.read().p99 == longest);
}

BOOST_AUTO_TEST_CASE(what_is_longer_than_all_places_is_told_by_the_longest) {
  duration_histogram x;
  for (const auto hours : {1, 1000}) x.add(std::chrono::hours(hours));
  const auto told = x.read();
  constexpr std::uint64_t hour_us = 3'600'000'000;
  BOOST_TEST((told.p50 >= hour_us && told.p50 <= hour_us * 5 / 4));
  BOOST_TEST(told.most == 1000 * hour_us);
  BOOST_TEST(told.p99 == told.most);
}

BOOST_AUTO_TEST_CASE(messages_are_counted_by_their_type) {
  actor_figures x;
  const auto a = caf::make_message(heartbeat{}), b = caf::make_message(vote_reply{}), c = caf::make_message(5);
  for (int i = 0; i < 3; ++i) x.count(key_of(*a.cvals()));
  x.count(key_of(*b.cvals()));
  x.count(key_of(*c.cvals()));
  std::map<std::string, std::uint64_t> told;
  for (const auto& one : x.types()) told[name_of(one.type)] = one.count;
  BOOST_TEST(told["heartbeat"] == 3u);
  BOOST_TEST(told["vote_reply"] == 1u);
  BOOST_TEST(told.size() == 3u);
  BOOST_TEST(x.processed == 5u);
}

BOOST_AUTO_TEST_CASE(types_beyond_the_table_are_counted_together) {
  actor_figures x;
  for (message_key type = 1; type <= 4 * limits::counted_types; ++type) x.count(16 * type);
  std::uint64_t all = 0;
  for (const auto& one : x.types()) all += one.count;
  BOOST_TEST(all == 4 * limits::counted_types);
  BOOST_TEST(x.types().size() == limits::counted_types);
}

BOOST_AUTO_TEST_CASE(an_actor_that_is_stuck_is_busy_while_it_is) {
  actor_figures x;
  watching::on = true;
  x.begins(figures_clock::now() - std::chrono::seconds(30));
  BOOST_TEST(x.busy_ns().value >= 30'000'000'000u);
  x.note_processed({});
  BOOST_TEST(x.busy_ns().value == 0u);
  watching::on = false;
}

BOOST_AUTO_TEST_CASE(a_rate_of_half_a_minute_of_nanoseconds_is_told) {
  rate_meter x;
  x.note(instant{}, 0);
  BOOST_TEST(x.milli_per_second(instant{} + milliseconds(30'000), 30'000'000'000) == 1'000'000'000'000u);
}

BOOST_AUTO_TEST_CASE(of_many_steps_alike_the_last_one_kept_says_how_many_more_there_were) {
  const auto id = new_trace();
  auto& all = trace_store::instance();
  trace_span piece;
  piece.actor = {7};
  piece.what = "upload_chunk";
  for (std::size_t i = 0; i < limits::trace_spans_alike + 5; ++i) all.add(id, piece);
  all.add(id, sync_span({7}, "upload", "5 bytes"));
  const auto told = all.find(id);
  BOOST_REQUIRE(told);
  BOOST_REQUIRE(told->spans.size() == limits::trace_spans_alike + 1);
  BOOST_TEST(told->spans[limits::trace_spans_alike - 1].note == "and 5 more like it");
  BOOST_TEST(told->spans.back().what == "fsync");
}

BOOST_AUTO_TEST_CASE(all_traces_together_keep_no_more_than_they_may) {
  const auto first = new_trace();
  auto& all = trace_store::instance();
  trace_span step;
  step.actor = {7};
  for (std::size_t i = 0; i <= limits::spans / limits::trace_spans; ++i) {
    const auto id = i == 0 ? first : new_trace();
    for (std::size_t k = 0; k < limits::trace_spans; ++k) {
      step.what = std::to_string(k);
      all.add(id, step);
    }
  }
  BOOST_TEST(!all.find(first));
}

BOOST_AUTO_TEST_CASE(a_mark_without_its_message_is_let_go) {
  actor_figures x;
  const auto mark_of = [] { return set_of({new_trace(), new_span()}); };
  caf::actor_system_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  const auto from = caf::actor_cast<caf::strong_actor_ptr>(caf::actor_cast<caf::actor>(self));
  x.mark_next(from, mark_of());
  BOOST_TEST(x.looks_closely());
  const auto message = caf::make_mailbox_element(from, caf::make_message_id(), {}, heartbeat{});
  const auto later = figures_clock::now() + std::chrono::milliseconds(limits::trace_mark_keep_ms + 1);
  BOOST_TEST(!x.take_arrival(*message, later).of);
  BOOST_TEST(!x.looks_closely());
  x.mark_next(from, mark_of());
  BOOST_TEST(!!x.take_arrival(*message, figures_clock::now()).of);
}

BOOST_AUTO_TEST_CASE(a_rate_is_of_the_last_seconds) {
  rate_meter x;
  const instant begin{};
  for (int i = 0; i <= 100; ++i) x.note(begin + milliseconds(100 * i), static_cast<std::uint64_t>(i) * 10);
  BOOST_TEST(x.milli_per_second(begin + milliseconds(10'000), 1000) == 100'000u);
  // Nothing more comes.
  for (int i = 1; i <= 10; ++i) x.note(begin + milliseconds(10'000 + 1000 * i), 1000);
  BOOST_TEST(x.milli_per_second(begin + milliseconds(20'000), 1000) == 0u);
  x.note(begin + milliseconds(30'000), 0);  // counted anew
  BOOST_TEST(x.milli_per_second(begin + milliseconds(31'000), 5) == 5000u);
}

BOOST_AUTO_TEST_CASE(ten_thousand_uploads_are_a_few_rows_and_a_sum) {
  std::vector<figures_ptr> all;
  const auto add = [&](std::uint64_t number, const char* name) {
    auto one = std::make_shared<actor_figures>();
    one->name = name;
    one->number = {number};
    one->received = 3;
    one->processed = 2;
    one->errors = 1;
    all.push_back(std::move(one));
  };
  add(1, "storage");
  for (std::uint64_t i = 0; i < 10'000; ++i) add(100 + i, "upload");
  add(20'000, "replication");
  actor_book book;
  book.look(instant{}, all, true);
  const auto told = book.report(instant{}, all);
  BOOST_REQUIRE(told.size() == 2 + limits::reported_uploads + 1);
  const auto& sum = told.back();
  const auto rest = 10'000 - limits::reported_uploads;
  BOOST_TEST(sum.number.value == 0u);
  BOOST_TEST(sum.name == "upload");
  BOOST_TEST(sum.state == std::to_string(rest) + " more");
  BOOST_TEST(sum.received == 3 * rest);
  BOOST_TEST(sum.processed == 2 * rest);
  BOOST_TEST(sum.depth == rest);
  BOOST_TEST(sum.errors == rest);
  BOOST_TEST(told[told.size() - 2].name == "replication");
}

BOOST_AUTO_TEST_CASE(a_message_is_told_without_content_and_what_a_client_keeps_with_a_file) {
  write_request x = put_request("secret/plan", "the content");
  const auto text = kaiku::text_of(*caf::make_message(x).cvals());
  BOOST_TEST(text == "put /secret/plan, 11 bytes, leader");
  BOOST_TEST(shortened("a\nb\x7f", 10) == "ab");
  BOOST_TEST(shortened("\xc3\xa4\xc3\xa4", 3) == "\xc3\xa4");
}

BOOST_AUTO_TEST_CASE(the_timeline_keeps_the_order_also_within_a_microsecond) {
  const auto before = timeline::instance().last();
  for (int i = 0; i < 50; ++i) timeline::instance().note(event_kind::ready, std::to_string(i));
  const auto all = timeline::instance().behind(before, 1000);
  BOOST_REQUIRE(all.size() == 50u);
  for (std::size_t i = 0; i < all.size(); ++i) BOOST_TEST(all[i].text == std::to_string(i));
  BOOST_TEST(timeline::instance().behind(before, 2).front().text == "48");
  BOOST_TEST(timeline::instance().behind(all.back().number, 10).empty());
}

BOOST_AUTO_TEST_CASE(any_inspector_answers_for_all_nodes) {
  inspected_cluster c;
  const auto told = c.report(1);
  BOOST_REQUIRE(told->members.size() == 3u);
  BOOST_TEST(told->answered_by.name == c.node(1).id.name);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& one = told->members[i];
    BOOST_TEST(one.id.name == c.node(i).id.name);
    BOOST_TEST(one.reachable);
    BOOST_TEST(one.said.facts.version == "1.2.3");
    BOOST_TEST((one.said.facts.now == role::leader) == (c.leader() == i));
  }
  const auto& storage = actor_of(told->members[1], number_of(c.node(1).actors.storage));
  BOOST_TEST(storage.name == "storage");
  BOOST_TEST(storage.processed > 0u);
  BOOST_TEST(!storage.busy_ppm.known);
  BOOST_TEST(!told->members[1].said.facts.watched);
}

BOOST_AUTO_TEST_CASE(one_node_is_told_of_alone) {
  inspected_cluster c;
  const auto told = c.report(0, c.node(2).id);
  BOOST_REQUIRE(told->members.size() == 1u);
  BOOST_TEST(told->members[0].id.name == c.node(2).id.name);
  BOOST_TEST(c.report(0, {"n99"})->members.empty());
}

BOOST_AUTO_TEST_CASE(an_actor_says_how_it_is) {
  inspected_cluster c;
  const auto first = *c.leader();
  c.report(first);
  c.settle();
  const auto told = c.report(first);
  const auto& election = actor_of(told->members[first], number_of(c.node(first).actors.election));
  BOOST_TEST(election.state.starts_with("leader in term "));
}

BOOST_AUTO_TEST_CASE(a_node_without_a_link_is_shown_and_not_waited_for) {
  inspected_cluster c;
  caf::anon_send(c.inspectors[0], peer_down{c.node(2).id});
  c.settle();
  const auto told = c.report(0);
  BOOST_REQUIRE(told->members.size() == 3u);
  BOOST_TEST(!told->members[2].reachable);
  BOOST_TEST(told->members[2].reason == "not connected");
  BOOST_TEST(told->members[2].said.actors.empty());
  BOOST_TEST(told->members[1].reachable);
}

BOOST_AUTO_TEST_CASE(a_node_that_does_not_answer_is_shown_after_half_a_second) {
  inspected_cluster c;
  auto silent = c.system().spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](const ask_report&) { return self->make_response_promise<node_report>(); }};
  });
  caf::anon_send(c.inspectors[0], peer_inspector{c.node(2).id, caf::actor_cast<inspector_handle>(silent)});
  c.settle();
  const auto told = c.report(0, {}, false, milliseconds{limits::report_timeout_ms + 10});
  BOOST_TEST(!told->members[2].reachable);
  BOOST_TEST(told->members[2].reason == "no answer within 500 ms");
  caf::anon_send_exit(silent, caf::exit_reason::kill);
}

BOOST_AUTO_TEST_CASE(a_node_whose_answer_is_none_is_not_said_to_be_silent) {
  inspected_cluster c;
  auto odd = c.system().spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](const ask_report&) -> caf::result<node_report> { return caf::make_error(caf::sec::runtime_error); }};
  });
  caf::anon_send(c.inspectors[0], peer_inspector{c.node(2).id, caf::actor_cast<inspector_handle>(odd)});
  c.settle();
  const auto told = c.report(0);
  BOOST_TEST(!told->members[2].reachable);
  BOOST_TEST(told->members[2].reason == "its answer can't be used");
  caf::anon_send_exit(odd, caf::exit_reason::kill);
}

BOOST_AUTO_TEST_CASE(who_asks_while_others_are_asked_is_answered_with_all_who_wait) {
  inspected_cluster c;
  auto asked = std::make_shared<int>(0);
  auto counting = c.system().spawn([asked](caf::event_based_actor*) -> caf::behavior {
    return {[asked](const ask_report&) {
      ++*asked;
      return node_report{};
    }};
  });
  caf::anon_send(c.inspectors[0], peer_inspector{c.node(2).id, caf::actor_cast<inspector_handle>(counting)});
  c.settle();
  constexpr int askers = 50;
  std::vector<cluster_report_ptr> told;
  std::vector<decltype(c.self->request(c.inspectors[0], caf::infinite, ask_cluster{}))> all;
  for (int i = 0; i < askers; ++i) all.push_back(c.self->request(c.inspectors[0], caf::infinite, ask_cluster{}));
  c.settle();
  for (auto& one : all)
    one.receive([&](told_cluster& x) { told.push_back(x.what); }, [](const caf::error&) { BOOST_ERROR("none"); });
  BOOST_TEST(told.size() == static_cast<std::size_t>(askers));
  for (const auto& one : told) BOOST_TEST(one->members.size() == 3u);
  BOOST_TEST(*asked == 2);  // the first for one, then for all who came meanwhile
  BOOST_TEST(told[1] == told.back());
  // Afterwards one who asks is asked for at once.
  c.report(0);
  BOOST_TEST(*asked == 3);
  caf::anon_send_exit(counting, caf::exit_reason::kill);
}

BOOST_AUTO_TEST_CASE(beats_are_counted_also_while_nobody_waits_for_them) {
  inspected_cluster c;
  const auto before = c.report(0, {}, true, milliseconds{10})->beat;
  const auto next = c.report(0, {}, true, milliseconds{limits::watch_interval_ms + 10})->beat;
  BOOST_TEST(next == before + 1);
  c.run_for(milliseconds{20 * limits::watch_interval_ms});
  BOOST_TEST(c.report(0, {}, true, milliseconds{limits::watch_interval_ms + 10})->beat >= next + 20);
}

BOOST_AUTO_TEST_CASE(a_watched_actor_is_timed_and_its_messages_can_be_looked_at) {
  inspected_cluster c;
  const auto first = *c.leader();
  c.report(first, {}, true, milliseconds{limits::watch_interval_ms + 10});
  BOOST_TEST(watching::on);
  for (int i = 0; i < 5; ++i) {
    c.put(first, "secret/f", "the content");
    c.settle();
  }
  const auto told = c.report(first, {}, true, milliseconds{limits::watch_interval_ms + 10});
  const auto number = number_of(c.node(first).actors.storage);
  const auto& storage = actor_of(told->members[first], number);
  BOOST_TEST(storage.took.known);
  BOOST_TEST(storage.busy_ppm.known);
  BOOST_TEST(storage.depth == 0u);
  const auto& flows = told->members[first].said.flows;
  const auto from = number_of(c.node(first).actors.replication);
  BOOST_TEST(std::any_of(flows.begin(), flows.end(),
                         [&](const auto& x) { return x.from.value == from && x.to.value == number && x.count >= 5; }));
  const auto detail = c.ask<told_actor_of>(first, ask_actor_of{c.node(first).id, {number}}).what;
  BOOST_REQUIRE(detail);
  BOOST_REQUIRE(!detail->recent.empty());
  for (const auto& one : detail->recent) {
    BOOST_TEST(one.text.find("the content") == std::string::npos);
    BOOST_TEST(one.took_us.known);
    BOOST_TEST(one.waited_us.known);
  }
  BOOST_TEST(std::any_of(detail->types.begin(), detail->types.end(),
                         [](const auto& x) { return x.type == "propose" && x.count >= 5 && x.took.known; }));
}

BOOST_AUTO_TEST_CASE(watching_ends_by_itself) {
  inspected_cluster c;
  c.report(0, {}, true, milliseconds{limits::watch_interval_ms + 10});
  BOOST_TEST(watching::on);
  c.run_for(milliseconds{limits::watch_lease_ms - limits::inspection_look_ms});
  BOOST_TEST(watching::on);
  c.run_for(milliseconds{2 * limits::inspection_look_ms});
  BOOST_TEST(!watching::on);
  const auto told = c.report(0);
  for (const auto& one : told->members[0].said.actors) BOOST_TEST(!one.took.known);
  check_only_counted();
}

BOOST_AUTO_TEST_CASE(behind_a_traced_write_messages_are_only_counted_again) {
  inspected_cluster c;
  const auto id = new_trace();
  {
    const trace_scope scope{set_of({id, new_span()})};
    c.put(*c.leader(), "traced", "content");
    c.settle();
  }
  const auto known = trace_store::instance().find(id);
  BOOST_REQUIRE(known);
  BOOST_TEST(std::any_of(known->spans.begin(), known->spans.end(), [](const auto& x) { return x.name == "storage"; }));
  check_only_counted();
}

BOOST_AUTO_TEST_CASE(streams_that_wait_are_answered_together_at_a_beat) {
  inspected_cluster c;
  c.report(0, {}, true, milliseconds{10});
  auto first = c.self->request(c.inspectors[0], caf::infinite, ask_cluster{{}, true});
  auto second = c.self->request(c.inspectors[0], caf::infinite, ask_cluster{{}, true});
  c.run_for(milliseconds{limits::watch_interval_ms + 10});
  std::vector<cluster_report_ptr> told;
  for (auto* one : {&first, &second})
    one->receive([&](told_cluster& x) { told.push_back(x.what); }, [](const caf::error&) { BOOST_ERROR("none"); });
  BOOST_REQUIRE(told.size() == 2u);
  BOOST_TEST(told[0] == told[1]);
}

BOOST_AUTO_TEST_CASE(a_watcher_hears_of_what_happens_after_it_came) {
  inspected_cluster c;
  timeline::instance().note(event_kind::slow_disk, "before");
  auto told = c.report(0, {}, true, milliseconds{10});
  BOOST_TEST(told->events.empty());
  timeline::instance().note(event_kind::slow_disk, "after");
  told = c.report(0, {}, true, milliseconds{limits::watch_interval_ms + 10});
  BOOST_REQUIRE(!told->events.empty());
  BOOST_TEST(told->events.back().what.text == "after");
}

BOOST_AUTO_TEST_CASE(contact_that_comes_back_is_no_election) {
  inspected_cluster c;
  const auto leader = c.node(0).seen->role;
  BOOST_REQUIRE(!leader.leader.name.empty());
  const auto elected = [&] { return c.report(1, c.node(1).id)->members.at(0).said.facts.last_election.value; };
  const auto before = elected();
  const auto events = timeline::instance().last();
  caf::anon_send(c.inspectors[1], role_change{role::pre_candidate, leader.in_term, {}, {}});
  caf::anon_send(c.inspectors[1], role_change{role::follower, leader.in_term, leader.leader, {}});
  c.settle();
  BOOST_TEST(elected() == before);
  BOOST_TEST(timeline::instance().behind(events, 100).empty());
}

BOOST_AUTO_TEST_CASE(changes_of_role_and_members_stand_on_the_timeline) {
  inspected_cluster c;
  const auto before = timeline::instance().last();
  const auto in_term = c.node(0).seen->role.in_term.next();
  caf::anon_send(c.inspectors[0], role_change{role::leader, in_term, c.node(0).id, {}});
  caf::anon_send(c.inspectors[0], role_change{role::follower, in_term.next(), c.node(1).id, {}});
  auto members = c.disk(0).members();
  members.learners.push_back({{"n9"}, {}, "h:9"});
  caf::anon_send(c.inspectors[0], members_changed{members});
  members.voters.push_back(members.learners.back());
  members.learners.clear();
  caf::anon_send(c.inspectors[0], members_changed{members});
  members.voters.pop_back();
  caf::anon_send(c.inspectors[0], members_changed{members});
  c.settle();
  std::vector<event_kind> told;
  for (const auto& one : timeline::instance().behind(before, 100)) told.push_back(one.kind);
  const std::vector<event_kind> expected{event_kind::election_won,    event_kind::election_lost,
                                         event_kind::leader_changed,  event_kind::member_added,
                                         event_kind::member_promoted, event_kind::member_removed};
  BOOST_TEST((told == expected));
}

BOOST_AUTO_TEST_CASE(an_actor_has_ten_minutes_of_history) {
  inspected_cluster c;
  c.run_for(milliseconds{limits::history_step_ms} * 5);
  const auto number = number_of(c.node(0).actors.heartbeat);
  auto told = c.ask<told_actor_of>(0, ask_actor_of{c.node(0).id, {number}}).what;
  BOOST_REQUIRE(told);
  BOOST_TEST(told->history.depth.size() >= 3u);
  BOOST_TEST(told->history.milli_per_second.back() > 1000u);
  c.run_for(milliseconds{limits::history_step_ms} * static_cast<int>(limits::history_steps));
  told = c.ask<told_actor_of>(0, ask_actor_of{c.node(0).id, {number}}).what;
  BOOST_TEST(told->history.depth.size() == limits::history_steps);
}

BOOST_AUTO_TEST_CASE(an_actor_of_another_node_is_asked_for_there) {
  inspected_cluster c;
  const auto number = number_of(c.node(2).actors.storage);
  const auto told = c.ask<told_actor_of>(0, ask_actor_of{c.node(2).id, {number}});
  BOOST_REQUIRE(told.what);
  BOOST_TEST(told.what->actor.name == "storage");
  BOOST_TEST((c.ask<told_actor_of>(0, ask_actor_of{c.node(2).id, {999'999}}).failure.code == errc::not_found));
  BOOST_TEST((c.ask<told_actor_of>(0, ask_actor_of{{"n99"}, {number}}).failure.code == errc::not_found));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
