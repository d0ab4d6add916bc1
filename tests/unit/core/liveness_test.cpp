#include "kaiku/core/liveness.hpp"

#include <boost/test/unit_test.hpp>

#include "kaiku/core/limits.hpp"
#include "printing.hpp"

using namespace kaiku;

namespace {

const node_id a{"a"}, b{"b"}, c{"c"}, d{"d"}, e{"e"};
const instant start{std::chrono::hours{1}};

instant at(int ms) {
  return start + milliseconds{ms};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(livenesses)

BOOST_AUTO_TEST_CASE(alone_in_the_cluster_the_quorum_is_always_there) {
  liveness x(a, {a});
  x.begin_leading(at(0));
  BOOST_TEST(x.quorum_contact(at(5000)) == at(5000));
}

BOOST_AUTO_TEST_CASE(quorum_is_counted_from_answers_never_from_sends) {
  liveness x(a, {a, b, c});
  x.begin_leading(at(0));
  for (int i = 1; i < 10; ++i) x.begin_round(at(i * 100));
  BOOST_TEST(x.quorum_contact(at(1000)) == at(0));
}

BOOST_AUTO_TEST_CASE(contact_is_when_the_answered_round_was_sent_not_when_the_answer_came) {
  liveness x(a, {a, b, c});
  x.begin_leading(at(0));
  auto round = x.begin_round(at(100));
  x.begin_round(at(200));
  x.on_reply(at(250), b, round);
  BOOST_TEST(x.quorum_contact(at(300)) == at(100));
  BOOST_TEST((x.peers().at(b).last_heard == at(250)));
  BOOST_TEST(x.peers().at(b).round_trip == milliseconds{150});
}

BOOST_AUTO_TEST_CASE(contact_is_the_majority_th_latest_of_five) {
  liveness x(a, {a, b, c, d, e});
  x.begin_leading(at(0));
  auto first = x.begin_round(at(100)), second = x.begin_round(at(200)), third = x.begin_round(at(300));
  x.on_reply(at(310), b, third);
  BOOST_TEST(x.quorum_contact(at(400)) == at(0));  // a, b
  x.on_reply(at(320), c, first);
  BOOST_TEST(x.quorum_contact(at(400)) == at(100));  // a, b, c
  x.on_reply(at(330), d, second);
  BOOST_TEST(x.quorum_contact(at(400)) == at(200));
  x.on_reply(at(340), e, third);
  BOOST_TEST(x.quorum_contact(at(400)) == at(300));
}

BOOST_AUTO_TEST_CASE(a_late_answer_to_an_early_round_never_moves_contact_back) {
  liveness x(a, {a, b, c});
  x.begin_leading(at(0));
  auto first = x.begin_round(at(100)), second = x.begin_round(at(200));
  x.on_reply(at(210), b, second);
  x.on_reply(at(220), b, first);
  BOOST_TEST(x.quorum_contact(at(300)) == at(200));
}

BOOST_AUTO_TEST_CASE(answers_to_an_earlier_leadership_do_not_count_in_the_next) {
  liveness x(a, {a, b, c});
  x.begin_leading(at(0));
  auto old_round = x.begin_round(at(100));
  x.on_reply(at(110), b, old_round);
  x.begin_leading(at(1000));
  BOOST_TEST(x.quorum_contact(at(1100)) == at(1000));
  x.on_reply(at(1200), c, old_round);
  BOOST_TEST(x.quorum_contact(at(1300)) == at(1000));
  BOOST_TEST((x.peers().at(c).last_heard == at(1200)));
}

BOOST_AUTO_TEST_CASE(strangers_and_invented_rounds_count_as_heard_but_not_for_the_quorum) {
  liveness x(a, {a, b, c});
  x.begin_leading(at(0));
  auto round = x.begin_round(at(100));
  x.on_reply(at(110), d, round);
  x.on_reply(at(120), b, round + 7);
  x.on_reply(at(130), a, round);
  BOOST_TEST(x.quorum_contact(at(200)) == at(0));
  BOOST_TEST((x.peers().at(d).last_heard == at(110)));
  BOOST_TEST((x.peers().at(b).last_heard == at(120)));
  BOOST_TEST(!x.peers().contains(a));
}

BOOST_AUTO_TEST_CASE(rounds_and_peers_are_bounded) {
  liveness x(a, {a, b, c});
  x.begin_leading(at(0));
  auto first = x.begin_round(at(1));
  for (std::size_t i = 0; i < liveness::rounds_remembered; ++i) x.begin_round(at(2));
  x.on_reply(at(3), b, first);
  BOOST_TEST(x.quorum_contact(at(4)) == at(0));
  for (int i = 0; i < 100; ++i) x.on_leader(at(5), {"stranger" + std::to_string(i)});
  BOOST_TEST(x.peers().size() <= limits::members);
}

BOOST_AUTO_TEST_CASE(a_follower_knows_when_it_heard_its_leader) {
  liveness x(a, {a, b, c});
  BOOST_TEST(!x.peers().at(b).last_heard.has_value());
  x.on_leader(at(77), b);
  BOOST_TEST((x.peers().at(b).last_heard == at(77)));
}

BOOST_AUTO_TEST_CASE(a_changed_membership_counts_at_once) {
  liveness x(a, {a, b, c});
  x.begin_leading(at(0));
  auto round = x.begin_round(at(100));
  x.on_reply(at(110), b, round);
  BOOST_TEST(x.quorum_contact(at(200)) == at(100));
  x.set_voters({a, b, c, d, e});
  BOOST_TEST(x.quorum_contact(at(200)) == at(0));
  x.set_voters({a, c});
  BOOST_TEST(x.quorum_contact(at(200)) == at(0));
  BOOST_TEST(!x.peers().contains(b));
}

BOOST_AUTO_TEST_SUITE_END()
