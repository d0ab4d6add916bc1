/// Listings, page by page.

#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>

#include "fixture.hpp"

namespace kaiku::test {
namespace {

using text_list = std::vector<std::string>;

struct listing_fixture : store_fixture {
  text_list names(std::string_view where, std::string_view after, std::size_t limit, const list_filter& what) const {
    text_list all;
    const auto page = disk->list(path(where), after, limit, what);
    BOOST_REQUIRE(page.ok());
    for (const auto& one : page->entries) all.push_back(one.name);
    if (page->more) all.push_back("...");
    return all;
  }
  /// Makes `count` files in `where`, many at once.
  void fill(const std::string& where, std::size_t count, std::optional<unix_time_ms> expires = std::nullopt) {
    std::vector<proposal> some;
    for (std::size_t i = 0; i < count; ++i) {
      auto one = put(where + "/" + std::to_string(1'000'000 + i), "x");
      std::get<put_file>(one.what).properties.expires = expires;
      some.push_back(std::move(one));
      if (some.size() < limits::batch_entries && i + 1 < count) continue;
      BOOST_REQUIRE(disk->propose({1}, some).failure.code == errc::none);
      some.clear();
    }
  }
  /// Keys that RocksDB looked at for one page, and lookups; they do not depend on the machine.
  std::uint64_t cost_of_page(const std::string& where, std::string_view after, const list_filter& what) const {
    rocksdb::SetPerfLevel(rocksdb::kEnableCount);
    auto& counts = *rocksdb::get_perf_context();
    counts.Reset();
    BOOST_REQUIRE_EQUAL(disk->list(path(where), after, 100, what)->entries.size(), 100u);
    rocksdb::SetPerfLevel(rocksdb::kDisable);
    return counts.internal_key_skipped_count + counts.internal_delete_skipped_count + counts.block_read_count +
           counts.get_from_memtable_count + counts.seek_on_memtable_count + counts.next_on_memtable_count;
  }
};

BOOST_FIXTURE_TEST_SUITE(listings, listing_fixture)

BOOST_AUTO_TEST_CASE(a_recursive_listing_gives_each_directory_in_front_of_what_it_holds) {
  for (const char* one : {"d/a.txt", "d/a/x", "d/a/y/z", "d/a/y.txt", "d/b", "e"}) logged(put(one, "x"));
  const list_filter all{"", true};
  const text_list expected{"a", "a/x", "a/y", "a/y/z", "a/y.txt", "a.txt", "b"};
  BOOST_TEST(names("d", "", 100, all) == expected);
  for (std::size_t limit = 1; limit <= expected.size(); ++limit) {
    text_list found;
    std::string after;
    for (bool more = true; more;) {
      const auto page = disk->list(path("d"), after, limit, all);
      BOOST_REQUIRE(page.ok());
      for (const auto& one : page->entries) found.push_back(one.name);
      more = page->more;
      after = page->next;
    }
    BOOST_TEST(found == expected);
  }
}

BOOST_AUTO_TEST_CASE(a_prefix_is_of_the_name_or_of_the_relative_path) {
  for (const char* one : {"aa/x", "ab/x/1", "ab/x2", "ab/y", "abc", "b"}) logged(put(one, "x"));
  BOOST_TEST(names("", "", 9, {"ab", false}) == (text_list{"ab", "abc"}));
  BOOST_TEST(names("", "ab", 9, {"ab", false}) == (text_list{"abc"}));
  BOOST_TEST(names("", "aa", 1, {"ab", false}) == (text_list{"ab", "..."}));
  BOOST_TEST(names("", "c", 9, {"ab", false}) == text_list{});
  BOOST_TEST(names("", "", 9, {"ab/", false}) == text_list{});
  BOOST_TEST(names("", "", 9, {"ab", true}) == (text_list{"ab", "ab/x", "ab/x/1", "ab/x2", "ab/y", "abc"}));
  BOOST_TEST(names("", "", 9, {"ab/x", true}) == (text_list{"ab/x", "ab/x/1", "ab/x2"}));
  BOOST_TEST(names("", "ab/x", 9, {"ab/x", true}) == (text_list{"ab/x/1", "ab/x2"}));
  BOOST_TEST(names("", "ab", 9, {"ab/", true}) == (text_list{"ab/x", "ab/x/1", "ab/x2", "ab/y"}));
  BOOST_TEST(names("", "abc", 9, {"ab/", true}) == text_list{});
  BOOST_TEST(names("", "", 9, {"abc/", true}) == text_list{});
  BOOST_TEST(names("", "", 9, {"/", true}) == text_list{});
  BOOST_TEST(names("", "//", 9, {"", true}) ==
             (text_list{"aa", "aa/x", "ab", "ab/x", "ab/x/1", "ab/x2", "ab/y", "abc", "b"}));
}

BOOST_AUTO_TEST_CASE(pages_go_on_where_they_were_though_what_they_ended_with_has_gone_or_changed) {
  for (const char* one : {"d/a/1", "d/a/2", "d/b/1", "d/c"}) logged(put(one, "x"));
  const list_filter all{"", true};
  BOOST_TEST(names("d", "", 2, all) == (text_list{"a", "a/1", "..."}));
  logged(remove("d/a/1"));
  BOOST_TEST(names("d", "a/1", 9, all) == (text_list{"a/2", "b", "b/1", "c"}));
  logged(remove("d/a", true));
  BOOST_TEST(names("d", "a/1", 9, all) == (text_list{"b", "b/1", "c"}));
  logged(put("d/a", "a file now"));
  BOOST_TEST(names("d", "a/1", 9, all) == (text_list{"b", "b/1", "c"}));
  logged(remove("d/c"));
  logged(put("d/c/new", "x"));
  BOOST_TEST(names("d", "b/1", 9, all) == (text_list{"c", "c/new"}));
  BOOST_TEST(names("d", "c", 9, all) == (text_list{"c/new"}));
  BOOST_TEST(names("d", "c/new", 9, all) == text_list{});
}

BOOST_AUTO_TEST_CASE(a_page_passes_only_so_many_expired_files) {
  fill("d", limits::listing_expired + 3, unix_time_ms{test_time().value});
  logged(put("d/z", "x"));
  const auto page = disk->list(path("d"), "", 10);
  BOOST_TEST(page->entries.empty());
  BOOST_REQUIRE(page->more);
  const auto rest = disk->list(path("d"), page->next, 10);
  BOOST_TEST(rest->entries.size() == 1u);
  BOOST_TEST(!rest->more);
}

BOOST_AUTO_TEST_CASE(a_page_of_a_directory_with_200000_names_costs_what_one_of_a_small_directory_does) {
  fill("large", 200'000);
  fill("small", 200);
  reopen();
  for (const auto& what : {list_filter{}, list_filter{"", true}, list_filter{"10000", false}}) {
    const auto small_page = cost_of_page("small", "", what);
    BOOST_TEST(cost_of_page("large", "", what) <= 2 * small_page);
    if (what.prefix.empty()) BOOST_TEST(cost_of_page("large", "1150000", what) <= 2 * small_page);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
