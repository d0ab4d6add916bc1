// Links over TLS: members whose certificates are right, and everybody else.

#include <csignal>

#include <boost/test/unit_test.hpp>

#include "link_cluster.hpp"
#include "support/certificates.hpp"

namespace kaiku::test {
namespace {

using settings = std::map<std::string, std::string>;

/// Two members; each has a certificate for its name.
struct secure_cluster : cluster {
  secure_cluster() : cluster(2) {}

  settings with(const certificate_files& own) const { return with(own, authority.file()); }
  static settings with(const certificate_files& own, const std::string& trusted) {
    return {{"secret", ""}, {"tls", own.certificate + "," + own.key + "," + trusted}};
  }
  peer_process start_1(settings changes = {}) { return start_with(1, first, std::move(changes)); }
  peer_process start_2(settings changes = {}) { return start_with(2, second, std::move(changes)); }

  test_authority authority{directory, "authority"};
  certificate_files first = authority.issue("n1", "DNS:n1"), second = authority.issue("n2", "DNS:n2");

 private:
  peer_process start_with(int i, const certificate_files& own, settings changes) {
    changes.merge(with(own));
    return start(i, std::move(changes));
  }
};

/// Neither is told of a link; each says why.
void expect_no_link(const peer_process& n1, const std::string& why_1, const peer_process& n2,
                    const std::string& why_2) {
  BOOST_TEST(n1.says(why_1), "\"" << why_1 << "\" in " << n1.log());
  BOOST_TEST(n2.says(why_2), "\"" << why_2 << "\" in " << n2.log());
  BOOST_TEST(n1.count("up n2") == 0u, n1.log());
  BOOST_TEST(n2.count("up n1") == 0u, n2.log());
}

BOOST_FIXTURE_TEST_SUITE(tls_links, secure_cluster)

BOOST_AUTO_TEST_CASE(members_whose_certificates_are_for_their_names_link) {
  auto n1 = start_1({{"rtt", "1000"}}), n2 = start_2();
  BOOST_TEST(n1.says("up n2"), n1.log());
  BOOST_TEST(n2.says("up n1"), n2.log());
  BOOST_TEST(n1.says("rtt p50"), n1.log());
  const auto log = n1.log();
  BOOST_TEST_MESSAGE(log.substr(log.find("rtt p50")));
}

BOOST_AUTO_TEST_CASE(members_whose_certificates_are_for_the_hosts_of_their_addresses_link) {
  const auto both = authority.issue("both", "IP:127.0.0.1");
  auto n1 = start_1(with(both)), n2 = start_2(with(both));
  BOOST_TEST(n1.says("up n2"), n1.log());
  BOOST_TEST(n2.says("up n1"), n2.log());
}

BOOST_AUTO_TEST_CASE(a_killed_member_links_again_over_tls) {
  auto n1 = start_1(), n2 = start_2();
  BOOST_REQUIRE(n1.says("up n2") && n2.says("up n1"));
  n2.process().kill();
  BOOST_REQUIRE(n1.says("down n2"));
  auto again = start_2();
  BOOST_TEST(n1.says("up n2", 2), n1.log());
  n1.process().send_signal(SIGTERM);
  BOOST_TEST(again.says("down n1"), again.log());
}

BOOST_AUTO_TEST_CASE(a_certificate_of_another_authority_is_refused_on_both_sides) {
  test_authority other{directory, "other"};
  for (int bad : {1, 2}) {
    const auto foreign = with(other.issue("foreign", bad == 1 ? "DNS:n1" : "DNS:n2"), authority.file());
    auto n2 = start_2(bad == 2 ? foreign : settings{}), n1 = start_1(bad == 1 ? foreign : settings{});
    const std::string refused = "its certificate is refused", told = "it ends TLS: tlsv1 alert unknown ca";
    expect_no_link(n1, bad == 1 ? told : refused, n2, bad == 1 ? refused : told);
  }
}

BOOST_AUTO_TEST_CASE(an_expired_certificate_is_refused_on_both_sides) {
  for (int bad : {1, 2}) {
    const auto old = with(authority.issue("old", bad == 1 ? "DNS:n1" : "DNS:n2", -1));
    auto n2 = start_2(bad == 2 ? old : settings{}), n1 = start_1(bad == 1 ? old : settings{});
    const std::string refused = "certificate has expired", told = "alert certificate expired";
    expect_no_link(n1, bad == 1 ? told : refused, n2, bad == 1 ? refused : told);
    BOOST_TEST((bad == 1 ? n1 : n2).says("is refused by everybody: it has expired"));
  }
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_member_is_refused_on_both_sides) {
  for (const char* names : {"DNS:n9", "DNS:*", "IP:127.0.0.2", "email:n1"}) {
    BOOST_TEST_CONTEXT(names) {
      const auto others = with(authority.issue("others", names));
      {
        auto n2 = start_2(), n1 = start_1(others);
        expect_no_link(n1, "it refused this node: the certificate is for ", n2, "not for n1 or 127.0.0.1");
      }
      auto n2 = start_2(others), n1 = start_1();
      expect_no_link(n1, "not for n2 or 127.0.0.1", n2, "refused this node: the certificate is for ");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_member_without_certificates_is_refused_by_one_that_has_them) {
  {
    auto n2 = start_2(), n1 = start(1);
    expect_no_link(n1, "no link to n2 yet", n2, "it does not speak TLS");
  }
  auto n2 = start(2), n1 = start_1();
  expect_no_link(n1, "it does not speak TLS", n2, "this is no Kaiku hello");
}

BOOST_AUTO_TEST_CASE(strangers_are_refused_with_a_reason) {
  auto n2 = start_2({{"timeout", "500"}});
  BOOST_REQUIRE(n2.says("started"));
  run_s_client(port(2), "-tls1_3");
  BOOST_TEST(n2.says("it shows no certificate"), n2.log());
  // A member's own, but an old version.
  run_s_client(port(2), "-tls1_2 -cert " + first.certificate + " -key " + first.key);
  BOOST_TEST(n2.says("it speaks no version of TLS that is allowed here"), n2.log());
  const auto refused = [&](const std::string& bytes, const std::string& why, std::size_t times) {
    tcp_connection stranger{address(2), patience};
    stranger.send_all(bytes, clock::now() + patience);
    BOOST_TEST(stranger.is_closed_within(patience), why);
    BOOST_TEST(n2.says(why, times), why << " in " << n2.log());
  };
  refused("GET / HTTP/1.1\r\nHost: n2\r\n\r\n", "it does not speak TLS", 1);
  refused(encode(hello_as("n1")), "it does not speak TLS", 2);
  refused("", "the TLS handshake took too long", 1);
  auto n1 = start_1();
  BOOST_TEST(n1.says("up n2"), n1.log());
}

BOOST_AUTO_TEST_CASE(a_handshake_that_drips_in_is_cut_off) {
  auto n2 = start_2({{"timeout", "500"}});
  BOOST_REQUIRE(n2.says("started"));
  tcp_connection slow{address(2), patience};
  const auto begun = clock::now();
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  bool closed = false;
  for (std::size_t i = 0; i < hello.size() && !closed; ++i) {
    try {
      slow.send_all(hello.substr(i, 1), clock::now() + patience);
      closed = slow.is_closed_within(milliseconds{100});
    } catch (const network_failure&) {
      closed = true;
    }
  }
  BOOST_TEST(closed);
  BOOST_TEST(since(begun).count() < 2000);
  BOOST_TEST(n2.says("the TLS handshake took too long"), n2.log());
}

BOOST_AUTO_TEST_CASE(who_proves_a_certificate_and_then_says_nothing_is_cut_off) {
  auto n2 = start_2({{"timeout", "500"}});
  BOOST_REQUIRE(n2.says("started"));
  run_s_client(port(2), "-tls1_3 -ign_eof -cert " + first.certificate + " -key " + first.key);
  BOOST_TEST(n2.says("the hello took too long"), n2.log());
}

/// An operator lets everybody trust the new authority first, then gives out its certificates.
BOOST_AUTO_TEST_CASE(new_certificates_are_for_new_links_and_the_old_ones_go_on) {
  auto n1 = start_1();
  auto n2 = std::make_unique<peer_process>(start_2());
  BOOST_REQUIRE(n1.says("up n2") && n2->says("up n1"));
  test_authority next{directory, "next"};
  next.issue("n1", "DNS:n1");
  next.issue("n2", "DNS:n2");
  std::filesystem::copy_file(next.file(), authority.file(), std::filesystem::copy_options::overwrite_existing);
  for (auto* x : {&n1, n2.get()}) {
    x->process().send_signal(SIGHUP);
    BOOST_TEST(x->says("valid until", 2), x->log());
  }
  BOOST_TEST(n1.count("down n2") == 0u, n1.log());
  n2 = nullptr;
  auto again = start_2();
  BOOST_TEST(n1.says("up n2", 2), n1.log());
  BOOST_TEST(again.says("up n1"), again.log());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
