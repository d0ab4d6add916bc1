/// Files whose time is over.

#include "fixture.hpp"

namespace kaiku::test {
namespace {

/// Commands are given at 10, unless they say otherwise; readers look at what `test_time` says.
struct expiry_fixture : store_fixture {
  unix_time_ms time_before = test_time();
  expiry_fixture() { test_time() = {10}; }
  ~expiry_fixture() { test_time() = time_before; }

  static proposal put_until(std::string_view where, std::int64_t expires, std::int64_t time = 10) {
    auto x = put(where, "bytes");
    set_time(x.what, {time});
    std::get<put_file>(x.what).properties.expires = unix_time_ms{expires};
    return x;
  }
  static proposal at(std::int64_t time, proposal x) {
    set_time(x.what, {time});
    return x;
  }
  std::vector<std::string> names(std::string_view where = "") const {
    std::vector<std::string> all;
    const auto page = disk->list(path(where), "", 100);
    BOOST_REQUIRE(page.ok());
    for (const auto& one : page->entries) all.push_back(one.name);
    return all;
  }
  bool is_due() const { return disk->next_expiry().has_value(); }
};

BOOST_FIXTURE_TEST_SUITE(expiry, expiry_fixture)

BOOST_AUTO_TEST_CASE(a_file_is_gone_for_readers_once_its_time_is_over) {
  logged(put_until("f", 20));
  logged(put("g", "stays"));
  const auto view = disk->snapshot();
  test_time() = {19};
  BOOST_TEST(text_at("f") == "bytes");
  BOOST_TEST(names() == (std::vector<std::string>{"f", "g"}));
  test_time() = {20};
  BOOST_TEST(text_at("f") == "(not_found)");
  BOOST_TEST(names() == (std::vector<std::string>{"g"}));
  // A view is of one moment, however long it is read.
  BOOST_TEST(view->stat(path("f")).ok());
  BOOST_TEST(view->list({}, "", 9)->entries.size() == 2u);
  BOOST_TEST(disk->snapshot()->stat(path("f")).failure().code == errc::not_found);
  BOOST_TEST(disk->snapshot()->list({}, "", 9)->entries.size() == 1u);
}

BOOST_AUTO_TEST_CASE(it_is_absent_for_commands_by_their_own_time_whatever_the_clock) {
  logged(put_until("f", 20));
  test_time() = {1000};
  auto new_only = at(19, put("f", "other"));
  new_only.when.if_none_match_any = true;
  BOOST_TEST(refused(new_only) == errc::precondition_failed);
  BOOST_TEST(refused(at(19, mkdir("f/below"))) == errc::not_a_directory);
  BOOST_TEST(refused(at(20, remove("f"))) == errc::not_found);
  auto old_only = at(20, put("f", "other"));
  old_only.when.if_match_any = true;
  BOOST_TEST(refused(old_only) == errc::precondition_failed);
  const auto first = *disk->next_expiry();
  BOOST_TEST(first.value == 20);
  set_time(new_only.what, {20});
  const auto made = propose(new_only);
  BOOST_TEST(made.created);
  BOOST_TEST(made.file.created.value == 20);
  BOOST_TEST(text_at("f") == "other");
  BOOST_TEST(!is_due());
}

BOOST_AUTO_TEST_CASE(what_it_blocked_can_be_made_in_its_place) {
  logged(put_until("f", 20));
  logged(put_until("g", 20));
  logged(put_until("h", 20));
  logged(put("x", "x"));
  test_time() = {30};
  logged(at(30, put("f/below", "b")));
  logged(at(30, mkdir("g")));
  logged({move_path{path("x"), path("h"), false, true, {30}}, {}, {}});
  BOOST_TEST(text_at("f/below") == "b");
  BOOST_TEST(text_at("g") == "(directory)");
  BOOST_TEST(text_at("h") == "x");
  BOOST_TEST(!is_due());
  BOOST_TEST(refused({copy_path{path("nothing"), path("y"), false, true, {30}}, {}, {}}) == errc::not_found);
}

BOOST_AUTO_TEST_CASE(a_directory_of_expired_files_counts_as_empty) {
  logged(put_until("d/f", 20));
  BOOST_TEST(refused(at(19, remove("d"))) == errc::directory_not_empty);
  BOOST_TEST(refused(at(20, remove("d"))) == errc::none);
  test_time() = {30};
  BOOST_TEST(text_at("d") == "(not_found)");
  compact_all();
  collect_all_garbage();
  BOOST_TEST(content_outcome("bytes") == errc::not_found);
}

BOOST_AUTO_TEST_CASE(what_has_expired_is_removed_in_the_order_of_time_and_its_content_reclaimed) {
  logged(put_until("d/late", 40));
  logged(put_until("d/f", 20));
  logged(put_until("g", 30));
  logged({remove_expired{{30}}, {}, {}});
  BOOST_TEST(disk->next_expiry()->value == 40);
  test_time() = {-1};  // a reader to whom nothing has expired
  BOOST_TEST(text_at("d/f") == "(not_found)");
  BOOST_TEST(text_at("g") == "(not_found)");
  BOOST_TEST(text_at("d/late") == "bytes");
  BOOST_TEST(disk->stat(path("d"))->version.index.value == 4u);
  BOOST_TEST(disk->stat(path("d"))->modified.value == 30);
  test_time() = {10};
  logged({remove_expired{{50}}, {}, {}});
  BOOST_TEST(!is_due());
  compact_all();
  collect_all_garbage();
  BOOST_TEST(content_outcome("bytes") == errc::not_found);
}

BOOST_AUTO_TEST_CASE(a_removal_that_is_displaced_brings_them_back) {
  logged(put_until("d/f", 20));
  const auto before = *disk->stat(path("d"));
  logged({remove_expired{{30}}, {}, {}});
  append(2, {{1}, {1}}, {entry({2}, 2, no_operation{})});
  test_time() = {-1};
  BOOST_TEST(text_at("d/f") == "bytes");
  BOOST_TEST((*disk->stat(path("d")) == before));
  BOOST_TEST(disk->next_expiry()->value == 20);
}

BOOST_AUTO_TEST_CASE(one_entry_removes_no_more_than_its_bound) {
  std::vector<proposal> some;
  for (std::size_t i = 0; i < limits::expired_batch + 5; ++i) some.push_back(put_until("d/" + std::to_string(i), 20));
  BOOST_REQUIRE(disk->propose({1}, std::span{some}.first(500)).failure.code == errc::none);
  BOOST_REQUIRE(disk->propose({1}, std::span{some}.subspan(500)).failure.code == errc::none);
  logged({remove_expired{{30}}, {}, {}});
  test_time() = {-1};
  BOOST_TEST(disk->list(path("d"), "", 100)->entries.size() == 5u);
  logged({remove_expired{{30}}, {}, {}});
  BOOST_TEST(disk->list(path("d"), "", 100)->entries.empty());
}

BOOST_AUTO_TEST_CASE(expiry_follows_a_file_where_it_goes_and_ends_where_it_is_taken_back) {
  logged(put_until("d/f", 20));
  logged({move_path{path("d"), path("e"), false, true, {11}}, {}, {}});
  logged({move_path{path("e/f"), path("e/g"), false, true, {11}}, {}, {}});
  logged({copy_path{path("e"), path("c"), false, true, {11}}, {}, {}});
  logged({remove_expired{{20}}, {}, {}});
  test_time() = {-1};
  BOOST_TEST(text_at("e/g") == "(not_found)");
  BOOST_TEST(text_at("c/g") == "(not_found)");
  BOOST_TEST(!is_due());
  logged(put_until("h", 20));
  change_properties lasting{path("h"), {}, {11}};
  lasting.patch.expires = std::optional<unix_time_ms>{};
  logged({lasting, {}, {}});
  BOOST_TEST(!is_due());
  logged(put_until("h", 20));
  logged(put("h", "replaced without"));
  BOOST_TEST(!is_due());
  logged(put_until("h", 20));
  logged(remove("h"));
  BOOST_TEST(!is_due());
}

/// The state after an entry is the same whether or not a node has reclaimed by then what was removed before.
BOOST_AUTO_TEST_CASE(files_below_a_removed_directory_only_leave_the_index) {
  for (const bool reclaimed : {false, true}) {
    const auto name = reclaimed ? "r" : "s";
    logged(put_until(std::string{name} + "/e/f", 20));
    const auto removed = at(11, remove(name, true));
    logged(removed);
    if (reclaimed) {
      compact_all();
      collect_all_garbage();
      test_time() = {10};
    }
    BOOST_TEST(is_due());
    logged({remove_expired{{30}}, {}, {}});
    BOOST_TEST(!is_due());
  }
  // Undone together with the removal, it is all there again.
  const auto first = disk->state().last;
  logged(put_until("t/e/f", 20));
  const auto made = disk->state().last;
  logged(at(11, remove("t", true)));
  logged({remove_expired{{30}}, {}, {}});
  append(2, made, {entry({2}, made.index.value + 1, no_operation{})});
  BOOST_TEST((first < made));
  BOOST_TEST(text_at("t/e/f") == "bytes");
  logged({remove_expired{{30}}, {}, {}});
  test_time() = {-1};
  BOOST_TEST(text_at("t/e/f") == "(not_found)");
  compact_all();
  collect_all_garbage();
  BOOST_TEST(content_outcome("bytes") == errc::not_found);
}

BOOST_AUTO_TEST_CASE(what_was_reclaimed_below_a_removed_directory_does_not_come_back_by_undoing) {
  logged(put_until("t/e/f", 20));
  logged(at(11, remove("t", true)));
  const auto removed = disk->state().last;
  logged({remove_expired{{30}}, {}, {}});
  BOOST_REQUIRE(disk->compact(removed.index).ok());
  collect_all_garbage();
  append(2, removed, {entry({2}, removed.index.value + 1, no_operation{})});
  BOOST_TEST(is_due());
  compact_all();
  collect_all_garbage();
  BOOST_TEST(content_outcome("bytes") == errc::not_found);
}

BOOST_AUTO_TEST_CASE(a_copy_leaves_out_what_has_expired) {
  logged(put_until("d/f", 20));
  logged(put("d/g", "stays"));
  logged({copy_path{path("d"), path("c"), false, true, {20}}, {}, {}});
  test_time() = {-1};
  BOOST_TEST(names("c") == (std::vector<std::string>{"g"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
