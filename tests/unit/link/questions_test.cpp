#include "kaiku/link/questions.hpp"

#include <boost/test/unit_test.hpp>

namespace kaiku {

BOOST_AUTO_TEST_SUITE(link_questions)

BOOST_AUTO_TEST_CASE(are_answered_once) {
  questions x{8};
  x.note({1, 7});
  BOOST_TEST(!x.take({1, 8}));
  BOOST_TEST(!x.take({2, 7}));
  BOOST_TEST(x.take({1, 7}));
  BOOST_TEST(!x.take({1, 7}));
}

BOOST_AUTO_TEST_CASE(make_room_by_giving_up_the_oldest_whoever_asked_it) {
  questions x{3};
  x.note({9, 1});
  x.note({1, 1});
  x.note({5, 1});
  BOOST_TEST(x.take({1, 1}));
  x.note({2, 1});
  x.note({3, 1});
  BOOST_TEST(!x.take({9, 1}));
  for (caf::actor_id asker : {5, 2, 3}) BOOST_TEST(x.take({asker, 1}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku
