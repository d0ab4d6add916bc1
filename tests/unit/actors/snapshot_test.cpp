// The log stays bounded; who needs more than is left of it is sent the state.

#include "fixture.hpp"
#include "kaiku/core/membership.hpp"

using namespace kaiku;
using namespace kaiku::test;

namespace {

cluster_settings with_small_log(std::size_t nodes, std::size_t joining = 0) {
  auto settings = with_nodes(nodes);
  settings.joining = joining;
  settings.log_bytes = {20'000};
  settings.log_bytes_for_followers = {60'000};
  return settings;
}

void write_many(actor_cluster& nodes, std::size_t at, int from, int to) {
  for (int i = from; i < to; ++i) {
    auto written = nodes.put(at, "d" + std::to_string(i % 7) + "/f" + std::to_string(i), std::string(500, 'x'));
    BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  }
}

bool compacted_on(actor_cluster& nodes, std::size_t i) {
  return nodes.disk(i).first_index().value > 1 && nodes.disk(i).log_bytes().value <= 20'000;
}

bool same_trees(actor_cluster& nodes) {
  std::optional<std::vector<std::string>> first;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!nodes.node(i).disk) continue;
    const auto tree = describe_tree(nodes.disk(i));
    if (!first) first = tree;
    if (tree != *first) return false;
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(snapshots)

BOOST_AUTO_TEST_CASE(every_node_compacts_its_log_once_it_is_committed) {
  checked_cluster nodes{with_small_log(3)};
  const auto first = nodes.elect();
  write_many(nodes, first, 0, 200);
  for (std::size_t i = 0; i < 3; ++i) BOOST_REQUIRE(nodes.run_until([&] { return compacted_on(nodes, i); }));
  BOOST_TEST(same_trees(nodes));
}

BOOST_AUTO_TEST_CASE(every_node_compacts_what_removed_and_replaced_files_some_time_ago) {
  auto settings = with_nodes(3);
  settings.superseded_keep = milliseconds{60'000};
  checked_cluster nodes{settings};
  const auto first = nodes.elect();
  write_many(nodes, first, 0, 5);
  nodes.run_for(milliseconds{70'000});
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST(nodes.disk(i).first_index().value == 1u);
  write_many(nodes, first, 0, 3);  // again
  const auto replaced = nodes.disk(first).state().last.index;
  write_many(nodes, first, 5, 9);
  nodes.run_for(milliseconds{50'000});
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST((nodes.disk(i).first_index() <= replaced));
  nodes.run_for(milliseconds{15'000});
  for (std::size_t i = 0; i < 3; ++i) BOOST_TEST((nodes.disk(i).first_index() == replaced.next()));
}

BOOST_AUTO_TEST_CASE(the_log_is_kept_for_a_linked_follower_up_to_a_bound) {
  auto settings = with_small_log(3);
  checked_cluster nodes{settings};
  const auto first = nodes.elect();
  const auto slow = nodes.others(first)[0];
  nodes.cut_off(slow);  // the link stands, nothing gets through
  const auto held = nodes.disk(slow).state().last.index;
  write_many(nodes, first, 0, 40);
  nodes.run_for(milliseconds{1000});
  BOOST_TEST(nodes.disk(first).log_bytes().value > 20'000u);
  BOOST_TEST((nodes.disk(first).first_index() <= held.next()));
  write_many(nodes, first, 40, 300);
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.disk(first).first_index() > held.next(); }));
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return same_trees(nodes); }));
}

BOOST_AUTO_TEST_CASE(a_follower_that_was_away_for_long_is_sent_the_state_and_goes_on_behind_it) {
  checked_cluster nodes{with_small_log(3)};
  const auto first = nodes.elect();
  const auto away = nodes.others(first)[0];
  nodes.stop(away);
  const std::string large(200'000, 'y');
  auto staged = nodes.stage(first, large);
  BOOST_REQUIRE(nodes.run_until([&, x = nodes.put(first, "large", large)] { return recorded(x); }));
  staged.reset();
  write_many(nodes, first, 0, 300);
  BOOST_REQUIRE(nodes.run_until([&] { return compacted_on(nodes, first); }));
  nodes.start(away);
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.disk(away).first_index().value > 1; }));
  write_many(nodes, first, 300, 310);
  BOOST_REQUIRE(nodes.run_until([&] { return same_trees(nodes); }));
  BOOST_TEST(bytes_at(nodes.disk(away), "large") == large);
  // It counts again, and can lead.
  nodes.stop(nodes.others(first)[1]);
  auto written = nodes.put(first, "after", "x", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  auto handed = nodes.hand_over(first, nodes.node(away).id);
  BOOST_REQUIRE(nodes.run_until([&] { return handed->reply && handed->reply->failure.code == errc::none; }));
}

BOOST_AUTO_TEST_CASE(a_leader_whose_last_entry_waits_for_the_one_that_needs_the_state_can_send_it) {
  checked_cluster nodes{with_small_log(3)};
  const auto first = nodes.elect();
  const auto away = nodes.others(first)[0], third = nodes.others(first)[1];
  nodes.stop(away);
  write_many(nodes, first, 0, 300);
  BOOST_REQUIRE(nodes.run_until([&] { return compacted_on(nodes, first) && compacted_on(nodes, third); }));
  nodes.stop(third);
  nodes.put(first, "f1", "only here");  // and nobody is left to commit it
  BOOST_REQUIRE(nodes.run_until([&] { return !nodes.leader().has_value(); }));
  nodes.start(away);
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader() == first; }));
  auto written = nodes.put(first, "after", "x", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  BOOST_TEST(bytes_at(nodes.disk(away), "f1") == "only here");
}

BOOST_AUTO_TEST_CASE(a_new_member_gets_the_state_and_becomes_a_voter) {
  checked_cluster nodes{with_small_log(4, 1)};
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader().has_value(); }));
  const auto first = *nodes.leader();
  write_many(nodes, first, 0, 300);
  BOOST_REQUIRE(nodes.run_until([&] { return compacted_on(nodes, first); }));
  auto added = nodes.add(first, 3);
  BOOST_REQUIRE(nodes.run_until([&] { return added->reply.has_value(); }));
  BOOST_REQUIRE(nodes.run_until(
      [&] { return find_member(nodes.disk(3).members().voters, nodes.node(3).id) != nullptr && same_trees(nodes); }));
}

BOOST_AUTO_TEST_CASE(small_content_that_the_source_has_lost_is_mended_there_and_then_the_install_goes_on) {
  checked_cluster nodes{with_small_log(3)};
  const auto first = nodes.elect();
  const auto away = nodes.others(first)[0], third = nodes.others(first)[1];
  nodes.stop(away);
  BOOST_REQUIRE(nodes.run_until([&, x = nodes.put(first, "lost", "what was lost")] { return recorded(x); }));
  write_many(nodes, first, 0, 300);
  BOOST_REQUIRE(nodes.run_until([&] { return compacted_on(nodes, first) && compacted_on(nodes, third); }));
  const content_ref lost{sha256("what was lost"), {13}};
  BOOST_REQUIRE(nodes.disk(first).quarantine(lost).ok());
  nodes.start(away);
  BOOST_REQUIRE(nodes.run_until([&] { return !nodes.disk(away).list_lacked(9).empty(); }));
  nodes.run_for(milliseconds{10'000});
  BOOST_TEST((nodes.disk(away).list_lacked(9) == std::vector<content_ref>{lost}));
  BOOST_TEST(!nodes.disk(first).holds(lost));
  // It hears of it from the install.
  add_scrub(nodes, first, {third});
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.disk(first).holds(lost); }, milliseconds{10'000}));
  BOOST_REQUIRE(nodes.run_until([&] { return same_trees(nodes); }, milliseconds{10'000}));
  BOOST_TEST(bytes_at(nodes.disk(away), "lost") == "what was lost");
}

BOOST_AUTO_TEST_CASE(an_install_that_the_leaders_end_breaks_off_is_done_by_the_next_leader) {
  checked_cluster nodes{with_small_log(3)};
  const auto first = nodes.elect();
  const auto away = nodes.others(first)[0];
  nodes.stop(away);
  write_many(nodes, first, 0, 300);
  for (auto i : nodes.others(away)) BOOST_REQUIRE(nodes.run_until([&] { return compacted_on(nodes, i); }));
  nodes.start(away);
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.disk(away).installing().has_value(); }));
  nodes.stop(first);
  // The two that are left need each other: one has all, the other is in the middle of getting it.
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader() && *nodes.leader() != first; }));
  auto written = nodes.put(*nodes.leader(), "after", "x", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  nodes.start(first);
  BOOST_REQUIRE(nodes.run_until([&] { return same_trees(nodes); }));
}

BOOST_AUTO_TEST_SUITE_END()
