#include "kaiku/core/membership.hpp"

#include <boost/test/unit_test.hpp>

using namespace kaiku;

namespace {

incarnation disk_of(std::uint8_t number) {
  incarnation disk;
  disk.bytes.fill(number);
  return disk;
}

member named(const std::string& name, std::uint8_t disk) {
  return {{name}, disk_of(disk), name + ":9000"};
}

membership three() {
  membership now;
  now.cluster.bytes.fill(7);
  now.voters = {named("a", 1), named("b", 2), named("c", 3)};
  return now;
}

member_change join(const std::string& name) {
  return {member_change::kind::add, {name}, name + ":9000"};
}
member_change leave(const std::string& name) {
  return {member_change::kind::remove, {name}, {}};
}

/// Voters that differ between the two: more than one and their majorities may have no node in common.
std::size_t voters_changed(const membership& before, const set_members& after) {
  std::set<node_id> all = names_of(before.voters), both;
  for (const auto& id : names_of(after.voters))
    if (!all.insert(id).second) both.insert(id);
  return all.size() - both.size();
}

errc failure(const membership& now, const member_change& change, const incarnation& disk = {}) {
  auto next = apply(now, change, disk);
  return next.ok() ? errc::none : next.failure().code;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memberships)

BOOST_AUTO_TEST_CASE(a_new_member_begins_as_a_learner_and_counts_only_when_promoted) {
  const auto now = three();
  auto next = apply(now, join("d"), disk_of(4));
  BOOST_REQUIRE(next.ok());
  BOOST_TEST((next->voters == now.voters));
  BOOST_TEST((next->learners == std::vector{named("d", 4)}));
  membership joined{next->cluster, next->voters, next->learners, {5}, true};
  auto promoted = promote(joined, {"d"});
  BOOST_REQUIRE(promoted.has_value());
  BOOST_TEST(promoted->voters.size() == 4u);
  BOOST_TEST(promoted->learners.empty());
  BOOST_TEST(voters_changed(joined, *promoted) == 1u);
}

BOOST_AUTO_TEST_CASE(a_learner_whose_disk_was_never_seen_is_not_promoted) {
  auto now = three();
  now.learners = {{{"d"}, {}, "d:9000"}};
  BOOST_TEST(!promote(now, {"d"}).has_value());
  BOOST_TEST(!promote(now, {"a"}).has_value());
}

BOOST_AUTO_TEST_CASE(a_voter_with_another_disk_becomes_a_learner_and_its_old_disk_counts_no_more) {
  const auto now = three();
  auto next = apply(now, join("c"), disk_of(9));
  BOOST_REQUIRE(next.ok());
  BOOST_TEST((next->voters == std::vector{named("a", 1), named("b", 2)}));
  BOOST_TEST((next->learners == std::vector{named("c", 9)}));
  BOOST_TEST(voters_changed(now, *next) == 1u);
}

BOOST_AUTO_TEST_CASE(a_learner_with_another_disk_takes_the_place_of_the_old_one) {
  auto now = three();
  now.learners = {named("d", 4)};
  auto next = apply(now, join("d"), disk_of(5));
  BOOST_REQUIRE(next.ok());
  BOOST_TEST((next->learners == std::vector{named("d", 5)}));
}

BOOST_AUTO_TEST_CASE(who_is_a_member_already_is_not_added_again) {
  auto now = three();
  BOOST_CHECK(failure(now, join("b"), disk_of(2)) == errc::already_exists);
  BOOST_CHECK(failure(now, join("b")) == errc::already_exists);
  now.learners = {named("d", 4)};
  BOOST_CHECK(failure(now, join("d"), disk_of(4)) == errc::already_exists);
  BOOST_CHECK(failure(now, join("d")) == errc::already_exists);
}

BOOST_AUTO_TEST_CASE(voters_and_learners_can_be_removed_but_not_the_last_voter) {
  auto now = three();
  now.learners = {named("d", 4)};
  BOOST_TEST(apply(now, leave("a"), {})->voters.size() == 2u);
  BOOST_TEST(apply(now, leave("d"), {})->learners.empty());
  BOOST_CHECK(failure(now, leave("x")) == errc::not_found);
  now.voters = {named("a", 1)};
  BOOST_CHECK(failure(now, leave("a")) == errc::busy);
  BOOST_CHECK(failure(now, join("a"), disk_of(8)) == errc::busy);
}

BOOST_AUTO_TEST_CASE(who_is_silent_for_long_can_go_as_long_as_three_voters_stay) {
  constexpr milliseconds bound{1000};
  const instant start{};
  auto now = three();
  now.voters.push_back(named("d", 4));
  const auto dead = [&](silence known) {
    const auto found = long_dead(now, {"a"}, known, bound);
    return found ? found->name : "(nobody)";
  };
  const std::map<node_id, instant> all_but_d{{{"b"}, start + bound * 2}, {{"c"}, start + bound * 2}};
  BOOST_TEST(dead({start + bound * 2, start, all_but_d}) == "d");
  // Neither before its time, nor by a leader that has not led for so long.
  BOOST_TEST(dead({start + bound, start, {}}) == "(nobody)");
  BOOST_TEST(dead({start + bound * 2, start + bound, all_but_d}) == "(nobody)");
  now.voters.pop_back();
  BOOST_TEST(dead({start + bound * 9, start, {}}) == "(nobody)");
  now.learners = {named("e", 5)};
  BOOST_TEST(dead({start + bound * 2, start, all_but_d}) == "e");
  // Named when the cluster was founded anew by one of three, and still to come.
  now.voters.resize(1);
  now.learners = {named("b", 2), named("c", 3)};
  BOOST_TEST(dead({start + bound * 9, start, {}}) == "(nobody)");
  now.learners.push_back(named("e", 5));
  BOOST_TEST(dead({start + bound * 2, start, all_but_d}) == "e");
}

BOOST_AUTO_TEST_CASE(a_leader_proposes_disks_then_a_promotion_then_a_removal) {
  constexpr milliseconds bound{1000};
  const instant start{};
  auto now = three();
  now.voters.push_back({{"d"}, {}, "d:9000"});
  now.learners = {named("e", 5)};
  const silence long_ago{start + bound * 2, start, {{{"b"}, start + bound * 2}, {{"c"}, start + bound * 2}}};
  const auto next = [&](const std::map<node_id, incarnation>& disks, std::optional<node_id> caught_up,
                        milliseconds remove_dead_after) {
    return due(now, {"a"}, disks, caught_up, long_ago, remove_dead_after);
  };
  auto disks = next({{{"a"}, disk_of(1)}, {{"d"}, disk_of(4)}}, node_id{"e"}, bound);
  BOOST_REQUIRE(disks.has_value());
  BOOST_CHECK(disks->what == due_change::kind::disks);
  BOOST_CHECK(disks->next.voters.back().disk == disk_of(4));
  auto promoted = next({}, node_id{"e"}, bound);
  BOOST_REQUIRE(promoted.has_value());
  BOOST_CHECK(promoted->what == due_change::kind::promote);
  BOOST_TEST(promoted->next.voters.size() == 5u);
  auto removed = next({}, std::nullopt, bound);
  BOOST_REQUIRE(removed.has_value());
  BOOST_CHECK(removed->what == due_change::kind::remove_dead);
  BOOST_TEST(removed->whom.name == "e");
  BOOST_TEST(removed->next.learners.empty());
  BOOST_TEST(!next({}, std::nullopt, milliseconds{0}).has_value());
}

BOOST_AUTO_TEST_CASE(names_addresses_and_numbers_are_checked) {
  auto now = three();
  BOOST_CHECK(failure(now, {member_change::kind::add, {"No Name"}, "x:1"}) == errc::bad_request);
  for (const char* address : {"", "nowhere", "d:", ":9000", "d:0", "::1:9000"})
    BOOST_CHECK_MESSAGE(failure(now, {member_change::kind::add, {"d"}, address}) == errc::bad_request, address);
  while (now.voters.size() < limits::members) now.voters.push_back(named("m" + std::to_string(now.voters.size()), 5));
  BOOST_CHECK(failure(now, join("d")) == errc::bad_request);
}

BOOST_AUTO_TEST_CASE(a_member_that_was_seen_has_one_disk_and_one_that_was_not_may_have_any) {
  BOOST_TEST(is_another_disk(named("a", 1), disk_of(2)));
  BOOST_TEST(!is_another_disk(named("a", 1), disk_of(1)));
  BOOST_TEST(!is_another_disk({{"a"}, {}, "a:9000"}, disk_of(2)));
}

BOOST_AUTO_TEST_CASE(a_disk_may_stand_for_another_one_while_the_members_do_not_name_it) {
  auto now = three();
  BOOST_TEST(may_stand_for_another(now, {"a"}, disk_of(9)));
  BOOST_TEST(!may_stand_for_another(now, {"a"}, disk_of(1)));
  now.learners = {named("d", 4)};
  BOOST_TEST(may_stand_for_another(now, {"d"}, disk_of(5)));
}

BOOST_AUTO_TEST_CASE(a_latecomer_may_stand_for_another_one_also_where_nobody_saw_that) {
  auto now = three();
  now.voters.front().disk = {};
  for (const bool latecomer : {false, true}) {
    now.latecomer = latecomer;
    BOOST_TEST(may_stand_for_another(now, {"a"}, disk_of(9)) == latecomer);
    BOOST_TEST(!may_stand_for_another(now, {"b"}, disk_of(2)));
    BOOST_TEST(!may_stand_for_another(now, {"d"}, disk_of(9)));  // removed: its vote may be needed for the entry
    BOOST_TEST(may_stand_for_another({{}, {}, {}, {}, false, latecomer}, {"a"}, disk_of(9)) == latecomer);
  }
}

BOOST_AUTO_TEST_SUITE_END()
