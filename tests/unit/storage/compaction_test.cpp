#include "fixture.hpp"

namespace kaiku::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(compaction, store_fixture)

BOOST_AUTO_TEST_CASE(drops_entries_and_keeps_the_state_and_the_terms) {
  BOOST_TEST(disk->first_index().value == 1u);
  logged(put("a", "1"));
  logged(put("b", "2"));
  disk->adopt_term({3});
  logged(put("a", "3"));
  logged(remove("b"));
  const auto bytes = disk->log_bytes();
  BOOST_REQUIRE(disk->compact({3}).ok());
  BOOST_TEST(disk->log_bytes() < bytes);
  for (int i = 0; i < 2; ++i, reopen()) {
    BOOST_TEST(disk->first_index().value == 4u);
    BOOST_TEST(*disk->position({2}) == (log_position{{1}, {2}}));
    BOOST_TEST(*disk->position({3}) == (log_position{{3}, {3}}));
    BOOST_TEST(*disk->position({4}) == (log_position{{3}, {4}}));
    BOOST_TEST(disk->position({5}).failure().code == errc::not_found);
    BOOST_TEST(disk->read_log({3}, 1 << 20).empty());
    BOOST_TEST(disk->read_log({4}, 1 << 20).size() == 1u);
    BOOST_TEST(text_at("a") == "3");
    BOOST_TEST(disk->state().last == (log_position{{3}, {4}}));
  }
  BOOST_REQUIRE(disk->compact({4}).ok());
  BOOST_REQUIRE(disk->compact({2}).ok());  // was done before
  BOOST_TEST(disk->log_bytes().value == 0u);
  for (int i = 0; i < 2; ++i, reopen()) {
    BOOST_TEST(disk->first_index().value == 5u);
    BOOST_TEST(disk->state().last == (log_position{{3}, {4}}));
    BOOST_TEST(disk->read_log({1}, 1 << 20).empty());
  }
  logged(put("c", "4"));
  BOOST_TEST(disk->state().last == (log_position{{3}, {5}}));
}

BOOST_AUTO_TEST_CASE(says_which_entries_keep_removed_and_replaced_files) {
  logged(put("a", "1"));
  logged(put("b", "1"));
  logged(mkdir("d"));
  BOOST_TEST(disk->superseded().value == 0u);
  logged(put("a", "2"));
  BOOST_TEST(disk->superseded().value == 4u);
  logged(remove("b"));
  BOOST_TEST(disk->superseded().value == 5u);
  logged(put("d/f", "1"));
  BOOST_TEST(disk->superseded().value == 5u);
  logged(remove("d", true));
  BOOST_TEST(disk->superseded().value == 7u);
  logged(put("c", "1"));
  reopen();
  BOOST_TEST(disk->superseded().value == 8u);  // a start does not look
  BOOST_REQUIRE(disk->compact({7}).ok());
  BOOST_TEST(disk->superseded().value == 8u);
  BOOST_REQUIRE(disk->compact({8}).ok());
  BOOST_TEST(disk->superseded().value == 0u);
}

BOOST_AUTO_TEST_CASE(goes_on_over_more_entries_than_a_batch_holds) {
  std::vector<proposal> many(limits::batch_entries, proposal{no_operation{}, {}, {}});
  for (int i = 0; i < 3; ++i) disk->propose({1}, many);
  const auto syncs = disk->counters().syncs;
  BOOST_REQUIRE(disk->compact({2 * limits::batch_entries + 1}).ok());
  BOOST_TEST(disk->counters().syncs == syncs + 3);
  BOOST_TEST(disk->first_index().value == 2 * limits::batch_entries + 2);
}

BOOST_AUTO_TEST_CASE(remembers_a_bounded_number_of_terms) {
  std::vector<log_entry> entries;
  for (std::uint64_t i = 1; i <= limits::term_starts + 2; ++i) entries.push_back(entry({i}, i, no_operation{}));
  BOOST_REQUIRE(append(limits::term_starts + 2, {}, entries).failure.code == errc::none);
  BOOST_REQUIRE(disk->compact({limits::term_starts + 1}).ok());
  BOOST_TEST(disk->position({1}).failure().code == errc::not_found);
  BOOST_TEST(*disk->position({2}) == (log_position{{2}, {2}}));
  BOOST_TEST(*disk->position({limits::term_starts + 1}) ==
             (log_position{{limits::term_starts + 1}, {limits::term_starts + 1}}));
  // What was forgotten is committed nevertheless.
  BOOST_TEST(append(limits::term_starts + 2, {{1}, {1}}, {entry({2}, 2, no_operation{})}).match.value == 2u);
}

struct boundary_fixture : store_fixture {
  boundary_fixture() {
    for (const char* name : {"a", "b", "c", "d"}) logged(put(name, name));
    BOOST_REQUIRE(disk->compact({2}).ok());
  }
  static log_entry file(std::uint64_t in_term, std::uint64_t index, const char* name) {
    return entry({in_term}, index, put_command(name, name));
  }
};

BOOST_FIXTURE_TEST_CASE(appends_that_overlap_the_boundary_are_followed_behind_it, boundary_fixture) {
  BOOST_TEST(append(1, {}, {}).failure.code == errc::none);
  BOOST_TEST(append(1, {}, {file(1, 1, "a")}, {"a"}).match.value == 1u);
  BOOST_TEST(append(1, {{1}, {1}}, {file(1, 2, "b"), file(1, 3, "c")}, {"b", "c"}).match.value == 3u);
  const auto outcome = append(2, {{1}, {1}}, {file(1, 2, "b"), file(2, 3, "e")}, {"b", "e"});
  BOOST_TEST(outcome.match.value == 3u);
  BOOST_TEST(outcome.set_aside == 2u);
  BOOST_TEST(outcome.displaced_from.value == 3u);
  BOOST_TEST(text_at("c") == "(not_found)");
  BOOST_TEST(text_at("e") == "e");
  BOOST_TEST(*disk->position({3}) == (log_position{{2}, {3}}));
  BOOST_TEST(*disk->position({2}) == (log_position{{1}, {2}}));
}

BOOST_FIXTURE_TEST_CASE(the_whole_rest_of_the_log_can_be_displaced, boundary_fixture) {
  BOOST_TEST(append(5, {{1}, {2}}, {file(5, 3, "e")}, {"e"}).set_aside == 2u);
  reopen();
  BOOST_TEST(disk->state().last == (log_position{{5}, {3}}));
  BOOST_TEST(disk->list({}, "", 9)->entries.size() == 3u);
}

BOOST_FIXTURE_TEST_CASE(what_is_committed_is_not_contradicted, boundary_fixture) {
  BOOST_TEST(append(2, {}, {file(2, 1, "e")}, {"e"}).failure.code == errc::corrupt);
  BOOST_TEST(append(3, {{2}, {2}}, {file(3, 3, "e")}, {"e"}).failure.code == errc::corrupt);
  BOOST_TEST(append(3, {{2}, {4}}, {}).hint.value >= 2u);
  BOOST_TEST(disk->set_aside_count() == 0u);
}

BOOST_FIXTURE_TEST_CASE(content_of_compacted_entries_is_not_asked_for_again, store_fixture) {
  const auto bytes = large('x');
  {
    const auto file = stage(bytes);
    logged({put_command("f", bytes), {}, {}});
  }
  logged(remove("f"));
  BOOST_REQUIRE(disk->compact({2}).ok());
  collect_all_garbage();
  const std::vector<log_entry> sent{entry({1}, 1, put_command("f", bytes)), entry({1}, 2, remove("f").what)};
  BOOST_TEST(disk->missing_content(sent)->empty());
  BOOST_TEST(append(1, {}, sent).match.value == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

struct garbage_fixture : store_fixture {
  void put_large(std::string_view where, char fill) {
    const auto file = stage(large(fill));
    logged({put_command(where, large(fill)), {}, {}});
  }
  void compact_all() { BOOST_REQUIRE(disk->compact(disk->state().last.index).ok()); }
};

BOOST_FIXTURE_TEST_SUITE(garbage, garbage_fixture)

BOOST_AUTO_TEST_CASE(content_goes_when_the_last_name_is_gone_and_its_grace_is_over) {
  logged(put("f", "one"));
  put_large("g", 'x');
  logged(put("f", "two"));
  logged(remove("g"));
  collect_all_garbage();
  BOOST_TEST(content_outcome("one") == errc::none);  // the log names it
  BOOST_TEST(content_outcome(large('x')) == errc::none);
  compact_all();
  BOOST_TEST(!disk->collect_garbage(100));
  BOOST_TEST(content_outcome("one") == errc::none);  // grace
  reopen();
  collect_all_garbage(1);
  for (int i = 0; i < 2; ++i, reopen()) {
    BOOST_TEST(content_outcome("one") == errc::not_found);
    BOOST_TEST(content_outcome(large('x')) == errc::not_found);
    BOOST_TEST(blobs_in(data).empty());
    BOOST_TEST(text_at("f") == "two");
  }
}

BOOST_AUTO_TEST_CASE(content_that_several_name_stays_for_the_last) {
  put_large("f", 'x');
  put_large("g", 'x');
  logged(remove("f"));
  compact_all();
  collect_all_garbage();
  BOOST_TEST((text_at("g") == large('x')));
  logged(remove("g"));
  compact_all();
  let_grace_pass();
  put_large("h", 'x');  // named again just in time
  collect_all_garbage();
  compact_all();
  collect_all_garbage();
  BOOST_TEST((text_at("h") == large('x')));
}

BOOST_AUTO_TEST_CASE(what_an_undo_may_bring_back_stays) {
  logged(put("f", "one"));
  BOOST_REQUIRE(disk->compact({1}).ok());
  logged(put("f", "two"));
  logged(remove("f"));
  collect_all_garbage();
  BOOST_TEST(append(2, {{1}, {1}}, {entry({2}, 2, no_operation{})}).set_aside == 2u);
  collect_all_garbage();
  BOOST_TEST(text_at("f") == "one");
  BOOST_TEST(content_outcome("two") == errc::none);  // of an entry set aside
}

BOOST_AUTO_TEST_CASE(what_a_view_names_stays_as_long_as_the_view) {
  put_large("f", 'x');
  auto view = disk->snapshot();
  logged(remove("f"));
  compact_all();
  collect_all_garbage();
  BOOST_TEST(disk->open_content(view->stat(path("f"))->content).ok());
  auto later = disk->snapshot();
  view.reset();
  collect_all_garbage();
  BOOST_TEST(blobs_in(data).empty());
}

BOOST_AUTO_TEST_CASE(removed_trees_are_reclaimed_once_their_removal_can_not_be_undone) {
  for (int i = 0; i < 20; ++i) {
    const auto name = std::to_string(i);
    logged(put("top/d" + name + "/deep/f" + name, name));
    logged(put("top/f" + name, "x" + name));
  }
  compact_all();
  logged(remove("top", true));
  logged(put("top/new", "new"));
  collect_all_garbage();
  BOOST_TEST(content_outcome("7") == errc::none);
  auto view = disk->snapshot();
  compact_all();
  collect_all_garbage(3);
  BOOST_TEST(view->list(path("top"), "", 100)->entries.size() == 1u);
  view.reset();
  for (int i = 0; i < 20; ++i) {
    if (i % 5 == 0) reopen();
    collect_all_garbage(7);
    BOOST_TEST(content_outcome(std::to_string(i)) == errc::not_found);
    BOOST_TEST(content_outcome("x" + std::to_string(i)) == errc::not_found);
  }
  BOOST_TEST(text_at("top/new") == "new");
}

BOOST_AUTO_TEST_CASE(a_step_unlinks_few_files_and_the_next_goes_on) {
  const std::size_t files = 2 * limits::garbage_step_unlinks + 1;
  for (std::size_t i = 0; i < files; ++i) put_large("f", static_cast<char>(i));
  logged(remove("f"));
  compact_all();
  let_grace_pass();
  BOOST_TEST(disk->collect_garbage(limits::garbage_step_keys));
  for (std::size_t left = files; left > limits::garbage_step_unlinks;) {
    BOOST_TEST(blobs_in(data).size() == left);
    left -= limits::garbage_step_unlinks;
    BOOST_TEST(disk->collect_garbage(limits::garbage_step_keys));
    BOOST_TEST(blobs_in(data).size() == left);
  }
  BOOST_TEST(!disk->collect_garbage(limits::garbage_step_keys));
  BOOST_TEST(blobs_in(data).empty());
}

BOOST_AUTO_TEST_CASE(a_crash_between_forgetting_a_blob_and_unlinking_it_leaves_no_file) {
  put_large("f", 'x');
  logged(remove("f"));
  compact_all();
  let_grace_pass();
  BOOST_TEST(disk->collect_garbage(100));
  BOOST_TEST(content_outcome(large('x')) == errc::not_found);
  BOOST_TEST(blobs_in(data).size() == 1u);  // the next step's
  const auto copy = directory / "copy";
  copy_as_after_a_crash(data, copy);
  auto survivor = open_store(copy);
  survivor->collect_garbage(100);
  BOOST_TEST(blobs_in(copy).empty());
  // The content may come back meanwhile.
  put_large("g", 'x');
  collect_all_garbage();
  BOOST_TEST((text_at("g") == large('x')));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
