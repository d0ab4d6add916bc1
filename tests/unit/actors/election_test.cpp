// Who leads: election, step-down and handover by the actors of several nodes.

#include "fixture.hpp"
#include "kaiku/actors/election_actor.hpp"
#include "kaiku/actors/storage_actor.hpp"

namespace kaiku::test {

BOOST_AUTO_TEST_SUITE(elections)

BOOST_AUTO_TEST_CASE(one_node_elects_itself_and_answers_majority_writes) {
  checked_cluster nodes{with_nodes(1)};
  BOOST_TEST(nodes.elect() == 0u);
  auto written = nodes.put(0, "a.txt", "hello", durability::majority);
  nodes.settle();
  BOOST_REQUIRE(recorded(written));
  BOOST_CHECK(written->reply->achieved == durability::all);
  BOOST_TEST(bytes_at(nodes.disk(0), "a.txt") == "hello");
}

BOOST_AUTO_TEST_CASE(exactly_one_leader_is_elected_per_term) {
  for (std::size_t size : {3, 5}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      BOOST_TEST_CONTEXT("nodes " << size << ", seed " << seed) {
        auto settings = with_nodes(size, seed);
        settings.shuffle = true;
        checked_cluster nodes{settings};
        const auto first = nodes.elect();
        const auto led = nodes.node(first).seen->role;
        nodes.run_for(milliseconds{5000});
        BOOST_REQUIRE(nodes.leader() == first);
        BOOST_CHECK(nodes.node(first).seen->role == led);  // nobody disturbs a leader that is heard
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_others_elect_a_new_leader_when_theirs_is_gone_and_take_it_back_as_a_follower) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.stop(first);
  const auto second = nodes.elect();
  BOOST_TEST(second != first);
  nodes.start(first);
  BOOST_TEST(nodes.elect() == second);
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }));
}

BOOST_AUTO_TEST_CASE(a_leader_cut_off_from_the_majority_steps_down_within_the_timeout_and_an_interval) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.run_for(milliseconds{500});
  const auto cut_at = nodes.now();
  nodes.cut_off(first);
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.node(first).seen->role.now != role::leader; }));
  BOOST_TEST((nodes.now() - cut_at <= milliseconds{1000 + 150}));
}

BOOST_AUTO_TEST_CASE(a_leader_cut_off_from_the_majority_records_nothing_once_contact_is_older_than_the_timeout) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.run_for(milliseconds{500});
  const auto cut_at = nodes.now();
  nodes.cut_off(first);
  bool quorum_lost = false;
  for (int i = 0; nodes.now() < cut_at + milliseconds{4000}; ++i) {
    auto written = nodes.put(first, "f" + std::to_string(i), "x");
    nodes.settle();
    if (nodes.now() > cut_at + milliseconds{1000}) {
      BOOST_REQUIRE(written->reply);
      const auto why = written->reply->failure.code;
      BOOST_TEST((why == errc::quorum_lost || why == errc::not_leader));
    }
    quorum_lost = quorum_lost || refused(written, errc::quorum_lost);
    nodes.run_for(milliseconds{5});
  }
  BOOST_TEST(quorum_lost);  // there is a time between the last contact's end and the next look at it
}

BOOST_AUTO_TEST_CASE(a_follower_that_was_cut_off_does_not_disturb_the_leader_when_it_comes_back) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto led = nodes.node(first).seen->role;
  nodes.cut_off(nodes.others(first)[0]);
  nodes.run_for(milliseconds{10'000});
  nodes.heal();
  nodes.run_for(milliseconds{5000});
  BOOST_CHECK(nodes.node(first).seen->role == led);
  for (auto i : nodes.others(first)) BOOST_CHECK(nodes.node(i).seen->role.leader == nodes.node(first).id);
}

BOOST_AUTO_TEST_CASE(hand_over_makes_an_up_to_date_follower_the_leader) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto behind = nodes.others(first)[0];
  nodes.cut_off(behind);
  for (int i = 0; i < 5; ++i) nodes.put(first, "f" + std::to_string(i), "x");
  nodes.settle();
  auto answer = nodes.hand_over(first);
  nodes.run_for(milliseconds{5});
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return answer->reply.has_value(); }, milliseconds{1000}));
  BOOST_CHECK(answer->reply->failure.code == errc::none);
  BOOST_TEST(nodes.elect() == nodes.others(first)[1]);
  BOOST_TEST(bytes_at(nodes.disk(nodes.others(first)[1]), "f4") == "x");
}

BOOST_AUTO_TEST_CASE(hand_over_is_refused_at_once_when_nobody_else_could_lead) {
  checked_cluster nodes{with_nodes(1)};
  nodes.elect();
  auto answer = nodes.hand_over(0);
  nodes.settle();
  BOOST_REQUIRE(answer->reply.has_value());
  BOOST_CHECK(answer->reply->failure.code == errc::busy);
}

BOOST_AUTO_TEST_CASE(hand_over_is_given_up_after_the_timeout_and_the_leader_goes_on) {
  auto settings = with_nodes(3);
  checked_cluster nodes{settings};
  const auto first = nodes.elect();
  for (auto i : nodes.others(first)) nodes.disconnect(first, i);
  nodes.put(first, "before", "x");
  nodes.settle();
  auto answer = nodes.hand_over(first);
  auto during = nodes.put(first, "during", "x");
  nodes.settle();
  BOOST_TEST(refused(during, errc::not_leader));
  BOOST_REQUIRE(nodes.run_until([&] { return answer->reply.has_value(); }, milliseconds{1101}));
  BOOST_CHECK(answer->reply->failure.code == errc::busy);
  for (auto i : nodes.others(first)) nodes.connect(first, i);
  const auto next = nodes.elect();
  auto after = nodes.put(next, "after", "x", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(after); }));
}

// It may yet take over, by the votes of those that hear this leader.
BOOST_AUTO_TEST_CASE(a_leader_acknowledges_alone_nothing_that_one_it_asked_to_lead_may_lack) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto wanted = nodes.others(first)[0];
  nodes.run_for(milliseconds{500});
  nodes.cut_off(wanted);
  auto answer = nodes.hand_over(first, nodes.node(wanted).id);
  BOOST_REQUIRE(nodes.run_until([&] { return answer->reply.has_value(); }, milliseconds{1101}));
  BOOST_CHECK(answer->reply->failure.code == errc::busy);
  auto written = nodes.put(first, "lacked", "x");
  nodes.settle();
  BOOST_TEST(!written->reply);
  BOOST_REQUIRE(nodes.run_until([&] { return written->reply.has_value(); }, milliseconds{100}));
  BOOST_TEST(recorded(written));  // by a majority

  // Once it has taken an entry of long after, it is a follower like the other.
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }));
  nodes.run_for(milliseconds{500});
  BOOST_TEST(nodes.elect() == first);
  auto after = nodes.put(first, "after", "x");
  nodes.settle();
  BOOST_TEST(recorded(after));
}

BOOST_AUTO_TEST_CASE(a_second_hand_over_works_as_the_first) {
  checked_cluster nodes;
  for (int i = 0; i < 4; ++i) {
    const auto before = nodes.elect();
    auto answer = nodes.hand_over(before);
    BOOST_REQUIRE(nodes.run_until([&] { return answer->reply.has_value(); }, milliseconds{1000}));
    BOOST_CHECK(answer->reply->failure.code == errc::none);
    BOOST_TEST(nodes.elect() != before);
  }
}

// Replication starts in front of election and says at once who the log's voters are.
BOOST_AUTO_TEST_CASE(voters_named_before_the_start_are_taken) {
  actor_cluster nodes;
  temporary_directory directory;
  auto opened = store::open({directory / "data", 0, {}});
  BOOST_REQUIRE(opened.ok());
  std::shared_ptr<store> disk = std::move(*opened);
  auto handles = nodes.node(0).actors;
  handles.fronts.clear();
  handles.storage = nodes.system().spawn<storage_actor>(disk);
  auto actor = nodes.system().spawn<election_actor>(
      election_settings{{"a"}, {{"a"}, {"b"}}, milliseconds{1000}, [](std::uint64_t) { return 0u; }}, hard_state{},
      disk->disk());
  members_changed alone;
  alone.now.voters = {{{"a"}, {}, "a:7000"}};
  caf::anon_send(actor, alone);
  nodes.settle();
  caf::anon_send(actor, handles);
  nodes.run_for(milliseconds{1});
  BOOST_TEST(disk->state().voted_for == node_id{"a"});
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(handles.storage, caf::exit_reason::user_shutdown);
  nodes.settle();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
