#include <boost/test/unit_test.hpp>

#include "kaiku/core/endpoint.hpp"

namespace kaiku {
namespace {

BOOST_AUTO_TEST_SUITE(endpoints)

BOOST_AUTO_TEST_CASE(addresses_are_read_strictly) {
  for (const char* bad : {"",
                          ":",
                          "8000",
                          ":8000",
                          "127.0.0.1",
                          "127.0.0.1:",
                          "127.0.0.1:0",
                          "127.0.0.1:65536",
                          "127.0.0.1:80x",
                          "127.0.0.1:-1",
                          "127.0.0.1:+80",
                          "127.0.0.1: 80",
                          "256.0.0.1:80",
                          "1.2.3:80",
                          "::1:8000",
                          "[::1]",
                          "[::1:8000",
                          "[n1]:80",
                          "[]:80",
                          "a b:80",
                          "http://n1:80",
                          "n1/x:80"}) {
    BOOST_TEST(!parse_endpoint(bad).ok(), bad);
  }
  for (const char* good : {"127.0.0.1:1", "0.0.0.0:65535", "[::1]:8000", "[fd00::1:2]:80", "n1.example:80", "n_1:80"}) {
    auto read = parse_endpoint(good);
    BOOST_REQUIRE_MESSAGE(read.ok(), good);
    BOOST_TEST(to_string(*read) == good);
  }
}

BOOST_AUTO_TEST_CASE(an_address_of_this_machine_is_told_from_others) {
  for (const char* own : {"127.0.0.1:1", "127.8.9.10:1", "[::1]:1", "localhost:1"})
    BOOST_TEST(is_loopback(*parse_endpoint(own)), own);
  for (const char* other : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "n1:1"})
    BOOST_TEST(!is_loopback(*parse_endpoint(other)), other);
  for (const char* every : {"0.0.0.0:1", "[::]:1"}) BOOST_TEST(is_any_address(*parse_endpoint(every)), every);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku
