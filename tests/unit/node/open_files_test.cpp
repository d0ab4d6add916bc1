#include <boost/test/unit_test.hpp>

#include "kaiku/core/limits.hpp"
#include "kaiku/node/open_files.hpp"

BOOST_AUTO_TEST_SUITE(open_files)

using kaiku::connections_within;
using kaiku::limits::node_files;

BOOST_AUTO_TEST_CASE(leave_room_for_the_node_and_for_a_file_of_each_request) {
  BOOST_TEST(connections_within(1'048'576, 10'000, 2048) == 10'000u);
  BOOST_TEST(connections_within(node_files + 2048 + 10'000, 10'000, 2048) == 10'000u);
  BOOST_TEST(connections_within(node_files + 2048 + 9'000, 10'000, 2048) == 9'000u);
  // Fewer connections than requests may be under way.
  BOOST_TEST(connections_within(node_files + 3000, 10'000, 2048) == 1500u);
  BOOST_TEST(connections_within(node_files + 3000, 100, 2048) == 100u);
}

BOOST_AUTO_TEST_CASE(leave_somebody_in_however_few_there_are) {
  BOOST_TEST(connections_within(1024, 10'000, 2048) == 128u);
  BOOST_TEST(connections_within(20, 10'000, 2048) == 2u);
  BOOST_TEST(connections_within(0, 10'000, 2048) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
