// What the leader is asked: how far a read must be, what became of a write; and what it answers `all` writes.

#include "fixture.hpp"

using namespace kaiku;
using namespace kaiku::test;

namespace {

using fate = write_status::fate;

bool answered(const asked_ptr<read_index_reply>& x) {
  return x->reply && x->reply->failure.code == errc::none;
}

fate fate_of(actor_cluster& nodes, std::size_t at, log_position what) {
  auto asked = nodes.find(at, what);
  nodes.settle();
  BOOST_REQUIRE(asked->reply.has_value());
  BOOST_REQUIRE(asked->reply->failure.code == errc::none);
  return asked->reply->status.what;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(questions)

BOOST_AUTO_TEST_CASE(a_read_index_covers_every_write_answered_before_it) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  auto written = nodes.put(first, "a", "x", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  auto read = nodes.read_index(first);
  BOOST_REQUIRE(nodes.run_until([&] { return answered(read); }, milliseconds{100}));
  BOOST_TEST((read->reply->index >= written->reply->token.at.index));
}

BOOST_AUTO_TEST_CASE(a_lone_node_answers_a_read_index_at_once) {
  checked_cluster nodes{with_nodes(1)};
  nodes.elect();
  for (int i = 0; i < 3; ++i) {
    auto read = nodes.read_index(0);
    nodes.settle();
    BOOST_TEST(answered(read));
  }
}

BOOST_AUTO_TEST_CASE(a_leader_that_hears_nobody_answers_no_read_index) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.run_for(milliseconds{300});
  nodes.cut_off(first);
  auto read = nodes.read_index(first);
  nodes.run_for(milliseconds{900});
  BOOST_TEST(!read->reply.has_value());
  BOOST_REQUIRE(nodes.run_until([&] { return read->reply.has_value(); }));
  BOOST_CHECK(read->reply->failure.code == errc::not_leader);
}

BOOST_AUTO_TEST_CASE(a_follower_answers_no_questions) {
  checked_cluster nodes;
  const auto follower = nodes.others(nodes.elect())[0];
  auto read = nodes.read_index(follower);
  auto found = nodes.find(follower, {{1}, {1}});
  nodes.settle();
  BOOST_REQUIRE((read->reply && found->reply));
  BOOST_CHECK(read->reply->failure.code == errc::not_leader);
  BOOST_CHECK(found->reply->failure.code == errc::not_leader);
}

BOOST_AUTO_TEST_CASE(the_fate_of_a_write_goes_from_leader_over_majority_to_all) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto rest = nodes.others(first);
  nodes.run_for(milliseconds{300});
  for (auto i : rest) nodes.cut_off(i);
  auto written = nodes.put(first, "a", "x");
  nodes.settle();
  BOOST_REQUIRE(recorded(written));
  const auto at = written->reply->token.at;
  BOOST_CHECK(fate_of(nodes, first, at) == fate::leader);
  nodes.heal();
  nodes.cut_off(rest[1]);
  BOOST_REQUIRE(nodes.run_until([&] { return fate_of(nodes, first, at) == fate::majority; }));
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return fate_of(nodes, first, at) == fate::all; }));
}

BOOST_AUTO_TEST_CASE(a_displaced_write_is_known_as_set_aside_once_the_next_leader_has_committed) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.run_for(milliseconds{300});
  nodes.cut_off(first);
  auto lost = nodes.put(first, "lost", "x");
  nodes.settle();
  BOOST_REQUIRE(recorded(lost));
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader() && *nodes.leader() != first; }));
  const auto next = *nodes.leader();
  auto kept = nodes.put(next, "kept", "x", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(kept); }));
  BOOST_CHECK(fate_of(nodes, next, lost->reply->token.at) == fate::set_aside);
  BOOST_CHECK(fate_of(nodes, next, {{9}, {900}}) == fate::unknown);
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.disk(first).set_aside().size() == 1; }));
}

BOOST_AUTO_TEST_CASE(a_new_leader_says_what_its_predecessor_had_and_it_lacks) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto last = nodes.disk(first).state().last;
  // Heartbeats get through, this entry does not: its content can't be read any more.
  const std::string bytes(100'000, 'x');
  auto staged = nodes.stage(first, bytes);
  auto lost = nodes.put(first, "lost", bytes);
  nodes.settle();
  BOOST_REQUIRE(recorded(lost));
  std::filesystem::remove_all(*nodes.node(first).directory / "data" / "blobs");
  nodes.run_for(milliseconds{500});
  staged.reset();
  nodes.stop(first);
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader().has_value(); }));
  const auto& next = *nodes.node(*nodes.leader()).seen;
  BOOST_REQUIRE(nodes.run_until([&] { return next.progress.commit > last.index; }));
  BOOST_REQUIRE(next.progress.possibly_lost.has_value());
  const lost_entries expected{last.in_term, last.index.next(), lost->reply->token.at.index};
  BOOST_TEST((*next.progress.possibly_lost == expected));
}

BOOST_AUTO_TEST_CASE(a_backlog_that_only_the_leader_has_stops_writes_that_only_it_would_hold) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const std::string bytes(100'000, 'x');
  auto staged = nodes.stage(first, bytes);
  BOOST_REQUIRE(nodes.run_until([&, x = nodes.put(first, "stuck", bytes)] { return recorded(x); }));
  // No follower gets past this entry: its content can't be read any more.
  std::filesystem::remove_all(*nodes.node(first).directory / "data" / "blobs");
  nodes.run_for(milliseconds{limits::unreplicated_ms - 2000});
  BOOST_REQUIRE(nodes.run_until([&, x = nodes.put(first, "early", "x")] { return recorded(x); }));
  nodes.run_for(milliseconds{3000});
  auto more = nodes.put(first, "more", "x");
  nodes.settle();
  BOOST_TEST(refused(more, errc::behind));
  auto safe = nodes.put(first, "safe", "x", durability::majority);
  nodes.settle();
  BOOST_TEST(!safe->reply.has_value());
}

BOOST_AUTO_TEST_CASE(an_all_write_waits_for_every_voter_and_is_never_answered_as_more_than_it_is) {
  auto settings = with_nodes(3);
  settings.durability_wait = milliseconds{2000};
  checked_cluster nodes{settings};
  const auto first = nodes.elect();
  auto everywhere = nodes.put(first, "a", "x", durability::all);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(everywhere); }, milliseconds{1000}));
  BOOST_CHECK(everywhere->reply->achieved == durability::all);
  BOOST_TEST(everywhere->reply->holders == 3u);
  nodes.stop(nodes.others(first)[0]);
  auto waits = nodes.put(first, "b", "x", durability::all);
  nodes.run_for(milliseconds{1900});
  BOOST_TEST(!waits->reply.has_value());
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(waits); }, milliseconds{300}));
  BOOST_CHECK(waits->reply->achieved == durability::majority);
  BOOST_TEST(waits->reply->holders == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
