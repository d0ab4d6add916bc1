// Large content: followers bring it before they take the entry that names it.

#include <caf/all.hpp>

#include "fixture.hpp"
#include "kaiku/actors/content_actor.hpp"

namespace kaiku::test {

BOOST_AUTO_TEST_SUITE(content)

namespace {

std::string large_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + (i / 1000 + i) % 26);
  return bytes;
}

content_ref named(std::string_view bytes) {
  return {sha256(bytes), {bytes.size()}};
}

/// Gives the node another content actor and its peers new links to it.
void replace_content(actor_cluster& nodes, std::size_t at) {
  auto& x = nodes.node(at);
  x.actors.content = nodes.system().spawn<content_actor>(x.disk, x.steps, threads::shared);
  x.spawned.push_back(caf::actor_cast<caf::actor>(x.actors.content));
  for (auto other : nodes.others(at)) nodes.connect(at, other);
}

}  // namespace

BOOST_AUTO_TEST_CASE(small_and_large_content_reach_all_followers) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const std::size_t chunk = limits::chunk_bytes;
  std::size_t file = 0;
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, limits::small_content_bytes, limits::small_content_bytes + 1,
                           chunk, chunk + 1, 4 * chunk, 9 * chunk + 17}) {
    const auto bytes = large_bytes(size);
    const auto path = "f" + std::to_string(file++);
    std::unique_ptr<staged_file> staged;
    if (!named(bytes).is_small()) staged = nodes.stage(first, bytes);
    auto written = nodes.put(first, path, bytes, durability::majority);
    BOOST_REQUIRE(nodes.run_until([&] { return written->reply.has_value(); }, milliseconds{2000}));
    BOOST_REQUIRE(recorded(written));
  }
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }, milliseconds{2000}));
  BOOST_TEST((bytes_at(nodes.disk(nodes.others(first)[1]), "f7") == large_bytes(9 * chunk + 17)));
}

BOOST_AUTO_TEST_CASE(a_follower_waits_for_content_and_does_not_acknowledge_before_it_has_it) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.network().set_quality({0, microseconds{100'000}, microseconds{100'000}, true});
  const auto bytes = large_bytes(3 << 20);
  const auto what = named(bytes);
  auto staged = nodes.stage(first, bytes);
  auto large = nodes.put(first, "large", bytes, durability::majority);
  auto small = nodes.put(first, "small", "behind it", durability::majority);
  const auto began = nodes.now();
  BOOST_REQUIRE(nodes.run_until([&] {
    std::size_t holders = 0;
    for (auto i : nodes.others(first)) {
      const bool has_content = nodes.disk(i).content().open(what).ok();
      const bool has_entry = bytes_at(nodes.disk(i), "large") != "(not_found)";
      BOOST_REQUIRE((!has_entry || has_content));  // BLOB_BEFORE_ENTRY
      holders += has_entry ? 1 : 0;
    }
    BOOST_REQUIRE((holders > 0 || !large->reply));
    return large->reply && small->reply;
  }));
  BOOST_TEST((nodes.now() - began > milliseconds{600}));  // three windows there and back
  BOOST_TEST(recorded(large));
  BOOST_TEST(recorded(small));
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }));
}

BOOST_AUTO_TEST_CASE(content_that_a_follower_already_has_is_not_sent_again) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto bytes = large_bytes(2 << 20);
  auto staged = nodes.stage(first, bytes);
  auto once = nodes.put(first, "once", bytes, durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(once) && all_equal(nodes); }));
  nodes.run_for(milliseconds{1000});
  const auto before = nodes.network().delivered();
  auto twice = nodes.put(first, "twice", bytes, durability::majority);
  nodes.run_for(milliseconds{10});
  BOOST_TEST(recorded(twice));
  BOOST_TEST(nodes.network().delivered() - before <= 16u);
}

BOOST_AUTO_TEST_CASE(a_fetch_that_fails_is_tried_again) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.run_for(milliseconds{1000});
  caf::anon_send_exit(nodes.node(first).actors.content, caf::exit_reason::kill);
  nodes.settle();
  const auto bytes = large_bytes(1 << 20);
  auto staged = nodes.stage(first, bytes);
  auto large = nodes.put(first, "large", bytes, durability::majority);
  nodes.run_for(milliseconds{3000});
  BOOST_TEST(!large->reply);
  for (auto i : nodes.others(first)) BOOST_TEST(bytes_at(nodes.disk(i), "large") == "(not_found)");
  BOOST_REQUIRE(nodes.leader() == first);
  replace_content(nodes, first);
  BOOST_REQUIRE(nodes.run_until([&] { return large->reply.has_value(); }, milliseconds{1500}));
  BOOST_TEST(recorded(large));
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }));
}

// What one fetch has staged must still be there when the next one brings what the same append also names.
BOOST_AUTO_TEST_CASE(an_append_whose_contents_come_in_two_fetches_is_followed) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.network().set_quality({0, microseconds{20'000}, microseconds{20'000}, true});
  for (auto i : nodes.others(first)) nodes.disconnect(first, i);
  const auto one = large_bytes(1 << 20);
  const auto two = large_bytes(2 << 20);
  auto staged_one = nodes.stage(first, one);
  auto staged_two = nodes.stage(first, two);
  nodes.put(first, "one", one);
  nodes.put(first, "two", two);
  nodes.settle();
  const auto follower = nodes.others(first)[0];
  auto upload_given_up = nodes.stage(follower, one);
  nodes.connect(first, follower);
  nodes.run_for(milliseconds{70});  // only the second file is being brought
  upload_given_up = nullptr;
  BOOST_REQUIRE(nodes.run_until([&] { return bytes_at(nodes.disk(follower), "two") == two; }, milliseconds{4000}));
}

BOOST_AUTO_TEST_CASE(a_link_that_breaks_during_a_fetch_only_delays_it) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  const auto follower = nodes.others(first)[0];
  nodes.network().set_quality({0, microseconds{50'000}, microseconds{50'000}, true});
  const auto bytes = large_bytes(4 << 20);
  auto staged = nodes.stage(first, bytes);
  auto large = nodes.put(first, "large", bytes);
  nodes.run_for(milliseconds{300});
  nodes.disconnect(first, follower);
  nodes.run_for(milliseconds{100});
  BOOST_TEST(bytes_at(nodes.disk(follower), "large") == "(not_found)");
  nodes.connect(first, follower);
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }, milliseconds{5000}));
}

BOOST_AUTO_TEST_CASE(a_leader_that_vanishes_during_a_fetch_does_not_hold_up_the_next_one) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  nodes.network().set_quality({0, microseconds{50'000}, microseconds{50'000}, true});
  const auto bytes = large_bytes(4 << 20);
  auto staged = nodes.stage(first, bytes);
  nodes.put(first, "large", bytes);
  nodes.run_for(milliseconds{300});
  nodes.cut_off(first);
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader() && *nodes.leader() != first; }));
  auto written = nodes.put(*nodes.leader(), "small", "x", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return written->reply.has_value(); }, milliseconds{3000}));
  BOOST_TEST(recorded(written));
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return all_equal(nodes); }));
}

BOOST_AUTO_TEST_CASE(a_write_that_names_content_nobody_sent_is_refused) {
  checked_cluster nodes;
  const auto first = nodes.elect();
  auto written = nodes.put(first, "large", large_bytes(1 << 20));
  nodes.settle();
  BOOST_TEST(refused(written, errc::content_missing));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
