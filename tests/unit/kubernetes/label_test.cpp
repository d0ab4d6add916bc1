// What is asked of the API server next, by a clock and by chance of the test's own.

#include <boost/test/unit_test.hpp>

#include "kaiku/kubernetes/label.hpp"
#include "kaiku/kubernetes/limits.hpp"

namespace {

using namespace kaiku;
using namespace kaiku::kubernetes;

namespace bounds = kaiku::kubernetes::limits;

const instant start{std::chrono::hours{1}};

instant at(int ms) {
  return start + milliseconds{ms};
}

/// Chance gives the largest number that it may, unless a test says otherwise.
struct upkeep {
  bool least = false;
  label_upkeep label{[this](std::uint64_t bound) { return least ? 0 : bound - 1; }};

  /// The request that has to begin now.
  pod_role begins(instant now) {
    const auto sent = label.begin(now);
    BOOST_REQUIRE(sent.has_value());
    return *sent;
  }
  news fails(instant now, unsigned code) { return label.end(now, {.code = code, .words = "no"}); }
  news succeeds(instant now) { return label.end(now, {.code = 200}); }
  void write(instant now, pod_role x) {
    label.want(now, x);
    BOOST_TEST((begins(now) == x));
    succeeds(now);
  }
  milliseconds until_due(instant now) const { return std::chrono::duration_cast<milliseconds>(label.due() - now); }
};

membership members_with(std::vector<node_id> voters, std::vector<node_id> learners) {
  membership out;
  for (auto& one : voters) out.voters.push_back({one, {}, ""});
  for (auto& one : learners) out.learners.push_back({one, {}, ""});
  return out;
}

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(pod_role)

BOOST_FIXTURE_TEST_SUITE(label, upkeep)

BOOST_AUTO_TEST_CASE(the_label_is_the_role_and_the_place_among_the_members) {
  const node_id self{"n1"}, other{"n2"};
  BOOST_TEST(label_of(self, role::follower, std::nullopt).has_value() == false);
  BOOST_TEST((label_of(self, role::leader, std::nullopt) == pod_role::leader));
  BOOST_TEST((label_of(self, role::leader, members_with({other}, {})) == pod_role::leader));
  BOOST_TEST((label_of(self, role::follower, members_with({self, other}, {})) == pod_role::follower));
  BOOST_TEST((label_of(self, role::candidate, members_with({self, other}, {})) == pod_role::follower));
  BOOST_TEST((label_of(self, role::follower, members_with({other}, {self})) == pod_role::learner));
  BOOST_TEST((label_of(self, role::follower, members_with({other}, {})) == pod_role::none));
}

BOOST_AUTO_TEST_CASE(the_patch_names_the_role_or_takes_the_label_away) {
  BOOST_TEST(patch_for(pod_role::leader) == R"({"metadata":{"labels":{"kaiku.io/role":"leader"}}})");
  BOOST_TEST(patch_for(pod_role::none) == R"({"metadata":{"labels":{"kaiku.io/role":null}}})");
}

BOOST_AUTO_TEST_CASE(nothing_is_asked_before_a_role_is_wanted) {
  BOOST_TEST(!label.begin(at(0)).has_value());
  BOOST_TEST((label.due() == instant::max()));
}

BOOST_AUTO_TEST_CASE(a_wanted_role_is_written_at_once_and_told_of_once) {
  label.want(at(0), pod_role::follower);
  BOOST_TEST((begins(at(0)) == pod_role::follower));
  BOOST_TEST(!label.stands().has_value());
  const auto told = succeeds(at(20));
  BOOST_TEST(told.changed);
  BOOST_TEST((!told.failing && !told.recovered));
  BOOST_TEST((label.stands() == pod_role::follower));
}

BOOST_AUTO_TEST_CASE(at_most_one_request_is_under_way_and_the_newest_role_follows_it) {
  label.want(at(0), pod_role::follower);
  begins(at(0));
  label.want(at(10), pod_role::leader);
  label.want(at(20), pod_role::follower);
  label.want(at(30), pod_role::leader);
  BOOST_TEST(!label.begin(at(1000)).has_value());
  succeeds(at(1000));
  BOOST_TEST((begins(at(1000)) == pod_role::leader));
}

BOOST_AUTO_TEST_CASE(roles_that_come_and_go_are_no_storm_of_requests) {
  int sent = 0;
  for (int ms = 0; ms < 2000; ++ms) {
    label.want(at(ms), ms % 2 == 0 ? pod_role::leader : pod_role::follower);
    if (!label.begin(at(ms))) continue;
    ++sent;
    succeeds(at(ms));
  }
  BOOST_TEST(sent == 2000 / static_cast<int>(bounds::request_gap_ms));
}

BOOST_AUTO_TEST_CASE(a_label_that_stands_is_written_again_from_time_to_time_without_a_word) {
  write(at(0), pod_role::leader);
  BOOST_TEST(!label.begin(at(bounds::check_ms - 1)).has_value());
  BOOST_TEST(until_due(at(0)).count() >= bounds::check_ms);
  BOOST_TEST(until_due(at(0)).count() <= bounds::check_ms * 5 / 4);
  BOOST_TEST((begins(label.due()) == pod_role::leader));
  const auto told = succeeds(at(60'000));
  BOOST_TEST((!told.changed && !told.failing && !told.recovered));
}

BOOST_AUTO_TEST_CASE(nodes_that_began_together_do_not_check_together) {
  write(at(0), pod_role::leader);
  const auto last = label.due();
  upkeep other;
  other.least = true;
  other.write(at(0), pod_role::leader);
  BOOST_TEST((other.label.due() < last));
}

BOOST_AUTO_TEST_CASE(a_token_that_was_replaced_is_tried_again_at_once_and_is_no_failure) {
  write(at(0), pod_role::follower);
  label.want(at(1000), pod_role::leader);
  begins(at(1000));
  const auto told = fails(at(1010), 401);
  BOOST_TEST((!told.failing && !label.is_failing()));
  BOOST_TEST((begins(at(1010)) == pod_role::leader));
  BOOST_TEST(succeeds(at(1020)).changed);
}

BOOST_AUTO_TEST_CASE(a_token_that_stays_bad_is_a_failure_and_waits) {
  label.want(at(0), pod_role::leader);
  begins(at(0));
  fails(at(1), 401);
  begins(at(1));
  BOOST_TEST(fails(at(2), 401).failing);
  BOOST_TEST(!label.begin(at(3)).has_value());
  BOOST_TEST(until_due(at(2)).count() >= bounds::retry_least_ms);
}

BOOST_AUTO_TEST_CASE(a_conflict_is_tried_again_at_once) {
  label.want(at(0), pod_role::leader);
  begins(at(0));
  BOOST_TEST(!fails(at(1), 409).failing);
  BOOST_TEST((begins(at(1)) == pod_role::leader));
}

BOOST_AUTO_TEST_CASE(the_wait_grows_with_every_failure_up_to_a_bound_and_some_of_it_is_chance) {
  for (const bool chance : {false, true}) {
    upkeep one;
    one.least = chance;
    one.label.want(at(0), pod_role::leader);
    auto now = at(0);
    milliseconds before{};
    for (unsigned i = 0; i < 40; ++i) {
      one.begins(now);
      one.fails(now, 503);
      const auto wait = one.until_due(now);
      BOOST_TEST(wait.count() >= before.count());
      BOOST_TEST(wait.count() >= bounds::retry_least_ms / 2);
      BOOST_TEST(wait.count() <= bounds::retry_most_ms);
      before = wait;
      now = one.label.due();
    }
    BOOST_TEST(before.count() == (chance ? bounds::retry_most_ms / 2 : bounds::retry_most_ms));
  }
}

BOOST_AUTO_TEST_CASE(of_many_failures_and_the_success_after_them_one_each_is_told) {
  label.want(at(0), pod_role::leader);
  auto now = at(0);
  for (const unsigned code : {500u, 0u, 403u, 404u, 429u, 409u, 401u}) {
    begins(now);
    BOOST_TEST(fails(now, code).failing == (code == 500));
    now = label.due();
  }
  begins(now);
  const auto told = succeeds(now);
  BOOST_TEST((told.recovered && told.changed));
  begins(label.due());
  BOOST_TEST(!succeeds(now).recovered);
}

BOOST_AUTO_TEST_CASE(after_a_success_the_wait_begins_small_again) {
  label.want(at(0), pod_role::leader);
  auto now = at(0);
  for (int i = 0; i < 10; ++i) {
    begins(now);
    fails(now, 500);
    now = label.due();
  }
  begins(now);
  succeeds(now);
  begins(label.due());
  fails(now, 500);
  BOOST_TEST(until_due(now).count() <= bounds::retry_least_ms);
}

BOOST_AUTO_TEST_CASE(a_new_role_does_not_wait_for_the_next_attempt_of_the_old_one) {
  label.want(at(0), pod_role::follower);
  auto now = at(0);
  for (int i = 0; i < 10; ++i) {
    begins(now);
    fails(now, 500);
    if (i < 9) now = label.due();
  }
  label.want(now + milliseconds{300}, pod_role::leader);
  BOOST_TEST((begins(now + milliseconds{300}) == pod_role::leader));
}

BOOST_AUTO_TEST_CASE(what_the_server_asks_to_wait_is_waited_also_by_a_new_role_up_to_a_bound) {
  label.want(at(0), pod_role::follower);
  begins(at(0));
  label.end(at(0), {.code = 429, .retry_after = milliseconds{7000}, .words = "busy"});
  label.want(at(100), pod_role::leader);
  BOOST_TEST(!label.begin(at(6999)).has_value());
  begins(at(7000));
  label.end(at(7000), {.code = 503, .retry_after = std::chrono::hours{24}, .words = "busy"});
  BOOST_TEST(until_due(at(7000)).count() == bounds::retry_after_most_ms);
}

BOOST_AUTO_TEST_CASE(a_request_that_may_still_arrive_makes_the_label_unknown_and_the_next_check_early) {
  write(at(0), pod_role::leader);
  label.want(at(1000), pod_role::follower);
  begins(at(1000));
  label.end(at(4000), {.code = 0, .may_stand = true, .words = "timeout"});
  BOOST_TEST(!label.stands().has_value());
  label.want(at(4000), pod_role::leader);
  begins(label.due());
  succeeds(at(4500));
  BOOST_TEST((label.stands() == pod_role::leader));
  BOOST_TEST(until_due(at(4000)).count() == bounds::settle_ms);
  begins(label.due());
  succeeds(at(9000));
  BOOST_TEST(until_due(at(9000)).count() >= bounds::check_ms);
}

BOOST_AUTO_TEST_CASE(a_request_that_was_refused_leaves_the_label_as_it_was) {
  write(at(0), pod_role::leader);
  label.want(at(1000), pod_role::follower);
  begins(at(1000));
  fails(at(1001), 403);
  BOOST_TEST((label.stands() == pod_role::leader));
}

BOOST_AUTO_TEST_SUITE_END()
