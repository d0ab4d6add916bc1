/// What `kaikud backup` asks for, and what it says of what it got.

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "../../support/temporary_directory.hpp"
#include "backup_fixture.hpp"
#include "cli/fake_server.hpp"
#include "kaiku/core/content.hpp"
#include "kaiku/node/offline_command.hpp"

namespace kaiku::test {
namespace {

namespace fs = std::filesystem;

/// An exit code, and what was printed to standard error.
struct outcome {
  int code = 0;
  std::string said;
};

struct command_fixture {
  temporary_directory directory;
  fs::path archive = directory / "kaiku.tar";
  mode_t mask = ::umask(022);

  /// A command gives up the dump of its memory for good, which looking for leaks at the end needs.
  ~command_fixture() {
    ::umask(mask);
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }

  outcome back_up(const fake_server& from, std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"backup", "--url", "http://127.0.0.1:" + std::to_string(from.port()),
                                   archive.string()};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  outcome run(const std::vector<std::string>& words) const {
    std::vector<const char*> line{"kaikud"};
    for (const auto& one : words) line.push_back(one.c_str());
    const auto log = directory / "said";
    std::fflush(stderr);
    const unique_fd before{::dup(STDERR_FILENO)};
    const unique_fd file{::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    BOOST_REQUIRE(::dup2(file.get(), STDERR_FILENO) >= 0);
    const auto code = run_offline_command(static_cast<int>(line.size()), line.data());
    std::fflush(stderr);
    BOOST_REQUIRE(::dup2(before.get(), STDERR_FILENO) >= 0);
    return {code.value_or(-1), content_of_file(log)};
  }
  bool left_nothing() const { return !fs::exists(archive) && !fs::exists(archive.string() + ".partial"); }
};

std::string archive_of_a_node(const std::string& fields) {
  return fake_answer(200, "Kaiku-Node: n2\r\n" + fields, write_archive(usual_entries()));
}

bool has(const outcome& x, std::string_view words) {
  return x.said.find(words) != std::string::npos;
}

BOOST_FIXTURE_TEST_SUITE(backup_commands, command_fixture)

BOOST_AUTO_TEST_CASE(asks_for_all_that_was_acknowledged_before) {
  fake_server node([](const fake_request&) { return archive_of_a_node("Kaiku-Leader-Contact-Ms: 41234\r\n"); });
  const auto done = back_up(node);
  BOOST_TEST(done.code == 0, done.said);
  BOOST_TEST(has(done, "is a backup of entry 40 of term 3"), done.said);
  BOOST_TEST(!has(done, "may lack"), done.said);
  BOOST_TEST(node.asked().at(0).target == "/cluster/backup?consistency=linearizable");
  BOOST_TEST((fs::file_size(archive) == write_archive(usual_entries()).size()));
}

BOOST_AUTO_TEST_CASE(what_one_node_knows_committed_has_to_be_asked_for_and_says_how_old_it_may_be) {
  std::string contact = "Kaiku-Leader-Contact-Ms: 41234\r\n";
  fake_server node([&](const fake_request&) { return archive_of_a_node(contact); });
  auto done = back_up(node, {"--committed"});
  BOOST_TEST(done.code == 0, done.said);
  BOOST_TEST(node.asked().at(0).target == "/cluster/backup?consistency=committed");
  BOOST_TEST(has(done, "n2 has had its last contact with its cluster 41.2 s before"), done.said);
  fs::remove(archive);
  contact.clear();
  done = back_up(node, {"--committed"});
  BOOST_TEST(has(done, "n2 has had no contact with its cluster since it started"), done.said);
}

BOOST_AUTO_TEST_CASE(without_a_leader_there_is_none_and_the_way_out_is_named) {
  fake_server node([](const fake_request&) {
    return fake_answer(503, "Content-Type: application/problem+json\r\n", R"({"code":"no_leader","detail":"nobody"})");
  });
  const auto done = back_up(node, {"--wait", "0"});
  BOOST_TEST(done.code == 1, done.said);
  BOOST_TEST(has(done, "--committed takes what this node has"), done.said);
  BOOST_TEST(left_nothing());
}

BOOST_AUTO_TEST_CASE(the_token_goes_to_no_server_that_was_not_named) {
  fake_server other([](const fake_request&) { return archive_of_a_node({}); });
  fake_server node([&](const fake_request& asked) {
    const auto elsewhere = "http://127.0.0.1:" + std::to_string(other.port()) + asked.target;
    return fake_answer(307, "Location: " + elsewhere + "\r\n", "");
  });
  BOOST_REQUIRE(::setenv("KAIKU_TOKEN", "secret", 1) == 0);
  const auto done = back_up(node);
  ::unsetenv("KAIKU_TOKEN");
  BOOST_TEST(done.code == 1, done.said);
  BOOST_TEST(has(done, "sends on to another server"), done.said);
  BOOST_TEST(node.asked().at(0).head.find("Bearer secret") != std::string::npos);
  BOOST_TEST(other.asked().empty());
  BOOST_TEST(left_nothing());
}

BOOST_AUTO_TEST_CASE(an_archive_that_is_none_leaves_nothing) {
  fake_server node([](const fake_request&) { return fake_answer(200, "", "no archive"); });
  BOOST_TEST(back_up(node).code == 2);
  BOOST_TEST(left_nothing());
}

BOOST_AUTO_TEST_CASE(what_a_restore_makes_is_its_owners_alone_whatever_the_umask) {
  std::ofstream(archive, std::ios::binary) << write_archive(usual_entries());
  const auto data = directory / "data";
  const auto done = run({"restore", "--data", data.string(), "--name", "n1", "--cluster",
                         "n1=127.0.0.1:9001,n2=127.0.0.1:9002,n3=127.0.0.1:9003", archive.string()});
  BOOST_REQUIRE_MESSAGE(done.code == 0, done.said);
  BOOST_TEST(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
  std::size_t files = 0;
  for (const auto& one : fs::recursive_directory_iterator(data)) {
    const auto open_to = one.status().permissions() & (fs::perms::group_all | fs::perms::others_all);
    BOOST_TEST((open_to == fs::perms::none), one.path().string());
    ++files;
  }
  BOOST_TEST(files > 5u);
}

BOOST_AUTO_TEST_CASE(what_an_archive_says_does_not_move_the_cursor) {
  std::ofstream(archive, std::ios::binary)
      << backup_writer(made_moment()).begin() + tar::write_head({tar::kind::file, "\x1b[2J", {}, {}});
  const auto done = run({"restore", "--check", archive.string()});
  BOOST_TEST(done.code == 1, done.said);
  BOOST_TEST(has(done, "'\\x1b[2J' is nothing that a backup has"), done.said);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
