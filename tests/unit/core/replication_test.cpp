#include "kaiku/core/replication.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <deque>

#include "kaiku/core/limits.hpp"
#include "printing.hpp"

using namespace kaiku;
using mode = follower_progress::mode;

namespace kaiku {
static std::ostream& operator<<(std::ostream& out, mode x) {
  return out << (x == mode::probe ? "probe" : x == mode::replicate ? "replicate" : "snapshot");
}
}  // namespace kaiku

namespace {

const node_id a{"a"}, b{"b"}, c{"c"}, d{"d"}, e{"e"};
constexpr milliseconds patience{1000};

std::vector<member> members(const std::set<node_id>& names, std::uint8_t disk = 1) {
  std::vector<member> all;
  for (const auto& name : names) all.push_back({name, {}, name.name + ":1"}), all.back().disk.bytes.fill(disk);
  return all;
}

/// Node `a` leads term 5; its log ended at 10 before, its no-op is entry 11. All followers are connected.
struct harness {
  explicit harness(std::set<node_id> voters = {a, b, c}) : leader(a, voters) {
    for (const auto& voter : voters)
      if (voter != a) leader.on_connected(now, voter);
    leader.begin_leading(now, {5}, {10});
    leader.on_local_durable({11});
  }

  std::optional<log_index> due(const node_id& to) const {
    for (const auto& one : leader.due())
      if (one.to == to) return one.from;
    return std::nullopt;
  }
  void send(const node_id& to, std::uint64_t last) {
    BOOST_REQUIRE(of(to).state == mode::replicate);
    leader.on_sent(now, to, due(to).value(), {last});
  }
  void probe(const node_id& to) {
    BOOST_REQUIRE(of(to).state == mode::probe);
    const auto from = due(to).value();
    leader.on_sent(now, to, from, from.previous());
  }
  /// Its log is as long as the leader's was, and then has the no-op too.
  void meet(const node_id& to) {
    probe(to);
    accept(to, of(to).next.previous().value);
    send(to, 11);
    accept(to, 11);
  }
  void accept(const node_id& from, std::uint64_t match, std::uint64_t in_term = 5) {
    leader.on_reply(now, {from, {in_term}, true, {match}, {}, false});
  }
  void refuse(const node_id& from, std::uint64_t hint) { leader.on_reply(now, {from, {5}, false, {}, {hint}, false}); }
  void waits(const node_id& from) { leader.on_reply(now, {from, {5}, false, {}, {}, true}); }
  const follower_progress& of(const node_id& id) const { return leader.followers().at(id); }

  instant now{std::chrono::hours{1}};
  replication leader;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(replications)

// --- probing ------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(when_a_leader_first_comes_to_power_it_begins_just_after_the_last_index_in_its_log) {
  harness x;
  BOOST_TEST((x.due(b) == log_index{11}));
  BOOST_TEST(x.of(b).state == mode::probe);
  BOOST_TEST(x.of(b).match == log_index{0});
}

BOOST_AUTO_TEST_CASE(a_probe_has_one_append_in_flight) {
  harness x;
  x.probe(b);
  BOOST_TEST(!x.due(b).has_value());
  BOOST_TEST((x.due(c) == log_index{11}));
}

BOOST_AUTO_TEST_CASE(a_follower_is_probed_even_when_there_is_nothing_new_and_then_left_alone) {
  harness x;
  x.leader.begin_leading(x.now, {6}, {11});
  BOOST_TEST((x.due(b) == log_index{12}));
  x.probe(b);
  BOOST_TEST(!x.due(b).has_value());
  x.leader.on_reply(x.now, {b, {6}, true, {11}, {}, false});
  BOOST_TEST(!x.due(b).has_value());
}

BOOST_AUTO_TEST_CASE(after_a_rejection_the_leader_decrements_next_index_and_retries) {
  harness x;
  x.probe(b);
  x.refuse(b, 9);
  BOOST_TEST((x.due(b) == log_index{10}));
  x.probe(b);
  x.refuse(b, 3);  // the follower's log is much shorter
  BOOST_TEST((x.due(b) == log_index{4}));
  x.probe(b);
  x.accept(b, 3);
  BOOST_TEST(x.of(b).state == mode::replicate);
  BOOST_TEST(x.of(b).match == log_index{3});
  BOOST_TEST((x.due(b) == log_index{4}));
}

BOOST_AUTO_TEST_CASE(a_hint_that_promises_too_much_still_moves_the_probe_back) {
  harness x;
  x.probe(b);
  x.refuse(b, 99);
  BOOST_TEST((x.due(b) == log_index{10}));
}

BOOST_AUTO_TEST_CASE(probing_ends_at_the_beginning_of_the_log) {
  harness x;
  for (int i = 0; i < 20; ++i) {
    if (x.due(b)) x.probe(b);
    x.refuse(b, 0);
  }
  BOOST_TEST(x.of(b).next == log_index{1});
  BOOST_TEST(!x.due(b).has_value());  // refused at the very beginning: not about the log; waits for the retry
  x.now += patience + milliseconds{1};
  x.leader.on_retry(x.now, patience);
  BOOST_TEST((x.due(b) == log_index{1}));
}

BOOST_AUTO_TEST_CASE(a_probe_never_goes_below_what_is_known_to_match) {
  harness x;
  x.meet(b);
  x.leader.on_local_durable({13});
  x.send(b, 12);
  x.send(b, 13);
  x.refuse(b, 11);  // the second one overtook the first
  BOOST_TEST(x.of(b).state == mode::probe);
  BOOST_TEST((x.due(b) == log_index{12}));
  x.probe(b);
  x.refuse(b, 11);  // and another late refusal does not send it all again
  BOOST_TEST(!x.due(b).has_value());
}

// --- replicating --------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(next_moves_ahead_optimistically_within_the_window) {
  harness x;
  x.meet(b);
  BOOST_TEST(!x.due(b).has_value());
  x.leader.on_local_durable({100});
  for (std::size_t i = 0; i < limits::append_window; ++i) {
    BOOST_TEST((x.due(b) == log_index{12 + i}));
    x.send(b, 12 + i);
  }
  BOOST_TEST(!x.due(b).has_value());
  x.accept(b, 14);  // answers three
  BOOST_TEST(x.of(b).in_flight.size() == limits::append_window - 3);
  BOOST_TEST((x.due(b) == log_index{12 + limits::append_window}));
}

BOOST_AUTO_TEST_CASE(answers_out_of_order_never_move_match_back) {
  harness x;
  x.meet(b);
  x.leader.on_local_durable({13});
  x.send(b, 12);
  x.send(b, 13);
  x.accept(b, 13);
  x.accept(b, 12);
  x.accept(b, 11);
  BOOST_TEST(x.of(b).match == log_index{13});
  BOOST_TEST(x.of(b).next == log_index{14});
  BOOST_TEST(x.of(b).in_flight.empty());
  BOOST_TEST(!x.due(b).has_value());
}

BOOST_AUTO_TEST_CASE(a_late_answer_to_an_earlier_append_does_not_end_a_probe) {
  for (const std::uint64_t match : {4, 11}) {
    harness x;
    x.probe(b);
    x.accept(b, match);
    BOOST_TEST(x.of(b).state == mode::probe);
    BOOST_TEST(x.of(b).match == log_index{match});
    BOOST_TEST(!x.due(b).has_value());
    x.accept(b, 10);
    BOOST_TEST(x.of(b).state == mode::replicate);
    BOOST_TEST(x.of(b).match == log_index{std::max<std::uint64_t>(match, 10)});
  }
}

BOOST_AUTO_TEST_CASE(a_window_without_an_answer_goes_back_to_probing_behind_the_match) {
  harness x;
  x.meet(b);
  x.leader.on_local_durable({20});
  x.send(b, 15);
  x.send(b, 20);
  x.now += patience;
  x.leader.on_retry(x.now, patience);
  BOOST_TEST(!x.due(b).has_value());
  x.now += milliseconds{1};
  x.leader.on_retry(x.now, patience);
  BOOST_TEST(x.of(b).state == mode::probe);
  BOOST_TEST((x.due(b) == log_index{12}));
  x.probe(b);
  x.accept(b, 11);
  BOOST_TEST(x.of(b).state == mode::replicate);
  BOOST_TEST((x.due(b) == log_index{12}));
}

BOOST_AUTO_TEST_CASE(what_waits_for_a_link_that_delivers_slowly_and_in_order_stays_within_a_window) {
  harness x;
  x.meet(b);
  x.leader.on_local_durable({100'000});
  struct message {
    log_index last;  // of a probe the one that is to match
    bool probe;
  };
  std::deque<message> link;
  const auto waiting = [&] {
    return std::count_if(link.begin(), link.end(), [](const auto& one) { return !one.probe; });
  };
  std::ptrdiff_t most = 0;
  std::uint64_t crossed = 0;
  for (int i = 0; i < 300; ++i) {
    x.now += patience + milliseconds{1};
    x.leader.on_retry(x.now, patience);
    while (const auto from = x.due(b)) {
      const bool probe = x.of(b).state == mode::probe;
      link.push_back({probe ? from->previous() : *from, probe});
      probe ? x.probe(b) : x.send(b, from->value);
    }
    most = std::max(most, waiting());
    // An entry takes three times as long to cross as the leader is patient; a probe takes no time of its own.
    for (bool entry = i % 3 != 0; !entry && !link.empty();) {
      entry = !link.front().probe;
      crossed += entry;
      const auto match = link.front().last.value;
      link.pop_front();
      x.accept(b, match);
    }
  }
  BOOST_TEST(most == limits::append_window);
  BOOST_TEST(crossed > 50u);
  BOOST_TEST(x.of(b).match.value == 11 + crossed);  // none twice
}

BOOST_AUTO_TEST_CASE(a_caught_up_follower_is_not_retried_however_long_it_is_silent) {
  harness x;
  x.meet(b);
  x.now += 100 * patience;
  x.leader.on_retry(x.now, patience);
  BOOST_TEST(x.of(b).state == mode::replicate);
  BOOST_TEST(!x.due(b).has_value());
}

BOOST_AUTO_TEST_CASE(patience_begins_with_the_append_that_waits_not_with_the_last_answer) {
  harness x;
  x.meet(b);
  x.now += 10 * patience;
  x.leader.on_local_durable({12});
  x.send(b, 12);
  x.leader.on_retry(x.now, patience);
  BOOST_TEST(x.of(b).state == mode::replicate);
}

BOOST_AUTO_TEST_CASE(a_follower_that_pulls_content_is_not_retried_while_it_says_so) {
  harness x;
  x.meet(b);
  x.leader.on_local_durable({12});
  x.send(b, 12);
  x.waits(b);
  x.now += 5 * patience;
  x.leader.on_retry(x.now, patience);
  BOOST_TEST(!x.due(b).has_value());
  BOOST_TEST(x.of(b).waiting_for_content);
  x.accept(b, 12);
  BOOST_TEST(!x.of(b).waiting_for_content);
  BOOST_TEST(x.of(b).state == mode::replicate);
}

BOOST_AUTO_TEST_CASE(a_follower_that_pulls_content_and_falls_silent_is_asked_again) {
  harness x;
  x.meet(b);
  x.leader.on_local_durable({12});
  x.send(b, 12);
  x.waits(b);
  x.now += patience * replication::content_patience + milliseconds{1};
  x.leader.on_retry(x.now, patience);
  BOOST_TEST(x.of(b).state == mode::probe);
  BOOST_TEST((x.due(b) == log_index{12}));
}

BOOST_AUTO_TEST_CASE(nothing_is_due_to_a_follower_without_a_link_and_it_is_probed_when_the_link_is_back) {
  harness x;
  x.meet(b);
  x.leader.on_local_durable({15});
  x.send(b, 15);
  x.leader.on_disconnected(b);
  BOOST_TEST(!x.due(b).has_value());
  x.leader.on_connected(x.now, b);
  BOOST_TEST(x.of(b).state == mode::probe);
  BOOST_TEST((x.due(b) == log_index{12}));
}

BOOST_AUTO_TEST_CASE(links_made_before_the_leadership_count) {
  replication x(a, {a, b});
  x.on_connected({}, b);
  BOOST_TEST(x.due().empty());
  x.begin_leading({}, {1}, {0});
  BOOST_TEST(x.due().size() == 1u);
}

BOOST_AUTO_TEST_CASE(answers_of_another_term_of_strangers_and_beyond_the_own_log_are_ignored) {
  harness x;
  x.accept(b, 11, 4);
  x.accept(b, 11, 6);
  x.accept(b, 12);
  x.accept(d, 11);
  BOOST_TEST(x.of(b).match == log_index{0});
  BOOST_TEST(x.leader.commit() == log_index{0});
  x.leader.stop_leading();
  x.accept(b, 11);
  BOOST_TEST(x.leader.due().empty());
}

// --- commit -------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_entry_is_committed_once_it_is_on_a_majority_of_the_servers) {
  harness x({a, b, c, d, e});
  x.accept(b, 11);
  BOOST_TEST(x.leader.commit() == log_index{0});
  BOOST_TEST(x.leader.holders({11}) == 2u);
  x.accept(c, 11);
  BOOST_TEST(x.leader.commit() == log_index{11});
  BOOST_TEST(x.leader.holders({11}) == 3u);
}

BOOST_AUTO_TEST_CASE(only_log_entries_from_the_leaders_current_term_are_committed_by_counting_replicas) {
  harness x;
  x.accept(b, 10);  // everything of the earlier terms is on a majority
  x.accept(c, 10);
  BOOST_TEST(x.leader.commit() == log_index{0});
  x.accept(b, 11);  // the no-op commits them indirectly
  BOOST_TEST(x.leader.commit() == log_index{11});
}

BOOST_AUTO_TEST_CASE(what_was_sent_is_not_what_is_durable) {
  harness x;
  for (const auto& follower : {b, c}) {
    x.probe(follower);
    x.accept(follower, 10);
    x.send(follower, 11);
  }
  BOOST_TEST(x.leader.commit() == log_index{0});
  BOOST_TEST(x.leader.held_by(2) == log_index{10});
}

BOOST_AUTO_TEST_CASE(followers_may_hold_durably_what_counts_before_the_leader_is_heard_of_again) {
  harness x;
  x.accept(b, 11);
  x.leader.on_local_durable({12});
  BOOST_TEST(x.leader.commit() == log_index{11});
  x.accept(b, 12);
  BOOST_TEST(x.leader.commit() == log_index{12});
}

BOOST_AUTO_TEST_CASE(an_answer_may_be_faster_than_word_from_the_own_disk) {
  harness x;
  x.probe(b);
  x.accept(b, 10);
  x.leader.on_sent(x.now, b, {11}, {12});  // entry 12 is on the disk; nobody has said so yet
  x.accept(b, 12);
  BOOST_TEST(x.of(b).match == log_index{12});
  BOOST_TEST(x.leader.commit() == log_index{11});
  x.leader.on_local_durable({12});
  BOOST_TEST(x.leader.commit() == log_index{12});
}

BOOST_AUTO_TEST_CASE(alone_in_the_cluster_the_own_disk_commits) {
  replication x(a, {a});
  x.begin_leading({}, {1}, {0});
  BOOST_TEST(x.commit() == log_index{0});
  x.on_local_durable({1});
  BOOST_TEST(x.commit() == log_index{1});
  BOOST_TEST(x.held_by(1) == log_index{1});
}

BOOST_AUTO_TEST_CASE(held_by_orders_the_voters) {
  harness x({a, b, c, d, e});
  x.accept(b, 9);
  x.accept(c, 4);
  const std::uint64_t held[] = {11, 9, 4, 0, 0};
  for (std::size_t count = 1; count <= 5; ++count) BOOST_TEST(x.leader.held_by(count) == log_index{held[count - 1]});
}

BOOST_AUTO_TEST_CASE(a_follower_takes_the_leaders_word_up_to_what_it_holds_itself) {
  replication x(b, {a, b, c});
  x.learn_commit({9}, {7});
  BOOST_TEST(x.commit() == log_index{7});
  x.learn_commit({3}, {7});  // late
  BOOST_TEST(x.commit() == log_index{7});
  x.learn_commit({9}, {12});
  BOOST_TEST(x.commit() == log_index{9});
}

BOOST_AUTO_TEST_CASE(a_new_leadership_keeps_the_commit_index_and_forgets_every_match) {
  harness x;
  x.accept(b, 11);
  x.leader.begin_leading(x.now, {6}, {11});
  BOOST_TEST(x.leader.commit() == log_index{11});
  BOOST_TEST(x.of(b).match == log_index{0});
}

BOOST_AUTO_TEST_CASE(a_smaller_membership_may_commit_and_a_larger_one_never_takes_back) {
  harness x({a, b, c, d, e});
  x.accept(b, 11);
  x.leader.set_members(x.now, members({a, b, c}), {});
  BOOST_TEST(x.leader.commit() == log_index{11});
  x.leader.set_members(x.now, members({a, b, c, d, e}), {});
  BOOST_TEST(x.leader.commit() == log_index{11});
  BOOST_TEST((x.due(d) == log_index{12}));
}

// --- snapshots ----------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(while_a_follower_takes_a_snapshot_it_is_sent_nothing_else_and_goes_on_behind_it) {
  harness x;
  x.leader.on_snapshot_sent(x.now, b, {9});
  BOOST_TEST(!x.due(b).has_value());
  x.accept(b, 5);
  BOOST_TEST(x.of(b).state == mode::snapshot);
  x.accept(b, 9);
  BOOST_TEST(x.of(b).state == mode::replicate);
  BOOST_TEST((x.due(b) == log_index{10}));
}

BOOST_AUTO_TEST_CASE(a_follower_whose_disk_lost_what_it_acknowledged_is_sent_it_again_and_what_was_committed_stays) {
  harness x;
  x.meet(b);
  x.leader.on_local_durable({14});
  x.send(b, 14);
  x.accept(b, 14);
  BOOST_TEST(x.leader.commit() == log_index{14});
  x.leader.on_disconnected(b);
  x.leader.on_connected(x.now, b);
  x.leader.on_local_durable({15});
  BOOST_TEST((x.due(b) == log_index{15}));
  x.probe(b);
  x.refuse(b, 12);
  BOOST_TEST((x.due(b) == log_index{13}));
  BOOST_TEST(x.of(b).match == log_index{12});
  x.probe(b);
  x.accept(b, 12);
  BOOST_TEST(x.of(b).state == mode::replicate);
  x.send(b, 15);
  x.accept(b, 15);
  BOOST_TEST(x.leader.commit() == log_index{15});
}

BOOST_AUTO_TEST_CASE(a_follower_that_refuses_a_snapshot_or_falls_silent_is_probed_again_behind_what_it_has) {
  for (bool silent : {false, true}) {
    harness x;
    x.accept(b, 3);
    x.leader.on_snapshot_sent(x.now, b, {9});
    if (silent) {
      x.waits(b);
      x.now += patience * replication::content_patience;
      x.leader.on_retry(x.now, patience);
      BOOST_TEST(x.of(b).state == mode::snapshot);
      x.now += milliseconds{1};
      x.leader.on_retry(x.now, patience);
    } else {
      x.refuse(b, 3);
    }
    BOOST_TEST(x.of(b).state == mode::probe);
    BOOST_TEST((x.due(b) == log_index{4}));
  }
}

// --- members ------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_learner_is_sent_entries_but_commits_nothing) {
  harness x({a, b, c});
  x.leader.on_connected(x.now, d);
  x.leader.set_members(x.now, members({a, b, c}), members({d}));
  BOOST_TEST((x.due(d) == log_index{12}));
  x.accept(d, 11);
  BOOST_TEST(x.leader.commit() == log_index{0});
  BOOST_TEST(x.leader.holders({11}) == 1u);
  x.accept(b, 11);
  BOOST_TEST(x.leader.commit() == log_index{11});
  BOOST_TEST(x.leader.voters() == 3u);
}

BOOST_AUTO_TEST_CASE(a_learner_has_caught_up_when_it_holds_what_was_committed_as_the_round_began) {
  harness x({a, b, c});
  x.leader.set_members(x.now, members({a, b, c}), members({d}));
  x.accept(b, 11);
  x.leader.on_retry(x.now, patience);
  BOOST_TEST(x.leader.catch_up_goal() == log_index{11});
  BOOST_TEST(!x.leader.caught_up_learner().has_value());
  x.leader.on_connected(x.now, d);
  x.refuse(d, 9);
  x.probe(d);
  x.accept(d, 9);
  BOOST_TEST(!x.leader.caught_up_learner().has_value());
  x.send(d, 10);
  x.accept(d, 10);
  BOOST_TEST(!x.leader.caught_up_learner().has_value());
  x.send(d, 11);
  x.accept(d, 11);
  BOOST_TEST((x.leader.caught_up_learner() == d));
  x.leader.on_disconnected(d);
  BOOST_TEST(!x.leader.caught_up_learner().has_value());
}

/// Others are always faster, by an eighth of a round or by more than one.
BOOST_AUTO_TEST_CASE(a_learner_that_is_less_than_a_round_behind_steady_writes_becomes_a_voter) {
  for (const std::uint64_t behind : {1, 7, 12}) {
    harness x({a, b, c});
    x.leader.set_members(x.now, members({a, b, c}), members({d}));
    x.leader.on_connected(x.now, d);
    x.meet(b);
    x.probe(d);
    x.accept(d, 11);
    bool promoted = false;
    for (std::uint64_t last = 12; last < 60; ++last) {
      x.leader.on_local_durable({last});
      x.send(b, last);
      x.accept(b, last);
      BOOST_TEST(x.leader.commit() == log_index{last});
      const auto held = std::max<std::uint64_t>(11, last - behind);
      if (held > x.of(d).match.value) x.send(d, held), x.accept(d, held);
      x.now += patience / 8;
      x.leader.on_retry(x.now, patience);
      if (last > 12 + behind) promoted = promoted || x.leader.caught_up_learner() == d;
    }
    BOOST_TEST(promoted == (behind < 8), behind << " entries behind");
  }
}

BOOST_AUTO_TEST_CASE(nobody_has_caught_up_before_an_entry_of_the_term_is_committed) {
  harness x({a, b, c});
  x.leader.set_members(x.now, members({a, b, c}), members({d}));
  x.leader.on_connected(x.now, d);
  x.probe(d);
  x.accept(d, 11);
  x.leader.on_retry(x.now, patience);
  BOOST_TEST(!x.leader.caught_up_learner().has_value());
  x.accept(b, 11);
  BOOST_TEST(!x.leader.caught_up_learner().has_value());
  x.leader.on_retry(x.now, patience);
  BOOST_TEST((x.leader.caught_up_learner() == d));
}

// --- who leads next -----------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(who_was_asked_to_lead_counts_as_a_successor_until_it_takes_an_entry_of_long_after) {
  harness x({a, b, c});
  x.meet(b);
  x.meet(c);
  BOOST_TEST(x.leader.successors_hold({99}));
  x.leader.on_asked_to_lead(x.now, b);
  const auto next_entry = [&](std::uint64_t last) {
    x.leader.on_local_durable({last});
    x.send(b, last);
    x.send(c, last);
    x.accept(c, last);
  };
  next_entry(12);
  BOOST_TEST(x.leader.successors_hold({11}));
  BOOST_TEST(!x.leader.successors_hold({12}));
  x.accept(b, 12);
  BOOST_TEST(x.leader.successors_hold({12}));
  x.leader.on_retry(x.now, patience);
  BOOST_TEST(!x.leader.successors_hold({13}));

  next_entry(13);
  x.accept(b, 13);  // sent before it was late
  x.now += patience + milliseconds{1};
  x.leader.on_retry(x.now, patience);
  BOOST_TEST(!x.leader.successors_hold({14}));
  next_entry(14);
  x.accept(b, 14);
  x.leader.on_retry(x.now, patience);
  BOOST_TEST(x.leader.successors_hold({99}));

  x.leader.on_asked_to_lead(x.now, b);
  x.leader.begin_leading(x.now, {6}, {14});
  BOOST_TEST(x.leader.successors_hold({99}));
}

BOOST_AUTO_TEST_CASE(a_successor_that_is_away_or_removed_counts_until_an_entry_of_long_after_is_committed) {
  for (const bool removed : {false, true}) {
    BOOST_TEST_CONTEXT((removed ? "removed" : "away")) {
      harness x({a, b, c});
      x.meet(c);
      x.leader.on_asked_to_lead(x.now, b);
      if (removed) x.leader.set_members(x.now, members({a, c}), {});
      const auto next_entry = [&](std::uint64_t last) {
        x.leader.on_local_durable({last});
        x.send(c, last);
        x.accept(c, last);
        x.leader.on_retry(x.now, patience);
      };
      next_entry(12);
      BOOST_TEST(x.leader.commit() == log_index{12});
      BOOST_TEST(!x.leader.successors_hold({12}));
      x.now += patience + milliseconds{1};
      x.leader.on_retry(x.now, patience);
      BOOST_TEST(!x.leader.successors_hold({12}));
      next_entry(13);
      BOOST_TEST(x.leader.successors_hold({99}));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_a_member_acknowledged_with_another_disk_is_forgotten) {
  harness x({a, b, c});
  x.leader.set_members(x.now, members({a, b, c}), {});
  x.accept(b, 11);
  BOOST_TEST(x.of(b).match == log_index{11});
  x.leader.set_members(x.now, members({a, c}), members({b}, 2));
  BOOST_TEST(x.of(b).match == log_index{0});
  BOOST_TEST(x.leader.holders({11}) == 1u);
  BOOST_TEST(x.leader.commit() == log_index{11});
}

BOOST_AUTO_TEST_CASE(what_another_disk_acknowledged_does_not_count_however_late_it_comes) {
  harness x({a, b, c});
  x.leader.set_members(x.now, members({a, b, c}), {});
  append_reply late{b, {5}, true, {11}, {}, false, {}};
  late.disk.bytes.fill(9);
  x.leader.on_reply(x.now, late);
  BOOST_TEST(x.of(b).match == log_index{0});
  late.disk.bytes.fill(1);
  x.leader.on_reply(x.now, late);
  BOOST_TEST(x.of(b).match == log_index{11});
}

BOOST_AUTO_TEST_CASE(a_leader_knows_what_is_committed_once_an_entry_of_its_term_is) {
  harness x;
  BOOST_TEST(!x.leader.knows_commit());
  x.accept(b, 10);
  BOOST_TEST(!x.leader.knows_commit());
  x.accept(b, 11);
  BOOST_TEST(x.leader.knows_commit());
  x.leader.stop_leading();
  BOOST_TEST(!x.leader.knows_commit());
}

BOOST_AUTO_TEST_CASE(members_change_one_at_a_time_and_only_after_an_entry_of_the_own_term_is_committed) {
  harness x;
  BOOST_TEST(!x.leader.members_may_change({3}));
  x.meet(b);
  BOOST_TEST(x.leader.members_may_change({3}));
  BOOST_TEST(x.leader.members_may_change({11}));
  BOOST_TEST(!x.leader.members_may_change({12}));  // named by an entry that is not committed
  x.leader.stop_leading();
  BOOST_TEST(!x.leader.members_may_change({3}));
}

BOOST_AUTO_TEST_CASE(what_a_write_has_reached_is_counted_in_voters) {
  harness x;
  BOOST_CHECK(x.leader.reached({11}) == durability::leader);
  x.meet(b);
  BOOST_CHECK(x.leader.reached({11}) == durability::majority);
  x.meet(c);
  BOOST_CHECK(x.leader.reached({11}) == durability::all);
  x.leader.set_members(x.now, members({a, b, c, d}), {});
  BOOST_CHECK(x.leader.reached({11}) == durability::majority);
  x.leader.stop_leading();
  BOOST_CHECK(x.leader.reached({11}) == durability::majority);
}

BOOST_AUTO_TEST_CASE(only_what_is_committed_goes_from_the_log_and_what_linked_followers_need_stays_if_it_may) {
  harness x;
  x.meet(b);
  BOOST_TEST(x.leader.compactable({50}, false) == log_index{11});
  BOOST_TEST(x.leader.compactable({7}, false) == log_index{7});
  BOOST_TEST(x.leader.compactable({50}, true) == log_index{0});  // nothing is known of c
  x.leader.on_disconnected(c);
  BOOST_TEST(x.leader.compactable({50}, true) == log_index{11});
}

BOOST_AUTO_TEST_SUITE_END()
