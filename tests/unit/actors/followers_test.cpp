// How all nodes come to hold the same: first entry, catching up, set-aside tails.

#include "fixture.hpp"

namespace kaiku::test {

BOOST_AUTO_TEST_SUITE(followers)

// Before that, another leader may name another cluster, and nobody may be refused for its cluster.
BOOST_AUTO_TEST_CASE(a_cluster_is_confirmed_only_once_its_entry_is_committed) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  BOOST_REQUIRE(nodes.run_until([&] {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (!nodes.disk(i).members().confirmed) return false;
    return true;
  }));
  BOOST_TEST(nodes.disk(first).members().since == log_index{1});
}

BOOST_AUTO_TEST_CASE(the_first_entry_names_the_cluster_and_soon_every_members_disk_is_recorded) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto log = whole_log(nodes.disk(first));
  BOOST_REQUIRE(!log.empty());
  auto names = decode_command(log.front().encoded_command);
  BOOST_REQUIRE(names.ok());
  const auto* members = std::get_if<set_members>(&*names);
  BOOST_REQUIRE(members != nullptr);
  BOOST_TEST(members->cluster.known());
  BOOST_REQUIRE(nodes.run_until([&] {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const auto now = nodes.disk(i).members();
      if (now.cluster != members->cluster || now.voters.size() != 3) return false;
      for (std::size_t j = 0; j < nodes.size(); ++j)
        if (now.voters[j].disk != nodes.disk(j).disk()) return false;
    }
    return true;
  }));
  nodes.run_for(milliseconds{3000});
  BOOST_TEST(whole_log(nodes.disk(first)).size() <= 3u);  // said once
  for (std::size_t i = 0; i < nodes.size(); ++i)
    BOOST_TEST((nodes.node(i).seen->members.voters == nodes.disk(i).members().voters));
}

BOOST_AUTO_TEST_CASE(a_member_that_is_seen_later_is_recorded_then) {
  auto settings = with_nodes(3);
  settings.absent = 1;
  checked_cluster nodes{settings};
  nodes.elect();
  nodes.run_for(milliseconds{1000});
  BOOST_TEST(!nodes.disk(0).members().voters[2].disk.known());
  nodes.start(2);
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.disk(0).members().voters[2].disk == nodes.disk(2).disk(); }));
}

BOOST_AUTO_TEST_CASE(all_nodes_hold_the_same_after_ordinary_writes) {
  checked_cluster nodes{with_nodes(5)};
  const auto first = nodes.elect();
  for (int i = 0; i < 200; ++i) {
    nodes.put(first, "d" + std::to_string(i % 7) + "/f" + std::to_string(i % 31), "content " + std::to_string(i));
    if (i % 10 == 0) nodes.run_for(milliseconds{1});
  }
  write_request removal;
  removal.encoded_command = encode(remove_path{*file_path::parse("d3"), true, {}});
  auto removed = nodes.write(first, removal);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(removed); }));
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }, milliseconds{1000}));
  BOOST_TEST(describe_tree(nodes.disk(0)).size() > 30u);
}

BOOST_AUTO_TEST_CASE(a_follower_that_was_away_catches_up_with_more_than_fits_one_message) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto away = nodes.others(first)[0];
  nodes.stop(away);
  for (int i = 0; i < 300; ++i)
    nodes.put(first, "f" + std::to_string(i), std::string(60'000, static_cast<char>('a' + i % 26)));
  nodes.run_for(milliseconds{100});
  nodes.start(away);
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }, milliseconds{5000}));
  BOOST_TEST(bytes_at(nodes.disk(away), "f299") == bytes_at(nodes.disk(first), "f299"));
}

BOOST_AUTO_TEST_CASE(a_tail_that_diverged_is_set_aside_and_all_nodes_are_equal_after_healing) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.put(first, "kept", "before");
  nodes.run_for(milliseconds{500});
  nodes.cut_off(first);
  std::vector<asked_ptr<write_reply>> lost;
  for (int i = 0; i < 5; ++i) lost.push_back(nodes.put(first, "lost" + std::to_string(i), "x"));
  lost.push_back(nodes.put(first, "kept", "overwritten by the old leader"));
  nodes.settle();
  for (const auto& one : lost) BOOST_REQUIRE(recorded(one));
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader() && *nodes.leader() != first; }));
  const auto second = *nodes.leader();
  auto written = nodes.put(second, "new", "y", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }));
  BOOST_TEST(nodes.disk(first).set_aside().size() == 6u);
  BOOST_TEST(nodes.disk(second).set_aside().empty());
  BOOST_TEST(bytes_at(nodes.disk(first), "lost0") == "(not_found)");
  BOOST_TEST(bytes_at(nodes.disk(first), "kept") == "before");
  BOOST_TEST(bytes_at(nodes.disk(first), "new") == "y");
}

// Storage follows the newer log while this node's election, busy with something, still has it lead the older term.
BOOST_AUTO_TEST_CASE(a_newer_leaders_append_ends_leading_before_election_says_so) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  auto* election =
      dynamic_cast<caf::resumable*>(caf::actor_cast<caf::abstract_actor*>(nodes.node(first).actors.election));
  BOOST_REQUIRE(election != nullptr);
  nodes.cut_off(first);
  for (int i = 0; i < 20; ++i) nodes.put(first, "lost" + std::to_string(i), "x");
  nodes.settle();
  auto run_without_election_until = [&](const std::function<bool()>& holds) {
    for (int i = 0; i < 2000 && !holds(); ++i) {
      nodes.scheduler().run_jobs_filtered([&](caf::resumable* job) { return job != election; });
      nodes.scheduler().advance_time(milliseconds{1});
    }
    return holds();
  };
  BOOST_REQUIRE(run_without_election_until([&] { return nodes.leader() && *nodes.leader() != first; }));
  nodes.heal();
  BOOST_REQUIRE(run_without_election_until([&] { return !nodes.disk(first).set_aside().empty(); }));
  BOOST_REQUIRE(nodes.node(first).seen->role.now == role::leader);
  auto late = nodes.put(first, "late", "x");
  for (auto i : nodes.others(first)) nodes.connect(first, i);  // a leader would begin to send at once
  run_without_election_until([] { return false; });
  BOOST_TEST(refused(late, errc::not_leader));
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }));
  BOOST_CHECK(nodes.node(first).seen->role.now != role::leader);
}

BOOST_AUTO_TEST_CASE(a_restarted_cluster_goes_on_where_it_was) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  auto written = nodes.put(first, "a", "hello", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  for (std::size_t i = 0; i < 3; ++i) nodes.stop(i);
  for (std::size_t i = 0; i < 3; ++i) nodes.start(i);
  const auto second = nodes.elect();
  auto again = nodes.put(second, "b", "again", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(again); }));
  BOOST_TEST(again->reply->token.at.in_term > written->reply->token.at.in_term);
  BOOST_TEST((again->reply->token.cluster == written->reply->token.cluster));
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }));
  BOOST_TEST(bytes_at(nodes.disk(0), "a") == "hello");
}

BOOST_AUTO_TEST_CASE(appends_that_vanish_without_a_word_are_sent_again) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto follower = nodes.others(first)[0];
  nodes.network().cut(nodes.node(first).id, nodes.node(follower).id);
  for (int i = 0; i < 50; ++i) {
    nodes.put(first, "f" + std::to_string(i), "x");
    nodes.run_for(milliseconds{10});
  }
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }, milliseconds{3000}));
}

BOOST_AUTO_TEST_CASE(a_link_that_goes_down_and_up_again_is_used_at_once) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto follower = nodes.others(first)[0];
  nodes.disconnect(first, follower);
  nodes.put(first, "a", "hello");
  nodes.run_for(milliseconds{20});
  BOOST_TEST(bytes_at(nodes.disk(follower), "a") == "(not_found)");
  nodes.connect(first, follower);
  nodes.run_for(milliseconds{20});
  BOOST_TEST(bytes_at(nodes.disk(follower), "a") == "hello");
}

BOOST_AUTO_TEST_CASE(followers_learn_the_commit_index_from_the_leader) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  auto written = nodes.put(first, "a", "hello", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  nodes.run_for(milliseconds{200});  // with the next heartbeat at the latest
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(nodes.node(i).seen->progress.commit >= written->reply->token.at.index);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
