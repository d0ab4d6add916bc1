// Members come, are replaced and go; leadership moves on request.

#include <algorithm>

#include "fixture.hpp"
#include "kaiku/core/membership.hpp"

using namespace kaiku;
using namespace kaiku::test;

namespace {

template <class Reply>
bool done(const asked_ptr<Reply>& x) {
  return x->reply && x->reply->failure.code == errc::none;
}

template <class Reply>
bool failed(const asked_ptr<Reply>& x, errc why) {
  return x->reply && x->reply->failure.code == why;
}

bool votes(actor_cluster& nodes, std::size_t at, std::size_t who) {
  return find_member(nodes.disk(at).members().voters, nodes.node(who).id) != nullptr;
}
bool learns(actor_cluster& nodes, std::size_t at, std::size_t who) {
  return find_member(nodes.disk(at).members().learners, nodes.node(who).id) != nullptr;
}

cluster_settings joining(std::size_t nodes, std::size_t joiners) {
  auto settings = with_nodes(nodes);
  settings.joining = joiners;
  return settings;
}

std::size_t first_leader(actor_cluster& nodes) {
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader().has_value(); }));
  const auto first = *nodes.leader();
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.node(first).seen->progress.commit.value > 0; }));
  return first;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(members)

BOOST_AUTO_TEST_CASE(a_node_that_waits_to_be_taken_in_never_campaigns) {
  checked_cluster nodes{joining(1, 1)};
  nodes.run_for(milliseconds{20'000});
  BOOST_CHECK(nodes.node(0).seen->role.now == role::follower);
  BOOST_TEST(nodes.disk(0).state().current.value == 0u);
}

BOOST_AUTO_TEST_CASE(a_new_node_becomes_a_learner_catches_up_and_becomes_a_voter) {
  checked_cluster nodes{joining(4, 1)};
  const auto first = first_leader(nodes);
  for (int i = 0; i < 20; ++i) nodes.put(first, "f" + std::to_string(i), "x");
  nodes.settle();
  auto added = nodes.add(first, 3);
  BOOST_REQUIRE(nodes.run_until([&] { return done(added); }));
  BOOST_TEST((learns(nodes, first, 3) || votes(nodes, first, 3)));
  BOOST_REQUIRE(nodes.run_until([&] { return votes(nodes, 3, 3); }));
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }));
  BOOST_TEST(nodes.disk(first).members().voters.size() == 4u);
  auto written = nodes.put(first, "after", "x", durability::all);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  BOOST_TEST(written->reply->holders == 4u);
}

BOOST_AUTO_TEST_CASE(a_learner_counts_for_no_majority_and_no_election) {
  checked_cluster nodes{joining(4, 1)};
  const auto first = first_leader(nodes);
  // Cut off, so that it can't catch up and stays what it is.
  for (auto i : nodes.others(3)) nodes.disconnect(3, i);
  auto added = nodes.add(first, 3);
  BOOST_REQUIRE(nodes.run_until([&] { return done(added); }));
  BOOST_TEST(learns(nodes, first, 3));
  auto written = nodes.put(first, "a", "x", durability::all);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  BOOST_TEST(written->reply->voters == 3u);
  // With one voter gone and the learner back, two of three voters still elect; with two gone, nobody does.
  const auto rest = nodes.others(first);
  for (auto i : nodes.others(3)) nodes.connect(3, i);
  nodes.stop(rest[0]);
  nodes.stop(rest[1]);
  BOOST_REQUIRE(nodes.run_until([&] { return !nodes.leader().has_value(); }));
  nodes.run_for(milliseconds{20'000});
  BOOST_TEST(!nodes.leader().has_value());
}

BOOST_AUTO_TEST_CASE(a_voter_that_stays_away_is_removed_when_the_operator_wants_that_and_three_stay) {
  auto settings = with_nodes(4);
  settings.remove_dead_after = milliseconds{30'000};
  checked_cluster nodes{settings};
  const auto first = nodes.elect();
  const auto rest = nodes.others(first);
  nodes.run_for(milliseconds{40'000});
  BOOST_TEST(nodes.disk(first).members().voters.size() == 4u);
  nodes.stop(rest[0]);
  nodes.run_for(milliseconds{20'000});
  BOOST_TEST(votes(nodes, first, rest[0]));
  BOOST_REQUIRE(nodes.run_until([&] { return !votes(nodes, first, rest[0]); }));
  nodes.stop(rest[1]);
  nodes.run_for(milliseconds{60'000});
  BOOST_TEST(votes(nodes, first, rest[1]));
}

BOOST_AUTO_TEST_CASE(a_newcomer_has_time_to_come_before_it_counts_as_dead) {
  auto settings = joining(4, 1);
  settings.remove_dead_after = milliseconds{30'000};
  checked_cluster nodes{settings};
  const auto first = first_leader(nodes);
  nodes.run_for(milliseconds{60'000});
  for (auto i : nodes.others(3)) nodes.disconnect(3, i);
  auto added = nodes.add(first, 3);
  BOOST_REQUIRE(nodes.run_until([&] { return done(added); }));
  nodes.run_for(milliseconds{20'000});
  BOOST_TEST(learns(nodes, first, 3));
  BOOST_REQUIRE(nodes.run_until([&] { return !learns(nodes, first, 3); }));
}

BOOST_AUTO_TEST_CASE(a_wiped_disk_is_replaced_and_the_node_becomes_a_voter_again) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.put(first, "before", "x", durability::majority);
  nodes.run_for(milliseconds{500});
  const auto wiped = nodes.others(first)[0];
  nodes.stop(wiped);
  nodes.start_wiped(wiped);
  auto added = nodes.add(first, wiped);
  BOOST_REQUIRE(nodes.run_until([&] { return done(added); }));
  // Until it has caught up it is no voter: two voters are left, and both are needed.
  BOOST_TEST(nodes.disk(first).members().voters.size() == 2u);
  for (auto i : nodes.others(wiped)) nodes.connect(wiped, i);
  BOOST_REQUIRE(nodes.run_until([&] { return votes(nodes, wiped, wiped); }));
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }));
  BOOST_TEST(bytes_at(nodes.disk(wiped), "before") == "x");
  BOOST_TEST((find_member(nodes.disk(first).members().voters, nodes.node(wiped).id)->disk == nodes.disk(wiped).disk()));
}

/// Whoever missed that its lost disk was seen links with it: only the disk itself knows that it came late.
BOOST_AUTO_TEST_CASE(a_wiped_disk_gives_no_vote_before_its_log_names_it) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.run_for(milliseconds{500});
  const auto wiped = nodes.others(first)[0], other = nodes.others(first)[1];
  nodes.stop(wiped);
  nodes.start_wiped(wiped);
  nodes.settle();
  BOOST_TEST(nodes.disk(wiped).members().latecomer);
  nodes.stop(first);
  nodes.connect(wiped, other);
  BOOST_TEST(!nodes.run_until([&] { return nodes.leader() == other; }, milliseconds{10'000}));
  nodes.start(first);
  BOOST_TEST(nodes.run_until([&] { return nodes.leader().has_value(); }));
  for (auto i : nodes.others(wiped)) BOOST_TEST(!nodes.disk(i).members().latecomer);
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_told_to_found_nothing_came_late_unless_it_took_part) {
  checked_cluster nodes;
  nodes.disk(2).adopt_term({1});
  for (const auto& [node, told] : {std::pair{0, true}, {1, false}, {2, false}})
    caf::anon_send(nodes.node(node).actors.replication, forget_bootstrap{told});
  nodes.settle();
  BOOST_TEST(nodes.disk(0).members().latecomer);
  BOOST_TEST(nodes.disk(1).members().latecomer);
  BOOST_TEST(!nodes.disk(2).members().latecomer);
}

BOOST_AUTO_TEST_CASE(members_change_one_at_a_time) {
  checked_cluster nodes{joining(5, 2)};
  const auto first = first_leader(nodes);
  for (auto i : nodes.others(first)) nodes.disconnect(first, i);
  auto one = nodes.add(first, 3);
  auto two = nodes.add(first, 4);
  nodes.settle();
  BOOST_TEST(!one->reply.has_value());
  BOOST_TEST(failed(two, errc::busy));
}

BOOST_AUTO_TEST_CASE(a_removed_follower_counts_no_more) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto gone = nodes.others(first)[0];
  auto removed = nodes.change(first, {member_change::kind::remove, nodes.node(gone).id, {}});
  BOOST_REQUIRE(nodes.run_until([&] { return done(removed); }));
  BOOST_TEST(!votes(nodes, first, gone));
  nodes.stop(gone);
  auto written = nodes.put(first, "a", "x", durability::all);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  BOOST_TEST(written->reply->voters == 2u);
}

BOOST_AUTO_TEST_CASE(a_leader_that_is_to_leave_hands_over_first) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const member_change leave{member_change::kind::remove, nodes.node(first).id, {}};
  auto asked = nodes.change(first, leave);
  BOOST_REQUIRE(nodes.run_until([&] { return failed(asked, errc::not_leader); }));
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader() && *nodes.leader() != first; }, milliseconds{900}));
  const auto next = *nodes.leader();
  asked_ptr<change_members_reply> again = nodes.change(next, leave);
  BOOST_REQUIRE(nodes.run_until([&] {
    if (again->reply && again->reply->failure.code == errc::busy) again = nodes.change(next, leave);
    return done(again);
  }));
  BOOST_TEST(!votes(nodes, next, first));
  BOOST_TEST(nodes.disk(next).members().voters.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_follower_passes_a_change_on_to_the_leader) {
  checked_cluster nodes{joining(4, 1)};
  const auto first = first_leader(nodes);
  BOOST_REQUIRE(nodes.run_until([&] { return !nodes.node((first + 1) % 3).seen->role.leader.name.empty(); }));
  auto added = nodes.add((first + 1) % 3, 3);
  BOOST_REQUIRE(nodes.run_until([&] { return done(added); }));
}

BOOST_AUTO_TEST_CASE(leadership_goes_to_the_voter_that_is_named) {
  checked_cluster nodes;
  for (int i = 0; i < 3; ++i) {
    const auto first = nodes.elect();
    const auto wanted = nodes.others(first)[1];
    auto asked = nodes.hand_over(first, nodes.node(wanted).id);
    BOOST_REQUIRE(nodes.run_until([&] { return done(asked); }, milliseconds{1000}));
    BOOST_TEST(nodes.elect() == wanted);
  }
}

BOOST_AUTO_TEST_CASE(leadership_does_not_go_to_who_is_no_voter) {
  checked_cluster nodes{joining(4, 1)};
  const auto first = first_leader(nodes);
  auto asked = nodes.hand_over(first, nodes.node(3).id);
  auto unknown = nodes.hand_over(first, {"nobody"});
  auto itself = nodes.hand_over(first, nodes.node(first).id);
  nodes.settle();
  BOOST_TEST(failed(asked, errc::not_found));
  BOOST_TEST(failed(unknown, errc::not_found));
  BOOST_TEST(done(itself));
}

BOOST_AUTO_TEST_CASE(a_leader_whose_disk_stalls_hands_over_while_its_heart_still_beats) {
  auto settings = with_nodes(3);
  settings.disk_delay = milliseconds{2};
  checked_cluster nodes{settings};
  const auto first = nodes.elect();
  nodes.put(first, "before", "x", durability::majority);
  nodes.run_for(milliseconds{500});
  nodes.network().cut(nodes.node(first).id, nodes.node(first).id);  // its own disk
  auto stuck = nodes.put(first, "stuck", "x");
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader() && *nodes.leader() != first; }, milliseconds{900}));
  auto late = nodes.put(first, "late", "x");
  nodes.settle();
  BOOST_TEST(refused(late, errc::not_leader));
  BOOST_TEST(!recorded(stuck));
  auto written = nodes.put(*nodes.leader(), "after", "x", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }, milliseconds{1000}));
}

BOOST_AUTO_TEST_CASE(a_leader_whose_disk_hangs_hands_over_also_when_only_uploads_come) {
  auto settings = with_nodes(3);
  settings.disk_delay = milliseconds{2};
  checked_cluster nodes{settings};
  const auto first = nodes.elect();
  nodes.run_for(milliseconds{2000});
  nodes.network().cut(nodes.node(first).id, nodes.node(first).id);  // its own disk
  const disk_steps::step hung{*nodes.node(first).steps, nodes.now()};
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader() && *nodes.leader() != first; }, milliseconds{1500}));
  auto written = nodes.put(*nodes.leader(), "after", "x", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }, milliseconds{1000}));
}

BOOST_AUTO_TEST_CASE(a_leader_goes_on_leading_while_an_upload_takes_long_on_a_disk_that_works) {
  auto settings = with_nodes(3);
  settings.disk_delay = milliseconds{2};
  checked_cluster nodes{settings};
  const auto first = nodes.elect();
  nodes.run_for(milliseconds{2000});
  const auto before = nodes.disk(first).state();
  {
    const disk_steps::step slow{*nodes.node(first).steps, nodes.now()};
    nodes.run_for(milliseconds{20'000});
  }
  BOOST_CHECK(nodes.leader() == first);
  BOOST_CHECK(nodes.disk(first).state().current == before.current);
  const auto tried = nodes.disk(first).state().last;
  BOOST_TEST((tried.index.value > before.last.index.value && tried.index.value <= before.last.index.value + 40));
  nodes.run_for(milliseconds{2000});
  BOOST_CHECK(nodes.disk(first).state().last == tried);
}

BOOST_AUTO_TEST_CASE(a_node_ends_once_a_step_beside_storage_takes_longer_than_storage_may) {
  checked_cluster nodes;
  const auto follower = nodes.others(nodes.elect())[0];
  const auto is_alive = [&] {
    const auto asked = nodes.put(follower, "a", "x");
    nodes.settle();
    return !asked->failed;
  };
  for (int i = 0; i < 3; ++i) {  // each in time
    const disk_steps::step slow{*nodes.node(follower).steps, nodes.now()};
    nodes.run_for(milliseconds{limits::storage_timeout_ms - 1000});
  }
  BOOST_TEST(is_alive());
  const disk_steps::step hung{*nodes.node(follower).steps, nodes.now()};
  nodes.run_for(milliseconds{limits::storage_timeout_ms - 1000});
  BOOST_TEST(is_alive());
  nodes.run_for(milliseconds{2000});
  BOOST_TEST(!is_alive());
}

BOOST_AUTO_TEST_CASE(a_leader_whose_disk_was_slow_for_a_moment_takes_writes_again) {
  auto settings = with_nodes(3);
  settings.disk_delay = milliseconds{2};
  checked_cluster nodes{settings};
  const auto first = nodes.elect();
  nodes.run_for(milliseconds{500});
  // Longer than T/2 there and back, shorter than T; and no follower is up to date.
  nodes.network().set_disk_delay(milliseconds{300}, milliseconds{350});
  auto slow = nodes.put(first, "slow", "x");
  BOOST_REQUIRE(nodes.run_until([&] { return slow->reply.has_value(); }, milliseconds{900}));
  nodes.network().set_disk_delay(milliseconds{1}, milliseconds{2});
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader().has_value(); }));
  asked_ptr<write_reply> again;
  BOOST_REQUIRE(nodes.run_until(
      [&] {
        if (!again || (again->reply && !recorded(again))) again = nodes.put(*nodes.leader(), "again", "x");
        return recorded(again);
      },
      milliseconds{2500}));
}

BOOST_AUTO_TEST_CASE(a_new_voter_that_has_not_heard_of_it_votes_for_who_brings_the_word) {
  checked_cluster nodes{joining(4, 1)};
  const auto first = first_leader(nodes);
  auto added = nodes.add(first, 3);
  BOOST_REQUIRE(nodes.run_until([&] { return done(added); }));
  BOOST_REQUIRE(nodes.run_until([&] { return votes(nodes, first, 3); }));
  nodes.cut_off(3);  // before the entry gets there
  BOOST_REQUIRE(learns(nodes, 3, 3));
  for (std::size_t i = 0; i < 3; ++i) BOOST_REQUIRE(nodes.run_until([&] { return votes(nodes, i, 3); }));
  nodes.stop(first);
  nodes.heal();
  // Three of four voters are left, and all three are needed.
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader().has_value() && *nodes.leader() != first; }));
  BOOST_REQUIRE(nodes.run_until([&] { return votes(nodes, 3, 3); }));
}

BOOST_AUTO_TEST_SUITE_END()
