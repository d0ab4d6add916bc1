#include "kaiku/core/ids.hpp"

#include <boost/test/unit_test.hpp>

#include "kaiku/core/decimal.hpp"
#include "printing.hpp"

using namespace kaiku;

BOOST_AUTO_TEST_SUITE(ids)

BOOST_AUTO_TEST_CASE(member_names_are_dns_labels_or_pod_names) {
  for (auto good : {"a", "0", "n1", "kaiku-0.kaiku", "a--b", "a."}) BOOST_TEST(is_valid_node_name(good), good);
  BOOST_TEST(is_valid_node_name(std::string(63, 'a')));
  for (auto bad : {"", "-a", ".a", "A", "n_1", "n 1", "n/1", "n\n", "\xc3\xa4"})
    BOOST_TEST(!is_valid_node_name(bad), bad);
  BOOST_TEST(!is_valid_node_name(std::string(64, 'a')));
}

BOOST_AUTO_TEST_CASE(positions_order_by_term_and_then_by_index) {
  BOOST_TEST((log_position{{2}, {1}}) > (log_position{{1}, {9}}));
  BOOST_TEST((log_position{{2}, {3}}) > (log_position{{2}, {2}}));
  BOOST_TEST((log_position{}) == (log_position{{0}, {0}}));
}

BOOST_AUTO_TEST_CASE(a_counter_steps_and_stops_at_zero) {
  BOOST_TEST(log_index{4}.next() == log_index{5});
  BOOST_TEST(log_index{4}.previous() == log_index{3});
  BOOST_TEST(log_index{0}.previous() == log_index{0});
}

BOOST_AUTO_TEST_CASE(decimals_are_digits_and_nothing_else) {
  std::uint8_t small = 7;
  for (auto bad : {"", " 1", "1 ", "+1", "-1", "0x1", "256"}) BOOST_TEST(!read_decimal(bad, small), bad);
  BOOST_TEST(small == 7);
  BOOST_TEST(read_decimal("255", small));
  BOOST_TEST(small == 255);
  std::int64_t time = 0;
  BOOST_TEST(read_decimal("-5", time));
  BOOST_TEST(time == -5);
}

BOOST_AUTO_TEST_CASE(versions_read_back_as_they_were_written) {
  log_position x;
  BOOST_TEST(read_version(write_version({{3}, {40}}), x));
  BOOST_TEST((x == log_position{{3}, {40}}));
  for (auto bad : {"", "3", ".", "3.", ".40", "3.40.5", "3.-4"}) BOOST_TEST(!read_version(bad, x), bad);
}

BOOST_AUTO_TEST_CASE(hexadecimal_reads_back_what_it_wrote) {
  digest x;
  for (std::size_t i = 0; i < x.bytes.size(); ++i) x.bytes[i] = static_cast<std::uint8_t>(i * 8 + 7);
  digest y;
  BOOST_TEST(from_hex(to_string(x), y.bytes.data(), y.bytes.size()));
  BOOST_TEST((x == y));
  BOOST_TEST(to_string(x).substr(0, 6) == "070f17");
}

BOOST_AUTO_TEST_CASE(hexadecimal_of_the_wrong_length_or_alphabet_is_refused) {
  std::uint8_t bytes[2];
  BOOST_TEST(from_hex("AbCd", bytes, 2));
  BOOST_TEST(int{bytes[0]} == 0xab);
  for (auto bad : {"", "abc", "abcde", "abcg", "ab d", "-bcd"}) BOOST_TEST(!from_hex(bad, bytes, 2), bad);
}

BOOST_AUTO_TEST_CASE(an_all_zero_identity_is_not_known) {
  cluster_id id;
  BOOST_TEST(!id.known());
  id.bytes[15] = 1;
  BOOST_TEST(id.known());
  BOOST_TEST(to_string(id) == "00000000000000000000000000000001");
}

BOOST_AUTO_TEST_SUITE_END()
