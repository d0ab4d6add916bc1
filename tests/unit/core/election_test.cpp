#include "kaiku/core/election.hpp"

#include <boost/test/unit_test.hpp>

#include "election_harness.hpp"
#include "kaiku/core/limits.hpp"

using namespace kaiku;
using namespace kaiku::election_test;
using std::chrono::microseconds;

BOOST_AUTO_TEST_SUITE(elections)

// --- timers -------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(election_timeouts_are_chosen_randomly_from_a_fixed_interval) {
  for (int chance : {0, 1}) {
    harness x;
    x.chance = chance;
    x.node.on_leader_contact(x.now, id('b'), {5});
    const auto wait = x.node.deadline() - x.now;
    BOOST_TEST(wait >= timeout);
    BOOST_TEST(wait <= 2 * timeout);
    BOOST_TEST((wait > timeout * 3 / 2) == (chance == 1));
  }
}

BOOST_AUTO_TEST_CASE(a_server_remains_follower_as_long_as_it_receives_valid_messages_from_a_leader) {
  harness x;
  for (int i = 0; i < 20; ++i) {
    x.pass(timeout * 9 / 10);
    BOOST_TEST(x.node.on_deadline(x.now).empty());
    x.node.on_leader_contact(x.now, id('b'), {5});
  }
  BOOST_TEST(x.node.current_role() == role::follower);
  BOOST_TEST(x.node.leader() == id('b'));
}

BOOST_AUTO_TEST_CASE(a_single_voter_elects_itself_at_once) {
  harness x("a");
  BOOST_TEST(x.node.deadline() == x.now);
  x.time_out();
  BOOST_TEST(x.node.current_role() == role::leader);
  BOOST_TEST(x.disk.current == term{6});
  BOOST_TEST(x.disk.voted_for == id('a'));
}

BOOST_AUTO_TEST_CASE(a_non_voter_never_campaigns_but_is_asked_for_its_vote_by_who_counts_it) {
  harness x("bcd");
  BOOST_TEST(x.node.deadline() == instant::max());
  x.node.on_leader_contact(x.now, id('b'), {5});
  BOOST_TEST(x.node.deadline() == instant::max());
  BOOST_TEST(x.node.on_timeout_now(x.now, {5}).empty());
  x.pass(10 * timeout);
  // It may be a voter by an entry that has not reached it.
  BOOST_TEST(x.node.on_vote_request(x.now, {id('c'), {6}, log_end}).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_split_vote_is_retried_after_a_short_random_pause) {
  for (int chance : {0, 1}) {
    harness x;
    x.chance = chance;
    x.become_candidate();
    x.reply('b', false, false);
    const auto pause = x.node.deadline() - x.now;
    BOOST_TEST(pause >= timeout / 10);
    BOOST_TEST(pause <= timeout / 2);
    x.time_out();
    BOOST_TEST(x.node.current_role() == role::pre_candidate);
    x.reply('b', true);
    BOOST_TEST(x.disk.current == term{7});
  }
}

// --- campaigns ----------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(pre_vote_asks_at_the_next_term_without_taking_it) {
  harness x;
  const auto before = x.disk;
  auto sent = all<effect::send_vote_request>(x.time_out());
  BOOST_REQUIRE(sent.size() == 2u);
  BOOST_TEST(sent[0].to == id('b'));
  BOOST_TEST(sent[1].to == id('c'));
  BOOST_TEST((sent[0].request == vote_request{id('a'), {6}, log_end, true, false}));
  BOOST_TEST((x.disk == before));
  BOOST_TEST(x.node.current_role() == role::pre_candidate);
  BOOST_TEST(x.node.current_term() == term{5});
}

BOOST_AUTO_TEST_CASE(a_pre_vote_majority_begins_the_real_campaign) {
  harness x;
  x.time_out();
  auto sent = all<effect::send_vote_request>(x.reply('c', true));
  BOOST_REQUIRE(sent.size() == 2u);
  BOOST_TEST((sent[0].request == vote_request{id('a'), {6}, log_end, false, false}));
  BOOST_TEST(x.node.current_role() == role::candidate);
  BOOST_TEST(x.node.current_term() == term{6});
  BOOST_TEST((x.disk == hard_state{{6}, id('a'), log_end}));
}

BOOST_AUTO_TEST_CASE(a_candidate_wins_with_votes_from_a_majority_of_the_servers) {
  harness x("abcde");
  x.time_out();
  x.reply('b', true);
  x.reply('c', true);
  x.reply('b', false);
  BOOST_TEST(x.node.current_role() == role::candidate);
  auto told = all<effect::announce>(x.reply('d', false));
  BOOST_REQUIRE(told.size() == 1u);
  BOOST_TEST((told[0].change == role_change{role::leader, {6}, id('a'), told[0].change.asked_at}));
  BOOST_TEST(x.node.deadline() == instant::max());
}

BOOST_AUTO_TEST_CASE(a_voter_is_counted_once_however_often_it_answers) {
  harness x("abcde");
  x.time_out();
  for (int i = 0; i < 5; ++i) x.reply('b', true);
  BOOST_TEST(x.node.current_role() == role::pre_candidate);
}

BOOST_AUTO_TEST_CASE(who_is_not_a_voter_is_not_counted) {
  harness x("abcde");
  x.time_out();
  x.reply('b', true);
  x.reply('z', true);
  BOOST_TEST(x.node.current_role() == role::pre_candidate);
}

BOOST_AUTO_TEST_CASE(replies_of_another_term_or_another_kind_of_campaign_are_dropped) {
  harness x;
  x.time_out();
  const auto ignored = [&](vote_reply reply) { return x.node.on_vote_reply(x.now, reply).empty(); };
  BOOST_TEST(ignored({id('b'), {5}, {5}, true, true}));
  BOOST_TEST(ignored({id('b'), {7}, {5}, true, true}));
  BOOST_TEST(ignored({id('b'), {6}, {5}, false, true}));
  BOOST_TEST(x.node.current_role() == role::pre_candidate);
  x.reply('b', true);
  BOOST_TEST(ignored({id('b'), {6}, {5}, true, true}));
  BOOST_TEST(x.node.current_role() == role::candidate);
}

BOOST_AUTO_TEST_CASE(a_vote_that_comes_when_the_campaign_is_over_elects_nobody) {
  harness x;
  x.become_candidate();
  x.node.on_leader_contact(x.now, id('c'), {6});
  x.reply('b', false);
  BOOST_TEST(x.node.current_role() == role::follower);
}

BOOST_AUTO_TEST_CASE(a_candidate_that_hears_a_leader_of_its_term_returns_to_follower_state) {
  harness x;
  x.become_candidate();
  auto told = all<effect::announce>(x.node.on_leader_contact(x.now, id('c'), {6}));
  BOOST_REQUIRE(told.size() == 1u);
  BOOST_TEST((told[0].change == role_change{role::follower, {6}, id('c')}));
}

BOOST_AUTO_TEST_CASE(a_pre_candidate_that_hears_its_leader_again_returns_to_follower_state) {
  harness x;
  x.time_out();
  x.node.on_leader_contact(x.now, id('c'), {5});
  BOOST_TEST(x.node.current_role() == role::follower);
  x.reply('b', true);
  BOOST_TEST(x.node.current_role() == role::follower);
}

BOOST_AUTO_TEST_CASE(a_leader_with_a_smaller_term_is_rejected) {
  harness x;
  x.become_candidate();
  BOOST_TEST(x.node.on_leader_contact(x.now, id('c'), {5}).empty());
  BOOST_TEST(x.node.current_role() == role::candidate);
}

// --- stickiness, check-quorum, transfer ---------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_server_does_not_grant_its_vote_within_the_timeout_of_hearing_from_a_current_leader) {
  for (bool pre_vote : {true, false}) {
    harness x;
    x.node.on_leader_contact(x.now, id('b'), {5});
    x.pass(timeout - milliseconds{1});
    const vote_request request{id('c'), {6}, log_end, pre_vote, false};
    auto effects = x.node.on_vote_request(x.now, request);
    BOOST_TEST(count<effect::ask_storage>(effects) == 0u);
    auto replies = all<effect::send_vote_reply>(effects);
    BOOST_REQUIRE(replies.size() == 1u);
    BOOST_TEST(replies[0].to == id('c'));
    BOOST_TEST((replies[0].reply == vote_reply{id('a'), {6}, {5}, pre_vote, false}));
    x.pass(milliseconds{1});
    BOOST_TEST(count<effect::ask_storage>(x.node.on_vote_request(x.now, request)) == 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_leader_refuses_its_rivals_while_it_leads) {
  harness x;
  x.become_leader();
  x.pass(10 * timeout);
  auto effects = x.node.on_vote_request(x.now, {id('c'), {9}, log_end, false, false});
  BOOST_TEST(count<effect::ask_storage>(effects) == 0u);
  BOOST_TEST(count<effect::send_vote_reply>(effects) == 1u);
}

BOOST_AUTO_TEST_CASE(a_leadership_transfer_overrides_stickiness) {
  harness x;
  x.node.on_leader_contact(x.now, id('b'), {5});
  auto replies =
      all<effect::send_vote_reply>(x.with_storage(x.node.on_vote_request(x.now, {id('c'), {6}, log_end, false, true})));
  BOOST_REQUIRE(replies.size() == 1u);
  BOOST_TEST(replies[0].reply.granted);
}

BOOST_AUTO_TEST_CASE(a_leader_steps_down_if_an_election_timeout_elapses_without_a_majority) {
  harness x;
  x.become_leader();
  BOOST_TEST(x.node.on_quorum_lost(x.now, {5}).empty());  // word about an earlier leadership
  auto told = all<effect::announce>(x.node.on_quorum_lost(x.now, {6}));
  BOOST_REQUIRE(told.size() == 1u);
  BOOST_TEST((told[0].change == role_change{role::follower, {6}, {}}));
  BOOST_TEST(x.node.deadline() - x.now >= timeout);
}

BOOST_AUTO_TEST_CASE(timeout_now_begins_a_real_campaign_without_pre_vote) {
  harness x;
  x.node.on_leader_contact(x.now, id('b'), {5});
  auto sent = all<effect::send_vote_request>(x.with_storage(x.node.on_timeout_now(x.now, {5})));
  BOOST_REQUIRE(sent.size() == 2u);
  BOOST_TEST((sent[0].request == vote_request{id('a'), {6}, log_end, false, true}));
}

BOOST_AUTO_TEST_CASE(timeout_now_of_another_term_or_to_a_leader_is_ignored) {
  harness x;
  BOOST_TEST(x.node.on_timeout_now(x.now, {4}).empty());
  BOOST_TEST(x.node.on_timeout_now(x.now, {6}).empty());
  x.become_leader();
  BOOST_TEST(x.node.on_timeout_now(x.now, {6}).empty());
}

// --- higher terms -------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_leader_that_discovers_that_its_term_is_out_of_date_reverts_to_follower_state) {
  harness x;
  x.become_leader();
  auto effects = x.node.on_higher_term(x.now, {9});
  BOOST_TEST(x.node.current_role() == role::follower);
  BOOST_TEST(x.node.current_term() == term{6});  // 9 is not on the disk yet
  auto adopt = all<effect::adopt_term>(effects);
  BOOST_REQUIRE(adopt.size() == 1u);
  BOOST_TEST(adopt[0].in_term == term{9});
  x.with_storage(effects);
  BOOST_TEST(x.node.current_term() == term{9});
}

BOOST_AUTO_TEST_CASE(storage_is_asked_once_to_adopt_a_term_however_many_answers_carry_it) {
  harness x;
  BOOST_TEST(count<effect::adopt_term>(x.node.on_higher_term(x.now, {9})) == 1u);
  BOOST_TEST(count<effect::adopt_term>(x.node.on_higher_term(x.now, {9})) == 0u);
  BOOST_TEST(count<effect::adopt_term>(x.node.on_higher_term(x.now, {8})) == 0u);
  BOOST_TEST(count<effect::adopt_term>(x.node.on_higher_term(x.now, {10})) == 1u);
  BOOST_TEST(x.node.on_higher_term(x.now, {5}).empty());
}

BOOST_AUTO_TEST_CASE(a_refusal_with_a_higher_term_makes_the_candidate_stand_back) {
  harness x;
  x.become_candidate();
  x.with_storage(x.node.on_vote_reply(x.now, {id('b'), {6}, {8}, false, false}));
  BOOST_TEST(x.node.current_role() == role::follower);
  BOOST_TEST(x.node.current_term() == term{8});
  BOOST_TEST(x.disk.current == term{8});
}

BOOST_AUTO_TEST_CASE(an_append_of_a_higher_term_ends_leadership) {
  harness x;
  x.become_leader();
  x.node.on_hard_state(x.now, {{7}, {}, log_end});
  BOOST_TEST(x.node.current_role() == role::follower);
  auto told = all<effect::announce>(x.node.on_leader_contact(x.now, id('c'), {7}));
  BOOST_REQUIRE(told.size() == 1u);
  BOOST_TEST((told[0].change == role_change{role::follower, {7}, id('c')}));
}

BOOST_AUTO_TEST_CASE(learning_a_term_alone_does_not_put_off_a_followers_campaign) {
  harness x;
  const auto deadline = x.node.deadline();
  x.pass(timeout / 2);
  x.with_storage(x.node.on_higher_term(x.now, {9}));
  x.with_storage(x.node.on_vote_request(x.now, {id('b'), {10}, {{1}, {1}}, false, false}));  // refused
  BOOST_TEST(x.node.current_term() == term{10});
  BOOST_TEST(x.node.deadline() == deadline);
}

constexpr term last_there_is{limits::peer_counter};

BOOST_AUTO_TEST_CASE(a_ballot_far_ahead_gets_no_vote_and_takes_the_term_one_step_ahead) {
  harness x;
  const auto effects = x.node.on_vote_request(x.now, {id('b'), last_there_is, log_end, false, true});
  BOOST_REQUIRE(effects.size() == 1u);
  BOOST_TEST((all<effect::adopt_term>(effects).at(0).in_term == term{5 + limits::term_leap}));
  x.with_storage(effects);
  BOOST_TEST((x.node.current_term() == term{5 + limits::term_leap}));
  BOOST_TEST(x.node.on_vote_request(x.now, {id('b'), last_there_is, log_end, true, false}).empty());
}

BOOST_AUTO_TEST_CASE(a_leader_far_ahead_is_followed_once_the_term_has_come_near_it) {
  harness x;
  const term theirs{5 + 3 * limits::term_leap + 7};
  for (int step = 1; step <= 3; ++step) {
    x.with_storage(x.node.on_leader_contact(x.now, id('b'), theirs));
    BOOST_TEST((x.node.current_term() == term{5 + static_cast<std::uint64_t>(step) * limits::term_leap}));
    BOOST_TEST(x.node.leader().name.empty());
  }
  x.with_storage(x.node.on_leader_contact(x.now, id('b'), theirs));
  BOOST_TEST((x.node.current_term() == theirs));
  BOOST_TEST((x.node.leader() == id('b')));
}

BOOST_AUTO_TEST_CASE(answers_far_ahead_take_the_term_one_step_ahead) {
  harness x;
  x.become_candidate();
  x.with_storage(x.node.on_vote_reply(x.now, {id('b'), {6}, last_there_is, false, false}));
  BOOST_TEST((x.disk.current == term{6 + limits::term_leap}));
  x.with_storage(x.node.on_higher_term(x.now, last_there_is));
  BOOST_TEST((x.disk.current == term{6 + 2 * limits::term_leap}));
}

// --- what is told -------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_change_is_announced_once_and_only_when_there_is_one) {
  harness x;
  BOOST_TEST(count<effect::announce>(x.node.on_leader_contact(x.now, id('b'), {5})) == 1u);
  BOOST_TEST(count<effect::announce>(x.node.on_leader_contact(x.now, id('b'), {5})) == 0u);
  BOOST_TEST(count<effect::announce>(x.node.on_leader_contact(x.now, id('b'), {6})) == 1u);
  BOOST_TEST(count<effect::announce>(x.node.on_hard_state(x.now, {{6}, {}, log_end})) == 0u);
  BOOST_TEST(count<effect::announce>(x.node.on_quorum_lost(x.now, {6})) == 0u);
}

BOOST_AUTO_TEST_CASE(two_leaders_in_one_term_stop_the_node) {
  throw_on_invariant_violation(true);
  harness x;
  x.become_leader();
  BOOST_CHECK_THROW(x.node.on_leader_contact(x.now, id('c'), {6}), std::logic_error);
  throw_on_invariant_violation(false);
}

// --- membership ---------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(ballots_of_the_old_configuration_elect_nobody_in_the_new_one) {
  harness x("abc");
  x.become_candidate();
  x.node.on_voters(x.now, ids("abcde"));
  BOOST_TEST(x.node.current_role() == role::follower);
  x.reply('b', false);
  BOOST_TEST(x.node.current_role() == role::follower);
}

BOOST_AUTO_TEST_CASE(a_node_that_becomes_a_voter_begins_to_wait_and_one_that_stops_no_longer_does) {
  harness x("bc");
  x.node.on_voters(x.now, ids("abc"));
  BOOST_TEST(x.node.deadline() - x.now >= timeout);
  x.node.on_voters(x.now, ids("bc"));
  BOOST_TEST(x.node.deadline() == instant::max());
}

BOOST_AUTO_TEST_CASE(a_new_disk_neither_campaigns_nor_votes_while_its_log_names_the_old_one) {
  harness x("abc");
  x.node.on_voters(x.now, ids("abc"), true);
  BOOST_TEST(x.node.deadline() == instant::max());
  x.node.on_timeout_now(x.now, x.node.current_term());
  BOOST_TEST(x.node.current_role() == role::follower);
  const auto effects = x.node.on_vote_request(x.now, {id('b'), {9}, {{8}, {20}}, false, false});
  BOOST_REQUIRE(effects.size() == 1u);
  const auto* answer = std::get_if<effect::send_vote_reply>(&effects.front());
  BOOST_REQUIRE(answer != nullptr);
  BOOST_TEST(!answer->reply.granted);
  // It does both from the entry on that names it, also as a learner that is asked.
  x.node.on_voters(x.now, ids("bc"), false);
  const auto later = x.node.on_vote_request(x.now, {id('b'), {9}, {{8}, {20}}, false, false});
  BOOST_TEST(std::holds_alternative<effect::ask_storage>(later.at(0)));
}

BOOST_AUTO_TEST_CASE(a_vote_that_storage_grants_is_not_sent_when_the_disk_turns_out_to_be_new_meanwhile) {
  for (const bool replaced : {false, true}) {
    harness x;
    const auto asked = x.node.on_vote_request(x.now, {id('b'), {9}, {{8}, {20}}, false, false});
    x.node.on_voters(x.now, ids("abc"), replaced);
    const auto answer = all<effect::send_vote_reply>(x.with_storage(asked));
    BOOST_REQUIRE(answer.size() == 1u);
    BOOST_TEST(answer[0].reply.granted != replaced);
  }
}

BOOST_AUTO_TEST_CASE(a_cluster_is_founded_by_those_who_were_told_to_and_by_nobody_else) {
  const vote_request founds{id('b'), {6}, {}, true, false}, leads{id('b'), {6}, {{1}, {1}}, true, false};
  const hard_state fresh{{5}, {}, {}};
  for (const std::string told : {"abc", ""}) {
    harness x(told, fresh);
    const auto answer = all<effect::send_vote_reply>(x.with_storage(x.node.on_vote_request(x.now, founds)));
    BOOST_REQUIRE(answer.size() == 1u);
    BOOST_TEST(answer[0].reply.granted == !told.empty());
    const auto later = all<effect::send_vote_reply>(x.with_storage(x.node.on_vote_request(x.now, leads)));
    BOOST_REQUIRE(later.size() == 1u);
    BOOST_TEST(later[0].reply.granted);
  }
}

BOOST_AUTO_TEST_SUITE_END()
