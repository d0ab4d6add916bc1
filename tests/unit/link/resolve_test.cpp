#include <future>

#include <boost/test/unit_test.hpp>

#include "kaiku/link/resolve.hpp"

namespace kaiku {
namespace {

using boost::asio::ip::tcp;

BOOST_AUTO_TEST_SUITE(resolve)

BOOST_AUTO_TEST_CASE(an_address_needs_no_lookup_and_a_name_does) {
  BOOST_TEST((numeric_endpoint({"127.0.0.1", 9000}) ==
              std::vector{tcp::endpoint{boost::asio::ip::make_address("127.0.0.1"), 9000}}));
  BOOST_TEST(numeric_endpoint({"localhost", 9000}).empty());
}

BOOST_AUTO_TEST_CASE(a_name_is_looked_up_in_another_thread) {
  std::promise<std::vector<tcp::endpoint>> found;
  resolve_elsewhere({"localhost", 9000}, [&](std::vector<tcp::endpoint> x) { found.set_value(std::move(x)); });
  auto result = found.get_future();
  BOOST_REQUIRE(result.wait_for(std::chrono::seconds{10}) == std::future_status::ready);
  auto endpoints = result.get();
  BOOST_REQUIRE(!endpoints.empty());
  for (const auto& x : endpoints) {
    BOOST_TEST(x.address().is_loopback());
    BOOST_TEST(x.port() == 9000);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku
