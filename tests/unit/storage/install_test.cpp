#include "install_fixture.hpp"

namespace kaiku::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(install, install_fixture)

BOOST_AUTO_TEST_CASE(replaces_the_state_and_empties_the_log) {
  for (const std::size_t bytes : {tiny, std::size_t{300}, limits::snapshot_piece_bytes}) {
    BOOST_REQUIRE(disk->begin_install(at).ok());
    BOOST_TEST((receive(bytes) == std::vector<content_ref>{content_named(big)}));
    is_as_before();
    disk->abandon_install();
    collect_all_garbage();
  }
  BOOST_REQUIRE(disk->begin_install(at).ok());
  receive();
  BOOST_TEST(disk->finish_install({6}, at).failure().code == errc::content_missing);
  BOOST_TEST((disk->list_wanted({}, 9) == std::vector<content_ref>{content_named(big)}));
  fetch();
  is_as_before();
  BOOST_REQUIRE(disk->finish_install({6}, at).ok());
  BOOST_TEST(disk->state().current.value == 6u);
  for (int i = 0; i < 2; ++i, reopen()) is_installed();
  BOOST_TEST(set_aside_positions(*disk) == (std::vector<log_position>{{{1}, {2}}, {{1}, {3}}}));
  collect_all_garbage(3);
  for (int i = 0; i < 2; ++i, reopen()) is_installed();
  BOOST_TEST(content_outcome("mine") == errc::none);    // set aside
  BOOST_TEST(content_outcome("x") == errc::not_found);  // of the removed tree
  BOOST_TEST(disk->finish_install({6}, at).ok());       // asked for again
}

BOOST_AUTO_TEST_CASE(goes_on_with_appends_and_another_install) {
  BOOST_REQUIRE(disk->begin_install(at).ok());
  receive();
  fetch();
  BOOST_REQUIRE(disk->finish_install({5}, at).ok());
  BOOST_TEST(disk->begin_install(at).failure().code == errc::already_exists);
  lead(5, put("next", "next"));
  const auto sent = source->read_log(at.index, 1 << 20);
  BOOST_TEST(append(5, *source->position(at.index.previous()), sent, {"next"}).match.value == at.index.value + 1);
  BOOST_TEST(text_at("next") == "next");
  lead(7, remove("d", true));
  at = source->state().last;
  begin();
  BOOST_TEST(receive().empty());
  BOOST_REQUIRE(disk->finish_install({7}, at).ok());
  BOOST_TEST(text_at("d") == "(not_found)");
  BOOST_TEST(text_at("next") == "next");
  collect_all_garbage();
  BOOST_TEST(blobs_in(data).empty());
}

BOOST_AUTO_TEST_CASE(begins_anew_for_another_position_and_keeps_content_meanwhile) {
  BOOST_REQUIRE(disk->begin_install(at).ok());
  receive();
  fetch();
  lead(5, put("next", "next"));
  at = source->state().last;
  begin();
  BOOST_TEST(receive().empty());  // what was fetched is here
  BOOST_REQUIRE(disk->finish_install({5}, at).ok());
  is_installed();
}

BOOST_AUTO_TEST_CASE(what_an_abandoned_one_brought_is_reclaimed) {
  BOOST_REQUIRE(disk->begin_install(at).ok());
  receive();
  fetch();
  collect_all_garbage();
  BOOST_TEST(blobs_in(data).size() == 1u);
  disk->abandon_install();
  BOOST_TEST(!disk->installing());
  collect_all_garbage(2);
  BOOST_TEST(blobs_in(data).empty());
  BOOST_TEST(content_outcome("small") == errc::not_found);
  is_as_before();
}

BOOST_AUTO_TEST_CASE(goes_on_after_a_restart_at_any_point_and_is_all_or_nothing) {
  BOOST_REQUIRE(disk->begin_install(at).ok());
  for (int crashes = 0; !disk->installing()->complete; ++crashes) {
    receive(tiny, 1);
    const auto copy = directory / ("crash" + std::to_string(crashes));
    copy_as_after_a_crash(data, copy);
    disk = open_store(copy);
    data = copy;
    BOOST_TEST(disk->installing()->at == at);
    is_as_before();
  }
  fetch();
  reopen();
  BOOST_REQUIRE(disk->finish_install({5}, at).ok());
  is_installed();
}

BOOST_AUTO_TEST_CASE(takes_only_the_piece_that_is_due_and_only_whole) {
  const auto view = source->snapshot();
  const auto first = view->read_piece({}, tiny);
  BOOST_TEST(disk->install_piece(first.bytes).failure().code == errc::log_mismatch);
  BOOST_REQUIRE(disk->begin_install(at).ok());
  BOOST_TEST(disk->install_piece(view->read_piece(first.cursor, tiny).bytes).failure().code == errc::log_mismatch);
  auto damaged = first.bytes;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  BOOST_TEST(disk->install_piece(damaged).failure().code == errc::corrupt);
  BOOST_TEST(disk->install_piece(first.bytes.substr(0, 20)).failure().code == errc::corrupt);
  BOOST_TEST(disk->install_piece(first.bytes).ok());
  BOOST_TEST(disk->install_piece(first.bytes).failure().code == errc::log_mismatch);
  BOOST_TEST(disk->finish_install({5}, at).failure().code == errc::log_mismatch);
  lead(5, put("next", "next"));
  BOOST_TEST(disk->install_piece(source->snapshot()->read_piece(first.cursor, tiny).bytes).failure().code ==
             errc::log_mismatch);
  disk->adopt_term({9});
  BOOST_TEST(disk->finish_install({5}, at).failure().code == errc::stale_term);
}

BOOST_AUTO_TEST_CASE(lacks_only_what_the_new_state_names) {
  const auto theirs = content_named(big), ours = content_named(large('o'));
  {
    const auto file = stage(large('o'));
    logged({put_command("ours", large('o')), {}, {}});
  }
  BOOST_REQUIRE(disk->quarantine(ours).ok());
  BOOST_TEST(disk->list_lacked(9).empty());
  BOOST_REQUIRE(disk->begin_install(at).ok());
  receive();
  for (int i = 0; i < 2; ++i, reopen()) {
    BOOST_TEST(disk->list_wanted({}, 9).size() == 2u);
    BOOST_TEST((disk->list_lacked(9) == std::vector<content_ref>{theirs}));
  }
  fetch();
  BOOST_TEST(disk->list_lacked(9).empty());
  BOOST_TEST(disk->finish_install({5}, at).ok());
  BOOST_TEST(disk->list_lacked(9).empty());
}

BOOST_AUTO_TEST_CASE(damage_found_meanwhile_is_lacked_if_the_new_state_names_it) {
  {
    const auto file = stage(large('o'));
    logged({put_command("ours", large('o')), {}, {}});
  }
  BOOST_REQUIRE(disk->begin_install(at).ok());
  receive();
  fetch();
  BOOST_REQUIRE(disk->quarantine(content_named(large('o'))).ok());
  BOOST_TEST(disk->list_lacked(9).empty());
  BOOST_REQUIRE(disk->quarantine(content_named(big)).ok());
  BOOST_TEST((disk->list_lacked(9) == std::vector<content_ref>{content_named(big)}));
  BOOST_TEST(disk->finish_install({5}, at).failure().code == errc::content_missing);
  fetch();
  BOOST_TEST(disk->finish_install({5}, at).ok());
  BOOST_TEST((text_at("d/big") == big));
  BOOST_TEST(set_aside_positions(*disk).size() == 3u);
}

BOOST_AUTO_TEST_CASE(small_content_that_the_source_could_not_read_is_lacked_until_it_is_brought_by_itself) {
  const auto small = content_named("small");
  BOOST_REQUIRE(source->quarantine(small).ok());
  BOOST_REQUIRE(disk->begin_install(at).ok());
  const auto missing = receive();
  BOOST_TEST(std::count(missing.begin(), missing.end(), small) == 2);  // each piece that names it says so
  fetch();
  for (int i = 0; i < 2; ++i, reopen()) {
    BOOST_REQUIRE(disk->begin_install(at).ok());
    BOOST_TEST((disk->list_lacked(9) == std::vector<content_ref>{small}));
    BOOST_TEST(disk->finish_install({5}, at).failure().code == errc::content_missing);
  }
  BOOST_REQUIRE(disk->provide_repaired(small, "small").ok());
  BOOST_REQUIRE(disk->finish_install({5}, at).ok());
  is_installed();
}

BOOST_AUTO_TEST_CASE(keeps_the_content_of_the_view_it_comes_from) {
  const auto view = source->snapshot();
  lead(5, remove("d", true));
  BOOST_REQUIRE(source->compact(source->state().last.index).ok());
  let_grace_pass();
  while (source->collect_garbage(100)) continue;
  BOOST_REQUIRE(disk->begin_install(view->last()).ok());
  for (auto progress = disk->installing(); !progress->complete; progress = disk->installing()) {
    BOOST_REQUIRE(disk->install_piece(view->read_piece(progress->cursor, tiny).bytes).ok());
  }
  for (const auto& wanted : disk->list_wanted({}, 9)) BOOST_TEST(source->open_content(wanted).ok());
  fetch();
  BOOST_REQUIRE(disk->finish_install({5}, at).ok());
  BOOST_TEST(text_at("d/small") == "small");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
