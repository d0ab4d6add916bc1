// What somebody who can write below a data directory can't do: lead the node to files elsewhere.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "fixture.hpp"
#include "kaiku/storage/held_directory.hpp"

namespace fs = std::filesystem;

namespace kaiku::test {
namespace {

/// `inside/` is held; a link in it leads to `outside/`, and another to a file there.
struct planted_links {
  temporary_directory temporary;
  fs::path inside = temporary / "inside";
  fs::path outside = temporary / "outside";

  planted_links() {
    fs::create_directories(inside / "a/b");
    fs::create_directories(outside);
    std::ofstream(inside / "a/b/file") << "inside";
    std::ofstream(outside / "file") << "outside";
    fs::create_directory_symlink(outside, inside / "a/door");
    fs::create_symlink(outside / "file", inside / "a/window");
    fs::create_symlink("b/file", inside / "a/short_cut");
  }
};

/// The errno of opening; 0 when it worked.
int opening(const fs::path& root, const char* name, int flags, bool by_steps) {
  const unique_fd held{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  const unique_fd opened{open_beneath(held.get(), name, flags, 0600, by_steps)};
  return opened ? 0 : errno;
}

unsigned mode_of(const fs::path& path) {
  struct stat found {};
  BOOST_REQUIRE_EQUAL(::lstat(path.c_str(), &found), 0);
  return found.st_mode & 0777;
}

/// Opening this data directory fails, with a message that says `why`.
void check_refused(const fs::path& data, const std::string& why) {
  auto opened = store::open({data, 0, {}});
  BOOST_REQUIRE(!opened.ok());
  BOOST_TEST(opened.failure().detail.find(why) != std::string::npos, opened.failure().detail);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(held_directories, planted_links)

BOOST_AUTO_TEST_CASE(open_what_lies_beneath_and_follow_no_link_with_openat2_and_without) {
  for (bool by_steps : {false, true}) {
    BOOST_TEST_CONTEXT((by_steps ? "by steps" : "by openat2")) {
      BOOST_TEST(opening(inside, "a/b/file", O_RDONLY, by_steps) == 0);
      BOOST_TEST(opening(inside, "a/b", O_RDONLY | O_DIRECTORY, by_steps) == 0);
      BOOST_TEST(opening(inside, "a/none", O_RDONLY, by_steps) == ENOENT);
      for (const char* link : {"a/window", "a/short_cut", "a/door", "a/door/file"})
        BOOST_TEST(opening(inside, link, O_RDONLY, by_steps) == ELOOP, link);
      BOOST_TEST(opening(inside, "a/door", O_RDONLY | O_DIRECTORY, by_steps) == ELOOP);
      BOOST_TEST(opening(inside, "a/window", O_WRONLY | O_CREAT, by_steps) == ELOOP);
      BOOST_TEST(opening(inside, "a/door/new", O_WRONLY | O_CREAT, by_steps) == ELOOP);
      BOOST_TEST(opening(inside, "../outside/file", O_RDONLY, by_steps) == EXDEV);
      BOOST_TEST(opening(inside, (outside / "file").c_str(), O_RDONLY, by_steps) == EXDEV);
    }
  }
}

BOOST_AUTO_TEST_CASE(make_rename_link_and_remove_nothing_behind_a_link) {
  const auto held = held_directory::open(inside).value();
  BOOST_TEST(held->make_directory("a/door/new") == ELOOP);
  BOOST_TEST(held->remove("a/door/file") == ELOOP);
  BOOST_TEST(held->rename("a/b/file", "a/door/stolen") == ELOOP);
  BOOST_TEST(held->rename("a/door/file", "a/b/planted") == ELOOP);
  BOOST_TEST(held->link("a/door/file", "a/b/planted") == ELOOP);
  BOOST_TEST(!held->list("a/door").ok());
  BOOST_TEST(std::distance(fs::directory_iterator(outside), {}) == 1);
  BOOST_TEST(fs::exists(inside / "a/b/file"));
  // The link itself goes, not what it leads to.
  BOOST_TEST(held->remove("a/window") == 0);
  BOOST_TEST(fs::exists(outside / "file"));
}

BOOST_AUTO_TEST_CASE(stay_the_same_when_their_path_leads_elsewhere) {
  const auto held = held_directory::open(inside).value();
  fs::rename(inside, temporary / "moved");
  fs::create_directory_symlink(outside, inside);
  BOOST_REQUIRE(held->write("note", "kept").ok());
  BOOST_TEST(!fs::exists(outside / "note"));
  BOOST_TEST(held->read("note", 100).value() == "kept");
  BOOST_TEST(fs::exists(temporary / "moved/note"));
}

BOOST_AUTO_TEST_CASE(make_files_and_directories_for_their_owner_only) {
  const auto held = held_directory::open(inside).value();
  const auto before = ::umask(0);
  BOOST_REQUIRE(held->provide_directory("private").ok());
  BOOST_REQUIRE(held->write("note", "kept").ok());
  ::umask(before);
  BOOST_TEST(mode_of(inside / "private") == 0700u);
  BOOST_TEST(mode_of(inside / "note") == 0600u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(planted, store_fixture)

BOOST_AUTO_TEST_CASE(links_in_place_of_a_directory_or_a_file_of_the_store_are_refused_with_a_reason) {
  disk.reset();
  for (const char* name : {"db", "staging", "blobs", "damaged", "FORMAT", "LOCK", "SYNCED"}) {
    BOOST_TEST_CONTEXT(name) {
      const auto elsewhere = directory / "elsewhere";
      fs::rename(data / name, elsewhere);
      fs::create_symlink(elsewhere, data / name);
      check_refused(data, (data / name).string() + ": it is a symbolic link");
      fs::remove(data / name);
      fs::rename(elsewhere, data / name);
    }
  }
  BOOST_TEST(why_not_opened(data) == errc::none);
}

BOOST_AUTO_TEST_CASE(links_in_place_of_a_blob_or_its_directory_are_not_read_from) {
  const auto bytes = large('x');
  auto file = stage(bytes);
  logged(put("f", bytes));
  file.reset();
  BOOST_REQUIRE(text_at("f") == bytes);
  const auto name = to_string(sha256(bytes));
  const auto first = data / "blobs" / name.substr(0, 2);
  for (const auto& there : {first, first / name.substr(2, 2), first / name.substr(2, 2) / name}) {
    const auto elsewhere = directory / "elsewhere";
    fs::rename(there, elsewhere);
    fs::create_symlink(elsewhere, there);
    BOOST_TEST(content_outcome(bytes) == errc::io_error);
    fs::remove(there);
    fs::rename(elsewhere, there);
  }
  BOOST_TEST((text_at("f") == bytes));
}

BOOST_AUTO_TEST_CASE(a_database_that_others_can_change_is_refused) {
  disk.reset();
  fs::permissions(data / "db", fs::perms::others_write, fs::perm_options::add);
  check_refused(data, "every user of this machine can write to " + (data / "db").string());
  fs::permissions(data / "db", fs::perms::others_all, fs::perm_options::remove);
  fs::permissions(data / "db", fs::perms::group_all, fs::perm_options::add);  // as Kubernetes does
  BOOST_TEST(why_not_opened(data) == errc::none);
  if (::geteuid() != 0) return;
  BOOST_REQUIRE_EQUAL(::chown((data / "db").c_str(), 12345, 12345), 0);
  check_refused(data, "belongs to user 12345");
}

BOOST_AUTO_TEST_CASE(what_another_user_made_is_taken_over_when_all_of_it_is_a_group_of_ours_to_change) {
  if (::geteuid() != 0) return;
  const auto bytes = large('x');
  auto file = stage(bytes);
  logged(put("f", bytes));
  file.reset();
  disk.reset();
  const auto give = [](const fs::path& what, uid_t user, gid_t group) {
    BOOST_REQUIRE_EQUAL(::chown(what.c_str(), user, group), 0);
    fs::permissions(what,
                    fs::is_directory(what) ? fs::perms::group_all : fs::perms::group_read | fs::perms::group_write,
                    fs::perm_options::add);
  };
  // As Kubernetes does for a pod with an `fsGroup`.
  give(data, 12345, ::getegid());
  for (const auto& one : fs::recursive_directory_iterator(data)) give(one.path(), 12345, ::getegid());
  disk = open_store(data);
  BOOST_TEST((text_at("f") == bytes));
  logged(put("g", "made by this user, for itself alone"));
  disk.reset();
  BOOST_TEST(why_not_opened(data) == errc::none);

  const auto name = to_string(sha256(bytes));
  const auto blob = data / "blobs" / name.substr(0, 2) / name.substr(2, 2) / name;
  fs::permissions(blob, fs::perms::group_write, fs::perm_options::remove);
  check_refused(data, blob.string() + " belongs to user 12345");
  give(blob, 12345, 54321);
  check_refused(data, blob.string() + " belongs to user 12345");
  give(blob, 12345, ::getegid());
  fs::permissions(data / "staging", fs::perms::group_exec, fs::perm_options::remove);
  check_refused(data, (data / "staging").string() + " belongs to user 12345");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
