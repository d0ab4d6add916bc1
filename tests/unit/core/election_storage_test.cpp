// The seam between election and storage: persist, then send; and what happens while storage is thinking.

#include <boost/test/unit_test.hpp>

#include "election_harness.hpp"
#include "kaiku/core/election.hpp"

using namespace kaiku;
using namespace kaiku::election_test;

namespace {

/// The only thing a deadline does at first is to ask storage: that ballot.
vote_request asked(harness& x) {
  x.now = std::max(x.now, x.node.deadline());
  auto asks = all<effect::ask_storage>(x.node.on_deadline(x.now));
  BOOST_REQUIRE(asks.size() == 1u);
  return asks[0].ballot;
}

/// The pre-vote is won; the real ballot is with storage.
vote_request asked_for_real(harness& x) {
  x.time_out();
  auto asks = all<effect::ask_storage>(x.node.on_vote_reply(x.now, {id('b'), {6}, {5}, true, true}));
  BOOST_REQUIRE(asks.size() == 1u);
  return asks[0].ballot;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(election_and_storage)

BOOST_AUTO_TEST_CASE(a_vote_request_leaves_only_after_the_own_vote_is_durable) {
  harness x;
  x.time_out();
  auto effects = x.node.on_vote_reply(x.now, {id('b'), {6}, {5}, true, true});
  BOOST_TEST(count<effect::send_vote_request>(effects) == 0u);
  BOOST_TEST(x.node.current_term() == term{5});
  BOOST_TEST(count<effect::send_vote_request>(x.with_storage(effects)) == 2u);
}

BOOST_AUTO_TEST_CASE(a_vote_is_told_only_after_storage_decided) {
  harness x;
  const vote_request request{id('b'), {6}, log_end};
  auto effects = x.node.on_vote_request(x.now, request);
  BOOST_TEST(count<effect::send_vote_reply>(effects) == 0u);
  auto asks = all<effect::ask_storage>(effects);
  BOOST_REQUIRE(asks.size() == 1u);
  BOOST_TEST((asks[0].ballot == request));
  auto replies = all<effect::send_vote_reply>(x.with_storage(effects));
  BOOST_REQUIRE(replies.size() == 1u);
  BOOST_TEST((replies[0].reply == vote_reply{id('a'), {6}, {6}, false, true}));
  BOOST_TEST(x.disk.voted_for == id('b'));
}

BOOST_AUTO_TEST_CASE(what_storage_refuses_is_refused) {
  harness x("abc", {{6}, id('c'), log_end});
  auto replies = all<effect::send_vote_reply>(
      x.with_storage(x.node.on_vote_request(x.now, {id('b'), {6}, log_end, false, false})));
  BOOST_REQUIRE(replies.size() == 1u);
  BOOST_TEST((replies[0].reply == vote_reply{id('a'), {6}, {6}, false, false}));
}

BOOST_AUTO_TEST_CASE(the_end_of_the_log_comes_fresh_from_storage) {
  harness x;
  x.disk.last = {{5}, {42}};  // appended since; nobody told the election
  for (const auto& sent : all<effect::send_vote_request>(x.time_out()))
    BOOST_TEST(sent.request.last == (log_position{{5}, {42}}));
  x.disk.last = {{5}, {43}};
  auto sent = all<effect::send_vote_request>(x.reply('b', true));
  BOOST_REQUIRE(sent.size() == 2u);
  BOOST_TEST(sent[0].request.last == (log_position{{5}, {43}}));
}

BOOST_AUTO_TEST_CASE(granting_a_vote_puts_off_the_own_campaign) {
  harness x;
  x.pass(timeout * 9 / 10);
  x.with_storage(x.node.on_vote_request(x.now, {id('b'), {6}, log_end}));
  BOOST_TEST(x.node.deadline() - x.now >= timeout);
}

BOOST_AUTO_TEST_CASE(granting_a_pre_vote_changes_nothing_at_the_voter) {
  harness x;
  const auto deadline = x.node.deadline();
  const auto before = x.disk;
  auto effects = x.with_storage(x.node.on_vote_request(x.now, {id('b'), {6}, log_end, true, false}));
  BOOST_TEST(effects.size() == 1u);
  BOOST_TEST(all<effect::send_vote_reply>(effects).at(0).reply.granted);
  BOOST_TEST((x.disk == before));
  BOOST_TEST(x.node.deadline() == deadline);
  BOOST_TEST(x.node.current_term() == term{5});
}

BOOST_AUTO_TEST_CASE(voting_for_another_ends_the_own_campaign) {
  harness x;
  x.become_candidate();
  x.with_storage(x.node.on_vote_request(x.now, {id('c'), {7}, log_end}));
  BOOST_TEST(x.node.current_role() == role::follower);
  BOOST_TEST(x.node.current_term() == term{7});
}

BOOST_AUTO_TEST_CASE(an_own_decision_that_comes_when_the_campaign_is_over_sends_nothing) {
  harness x;
  const auto ballot = asked(x);
  x.node.on_leader_contact(x.now, id('c'), {5});
  BOOST_TEST(x.node.on_vote_decision(x.now, ballot, decide(x.disk, ballot)).empty());
  BOOST_TEST(x.node.current_role() == role::follower);
}

BOOST_AUTO_TEST_CASE(a_stale_own_vote_that_became_durable_is_followed) {
  harness x;
  const auto ballot = asked_for_real(x);
  x.node.on_leader_contact(x.now, id('c'), {6});
  auto effects = x.node.on_vote_decision(x.now, ballot, {true, {{6}, id('a'), log_end}});
  BOOST_TEST(effects.empty());
  BOOST_TEST(x.node.leader() == id('c'));
  BOOST_TEST(x.node.current_role() == role::follower);
}

BOOST_AUTO_TEST_CASE(an_own_decision_which_shows_a_higher_term_is_followed) {
  for (bool for_real : {false, true}) {
    harness x;
    const auto ballot = for_real ? asked_for_real(x) : asked(x);
    x.disk = {{9}, {}, log_end};
    auto effects = x.node.on_vote_decision(x.now, ballot, decide(x.disk, ballot));
    BOOST_TEST(count<effect::send_vote_request>(effects) == 0u);
    BOOST_TEST(x.node.current_role() == role::follower);
    BOOST_TEST(x.node.current_term() == term{9});
    BOOST_TEST(x.node.deadline() - x.now <= timeout / 2);  // it still wants a leader
  }
}

BOOST_AUTO_TEST_CASE(an_own_vote_that_storage_gave_to_another_ends_the_campaign) {
  harness x;
  const auto ballot = asked_for_real(x);
  x.disk = {{6}, id('c'), log_end};
  x.node.on_vote_decision(x.now, ballot, decide(x.disk, ballot));
  BOOST_TEST(x.node.current_role() == role::follower);
  BOOST_TEST(x.node.current_term() == term{6});
}

BOOST_AUTO_TEST_CASE(while_the_vote_is_being_written_the_leader_of_the_old_term_is_not_followed) {
  harness x;
  const auto ballot = asked_for_real(x);
  BOOST_TEST(x.node.on_leader_contact(x.now, id('c'), {5}).empty());
  auto effects = x.node.on_vote_decision(x.now, ballot, decide(x.disk, ballot));
  BOOST_TEST(count<effect::send_vote_request>(effects) == 2u);
}

BOOST_AUTO_TEST_CASE(a_slow_disk_is_given_one_own_ballot_at_a_time) {
  harness x;
  const auto ballot = asked(x);
  for (int i = 0; i < 10; ++i) BOOST_TEST(x.time_out().empty());
  auto effects = x.node.on_vote_decision(x.now, ballot, decide(x.disk, ballot));
  BOOST_TEST(count<effect::send_vote_request>(effects) == 2u);
}

BOOST_AUTO_TEST_CASE(votes_are_not_counted_before_the_own_one_is_durable) {
  harness x;
  const auto ballot = asked_for_real(x);
  x.node.on_vote_reply(x.now, {id('b'), {6}, {6}, false, true});
  x.node.on_vote_reply(x.now, {id('c'), {6}, {6}, false, true});
  BOOST_TEST(x.node.current_role() != role::leader);
}

BOOST_AUTO_TEST_SUITE_END()
