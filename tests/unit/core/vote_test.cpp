#include "kaiku/core/vote.hpp"

#include <boost/test/unit_test.hpp>

#include "printing.hpp"

using namespace kaiku;

namespace {

const node_id a{"a"}, b{"b"};
const hard_state state{{5}, {}, {{4}, {10}}};

vote_request ballot(std::uint64_t in_term, log_position last = {{4}, {10}}, bool pre_vote = false) {
  return {a, {in_term}, last, pre_vote, false};
}

hard_state voted_for(const node_id& candidate) {
  return {{5}, candidate, {{4}, {10}}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(vote)

BOOST_AUTO_TEST_CASE(each_server_will_vote_for_at_most_one_candidate_in_a_given_term) {
  BOOST_TEST(!decide(voted_for(b), ballot(5)).granted);
  BOOST_TEST((decide(voted_for(b), ballot(5)).after == voted_for(b)));
}

BOOST_AUTO_TEST_CASE(first_come_first_served) {
  auto decision = decide(state, ballot(5));
  BOOST_TEST(decision.granted);
  BOOST_TEST((decision.after == voted_for(a)));
}

BOOST_AUTO_TEST_CASE(the_same_candidate_asking_again_is_granted_again) {
  auto decision = decide(voted_for(a), ballot(5));
  BOOST_TEST(decision.granted);
  BOOST_TEST((decision.after == voted_for(a)));
}

BOOST_AUTO_TEST_CASE(a_request_of_an_older_term_is_refused_and_changes_nothing) {
  auto decision = decide(state, ballot(4, {{4}, {99}}));
  BOOST_TEST(!decision.granted);
  BOOST_TEST((decision.after == state));
}

BOOST_AUTO_TEST_CASE(a_higher_term_is_taken_and_frees_the_vote) {
  auto decision = decide(voted_for(b), ballot(6));
  BOOST_TEST(decision.granted);
  BOOST_TEST(decision.after.current == term{6});
  BOOST_TEST(decision.after.voted_for == a);
}

BOOST_AUTO_TEST_CASE(a_higher_term_is_taken_even_when_the_vote_is_refused) {
  auto decision = decide(voted_for(b), ballot(6, {{4}, {9}}));
  BOOST_TEST(!decision.granted);
  BOOST_TEST(decision.after.current == term{6});
  BOOST_TEST(decision.after.voted_for == node_id{});
}

BOOST_AUTO_TEST_CASE(the_voter_denies_its_vote_if_its_own_log_is_more_up_to_date) {
  struct {
    log_position candidate;
    bool granted;
  } const table[] = {
      {{{4}, {10}}, true},   // equal
      {{{4}, {11}}, true},   // longer
      {{{4}, {9}}, false},   // shorter
      {{{5}, {1}}, true},    // a later term wins whatever the length
      {{{3}, {99}}, false},  // an earlier term loses whatever the length
  };
  for (const auto& row : table) {
    BOOST_TEST(decide(state, ballot(6, row.candidate)).granted == row.granted, row.candidate);
    BOOST_TEST(decide(state, ballot(6, row.candidate, true)).granted == row.granted, row.candidate);
  }
}

BOOST_AUTO_TEST_CASE(a_pre_vote_never_changes_the_state) {
  for (std::uint64_t in_term : {4, 5, 6, 9}) {
    auto decision = decide(voted_for(b), ballot(in_term, {{9}, {9}}, true));
    BOOST_TEST(decision.granted == (in_term > 5));
    BOOST_TEST((decision.after == voted_for(b)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
