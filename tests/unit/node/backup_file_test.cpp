/// The file that a backup is written to: nobody else's, and nothing in its place.

#include "kaiku/node/backup_file.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>

#include "../../support/temporary_directory.hpp"
#include "backup_fixture.hpp"

namespace kaiku::test {
namespace {

namespace fs = std::filesystem;

/// As a file system that can't promise to replace nothing.
std::atomic<bool> is_plain{false};

mode_t mode_of(const fs::path& file) {
  struct stat found {};
  return ::lstat(file.c_str(), &found) == 0 ? found.st_mode & 0777U : 0;
}

struct file_fixture {
  temporary_directory directory;
  std::string name = (directory / "kaiku.tar").string(), partial = name + ".partial";

  ~file_fixture() { is_plain = false; }
  errc refused() const {
    const auto made = new_archive::create(name);
    return made.ok() ? errc::none : made.failure().code;
  }
};

BOOST_FIXTURE_TEST_SUITE(archive_files, file_fixture)

BOOST_AUTO_TEST_CASE(has_its_name_once_it_is_kept_and_no_other) {
  for (const bool plain : {false, true}) {
    is_plain = plain;
    auto made = new_archive::create(name);
    BOOST_REQUIRE(made.ok());
    BOOST_TEST(made->write("bytes").ok());
    BOOST_TEST(!fs::exists(name));
    BOOST_TEST(made->keep().ok());
    BOOST_TEST(content_of_file(name) == "bytes");
    BOOST_TEST(mode_of(name) == 0600u);
    BOOST_TEST(!fs::exists(partial));
    BOOST_TEST((refused() == errc::already_exists));
    fs::remove(name);
  }
}

BOOST_AUTO_TEST_CASE(of_two_that_write_the_same_one_the_second_is_refused_and_changes_nothing) {
  {
    auto first = new_archive::create(name);
    BOOST_REQUIRE(first.ok());
    BOOST_TEST(first->write("first").ok());
    BOOST_TEST((refused() == errc::in_use));
    BOOST_TEST(content_of_file(partial) == "first");
  }
  BOOST_TEST(!fs::exists(partial));
  BOOST_TEST((refused() == errc::none));
}

BOOST_AUTO_TEST_CASE(what_was_cut_short_is_replaced_and_its_readers_see_nothing_of_the_next) {
  std::ofstream(partial) << "left";
  fs::permissions(partial, fs::perms::all);
  std::ifstream reader(partial);
  auto made = new_archive::create(name);
  BOOST_REQUIRE(made.ok());
  BOOST_TEST(made->write("secret").ok());
  BOOST_TEST(mode_of(partial) == 0600u);
  std::string seen;
  reader >> seen;
  BOOST_TEST(seen == "left");
}

BOOST_AUTO_TEST_CASE(a_file_that_came_to_be_there_meanwhile_stays) {
  for (const bool plain : {false, true}) {
    is_plain = plain;
    {
      auto made = new_archive::create(name);
      BOOST_REQUIRE(made.ok());
      BOOST_TEST(made->write("ours").ok());
      std::ofstream(name) << "theirs";
      const auto kept = made->keep();
      BOOST_REQUIRE(!kept.ok());
      BOOST_TEST((kept.failure().code == errc::already_exists));
    }
    BOOST_TEST(content_of_file(name) == "theirs");
    BOOST_TEST(!fs::exists(partial));
    fs::remove(name);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_written_through_a_link) {
  std::ofstream(directory / "victim") << "text";
  fs::create_symlink(directory / "victim", partial);
  BOOST_TEST((refused() == errc::io_error));
  BOOST_TEST(content_of_file(directory / "victim") == "text");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test

// A program's own definition stands in front of the C library's.
extern "C" int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) noexcept {
  if (kaiku::test::is_plain && flags != 0) {
    errno = EINVAL;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_renameat2, from_at, from, to_at, to, flags));
}
