#include <sys/stat.h>

#include <fstream>

#include "fault.hpp"
#include "fixture.hpp"

namespace fs = std::filesystem;

namespace kaiku::test {
namespace {

void write_text(const fs::path& file, std::string_view text) {
  std::ofstream{file} << text;
}

std::size_t files_below(const fs::path& directory) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) count += entry.is_regular_file() ? 1 : 0;
  return count;
}

unsigned mode_of(const fs::path& path) {
  struct stat found {};
  BOOST_REQUIRE_EQUAL(::stat(path.c_str(), &found), 0);
  return found.st_mode & 0777;
}

fs::path copy_of(const store_fixture& from, const char* name) {
  auto copy = from.directory / name;
  copy_as_after_a_crash(from.data, copy);
  return copy;
}

fs::path write_ahead_log(const fs::path& data) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(data / "db")) {
    if (entry.path().extension() == ".log" && entry.path() > newest) newest = entry.path();
  }
  BOOST_REQUIRE(!newest.empty());
  return newest;
}

BOOST_AUTO_TEST_SUITE(data_directory)

BOOST_AUTO_TEST_CASE(is_made_with_everything_above_it_for_its_owner_only) {
  temporary_directory temporary;
  const auto data = temporary / "a/b/data";
  auto disk = open_store(data);
  BOOST_TEST(disk->disk().known());
  for (const char* name : {"", "db", "staging", "blobs", "damaged"}) BOOST_TEST(mode_of(data / name) == 0700u);
  for (const char* name : {"LOCK", "FORMAT", "SYNCED"}) BOOST_TEST(mode_of(data / name) == 0600u);
}

BOOST_AUTO_TEST_CASE(with_something_else_than_a_file_in_the_place_of_one_is_refused_at_once) {
  for (const char* name : {"FORMAT", "LOCK"}) {
    temporary_directory temporary;
    const auto data = temporary / "data";
    fs::create_directory(data);
    BOOST_REQUIRE_EQUAL(::mkfifo((data / name).c_str(), 0600), 0);
    const auto opened = store::open({data, 0, {}});
    BOOST_REQUIRE(!opened.ok());
    BOOST_TEST(opened.failure().detail.find("is not a regular file") != std::string::npos, opened.failure().detail);
  }
}

BOOST_AUTO_TEST_CASE(writes_to_no_file_that_somebody_has_left_there) {
  temporary_directory temporary;
  const auto data = temporary / "data", theirs = temporary / "theirs";
  fs::create_directory(data);
  write_text(theirs, "theirs");
  fs::permissions(theirs, fs::perms{0666});
  fs::create_hard_link(theirs, data / "FORMAT.new");
  const auto disk = open_store(data);
  BOOST_TEST(mode_of(data / "FORMAT") == 0600u);
  BOOST_TEST(fs::hard_link_count(theirs) == 1u);
  BOOST_TEST(fs::file_size(theirs) == 6u);
}

BOOST_AUTO_TEST_CASE(is_held_by_one_process_at_a_time) {
  temporary_directory temporary;
  auto disk = open_store(temporary / "data");
  auto second = store::open({temporary / "data", 0, {}});
  BOOST_REQUIRE(!second.ok());
  BOOST_TEST(second.failure().code == errc::in_use);
  BOOST_TEST(second.failure().detail.find((temporary / "data").string()) != std::string::npos);
  disk.reset();
  BOOST_TEST(why_not_opened(temporary / "data") == errc::none);
}

BOOST_AUTO_TEST_CASE(is_refused_when_other_files_are_in_it_and_left_as_it_was) {
  temporary_directory temporary;
  write_text(temporary / "letter.txt", "dear");
  BOOST_TEST(why_not_opened(temporary.path()) == errc::bad_request);
  BOOST_TEST(files_below(temporary.path()) == 1u);
  BOOST_TEST(why_not_opened(temporary / "letter.txt") == errc::io_error);
}

BOOST_AUTO_TEST_CASE(may_be_the_root_of_a_file_system_or_a_first_start_that_was_cut_short) {
  temporary_directory temporary;
  fs::create_directory(temporary / "lost+found");
  write_text(temporary / "LOCK", "");
  write_text(temporary / "FORMAT.new", "kaiku da");
  BOOST_TEST(why_not_opened(temporary.path()) == errc::none);
}

BOOST_AUTO_TEST_CASE(of_another_format_is_refused) {
  temporary_directory temporary;
  open_store(temporary / "data");
  write_text(temporary / "data/FORMAT", "kaiku data directory, format 1\n");
  auto opened = store::open({temporary / "data", 0, {}});
  BOOST_REQUIRE(!opened.ok());
  BOOST_TEST(opened.failure().code == errc::bad_request);
  BOOST_TEST(opened.failure().detail.find("format 1") != std::string::npos);
  write_text(temporary / "data/FORMAT", "kaik");
  BOOST_TEST(why_not_opened(temporary / "data") == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(that_was_wiped_is_a_new_incarnation) {
  temporary_directory temporary;
  const auto first = open_store(temporary / "data")->disk();
  fs::remove_all(temporary / "data");
  BOOST_TEST((open_store(temporary / "data")->disk() != first));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(crash, store_fixture)

BOOST_AUTO_TEST_CASE(leaves_all_that_was_acknowledged) {
  logged(put("a/f", "x"));
  auto survivor = open_store(copy_of(*this, "copy"));
  BOOST_TEST((survivor->state() == disk->state()));
  BOOST_TEST((*survivor->stat(path("a/f")) == *disk->stat(path("a/f"))));
}

BOOST_AUTO_TEST_CASE(that_tore_the_last_record_is_survived) {
  logged(put("f", "x"));
  const auto copy = copy_of(*this, "copy");
  std::ofstream{write_ahead_log(copy), std::ios::app | std::ios::binary} << std::string(100, '\x5a');
  BOOST_TEST((open_store(copy)->state() == disk->state()));
}

BOOST_AUTO_TEST_CASE(is_told_from_a_disk_that_lost_acknowledged_writes) {
  logged(put("f", "x"));
  logged(put("g", "y"));
  const auto cut = copy_of(*this, "cut");
  fs::resize_file(write_ahead_log(cut), fs::file_size(write_ahead_log(cut)) - 1);
  BOOST_TEST(why_not_opened(cut) == errc::corrupt);
  const auto flipped = copy_of(*this, "flipped");
  std::fstream log{write_ahead_log(flipped), std::ios::in | std::ios::out | std::ios::binary};
  log.seekp(static_cast<std::streamoff>(fs::file_size(write_ahead_log(flipped)) / 2));
  log.put('\x5a');
  log.put('\xa5');
  log.close();
  BOOST_TEST(why_not_opened(flipped) == errc::corrupt);
}

BOOST_AUTO_TEST_CASE(leaves_no_staging_files_and_no_blobs_without_a_name) {
  const auto kept = large('k');
  const auto dropped = large('d');
  auto kept_file = stage(kept);
  auto dropped_file = stage(dropped);
  auto half = disk->content().begin({});
  BOOST_REQUIRE((*half)->write("half").ok());
  logged({put_command("kept", kept), {}, {}});
  // Killed between the link and the batch that names it.
  BOOST_REQUIRE(disk->content().adopt(content_named(dropped)).ok());
  const auto copy = copy_of(*this, "copy");
  BOOST_TEST(files_below(copy / "staging") == 3u);
  BOOST_TEST(files_below(copy / "blobs") == 2u);

  auto survivor = open_store(copy);
  BOOST_TEST(files_below(copy / "staging") == 0u);
  BOOST_TEST(files_below(copy / "blobs") == 1u);
  BOOST_TEST(survivor->open_content(content_named(kept)).ok());
  BOOST_TEST(!survivor->content().open(content_named(dropped)).ok());
}

BOOST_AUTO_TEST_SUITE_END()

/// A store whose `fatal` throws, as the nearest thing to not returning.
struct fatal_fixture {
  struct stopped : std::runtime_error {
    using std::runtime_error::runtime_error;
  };

  temporary_directory directory;
  std::unique_ptr<store> disk =
      store::open({directory / "data", 0, [](const std::string& why) { throw stopped(why); }}).value();
};

BOOST_FIXTURE_TEST_SUITE(failed_sync, fatal_fixture)

BOOST_AUTO_TEST_CASE(of_a_batch_stops_the_node_and_acknowledges_nothing) {
  disk->adopt_term({1});
  const std::vector<proposal> batch{put("f", "x")};
  failing_syncs fault;
  BOOST_CHECK_THROW(disk->propose({1}, batch), stopped);
  BOOST_TEST(disk->state().last.index.value == 0u);
}

BOOST_AUTO_TEST_CASE(of_a_vote_stops_the_node) {
  failing_syncs fault;
  BOOST_CHECK_THROW(disk->decide_ballot({{"b"}, {2}, {}, false, false}), stopped);
  BOOST_TEST(disk->state().current.value == 0u);
}

BOOST_AUTO_TEST_CASE(of_what_compacts_or_installs_or_sets_apart_stops_the_node_and_changes_nothing) {
  disk->adopt_term({1});
  const std::vector<proposal> batch{put("f", "x"), remove("f")};
  disk->propose({1}, batch);
  failing_syncs fault;
  BOOST_CHECK_THROW(static_cast<void>(disk->compact({1})), stopped);
  BOOST_TEST(disk->first_index().value == 1u);
  BOOST_CHECK_THROW(static_cast<void>(disk->begin_install({{1}, {9}})), stopped);
  BOOST_TEST(!disk->installing());
  BOOST_CHECK_THROW(static_cast<void>(disk->quarantine(content_named("x"))), stopped);
  BOOST_TEST(disk->open_content(content_named("x")).ok());
}

BOOST_AUTO_TEST_CASE(of_a_file_stops_the_node) {
  auto file = disk->content().begin({});
  BOOST_REQUIRE((*file)->write(large('x')).ok());
  {
    failing_syncs fault;
    BOOST_CHECK_THROW((*file)->finish(), stopped);
  }
  BOOST_TEST(!disk->content().is_staged(sha256(large('x'))));
}

BOOST_AUTO_TEST_CASE(of_a_directory_stops_the_node) {
  auto file = disk->content().begin({});
  BOOST_REQUIRE((*file)->write(large('x')).ok());
  BOOST_REQUIRE((*file)->finish().ok());
  failing_syncs fault;
  BOOST_REQUIRE(disk->content().adopt(content_named(large('x'))).ok());
  BOOST_CHECK_THROW(disk->content().sync_adopted(), stopped);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
