#include <sys/stat.h>

#include <limits>

#include "fixture.hpp"

namespace fs = std::filesystem;

namespace kaiku::test {
namespace {

BOOST_AUTO_TEST_CASE(sha256_gives_the_digests_of_fips_180_4) {
  BOOST_TEST(to_string(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(to_string(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  sha256_hasher pieces;
  pieces.update("a");
  pieces.update("");
  pieces.update("bc");
  BOOST_TEST((pieces.finish() == sha256("abc")));
}

BOOST_FIXTURE_TEST_SUITE(content, store_fixture)

BOOST_AUTO_TEST_CASE(that_is_staged_is_found_until_it_is_dropped) {
  const auto bytes = large('x');
  auto& content = disk->content();
  auto first = stage(bytes);
  auto second = stage(bytes);
  BOOST_TEST(content.is_staged(sha256(bytes)));
  first.reset();
  BOOST_TEST(content.is_staged(sha256(bytes)));
  second.reset();
  BOOST_TEST(!content.is_staged(sha256(bytes)));
  BOOST_TEST(fs::is_empty(data / "staging"));
  BOOST_TEST(content.adopt(content_named(bytes)).failure().code == errc::content_missing);
  BOOST_TEST(!content.open(content_named(bytes)).ok());
}

BOOST_AUTO_TEST_CASE(that_is_dropped_half_way_leaves_nothing) {
  {
    auto file = disk->content().begin({});
    BOOST_REQUIRE((*file)->write("some").ok());
    BOOST_TEST((*file)->size().value == 4u);
  }
  BOOST_TEST(fs::is_empty(data / "staging"));
}

BOOST_AUTO_TEST_CASE(that_is_adopted_outlives_its_staging_file) {
  const auto bytes = large('x');
  auto file = stage(bytes);
  BOOST_REQUIRE(disk->content().adopt(content_named(bytes)).ok());
  BOOST_REQUIRE(disk->content().adopt(content_named(bytes)).ok());  // again: it is there already
  file.reset();
  BOOST_TEST(disk->content().open(content_named(bytes)).ok());
  const auto name = to_string(sha256(bytes));
  const auto blob = data / "blobs" / name.substr(0, 2) / name.substr(2, 2) / name;
  struct stat found {};
  BOOST_REQUIRE_EQUAL(::stat(blob.c_str(), &found), 0);
  BOOST_TEST((found.st_mode & 0777u) == 0600u);
  BOOST_TEST(found.st_nlink == 1u);
}

BOOST_AUTO_TEST_CASE(is_adopted_only_with_the_size_that_is_named) {
  const auto bytes = large('x');
  auto file = stage(bytes);
  BOOST_TEST(disk->content().adopt({sha256(bytes), {bytes.size() + 1}}).failure().code == errc::corrupt);
  BOOST_TEST(!disk->content().open(content_named(bytes)).ok());
}

BOOST_AUTO_TEST_CASE(replaces_a_damaged_blob_that_no_entry_names) {
  const auto bytes = large('x');
  auto file = stage(bytes);
  BOOST_REQUIRE(disk->content().adopt(content_named(bytes)).ok());
  file.reset();
  const auto name = to_string(sha256(bytes));
  const auto blob = data / "blobs" / name.substr(0, 2) / name.substr(2, 2) / name;
  fs::resize_file(blob, 10);
  BOOST_TEST(disk->content().open(content_named(bytes)).failure().code == errc::corrupt);
  file = stage(bytes);
  BOOST_REQUIRE(disk->content().adopt(content_named(bytes)).ok());
  BOOST_TEST(disk->content().open(content_named(bytes)).ok());
}

BOOST_AUTO_TEST_CASE(that_is_not_there_is_not_found) {
  BOOST_TEST(disk->open_content(content_named(large('z'))).failure().code == errc::not_found);
  BOOST_TEST(disk->open_content(content_named("z")).failure().code == errc::not_found);
}

BOOST_AUTO_TEST_CASE(stays_readable_through_what_was_opened_before) {
  const auto bytes = large('x', 100'000);
  {
    auto file = stage(bytes);
    logged({put_command("f", bytes), {}, {}});
  }
  auto opened = disk->open_content(content_named(bytes));
  BOOST_REQUIRE(opened.ok());
  logged(remove("f"));
  std::string got(bytes.size(), '\0');
  BOOST_TEST(opened->file->read(0, got).ok());
  BOOST_TEST((got == bytes));
}

BOOST_AUTO_TEST_CASE(larger_than_the_flush_interval_arrives_whole) {
  std::string bytes;
  const std::string piece(limits::chunk_bytes, 'p');
  auto file = disk->content().begin({});
  while (bytes.size() < limits::staging_flush_bytes + limits::chunk_bytes) {
    BOOST_REQUIRE((*file)->write(piece).ok());
    bytes += piece;
  }
  auto named = (*file)->finish();
  BOOST_TEST((*named == content_named(bytes)));
}

BOOST_AUTO_TEST_SUITE_END()

struct full_disk_fixture : store_fixture {
  void reopen_with(std::uint64_t reserve) {
    disk.reset();
    disk = open_store(data, reserve);
  }
  errc outcome_of(proposal what) { return disk->propose({1}, std::span{&what, 1}).failure.code; }
};

BOOST_FIXTURE_TEST_SUITE(full_disk, full_disk_fixture)

BOOST_AUTO_TEST_CASE(refuses_everything_that_takes_space_and_writes_nothing) {
  logged(put("f", "x"));
  reopen_with(std::numeric_limits<std::uint64_t>::max());
  const auto syncs = disk->counters().syncs;
  BOOST_TEST(disk->free_space().value == 0u);
  BOOST_TEST(outcome_of(put("g", "x")) == errc::disk_full);
  BOOST_TEST(outcome_of(remove("f")) == errc::disk_full);
  BOOST_TEST(append(1, {{1}, {1}}, {entry({1}, 2, mkdir("d").what)}).failure.code == errc::disk_full);
  BOOST_TEST(disk->content().begin({}).failure().code == errc::disk_full);
  BOOST_TEST(disk->counters().syncs == syncs);
  BOOST_TEST(append(1, {{1}, {1}}, {}).failure.code == errc::none);  // nothing to write
  BOOST_TEST(disk->decide_ballot({{"b"}, {2}, {{1}, {1}}, false, false}).granted);
  BOOST_TEST(text_at("f") == "x");
}

BOOST_AUTO_TEST_CASE(is_what_refused_something_until_nothing_more_can_be_freed) {
  logged(put("f", "x"));
  logged(remove("f"));
  const bool before = disk->is_short_of_space();
  BOOST_TEST(disk->content().begin({std::uint64_t{1} << 60}).failure().code == errc::disk_full);
  BOOST_TEST(disk->is_short_of_space() == before);  // no disk could take it
  BOOST_TEST(disk->content().begin({disk->free_space().value + 1}).failure().code == errc::disk_full);
  BOOST_TEST(disk->is_short_of_space());
  BOOST_REQUIRE(disk->compact({1}).ok());
  BOOST_TEST(disk->is_short_of_space());
  BOOST_REQUIRE(disk->compact({2}).ok());
  BOOST_TEST(disk->superseded().value == 0u);
  BOOST_TEST(disk->is_short_of_space() == before);
  reopen_with(std::numeric_limits<std::uint64_t>::max());
  BOOST_TEST(disk->is_short_of_space());
}

BOOST_AUTO_TEST_CASE(takes_what_a_leader_has_taken_into_the_reserve) {
  logged(put("f", "x"));
  const auto free = disk->free_space().value;
  reopen_with(free + free / 4);
  BOOST_TEST(disk->content().begin({}).failure().code == errc::disk_full);
  BOOST_TEST(disk->content().begin({}, origin::leader).ok());
  BOOST_TEST(append(1, {{1}, {1}}, {entry({1}, 2, mkdir("d").what)}).failure.code == errc::none);
}

BOOST_AUTO_TEST_CASE(lets_a_part_of_the_reserve_go_to_what_frees_space) {
  logged(put("f", "x"));
  logged(put("g", "x"));
  const auto free = disk->free_space().value;
  reopen_with(free + free / 4);
  BOOST_TEST(outcome_of(put("h", "x")) == errc::disk_full);
  const std::vector<proposal> mixed{put("h", "x"), remove("f"), {no_operation{}, {}, {}}};
  const auto outcome = disk->propose({1}, mixed);
  BOOST_REQUIRE_EQUAL(outcome.results.size(), 3u);
  BOOST_TEST(outcome.results[0].failure.code == errc::disk_full);
  BOOST_TEST(outcome.results[1].index.value == 3u);
  BOOST_TEST(outcome.results[2].index.value == 4u);
  BOOST_TEST(append(1, {{1}, {4}}, {entry({1}, 5, remove("g").what)}).failure.code == errc::none);
}

BOOST_AUTO_TEST_CASE(refuses_content_that_can_not_fit) {
  const auto free = disk->content().free_space_above(0).value;
  BOOST_TEST(disk->content().begin({free * 2}).failure().code == errc::disk_full);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
