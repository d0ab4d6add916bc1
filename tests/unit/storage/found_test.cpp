#include "install_fixture.hpp"

namespace kaiku::test {
namespace {

const set_members fresh{{{42}}, {{{"a"}, {{1}}, "host:1"}}, {{{"b"}, {{2}}, "host:2"}}};

BOOST_FIXTURE_TEST_SUITE(found, install_fixture)

BOOST_AUTO_TEST_CASE(keeps_the_state_and_begins_the_log_anew_in_one_synced_batch) {
  const auto before = source->counters().syncs;
  BOOST_REQUIRE(source->found_anew(fresh).ok());
  BOOST_TEST(source->counters().syncs == before + 1);
  const log_position now{{at.in_term.value + 1}, {at.index.value + 1}};
  for (int start = 0; start < 2; ++start) {
    BOOST_TEST(source->state().last == now);
    BOOST_TEST(source->state().current == now.in_term);
    BOOST_TEST(source->first_index().value == now.index.value + 1);
    BOOST_TEST(*source->position(now.index) == now);
    BOOST_TEST((source->members().cluster == fresh.cluster));
    BOOST_TEST(source->members().confirmed);
    BOOST_TEST((source->members().voters == fresh.voters));
    BOOST_TEST((source->members().learners == fresh.learners));
    source.reset();
    source = open_store(source_data);
  }
  let_grace_pass();
  while (source->collect_garbage(3)) continue;
  std::swap(disk, source);
  BOOST_TEST(text_at("first") == "first");
  BOOST_TEST(text_at("d/small") == "small");
  BOOST_TEST((text_at("d/big") == big));
}

BOOST_AUTO_TEST_CASE(another_disk_takes_its_state) {
  const auto kept = source->set_aside_count();
  BOOST_REQUIRE(source->found_anew(fresh).ok());
  BOOST_TEST(source->set_aside_count() == kept);
  lead(source->state().current.value + 1, put("next", "next"));
  const auto term_now = source->state().current;
  at = source->state().last;
  begin();
  receive();
  fetch();
  BOOST_REQUIRE(disk->finish_install(term_now, at).ok());
  BOOST_TEST(text_at("next") == "next");
  BOOST_TEST((disk->members().cluster == fresh.cluster));
}

BOOST_AUTO_TEST_CASE(a_state_that_was_on_its_way_is_given_up) {
  begin();
  receive();
  BOOST_REQUIRE(disk->found_anew(fresh).ok());
  BOOST_TEST(!disk->installing());
  BOOST_TEST(text_at("mine") == "mine");
  reopen();
  BOOST_TEST(text_at("mine") == "mine");
  collect_all_garbage();
  BOOST_TEST(text_at("first") == "also mine");
  BOOST_TEST(disk->read_log({1}, 1 << 20).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
