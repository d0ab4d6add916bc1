#include <boost/test/unit_test.hpp>

#include "kaiku/storage/redis/address.hpp"

namespace kaiku::test {
namespace {

redis_address good(std::string_view text) {
  auto read = parse_redis_address(text);
  BOOST_REQUIRE_MESSAGE(read.ok(), text << ": " << (read.ok() ? "" : read.failure().detail));
  return *read;
}

std::string why(std::string_view text) {
  auto read = parse_redis_address(text);
  return read.ok() ? "" : read.failure().detail;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(redis_address_)

BOOST_AUTO_TEST_CASE(a_url_says_host_port_database_user_and_password) {
  const auto all = good("redis://me:p%40ss%2f@cache.example:6380/7");
  BOOST_TEST(all.host == "cache.example");
  BOOST_TEST(all.port == 6380);
  BOOST_TEST(all.database == 7U);
  BOOST_TEST(all.user == "me");
  BOOST_TEST(all.password == "p@ss/");
  BOOST_TEST(good("redis://:secret@10.0.0.1").password == "secret");
  BOOST_TEST(good("redis://:a/b@c@10.0.0.1").password == "a/b@c");
  BOOST_TEST(good("redis://10.0.0.1").port == 6379);
  BOOST_TEST(good("redis://[::1]:7000/").host == "::1");
  BOOST_TEST(good("unix:///run/redis.sock").path == "/run/redis.sock");
  BOOST_TEST(good("unix:///run/redis.sock?db=3").database == 3U);
}

BOOST_AUTO_TEST_CASE(what_is_shown_of_it_holds_no_password) {
  BOOST_TEST(good("redis://me:secret@[::1]:6380/7").shown() == "redis://[::1]:6380/7");
  BOOST_TEST(good("unix:///run/redis.sock?db=3").shown() == "unix:///run/redis.sock?db=3");
}

BOOST_AUTO_TEST_CASE(what_it_can_not_be_is_refused_without_repeating_it) {
  for (const auto* text : {"", "localhost:6379", "redis://", "redis://:secret@", "redis://secret@host", "redis://h:0",
                           "redis://h:70000", "redis://h:x", "redis://h/x", "redis://[::1", "unix://run/redis.sock",
                           "unix:///run/redis.sock?x=1", "redis://:secret%@h"}) {
    BOOST_TEST(!why(text).empty(), text);
    BOOST_TEST(why(text).find("secret") == std::string::npos);
  }
  BOOST_TEST(why("rediss://host").find("TLS") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
