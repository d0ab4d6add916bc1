// Whom requests come from, and how much of the server one address has.

#include "http_fixture.hpp"
#include "kaiku/http/server/client_address.hpp"
#include "kaiku/http/server/exchange.hpp"

namespace kaiku::test {
namespace {

ip_address address(const char* text) {
  return boost::asio::ip::make_address(text);
}

std::string client_behind(const char* peer, const std::vector<header_field>& fields, bool standard = false) {
  request in;
  in.fields = fields;
  const std::vector<network> trusted{*network::parse("10.0.0.0/8"), *network::parse("fd00::/16")};
  return client_of(in, address(peer), trusted, standard).to_string();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_addresses)

BOOST_AUTO_TEST_CASE(a_network_holds_what_begins_as_it_does) {
  const auto ten = *network::parse("10.16.0.0/12");
  BOOST_TEST(ten.contains(address("10.16.0.1")));
  BOOST_TEST(ten.contains(address("10.31.255.255")));
  BOOST_TEST(!ten.contains(address("10.32.0.0")));
  BOOST_TEST(ten.contains(address("::ffff:10.17.0.1")));
  BOOST_TEST(!ten.contains(address("::1")));
  BOOST_TEST(network::parse("::1")->contains(address("::1")));
  BOOST_TEST(!network::parse("::1")->contains(address("::2")));
  BOOST_TEST(network::parse("0.0.0.0/0")->contains(address("8.8.8.8")));
  for (const auto* text : {"", "x", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "::/129", "10.0.0.0/8/8"})
    BOOST_TEST(!network::parse(text).ok(), text);
}

BOOST_AUTO_TEST_CASE(only_a_trusted_proxy_is_believed_and_only_as_far_as_they_go) {
  BOOST_TEST(client_behind("192.0.2.1", {{"X-Forwarded-For", "1.2.3.4"}}) == "192.0.2.1");
  BOOST_TEST(client_behind("10.0.0.1", {}) == "10.0.0.1");
  BOOST_TEST(client_behind("10.0.0.1", {{"X-Forwarded-For", "1.2.3.4"}}) == "1.2.3.4");
  BOOST_TEST(client_behind("10.0.0.1", {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.0.0.2"}}) == "1.2.3.4");
  BOOST_TEST(client_behind("10.0.0.1", {{"X-Forwarded-For", "10.0.0.3, 10.0.0.2"}}) == "10.0.0.3");
  BOOST_TEST(client_behind("10.0.0.1", {{"X-Forwarded-For", "nonsense"}}) == "10.0.0.1");
  BOOST_TEST(client_behind("10.0.0.1", {{"X-Forwarded-For", "2001:db8::1"}}) == "2001:db8::1");
  BOOST_TEST(client_behind("10.0.0.1", {{"Forwarded", "for=1.2.3.4;proto=http;by=10.0.0.1"}}, true) == "1.2.3.4");
  BOOST_TEST(client_behind("fd00::1", {{"Forwarded", "proto=https; For=\"[2001:db8::1]:4711\""}}, true) ==
             "2001:db8::1");
  BOOST_TEST(client_behind("10.0.0.1", {{"Forwarded", "for=6.6.6.6, for=\"1.2.3.4:80\""}}, true) == "1.2.3.4");
  BOOST_TEST(client_behind("10.0.0.1", {{"Forwarded", "for=unknown"}, {"X-Forwarded-For", "6.6.6.6"}}, true) ==
             "10.0.0.1");
  // Most proxies pass the other field on as the client sent it.
  BOOST_TEST(client_behind("10.0.0.1", {{"Forwarded", "for=6.6.6.6"}, {"X-Forwarded-For", "1.2.3.4"}}) == "1.2.3.4");
  BOOST_TEST(client_behind("10.0.0.1", {{"Forwarded", "by=x"}}, true) == "10.0.0.1");
}

BOOST_AUTO_TEST_CASE(an_address_has_so_many_and_an_ipv6_site_is_one_address) {
  address_counter all;
  BOOST_TEST(all.enter(address("1.2.3.4"), 2));
  BOOST_TEST(all.enter(address("::ffff:1.2.3.4"), 2));
  BOOST_TEST(!all.enter(address("1.2.3.4"), 2));
  BOOST_TEST(all.enter(address("1.2.3.5"), 2));
  all.leave(address("1.2.3.4"));
  BOOST_TEST(all.enter(address("1.2.3.4"), 2));
  BOOST_TEST(all.enter(address("2001:db8::1"), 1));
  BOOST_TEST(!all.enter(address("2001:db8::2"), 1));
  BOOST_TEST(all.enter(address("2001:db8:0:1::1"), 1));
}

BOOST_FIXTURE_TEST_CASE(connections_beyond_an_addresss_share_are_closed_and_come_free_again, http_fixture) {
  settings.max_connections_each = 2;
  auto first = std::make_unique<raw_http>(port());
  raw_http second(port());
  BOOST_TEST(first->ask("GET", "/healthz/live").status == 200);
  BOOST_TEST(second.ask("GET", "/healthz/live").status == 200);
  BOOST_TEST(raw_http(port()).at_end());
  first.reset();
  BOOST_TEST(eventually([&] { return raw_http(port()).ask("GET", "/healthz/live").status == 200; }));
}

BOOST_FIXTURE_TEST_CASE(requests_beyond_an_addresss_share_get_429_and_probes_do_not, http_fixture) {
  settings.max_requests_each = 1;
  settings.trusted_proxies = {*network::parse("127.0.0.0/8")};
  node.hold_writes = true;
  raw_http held(port()), other(port());
  const std::string from = "X-Forwarded-For: 1.2.3.4\r\n";
  held.request("PUT", "/files/f", from, "x");
  BOOST_TEST(eventually([&] { return server->open_requests() == 1; }));
  auto refused = other.ask("GET", "/files/g", from);
  BOOST_TEST(refused.status == 429);
  BOOST_TEST(refused.header("Retry-After") == "1");
  BOOST_TEST(other.ask("GET", "/healthz/live", from).status == 200);
  BOOST_TEST(other.ask("GET", "/files/g", "X-Forwarded-For: 1.2.3.5\r\n").status == 404);
  boost::asio::post(io, [this] { node.release_writes(); });
  BOOST_TEST(held.read().status < 300);
  BOOST_TEST(eventually([&] { return other.ask("GET", "/files/g", from).status == 404; }));
}

BOOST_FIXTURE_TEST_CASE(uploads_beyond_an_addresss_share_are_refused_and_others_go_on, http_fixture) {
  settings.max_uploads_each = 2;
  settings.trusted_proxies = {*network::parse("127.0.0.0/8")};
  const std::string greedy = "X-Forwarded-For: 2001:db8::1\r\n", same_site = "X-Forwarded-For: 2001:db8::2\r\n",
                    other = "X-Forwarded-For: 1.2.3.5\r\n", large(limits::small_content_bytes + 1, 'x');
  const auto begin = [&](raw_http& on) {
    on.send("PUT /files/held HTTP/1.1\r\nHost: kaiku\r\n" + greedy + "Content-Length: 1000000\r\n\r\n" + large);
  };
  auto first = std::make_unique<raw_http>(port());
  raw_http second(port());
  begin(*first);
  begin(second);
  BOOST_TEST(eventually([&] { return node.uploads_open == 2; }));
  const auto put = [&](const std::string& from, const std::string& body) {
    return raw_http(port()).ask("PUT", "/files/f", from, body);
  };
  const auto refused = put(same_site, large);
  BOOST_TEST(refused.status == 503);
  BOOST_TEST(refused.body.find("uploads of one address") != std::string::npos, refused.body);
  BOOST_TEST(node.uploads_begun == 2);
  // It keeps nobody else away, and may itself do all that takes no place.
  BOOST_TEST(put(other, large).status == 201);
  BOOST_TEST(put(greedy, "small").status == 204);
  first.reset();
  BOOST_TEST(eventually([&] { return put(greedy, large).status == 204; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
