#include <csignal>
#include <random>

#include <boost/test/unit_test.hpp>

#include "kaiku/core/limits.hpp"
#include "link_cluster.hpp"

namespace kaiku::test {
namespace {

BOOST_AUTO_TEST_SUITE(links)

BOOST_AUTO_TEST_CASE(two_members_link_and_introduce_themselves) {
  cluster c{2};
  auto n2 = c.start(2);
  BOOST_REQUIRE(n2.says("started"));
  auto n1 = c.start(1, {{"rtt", "1000"}});
  BOOST_TEST(n1.says("up n2 http n2.example:8080"), n1.log());
  BOOST_TEST(n2.says("up n1 http n1.example:8080"), n2.log());
  BOOST_TEST(n1.says("seen n2 disk 00000000000000000000000000000002"));
  BOOST_TEST(n2.says("seen n1 disk 00000000000000000000000000000001"));
  BOOST_TEST(n1.says("rtt p50"), n1.log());
  BOOST_TEST_MESSAGE("link-up " << (n1.said_at("up n2") - n1.said_at("started")) * 1000 << " ms, "
                                << n1.log().substr(n1.log().find("rtt")));
}

BOOST_AUTO_TEST_CASE(members_without_a_secret_link) {
  cluster c{2};
  auto n1 = c.start(1, {{"secret", ""}}), n2 = c.start(2, {{"secret", ""}});
  BOOST_TEST(n1.says("up n2"), n1.log());
  BOOST_TEST(n2.says("up n1"), n2.log());
}

BOOST_AUTO_TEST_CASE(every_pair_of_three_members_has_one_link) {
  cluster c{3};
  std::vector<peer_process> all;
  for (int i = 1; i <= 3; ++i) all.push_back(c.start(i));
  for (int i = 1; i <= 3; ++i)
    for (int j = 1; j <= 3; ++j)
      if (i != j) BOOST_TEST(all[i - 1].says("up n" + std::to_string(j)), all[i - 1].log());
  for (auto& x : all) {
    BOOST_TEST(x.count("up n") == 2u, x.log());
    BOOST_TEST(x.count("down n") == 0u, x.log());
  }
}

BOOST_AUTO_TEST_CASE(a_member_reached_by_its_host_name_links) {
  cluster c{2};
  auto members = c.members();
  for (auto at = members.find("127.0.0.1"); at != std::string::npos; at = members.find("127.0.0.1"))
    members.replace(at, 9, "localhost");
  auto n1 = c.start(1, {{"members", members}}), n2 = c.start(2, {{"members", members}});
  BOOST_TEST(n1.says("up n2"), n1.log());
}

/// Both die by kill -9 in turn; the other hears of it and links again with the next process.
BOOST_AUTO_TEST_CASE(a_killed_peer_is_down_and_links_again_when_it_comes_back) {
  cluster c{2};
  auto n1 = c.start(1), n2 = c.start(2);
  BOOST_REQUIRE(n1.says("up n2") && n2.says("up n1"));
  n2.process().kill();
  auto killed = clock::now();
  BOOST_REQUIRE(n1.says("down n2"));
  BOOST_TEST_MESSAGE("peer_down after kill -9: " << since(killed).count() << " ms");
  auto n2_again = c.start(2);
  BOOST_REQUIRE(n1.says("up n2", 2) && n2_again.says("up n1"));
  auto took = n1.said_at("up n2", 2) - n2_again.said_at("started");
  BOOST_TEST(took < 2.0);
  BOOST_TEST_MESSAGE("acceptor restarted and linked: " << took * 1000 << " ms");

  n1.process().kill();
  BOOST_REQUIRE(n2_again.says("down n1"));
  auto n1_again = c.start(1);
  BOOST_REQUIRE(n2_again.says("up n1", 2));
  took = n2_again.said_at("up n1", 2) - n1_again.said_at("started");
  BOOST_TEST(took < 2.0);
  BOOST_TEST_MESSAGE("dialler restarted and linked: " << took * 1000 << " ms");
}

/// In a PID namespace of its own each process has the same CAF node id as the one before, as a restarted container has.
BOOST_AUTO_TEST_CASE(a_peer_that_comes_back_with_the_same_caf_node_id_links_again) {
  const std::vector<std::string> wrapper{"/usr/bin/unshare", "--pid", "--fork", "--kill-child"};
  cluster c{2};
  auto n2 = c.start(2);
  auto n1 = std::make_unique<peer_process>(c.start(1, {}, wrapper));
  if (!wait_until(patience, [&] { return n1->count("started") != 0 || !n1->process().is_running(); }) ||
      n1->count("started") == 0) {
    BOOST_TEST_MESSAGE("skipped: no right to make a PID namespace");
    return;
  }
  for (std::size_t round = 1; round <= 3; ++round) {
    BOOST_TEST(n2.says("up n1", round), n2.log());
    BOOST_TEST(n1->says("up n2"), n1->log());
    n1->process().kill();
    n1 = std::make_unique<peer_process>(c.start(1, {}, wrapper));
  }
  BOOST_TEST(n2.says("up n1", 4), n2.log());
  BOOST_TEST(n2.says("down n1", 3), n2.log());
}

BOOST_AUTO_TEST_CASE(two_members_with_the_same_caf_node_id_are_told_so) {
  const std::vector<std::string> wrapper{"/usr/bin/unshare", "--pid", "--fork", "--kill-child"};
  cluster c{2};
  auto n1 = c.start(1, {}, wrapper), n2 = c.start(2, {}, wrapper);
  if (!n1.says("started", 1, milliseconds{3000})) {
    BOOST_TEST_MESSAGE("skipped: no right to make a PID namespace");
    return;
  }
  BOOST_TEST(n1.says("have the same CAF node id"), n1.log());
  BOOST_TEST(n2.says("have the same CAF node id"), n2.log());
  BOOST_TEST(n1.count("up n2") == 0u);
}

/// The frozen process holds its connections: nothing but the new hello says that they are over.
BOOST_AUTO_TEST_CASE(a_new_process_of_a_frozen_member_takes_over_its_link) {
  cluster c{2};
  auto n1 = c.start(1), n2 = c.start(2);
  BOOST_REQUIRE(n1.says("up n2") && n2.says("up n1"));
  n1.process().freeze();
  reserved_port other;
  auto n1_again = c.start(1, {{"port", std::to_string(other.number())}});
  BOOST_TEST(n1_again.says("up n2"), n1_again.log());
  BOOST_TEST(n2.says("up n1", 2), n2.log());
  BOOST_TEST(n2.count("down n1") == 1u, n2.log());
  BOOST_TEST(n2.says("comes anew in a new process"));
}

BOOST_AUTO_TEST_CASE(a_peer_killed_in_the_handshake_links_when_it_comes_back) {
  cluster c{2};
  auto n2 = std::make_unique<peer_process>(c.start(2));
  BOOST_REQUIRE(n2->says("started"));
  n2->process().freeze();  // the kernel still accepts for it, but nobody says hello
  auto n1 = c.start(1);
  BOOST_REQUIRE(n1.says("started"));
  n2->process().kill();
  n2 = std::make_unique<peer_process>(c.start(2));
  BOOST_REQUIRE(n1.says("up n2"));
  BOOST_TEST(n1.said_at("up n2") - n2->said_at("started") < 2.0);
}

BOOST_AUTO_TEST_CASE(a_frozen_peer_is_given_up_after_the_handshake_timeout_and_dialled_again) {
  cluster c{2};
  auto n2 = c.start(2);
  BOOST_REQUIRE(n2.says("started"));
  n2.process().freeze();
  auto n1 = c.start(1, {{"timeout", "200"}});
  BOOST_TEST(n1.says("the hello took too long"), n1.log());
  n2.process().thaw();
  BOOST_TEST(n1.says("up n2"), n1.log());
}

BOOST_AUTO_TEST_CASE(a_member_that_is_asked_to_end_ends_even_when_its_peer_is_frozen) {
  cluster c{2};
  auto n1 = c.start(1), n2 = c.start(2);
  BOOST_REQUIRE(n1.says("up n2") && n2.says("up n1"));
  n2.process().freeze();
  n1.process().send_signal(SIGTERM);
  BOOST_TEST((n1.process().wait_for_exit(patience) == 0), n1.log());
}

struct refused_pair {
  const char* what;
  std::map<std::string, std::string> n1, n2;  ///< changes
  const char* text;
};

BOOST_AUTO_TEST_CASE(whoever_does_not_belong_is_refused_with_the_reason_on_both_sides) {
  cluster c{2};
  auto only_n2 = c.members().substr(c.members().find("n2"));
  for (const auto& x : {
           refused_pair{"wrong secret", {{"secret", "guess"}}, {}, "the shared secrets of n1 and n2 differ"},
           refused_pair{"no secret", {{"secret", ""}}, {}, "n2 has a shared secret and n1 has none"},
           refused_pair{"a secret where none is", {}, {{"secret", ""}}, "n1 has a shared secret and n2 has none"},
           refused_pair{"wrong cluster", {{"cluster", "2"}}, {}, "n1 belongs to cluster"},
           refused_pair{"unknown name", {}, {{"members", only_n2}}, "n1 is not a member of n2's cluster"},
           refused_pair{
               "wrong disk of the dialler", {{"disk", "9"}}, {}, "this disk is not the one the cluster knows as n1"},
           refused_pair{
               "wrong disk of the acceptor", {}, {{"disk", "9"}}, "this disk is not the one the cluster knows as n2"},
       }) {
    BOOST_TEST_CONTEXT(x.what) {
      auto n1 = c.start(1, x.n1), n2 = c.start(2, x.n2);
      BOOST_TEST(n1.says(x.text), n1.log());
      BOOST_TEST(n2.says(x.text), n2.log());
      BOOST_TEST(n1.count("up n2") == 0u);
      BOOST_TEST(n2.count("up n1") == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(versions_that_overlap_link_and_others_are_refused_on_both_sides) {
  cluster c{2};
  {
    auto n1 = c.start(1, {{"version_min", "1"}, {"version_max", "2"}});
    auto n2 = c.start(2, {{"version_min", "1"}, {"version_max", "1"}});
    BOOST_TEST(n1.says("up n2"), n1.log());
    BOOST_TEST(n2.says("up n1"), n2.log());
  }
  auto n1 = c.start(1, {{"version_min", "2"}, {"version_max", "2"}});
  auto n2 = c.start(2, {{"version_min", "1"}, {"version_max", "1"}});
  for (auto* x : {&n1, &n2}) {
    BOOST_TEST(x->says("n1 speaks protocol versions 2 to 2, n2 speaks 1 to 1"), x->log());
    BOOST_TEST(x->count("up n") == 0u, x->log());
  }
}

BOOST_AUTO_TEST_CASE(a_member_of_the_version_before_is_linked_and_sent_nothing_that_it_does_not_know) {
  cluster c{2};
  {
    auto n1 = c.start(1), n2 = c.start(2);
    BOOST_TEST(n1.says("inspector of n2"), n1.log());
    BOOST_TEST(n2.says("inspector of n1"), n2.log());
  }
  for (const auto& [first, second] : {std::pair{"3", "2"}, {"2", "3"}}) {
    auto n1 = c.start(1, {{"version_min", "2"}, {"version_max", first}, {"rtt", "50"}});
    auto n2 = c.start(2, {{"version_min", "2"}, {"version_max", second}, {"rtt", "50"}});
    // The round trips go behind what a directory would have said.
    for (auto* x : {&n1, &n2}) {
      BOOST_TEST(x->says("rtt p50"), x->log());
      BOOST_TEST(x->count("inspector of") == 0u, x->log());
      BOOST_TEST(x->count("down n") == 0u, x->log());
    }
  }
}

BOOST_AUTO_TEST_CASE(learners_are_linked_like_voters) {
  cluster c{3};
  auto n1 = c.start(1, {{"learners", "2"}}), n2 = c.start(2, {{"learners", "2"}}), n3 = c.start(3, {{"learners", "2"}});
  BOOST_TEST((n1.says("up n2") && n1.says("up n3")), n1.log());
  BOOST_TEST(n2.says("up n3"), n2.log());
}

/// n2 was away when n3 joined, or got a new disk; the two of them may be all that is left.
BOOST_AUTO_TEST_CASE(a_member_that_missed_the_newest_members_links_with_those_that_it_does_not_know) {
  cluster c{3};
  auto all = c.members();
  for (auto known : {all.substr(0, all.find(",n3")), all.substr(0, all.rfind('@')) + "@9"}) {
    for (bool larger_missed_it : {false, true}) {
      BOOST_TEST_CONTEXT("known: " << known << (larger_missed_it ? " to n3" : " to n2")) {
        auto missing = larger_missed_it ? all.substr(all.find("n3")) : known;
        auto stale = c.start(larger_missed_it ? 3 : 2, {{"members", missing}, {"since", "1"}, {"undialled", "100"}});
        auto newest = c.start(larger_missed_it ? 2 : 3, {{"since", "2"}, {"undialled", "100"}});
        BOOST_TEST(stale.says(larger_missed_it ? "up n2" : "up n3"), stale.log());
        BOOST_TEST(newest.says(larger_missed_it ? "up n3" : "up n2"), newest.log());
        BOOST_TEST(newest.count("start it with --join") == 0u, newest.log());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_removed_member_that_nobody_dials_any_more_hears_that_it_was_removed) {
  cluster c{2};
  auto only_n1 = c.members().substr(0, c.members().find(",n2"));
  auto n1 = c.start(1, {{"members", only_n1}, {"since", "2"}});
  auto n2 = c.start(2, {{"since", "1"}, {"undialled", "100"}});
  BOOST_TEST(n2.says("start it with --join"), n2.log());
  BOOST_TEST(n2.count("up n1") == 0u, n2.log());
}

BOOST_AUTO_TEST_CASE(an_address_that_leads_back_to_its_own_node_is_named_so) {
  cluster c{2};
  auto members = "n1@" + to_string(c.address(1)) + "@1,n2@" + to_string(c.address(1)) + "@2";
  auto n1 = c.start(1, {{"members", members}});
  BOOST_TEST(n1.says("n1 reached itself"), n1.log());
}

BOOST_AUTO_TEST_CASE(a_stranger_is_told_why_it_is_refused) {
  cluster c{2};
  auto n2 = c.start(2);
  BOOST_REQUIRE(n2.says("started"));
  auto refusal_to = [&](const std::string& bytes) {
    tcp_connection stranger{c.address(2), patience};
    stranger.send_all(bytes, clock::now() + patience);
    auto frame = receive_frame(stranger);
    BOOST_TEST(stranger.is_closed_within(patience));
    auto* no = std::get_if<refusal>(&frame);
    return no == nullptr ? refusal_reason{} : no->reason;
  };
  BOOST_TEST((refusal_to("GET / HTTP/1.1\r\nHost: n2\r\n\r\n") == refusal_reason::not_kaiku));
  BOOST_TEST((refusal_to(std::string(36, '\0')) == refusal_reason::not_kaiku));  // BASP's handshake begins so
  BOOST_TEST((refusal_to("\xff\xff\xff\xff") == refusal_reason::not_kaiku));
  BOOST_TEST((refusal_to(encode(link_proof{})) == refusal_reason::not_kaiku));
  BOOST_TEST((refusal_to(encode(hello_as("n9"))) == refusal_reason::unknown_name));
}

BOOST_AUTO_TEST_CASE(the_acceptor_gives_no_proof_to_who_has_none) {
  cluster c{2};
  auto n2 = c.start(2);
  BOOST_REQUIRE(n2.says("started"));
  tcp_connection stranger{c.address(2), patience};
  stranger.send_all(encode(hello_as("n1")), clock::now() + patience);
  BOOST_TEST(std::holds_alternative<hello>(receive_frame(stranger)));
  stranger.send_all(encode(link_proof{}), clock::now() + patience);
  auto frame = receive_frame(stranger);
  BOOST_REQUIRE(std::holds_alternative<refusal>(frame));
  BOOST_TEST((std::get<refusal>(frame).reason == refusal_reason::secret));
}

BOOST_AUTO_TEST_CASE(who_says_nothing_is_closed_after_the_handshake_timeout) {
  cluster c{2};
  auto n2 = c.start(2, {{"timeout", "200"}});
  BOOST_REQUIRE(n2.says("started"));
  tcp_connection silent{c.address(2), patience};
  tcp_connection half{c.address(2), patience};
  half.send_all(encode(hello_as("n1")).substr(0, 20), clock::now() + patience);
  BOOST_TEST(silent.is_closed_within(patience));
  BOOST_TEST(half.is_closed_within(patience));
}

BOOST_AUTO_TEST_CASE(strangers_by_the_hundred_neither_stop_nor_delay_a_member_nor_drop_a_link) {
  auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  cluster c{3};
  auto n2 = c.start(2, {{"timeout", "30000"}}), n3 = c.start(3, {{"timeout", "30000"}});
  BOOST_REQUIRE(n2.says("up n3") && n3.says("up n2"));
  std::vector<tcp_connection> strangers;
  for (int i = 0; i < 200; ++i) strangers.emplace_back(c.address(3), patience);
  auto noise = [&] {
    std::string bytes(1 + random() % 2000, '\0');
    for (auto& x : bytes) x = static_cast<char>(random());
    tcp_connection loud{c.address(3), patience};
    loud.send_all(bytes, clock::now() + patience);
    return loud;
  };
  for (int i = 0; i < 200; ++i) strangers.push_back(noise());
  for (int i = 0; i < 200; ++i) strangers.emplace_back(c.address(3), patience);
  auto n1 = c.start(1);
  BOOST_REQUIRE(n1.says("started"));
  // Strangers go on coming while the member links.
  BOOST_TEST(wait_until(patience,
                        [&] {
                          strangers.push_back(noise());
                          return n1.count("up n3") != 0;
                        }),
             n1.log());
  // Nobody bothers n2: what its link takes is the machine's doing.
  BOOST_REQUIRE(n1.says("up n2"));
  auto delay = n1.said_at("up n3") - n1.said_at("up n2");
  BOOST_TEST(delay < limits::link_handshake_timeout_ms / 1000.0, delay << " s\n" << n1.log());
  BOOST_TEST_MESSAGE("link-up among " << strangers.size() << " strangers: " << delay * 1000 << " ms more than without");
  BOOST_TEST(n3.count("down n2") == 0u, n3.log());
  BOOST_TEST(n2.count("down n3") == 0u, n2.log());
  BOOST_TEST(n3.log().size() < 20'000u, "the log has " << n3.log().size() << " bytes");
  BOOST_TEST(n3.process().usage().open_files < limits::unproven_links + 40);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
