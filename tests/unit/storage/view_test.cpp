#include "fixture.hpp"

namespace kaiku::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(view, store_fixture)

BOOST_AUTO_TEST_CASE(shows_log_end_and_state_of_one_moment_whatever_is_written_since) {
  logged(put("d/f", "one"));
  logged({set_members{{}, {{{"a"}, {}, "host:1"}}}, {}, {}});
  const auto before = disk->snapshot();
  logged(put("d/f", "two"));
  logged(put("d/g", "more"));
  append(2, {{1}, {1}}, {entry({2}, 2, remove("d", true).what)});
  const auto after = disk->snapshot();

  BOOST_TEST(before->last() == (log_position{{1}, {2}}));
  BOOST_TEST((before->stat(path("d/f"))->content == content_named("one")));
  BOOST_TEST(before->list(path("d"), "", 9)->entries.size() == 1u);
  BOOST_TEST(before->read_piece({}, 1).bytes.find("host:1") != std::string::npos);
  BOOST_TEST(after->last() == (log_position{{2}, {2}}));
  BOOST_TEST(after->stat(path("d/f")).failure().code == errc::not_found);
  BOOST_TEST(after->read_piece({}, 1).bytes.find("host:1") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(can_be_of_an_earlier_entry_than_the_last) {
  logged(put("f", "one"));
  logged(put("d/g", "two"));
  const auto then = disk->snapshot();
  const auto state = then->read_piece({}, 1 << 20);
  BOOST_REQUIRE(state.done);
  logged(put("f", "another"));
  logged(remove("d/g"));
  logged(put("d/g", "again"));
  logged(put("f", "and another"));
  const auto earlier = disk->snapshot(then->last().index);
  BOOST_TEST((earlier->last() == then->last()));
  BOOST_TEST((earlier->read_piece({}, 1 << 20).bytes == state.bytes));
  BOOST_TEST((*earlier->stat(path("f")) == *then->stat(path("f"))));
  BOOST_TEST((disk->snapshot(log_index{1})->read_piece({}, 1 << 20).bytes != state.bytes));
  BOOST_TEST((disk->snapshot(log_index{99})->last() == disk->state().last));
}

BOOST_AUTO_TEST_CASE(outlives_the_store) {
  logged(put("f", "x"));
  const auto view = disk->snapshot();
  disk.reset();
  BOOST_TEST(view->stat(path("f")).ok());
  BOOST_TEST(why_not_opened(data) == errc::in_use);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
