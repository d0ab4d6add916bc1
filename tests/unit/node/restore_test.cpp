/// A data directory from a backup: all of it, or none.

#include "kaiku/node/restore.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "../../support/temporary_directory.hpp"
#include "../storage/fault.hpp"
#include "backup_fixture.hpp"
#include "kaiku/node/recover.hpp"
#include "kaiku/storage/store.hpp"

namespace kaiku::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* workshop = ".kaiku-restore";

/// What happens, once, just before a restore makes its workshop.
std::function<void()>& before_workshop() {
  static std::function<void()> what;
  return what;
}

/// With which error the next workshop is not made; 0: it is.
int& workshop_fails_with() {
  static int code = 0;
  return code;
}

/// Something happens when half of it has been read.
class eventful_source final : public byte_source {
 public:
  eventful_source(std::string_view text, std::function<void()> what)
      : from_(text), half_(text.size() / 2), what_(std::move(what)) {}
  result<std::size_t> read(std::span<char> into) override {
    auto got = from_.read(into);
    if (got.ok()) read_ += *got;
    if (read_ > half_ && what_) std::exchange(what_, nullptr)();
    return got;
  }

 private:
  text_source from_;
  std::size_t half_, read_ = 0;
  std::function<void()> what_;
};

/// Which file stands under which name.
std::map<std::string, ino_t> inodes_in(const fs::path& directory) {
  std::map<std::string, ino_t> out;
  for (const auto& one : fs::directory_iterator(directory)) {
    struct stat found {};
    BOOST_REQUIRE(::lstat(one.path().c_str(), &found) == 0);
    out[one.path().filename().string()] = found.st_ino;
  }
  return out;
}

made_entry with_version(made_entry x, log_position version) {
  x.what.info.version = version;
  return x;
}

struct restore_fixture {
  temporary_directory directory;
  fs::path data = directory / "data";
  unix_time_ms time{1};
  set_members members =
      new_cluster({{"n1"}, {}, "host1:9000"}, {{{"n1"}, {}, "host1:9000"}, {{"n2"}, {}, "host2:9000"}});

  result<restored_backup> restore(const std::string& archive) const {
    text_source source(archive);
    return restore_backup(source, data, members);
  }
  errc refused(const std::string& archive) const {
    const auto done = restore(archive);
    return done.ok() ? errc::none : done.failure().code;
  }
  std::unique_ptr<store> open() const {
    auto opened = store::open({data, 0, [](const std::string& why) { BOOST_FAIL(why); }, [this] { return time; }});
    BOOST_REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.failure().detail));
    return std::move(*opened);
  }
};

std::string bytes_of(const store& from, const content_ref& what) {
  const auto opened = from.open_content(what);
  if (!opened) return "(" + std::string(to_string(opened.failure().code)) + ")";
  if (!opened->file) return opened->bytes;
  std::string bytes(opened->size.value, '\0');
  return opened->file->read(0, bytes).ok() ? bytes : "(damaged)";
}

BOOST_FIXTURE_TEST_SUITE(restores, restore_fixture)

BOOST_AUTO_TEST_CASE(holds_all_that_the_backup_has_as_a_new_cluster) {
  const auto entries = usual_entries();
  const auto done = restore(write_archive(entries));
  BOOST_REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.failure().detail));
  BOOST_TEST((done->moment == made_moment()));
  for (int start = 0; start < 2; ++start) {
    const auto disk = open();
    for (const auto& [what, content] : entries) {
      auto info = disk->stat(what.path);
      BOOST_REQUIRE_MESSAGE(info.ok(), what.path.text());
      if (!info->is_directory()) BOOST_TEST((bytes_of(*disk, info->content) == content), what.path.text());
      info->inode = {};
      BOOST_TEST((*info == what.info), what.path.text());
    }
    const auto page = disk->list({}, {}, 100, {{}, true});
    BOOST_REQUIRE(page.ok());
    BOOST_TEST(page->entries.size() == entries.size() - 1);
    BOOST_TEST((disk->next_expiry() == unix_time_ms{4'000'000'000'123}));
    // Behind the backup's moment, in a term of its own.
    BOOST_TEST((disk->state().last == log_position{{4}, {41}}));
    BOOST_TEST(disk->first_index().value == 42u);
    const auto now = disk->members();
    BOOST_TEST((now.cluster == members.cluster));
    BOOST_TEST(now.confirmed);
    BOOST_TEST((now.voters == members.voters));
    BOOST_TEST((now.learners == members.learners));
    BOOST_TEST(now.learners.at(0).disk.known());
    BOOST_TEST(!disk->list_content({}, 100).empty());
  }
}

BOOST_AUTO_TEST_CASE(content_that_stands_twice_is_held_once_and_goes_with_its_last_name) {
  BOOST_REQUIRE(restore(write_archive(usual_entries())).ok());
  auto disk = open();
  BOOST_TEST(disk->list_content({}, 100).size() == 4u);  // text, nothing, the large one, small
  disk->adopt_term({5});
  const auto large = disk->stat(path_of("d/large"))->content;
  for (const char* name : {"d/large", "d/large-again"}) {
    const proposal away{remove_path{path_of(name), false, {1}}, {}, {}};
    BOOST_REQUIRE(disk->propose({5}, std::span{&away, 1}).results.at(0).failure.code == errc::none);
    BOOST_TEST(disk->holds(large));
  }
  BOOST_REQUIRE(disk->compact(disk->state().last.index).ok());
  for (int round = 0; round < 2; ++round) {
    time.value += limits::content_grace_ms;
    while (disk->collect_garbage(100)) continue;
  }
  BOOST_TEST(!disk->holds(large));
  BOOST_TEST(disk->list_content({}, 100).size() == 3u);
}

BOOST_AUTO_TEST_CASE(leaves_nothing_behind_when_the_archive_is_no_good) {
  const auto whole = write_archive(usual_entries());
  auto flipped = whole;
  flipped[whole.find("LLLL") + 70'000] = 'l';
  auto cut = whole.substr(0, whole.size() - 1);
  for (const auto& [archive, why] : {std::pair{flipped, errc::corrupt},
                                     {cut, errc::corrupt},
                                     {whole.substr(0, whole.size() / 2), errc::corrupt},
                                     {std::string("something else"), errc::bad_request}}) {
    BOOST_TEST((refused(archive) == why));
    BOOST_TEST(!fs::exists(data));
    fs::create_directory(data);
    BOOST_TEST((refused(archive) == why));
    BOOST_TEST(fs::is_empty(data));
    fs::remove(data);
  }
  BOOST_TEST((refused(whole) == errc::none));
}

BOOST_AUTO_TEST_CASE(leaves_no_directory_behind_in_which_it_could_not_begin) {
  const auto whole = write_archive(usual_entries());
  workshop_fails_with() = ENOSPC;
  BOOST_TEST((refused(whole) == errc::disk_full));
  BOOST_TEST(!fs::exists(data));
  fs::create_directory(data);
  workshop_fails_with() = ENOSPC;
  BOOST_TEST((refused(whole) == errc::disk_full));
  BOOST_TEST(fs::is_empty(data));
}

BOOST_AUTO_TEST_CASE(a_tree_that_a_move_made_too_deep_to_be_named_comes_back) {
  std::vector<made_entry> entries{made_directory("", 40)};
  const auto dig = [&](const std::string& top) {
    auto path = top;
    entries.push_back(made_directory(path));
    for (int i = 1; i < 200; ++i) entries.push_back(made_directory(path += "/n"));
    return path;
  };
  const auto bottom = dig("a");
  entries.push_back(made_file(dig("b") + "/f", "content"));
  BOOST_REQUIRE(restore(write_archive(entries)).ok());
  auto disk = open();
  disk->adopt_term({5});
  const proposal deeper{move_path{path_of("b"), path_of(bottom + "/b"), false, false, {1}}, {}, {}};
  BOOST_REQUIRE(disk->propose({5}, std::span{&deeper, 1}).results.at(0).failure.code == errc::none);
  const auto page = disk->list({}, {}, 1000, {{}, true});
  BOOST_REQUIRE(page.ok());
  std::vector<made_entry> moved{made_directory("", 40)};
  for (const auto& [name, info] : page->entries)
    moved.push_back(info.is_directory() ? made_directory(name) : made_file(name, bytes_of(*disk, info.content)));
  BOOST_TEST(moved.size() == entries.size());
  BOOST_TEST(!file_path::parse(moved.back().what.path.text()).ok());
  disk.reset();
  fs::remove_all(data);
  const auto again = restore(write_archive(moved));
  BOOST_REQUIRE_MESSAGE(again.ok(), (again.ok() ? "" : again.failure().detail));
  disk = open();
  const auto found = disk->stat(moved.back().what.path);
  BOOST_REQUIRE(found.ok());
  BOOST_TEST(bytes_of(*disk, found->content) == "content");
}

BOOST_AUTO_TEST_CASE(takes_an_empty_directory_and_no_other) {
  const auto whole = write_archive(usual_entries());
  fs::create_directories(data / "lost+found");
  BOOST_TEST((refused(whole) == errc::none));
  BOOST_TEST((refused(whole) == errc::bad_request));  // a store is there
  BOOST_TEST((open()->state().last == log_position{{4}, {41}}));
  fs::remove_all(data);
  fs::create_directory(data);
  std::ofstream(data / "mine") << "text";
  BOOST_TEST((refused(whole) == errc::bad_request));
  fs::remove_all(data);
  fs::create_directories(data / workshop);
  BOOST_TEST((refused(whole) == errc::bad_request));  // somebody works there, or was killed
  BOOST_TEST((store::open({data, 0, {}}).failure().code == errc::bad_request));
}

BOOST_AUTO_TEST_CASE(a_node_that_has_claimed_the_directory_meanwhile_keeps_it) {
  std::unique_ptr<store> node;
  std::map<std::string, ino_t> its;
  before_workshop() = [&] {
    node = open();
    its = inodes_in(data);
  };
  BOOST_TEST((refused(write_archive(usual_entries())) == errc::bad_request));
  BOOST_REQUIRE(node);
  BOOST_TEST((inodes_in(data) == its));
  node->adopt_term({1});
  node.reset();
  BOOST_TEST((open()->state().current == term{1}));
}

BOOST_AUTO_TEST_CASE(a_node_that_claims_the_directory_while_an_archive_is_read_keeps_it) {
  const auto whole = write_archive(usual_entries());
  eventful_source source(whole, [&] {
    std::ofstream(data / "LOCK") << "of a node";
    fs::create_directory(data / "blobs");
  });
  const auto done = restore_backup(source, data, members);
  BOOST_REQUIRE(!done.ok());
  BOOST_TEST((done.failure().code == errc::already_exists));
  BOOST_TEST(content_of_file(data / "LOCK") == "of a node");
  BOOST_TEST(inodes_in(data).size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_disk_that_fails_ends_it_and_leaves_what_no_node_starts_on) {
  const auto whole = write_archive({made_directory("", 40), made_file("f", "content")});
  // In a process of its own, which is this program again: threads don't outlive a fork.
  constexpr const char* role = "KAIKU_TEST_FAILING_DISK";
  if (const char* where = std::getenv(role); where != nullptr) {
    fs::remove(directory.path());  // nothing is destroyed at the end
    std::optional<failing_syncs> failing;
    eventful_source source(whole, [&] { failing.emplace(); });
    const auto done = restore_backup(source, where, members);
    std::_Exit(done.ok() ? 0 : 2);
  }
  BOOST_REQUIRE(::setenv(role, data.c_str(), 1) == 0);
  const auto child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::execl("/proc/self/exe", "unit_backup", "--run_test=restores/a_disk_that_fails_*", nullptr);
    std::_Exit(127);
  }
  ::unsetenv(role);
  BOOST_REQUIRE(child > 0);
  int ended = 0;
  BOOST_REQUIRE(::waitpid(child, &ended, 0) == child);
  BOOST_TEST((WIFEXITED(ended) && WEXITSTATUS(ended) == 1), "ended with " << ended);
  BOOST_TEST(fs::exists(data / workshop));
  BOOST_TEST(!fs::exists(data / "FORMAT"));
  BOOST_TEST((refused(whole) == errc::bad_request));
  BOOST_TEST((store::open({data, 0, {}}).failure().code == errc::bad_request));
}

BOOST_AUTO_TEST_CASE(an_empty_store_is_a_store) {
  BOOST_REQUIRE(restore(write_archive({with_version(made_directory(""), {})})).ok());
  BOOST_TEST((open()->stat({})->version == log_position{}));
}

BOOST_AUTO_TEST_CASE(refuses_trees_that_no_store_has) {
  const auto root = made_directory("", 40);
  const auto file = made_file("f", "x"), inside = made_file("d/f", "x"), late = made_file("late", "x", 41);
  const auto folder = made_directory("d");
  for (const auto& [entries, why] : {std::pair{std::vector<made_entry>{}, "no root"},
                                     {{file}, "a file in front of the root"},
                                     {{root, root}, "two roots"},
                                     {{root, inside}, "a file without its directory"},
                                     {{root, folder, file, inside}, "a directory that was left"},
                                     {{root, file, file}, "a name twice"},
                                     {{root, late}, "a file from behind the moment"},
                                     {{root, with_version(file, {{4}, {8}})}, "a file of a later term"},
                                     {{root, with_version(folder, {{4}, {8}})}, "a directory of a later term"},
                                     {{root, with_version(file, {})}, "a file that nobody made"},
                                     {{root, with_version(file, {{0}, {8}})}, "a file of no term"},
                                     {{with_version(root, {{2}, {0}})}, "a root of no entry"}}) {
    BOOST_TEST((refused(write_archive(entries)) == errc::corrupt), why);
    BOOST_TEST(!fs::exists(data), why);
  }
}

BOOST_AUTO_TEST_CASE(many_files_come_in_several_batches) {
  std::vector<made_entry> entries{made_directory("", 40)};
  for (int i = 0; i < 3000; ++i) {
    auto name = std::to_string(10'000 + i);
    entries.push_back(made_file(name, name + std::string(i % 50 == 0 ? 70'000 : 10, 'x'), 9));
  }
  BOOST_REQUIRE(restore(write_archive(entries)).ok());
  const auto disk = open();
  for (const auto& [what, content] : entries)
    if (!what.info.is_directory())
      BOOST_TEST((bytes_of(*disk, disk->stat(what.path)->content) == content), what.path.text());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test

// A program's own definition stands in front of the C library's.
extern "C" int mkdir(const char* path, mode_t mode) noexcept {
  if (std::string_view{path}.ends_with(kaiku::test::workshop))
    if (auto what = std::exchange(kaiku::test::before_workshop(), nullptr)) what();
  if (std::string_view{path}.ends_with(kaiku::test::workshop) && kaiku::test::workshop_fails_with() != 0) {
    errno = std::exchange(kaiku::test::workshop_fails_with(), 0);
    return -1;
  }
  return static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}
