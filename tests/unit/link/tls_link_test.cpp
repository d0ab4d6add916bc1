// Links over TLS: members whose certificates are right, and everybody else.

#include <csignal>

#include <boost/test/unit_test.hpp>

#include <caf/actor_system_config.hpp>

#include "raw_member.hpp"
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
  /// The members as everybody knows them, but for this.
  std::string members_with(const std::string& what, const std::string& instead) const {
    auto out = members();
    return out.replace(out.find(what), what.size(), instead);
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

BOOST_AUTO_TEST_CASE(a_certificate_out_of_its_time_is_refused_on_both_sides) {
  struct row {
    certificate_wish wish;
    std::string refused, told, own;
  };
  certificate_wish early;
  early.begins_in_days = 1;
  for (auto x : {row{{"", -1}, "certificate has expired", "alert certificate expired", "it has expired"},
                 row{early, "certificate is not yet valid", "alert bad certificate", "it is not valid before"}}) {
    for (int bad : {1, 2}) {
      x.wish.names = bad == 1 ? "DNS:n1" : "DNS:n2";
      const auto untimely = with(authority.issue("untimely", x.wish));
      auto n2 = start_2(bad == 2 ? untimely : settings{}), n1 = start_1(bad == 1 ? untimely : settings{});
      expect_no_link(n1, bad == 1 ? x.told : x.refused, n2, bad == 1 ? x.refused : x.told);
      BOOST_TEST((bad == 1 ? n1 : n2).says("is refused by everybody: " + x.own));
    }
  }
}

/// Their subject, which does not count, is the member's own name.
BOOST_AUTO_TEST_CASE(a_certificate_for_another_member_is_refused_on_both_sides) {
  for (const char* names : {"DNS:n9", "DNS:*", "IP:127.0.0.2", "email:n1", ""}) {
    BOOST_TEST_CONTEXT(names) {
      certificate_wish wish{names};
      wish.subject = "n1";
      {
        auto n2 = start_2(), n1 = start_1(with(authority.issue("others", wish)));
        expect_no_link(n1, "it refused this node: the certificate is for ", n2, "not for n1 or 127.0.0.1");
      }
      wish.subject = "n2";
      auto n2 = start_2(with(authority.issue("others", wish))), n1 = start_1();
      expect_no_link(n1, "not for n2 or 127.0.0.1", n2, "refused this node: the certificate is for ");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_wildcard_is_no_members_name) {
  const settings dotted{{"members", members_with("n1", "n1.k.example")}};
  const auto try_with = [&](const char* names) {
    auto changes = with(authority.issue("dotted", names));
    changes.merge(settings{{"name", "n1.k.example"}, {"members", dotted.at("members")}});
    auto n2 = start_2(dotted);
    return std::pair{start_1(changes), std::move(n2)};
  };
  {
    const auto [n1, n2] = try_with("DNS:*.k.example,DNS:n1.*.example,DNS:n*.k.example");
    expect_no_link(n1, "it refused this node: the certificate is for *.k.example", n2, "not for n1.k.example or");
  }
  const auto [n1, n2] = try_with("DNS:n1.k.example");
  BOOST_TEST(n1.says("up n2"), n1.log());
  BOOST_TEST(n2.says("up n1.k.example"), n2.log());
}

/// n1 itself says that it is at 127.0.0.1.
BOOST_AUTO_TEST_CASE(the_host_that_counts_is_the_one_that_the_members_name) {
  struct row {
    std::string host, shown, good, bad;
  };
  for (const auto& x : {row{"127.0.0.9", "127.0.0.9", "IP:127.0.0.9", "IP:127.0.0.1"},
                        row{"[::1]", "::1", "IP:0:0:0:0:0:0:0:1", "IP:::2,IP:127.0.0.1"},
                        row{"n1.example", "n1.example", "DNS:N1.example", "DNS:n1.example.org,DNS:example"}}) {
    BOOST_TEST_CONTEXT(x.host) {
      const settings known{{"members", members_with("n1@127.0.0.1", "n1@" + x.host)}};
      {
        auto n2 = start_2(known), n1 = start_1(with(authority.issue("hosts", x.bad)));
        expect_no_link(n1, "it refused this node: the certificate is for ", n2, "not for n1 or " + x.shown);
      }
      auto n2 = start_2(known), n1 = start_1(with(authority.issue("hosts", x.good)));
      BOOST_TEST(n1.says("up n2"), n1.log());
      BOOST_TEST(n2.says("up n1"), n2.log());
    }
  }
}

/// n1 dials, so it is the client.
BOOST_AUTO_TEST_CASE(a_certificate_for_the_other_side_alone_is_refused) {
  const auto issue = [&](const std::string& name, const std::string& usages) {
    certificate_wish wish{"DNS:" + name};
    wish.usages = usages;
    return with(authority.issue("usages-" + name, wish));
  };
  const std::string refused = "certificate purpose", told = "it ends TLS: sslv3 alert unsupported certificate";
  {
    auto n2 = start_2(), n1 = start_1(issue("n1", "serverAuth"));
    expect_no_link(n1, told, n2, refused);
  }
  {
    auto n2 = start_2(issue("n2", "clientAuth")), n1 = start_1();
    expect_no_link(n1, refused, n2, told);
  }
  auto n2 = start_2(issue("n2", "")), n1 = start_1(issue("n1", ""));
  BOOST_TEST(n1.says("up n2"), n1.log());
  BOOST_TEST(n2.says("up n1"), n2.log());
}

BOOST_AUTO_TEST_CASE(members_show_who_stands_between_them_and_their_authority) {
  test_authority between{authority, "between"};
  const auto own_1 = between.issue("below-1", "DNS:n1"), own_2 = between.issue("below-2", "DNS:n2");
  {
    auto n2 = start_2(), n1 = start_1(with(own_1));
    expect_no_link(n1, "it ends TLS: tlsv1 alert unknown ca", n2, "its certificate is refused");
  }
  auto n2 = start_2(with(with_chain(own_2, {between.file()}))), n1 = start_1(with(with_chain(own_1, {between.file()})));
  BOOST_TEST(n1.says("up n2"), n1.log());
  BOOST_TEST(n2.says("up n1"), n2.log());
}

/// Whoever runs the root signs others, too.
BOOST_AUTO_TEST_CASE(an_authority_below_another_may_be_all_that_is_trusted) {
  test_authority ours{authority, "ours"}, sibling{authority, "sibling"};
  const auto trusted_1 = with(ours.issue("below-1", "DNS:n1"), ours.file());
  const auto trusted_2 = with(ours.issue("below-2", "DNS:n2"), ours.file());
  {
    auto n2 = start_2(trusted_2), n1 = start_1(trusted_1);
    BOOST_TEST(n1.says("up n2"), n1.log());
    BOOST_TEST(n2.says("up n1"), n2.log());
  }
  const std::vector<std::string> whole_chain{sibling.file(), authority.file()};
  for (int bad : {1, 2}) {
    const auto own = sibling.issue("sibling-" + std::to_string(bad), "DNS:n" + std::to_string(bad));
    const auto foreign = with(with_chain(own, whole_chain), ours.file());
    auto n2 = start_2(bad == 2 ? foreign : trusted_2), n1 = start_1(bad == 1 ? foreign : trusted_1);
    const std::string refused = "its certificate is refused", told = "it ends TLS: tlsv1 alert unknown ca";
    expect_no_link(n1, bad == 1 ? told : refused, n2, bad == 1 ? refused : told);
  }
}

/// The authority with its list behind it, as members are told it.
struct listed_cluster : secure_cluster {
  void publish(int days = 30) { join_files({authority.file(), authority.list_revoked(days)}, trusted); }

  const std::string trusted = (directory / "trusted.pem").string();
};

BOOST_FIXTURE_TEST_CASE(a_certificate_that_its_authority_has_revoked_is_refused_on_both_sides, listed_cluster) {
  const auto stolen_1 = authority.issue("stolen-1", "DNS:n1"), stolen_2 = authority.issue("stolen-2", "DNS:n2");
  authority.revoke(stolen_1);
  authority.revoke(stolen_2);
  publish();
  const std::string refused = "its certificate is refused: certificate revoked",
                    told = "it ends TLS: sslv3 alert certificate revoked";
  for (int bad : {1, 2}) {
    auto n2 = start_2(with(bad == 2 ? stolen_2 : second, trusted)),
         n1 = start_1(with(bad == 1 ? stolen_1 : first, trusted));
    expect_no_link(n1, bad == 1 ? told : refused, n2, bad == 1 ? refused : told);
  }
  auto n2 = start_2(with(second, trusted)), n1 = start_1(with(first, trusted));
  BOOST_TEST(n1.says("up n2"), n1.log());
  BOOST_TEST(n2.says("up n1"), n2.log());
  BOOST_TEST(n1.says("revoked certificates are refused, as listed in " + trusted + " until "), n1.log());
}

BOOST_FIXTURE_TEST_CASE(a_new_revocation_list_is_for_new_links_and_a_new_certificate_gets_in, listed_cluster) {
  publish();
  auto n1 = start_1(with(first, trusted));
  auto n2 = std::make_unique<peer_process>(start_2(with(second, trusted)));
  BOOST_REQUIRE(n1.says("up n2") && n2->says("up n1"));
  authority.revoke(second);
  publish();
  n1.process().send_signal(SIGHUP);
  BOOST_TEST(n1.says("revoked certificates are refused", 2), n1.log());
  BOOST_TEST(n1.count("down n2") == 0u, n1.log());
  n2 = nullptr;
  {
    auto again = start_2(with(second, trusted));
    BOOST_TEST(again.says("it ends TLS: sslv3 alert certificate revoked"), again.log());
    BOOST_TEST(n1.says("its certificate is refused: certificate revoked"), n1.log());
    BOOST_TEST(again.count("up n1") == 0u, again.log());
  }
  auto renewed = start_2(with(authority.issue("renewed", "DNS:n2"), trusted));
  BOOST_TEST(n1.says("up n2", 2), n1.log());
  BOOST_TEST(renewed.says("up n1"), renewed.log());
}

BOOST_FIXTURE_TEST_CASE(behind_a_revocation_list_that_has_run_out_nobody_gets_in_until_there_is_a_new_one,
                        listed_cluster) {
  publish(-1);
  auto n2 = start_2(with(second, trusted)), n1 = start_1(with(first, trusted));
  expect_no_link(n1, "its certificate is refused: CRL has expired", n2, "it ends TLS: sslv3 alert certificate expired");
  BOOST_TEST(n1.says("peer links: a revocation list in " + trusted + " has run out at "), n1.log());
  publish();
  for (auto* x : {&n1, &n2}) x->process().send_signal(SIGHUP);
  BOOST_TEST(n1.says("up n2"), n1.log());
  BOOST_TEST(n2.says("up n1"), n2.log());
}

/// While one authority follows another.
BOOST_FIXTURE_TEST_CASE(beside_an_authority_with_a_list_one_without_is_not_believed, listed_cluster) {
  test_authority next{directory, "next"};
  const auto own_1 = next.issue("next-1", "DNS:n1"), own_2 = next.issue("next-2", "DNS:n2");
  join_files({authority.file(), authority.list_revoked(), next.file()}, trusted);
  {
    auto n2 = start_2(with(own_2, trusted)), n1 = start_1(with(own_1, trusted));
    BOOST_TEST(n1.says("its certificate is refused: unable to get certificate CRL"), n1.log());
    BOOST_TEST(n1.count("up n2") == 0u, n1.log());
  }
  join_files({authority.file(), authority.list_revoked(), next.file(), next.list_revoked()}, trusted);
  auto n2 = start_2(with(own_2, trusted)), n1 = start_1(with(first, trusted));
  BOOST_TEST(n1.says("up n2"), n1.log());
  BOOST_TEST(n2.says("up n1"), n2.log());
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

/// TLS has taken the record from the socket by then, which does not announce it again to CAF.
BOOST_AUTO_TEST_CASE(what_comes_in_one_record_with_the_proof_ends_the_connection) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  auto n2 = start_2();
  BOOST_REQUIRE(n2.says("started"));
  const auto as_n1 = client_context(authority.file(), first);
  {
    raw_member hasty{system, address(2), as_n1, ""};
    hasty.send(hasty.proof() + hasty.greeting());
    BOOST_TEST(n2.says("closed the connection of n1: it sent more behind its proof at once"), n2.log());
    BOOST_TEST(hasty.is_cut_off());
  }
  // In a record of its own it is read, and what breaks the protocol in it shows that.
  raw_member quick{system, address(2), as_n1, ""};
  quick.send(quick.proof());
  quick.send(quick.greeting() + quick.framed(raw_member::message_type::heartbeat, "", 7));
  BOOST_TEST(n2.says("n1 breaks the protocol, its link is closed: it sent a header that makes no sense"), n2.log());
}

/// CAF reads 50 times before other connections have their turn, and then waits for the socket.
BOOST_AUTO_TEST_CASE(all_frames_of_one_record_are_read_although_nothing_follows) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  auto n2 = start_2({{"timeout", "60000"}});
  BOOST_REQUIRE(n2.says("started"));
  raw_member member{system, address(2), client_context(authority.file(), first), ""};
  member.send(member.proof());
  member.hear_proof();
  member.hear_greeting();
  auto bytes = member.greeting();
  for (int i = 0; i < 300; ++i) bytes += member.heartbeat();
  bytes += member.framed(raw_member::message_type::heartbeat, "", 7);
  BOOST_REQUIRE(bytes.size() < tls_record_bytes);
  member.send(bytes);
  BOOST_TEST(n2.says("n1 breaks the protocol, its link is closed: it sent a header that makes no sense"), n2.log());
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
