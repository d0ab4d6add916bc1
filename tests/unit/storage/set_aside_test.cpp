#include "fixture.hpp"

namespace kaiku::test {
namespace {

struct set_aside_fixture : store_fixture {
  /// Five entries of this node's own, of which the last four are displaced, at one time each.
  set_aside_fixture() {
    logged(put("kept", "kept"));
    logged(put("a", "aaaa"));
    {
      const auto file = stage(large('b'));
      logged({put_command("b", large('b')), {}, {}});
    }
    displace(2);
    logged(put("c", "cccc"));
    logged(mkdir("d"));
    displace(3);
  }
  void displace(std::uint64_t in_term) {
    ++test_time().value;
    BOOST_REQUIRE(append(in_term, {{1}, {1}}, {entry({in_term}, 2, no_operation{})}).set_aside > 0);
  }
  static constexpr log_position a{{1}, {2}}, b{{1}, {3}}, no_op{{2}, {2}}, c{{2}, {3}}, d{{2}, {4}};
};

BOOST_FIXTURE_TEST_SUITE(set_aside, set_aside_fixture)

BOOST_AUTO_TEST_CASE(is_listed_in_pages_with_command_and_time) {
  const auto all = disk->set_aside();
  BOOST_TEST(set_aside_positions(*disk) == (std::vector<log_position>{a, b, no_op, c, d}));
  BOOST_TEST(disk->set_aside_count() == 5u);
  BOOST_TEST(disk->set_aside(b, 2).size() == 2u);
  BOOST_TEST(disk->set_aside(b, 2).front().at == no_op);
  BOOST_TEST((all[0].what == put("a", "aaaa").what));
  BOOST_TEST((all[4].since.value == all[0].since.value + 1));
  BOOST_TEST((disk->set_aside_at(b)->what == command{put_command("b", large('b'))}));
  BOOST_TEST(disk->set_aside_at({{1}, {1}}).failure().code == errc::not_found);
  reopen();
  BOOST_TEST(disk->set_aside_count() == 5u);
}

BOOST_AUTO_TEST_CASE(keeps_its_content_until_it_is_purged) {
  BOOST_REQUIRE(disk->compact(disk->state().last.index).ok());
  collect_all_garbage();
  BOOST_TEST(content_outcome("aaaa") == errc::none);
  BOOST_TEST(content_outcome(large('b')) == errc::none);
  BOOST_REQUIRE(disk->purge_set_aside(b).ok());
  BOOST_TEST(disk->purge_set_aside(b).failure().code == errc::not_found);
  collect_all_garbage();
  for (int i = 0; i < 2; ++i, reopen()) {
    BOOST_TEST(content_outcome("aaaa") == errc::none);
    BOOST_TEST(content_outcome(large('b')) == errc::not_found);
    BOOST_TEST(disk->set_aside_count() == 4u);
  }
}

BOOST_AUTO_TEST_CASE(can_be_restored_as_a_new_version_without_its_bytes) {
  disk->adopt_term({4});
  logged({disk->set_aside_at(b)->what, {}, {}});
  logged({disk->set_aside_at(c)->what, {}, {}});
  BOOST_TEST(disk->expire_set_aside({test_time().value + 1}, {0}) == 5u);
  collect_all_garbage();
  BOOST_TEST((text_at("b") == large('b')));
  BOOST_TEST(text_at("c") == "cccc");
}

BOOST_AUTO_TEST_CASE(expires_by_age) {
  BOOST_TEST(disk->expire_set_aside({test_time().value - 1}, {1 << 20}) == 0u);
  BOOST_TEST(disk->expire_set_aside(test_time(), {1 << 20}) == 2u);
  BOOST_TEST(set_aside_positions(*disk) == (std::vector<log_position>{no_op, c, d}));
}

BOOST_AUTO_TEST_CASE(expires_by_bytes_from_the_lowest_on) {
  BOOST_TEST(disk->expire_set_aside({}, {1 << 20}) == 0u);
  BOOST_TEST(disk->expire_set_aside({}, {1000}) == 2u);
  BOOST_TEST(disk->set_aside().front().at == no_op);
  BOOST_TEST(disk->expire_set_aside({}, {0}) == 3u);
  BOOST_TEST(disk->set_aside_count() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
