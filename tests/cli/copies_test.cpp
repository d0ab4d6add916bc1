/// Directories up and down, resumed after a kill, and with nodes that die meanwhile.

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

#include "cli/command_line.hpp"
#include "support/bytes.hpp"
#include "support/command.hpp"

namespace {

using namespace kaiku::test;

/// Bodies of requests that the nodes have read, or of answers that they have sent, in bytes.
std::uint64_t body_bytes(const std::string& of) {
  double all = 0;
  for (std::size_t i = 0; i < cli_cluster().size(); ++i) {
    if (!cli_cluster().node(i).is_up()) continue;
    std::istringstream lines(cli_cluster().node(i).client().request("GET", "/metrics").body);
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("kaiku_http_" + of + "_body_bytes_total{") && line.find("/files") != std::string::npos)
        all += std::stod(line.substr(line.rfind(' ')));
  }
  return static_cast<std::uint64_t>(all);
}

/// Nothing is under way on any node but the question itself.
bool is_quiet() {
  for (std::size_t i = 0; i < cli_cluster().size(); ++i) {
    const auto text = cli_cluster().node(i).client().request("GET", "/metrics").body;
    if (text.find("\nkaiku_http_requests_in_flight 1\n") == std::string::npos) return false;
  }
  return true;
}

/// Until the nodes have counted all that was asked of them.
void wait_until_quiet() {
  BOOST_TEST(wait_until(milliseconds{10'000}, is_quiet));
}

/// `count` small files in ten directories, and large ones of `large` bytes.
void fill(const fs::path& where, std::size_t count, std::size_t large_files, std::uint64_t large) {
  for (std::size_t i = 0; i < count; ++i)
    write_file(where / std::to_string(i % 10) / ("file " + std::to_string(i)), generated_bytes{i, i % 4096}.all());
  for (std::size_t i = 0; i < large_files; ++i) {
    std::ofstream out(where / ("large" + std::to_string(i)), std::ios::binary);
    constexpr std::uint64_t piece = 1 << 20;
    for (std::uint64_t at = 0; at < large; at += piece) out << generated_bytes{1000 + i, large}.piece(at, piece);
  }
  fs::create_directories(where / "empty" / "below");
}

std::uint64_t names_in_store(const std::string& directory) {
  const auto listed = run_kaiku({"ls", "-r", directory});
  return static_cast<std::uint64_t>(std::count(listed.out.begin(), listed.out.end(), '\n'));
}

bool is_same(const fs::path& one, const fs::path& other) {
  return run_command({"sh", "-c", "diff -r '" + one.string() + "' '" + other.string() + "' && echo same"}) == "same\n";
}

void wait_for_everywhere() {
  cli_cluster().wait_until_ready();
  cli_cluster().wait_until_converged();
}

/// Waits until `holds` while the command still runs, then kills it.
void kill_when(const running& command, const std::function<bool()>& holds) {
  const bool in_time = wait_until(milliseconds{30'000}, [&] { return holds() || !command.process->is_running(); });
  BOOST_REQUIRE(in_time);
  BOOST_REQUIRE_MESSAGE(command.process->is_running(), "it ended before it could be killed: " << command.said());
  command.process->kill();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(copies)

BOOST_AUTO_TEST_CASE(a_directory_goes_up_and_comes_down_identical_and_a_second_time_nothing_moves) {
  const auto files = number_from_environment("KAIKU_TEST_FILES", 1000);
  const auto bytes = number_from_environment("KAIKU_TEST_MIB", 64) << 20;
  const auto here = cli_work() / "here";
  fill(here, files, 4, bytes / 4);
  const auto up = run_kaiku({"put", "-r", "--json", here, "d/tree"});
  BOOST_REQUIRE_MESSAGE(up.code == 0, up);
  BOOST_TEST(up.summary()["sent"] == files + 5);  // with the empty directory
  wait_for_everywhere();
  const auto down = run_kaiku({"get", "-r", "--json", "d/tree", cli_work() / "back"});
  BOOST_REQUIRE_MESSAGE(down.code == 0, down);
  BOOST_TEST(down.summary()["fetched"] == files + 4);
  BOOST_TEST(is_same(here, cli_work() / "back"));
  BOOST_TEST(fs::is_directory(cli_work() / "back/empty/below"));
  wait_until_quiet();
  const auto read = body_bytes("request"), sent = body_bytes("response");
  const auto again = run_kaiku({"put", "-r", "--json", here, "d/tree"});
  BOOST_TEST(again.code == 0, again);
  BOOST_TEST(again.summary()["sent"] == 0);
  BOOST_TEST(again.summary()["unchanged"] == files + 4);
  const auto back_again = run_kaiku({"get", "-r", "--json", "d/tree", cli_work() / "back"});
  BOOST_TEST(back_again.summary()["fetched"] == 0);
  BOOST_TEST(body_bytes("request") == read);
  // The listings, and nothing of the files.
  BOOST_TEST(body_bytes("response") - sent < (files + 100) * 1000);
}

BOOST_AUTO_TEST_CASE(what_was_changed_moves_and_the_rest_does_not) {
  const auto here = cli_work() / "here";
  fill(here, 50, 1, 1 << 20);
  BOOST_TEST(run_kaiku({"put", "-r", here, "d/changed"}).code == 0);
  wait_for_everywhere();
  write_file(here / "3/file 3", "of another size");
  write_file(here / "4/file 14", std::string(14, 'x'));  // of the same
  const auto up = run_kaiku({"put", "-r", "--json", here, "d/changed"});
  BOOST_TEST(up.summary()["sent"] == 2, up);
  wait_for_everywhere();
  const auto down = cli_work() / "down";
  BOOST_TEST(run_kaiku({"get", "-r", "d/changed", down}).code == 0);
  BOOST_TEST(is_same(here, down));
  write_file(down / "4/file 14", std::string(14, 'y'));
  fs::remove(down / "5/file 5");
  const auto mended = run_kaiku({"get", "-r", "--json", "d/changed", down});
  BOOST_TEST(mended.summary()["fetched"] == 2, mended);
  BOOST_TEST(is_same(here, down));
  BOOST_TEST(run_kaiku({"get", "-r", "--json", "--again", "d/changed", down}).summary()["fetched"] == 51);
}

BOOST_AUTO_TEST_CASE(an_upload_that_was_killed_goes_on_with_the_files_that_are_missing) {
  const auto here = cli_work() / "here";
  fill(here, 500, 0, 0);
  {
    const auto command = begin_kaiku({"put", "-r", "--parallel", "2", "--limit-rate", "20K", here, "d/killed"});
    kill_when(command, [] { return names_in_store("d/killed") > 100; });
  }
  wait_for_everywhere();
  const auto there = names_in_store("d/killed");
  BOOST_TEST(there < 500);
  const auto up = run_kaiku({"put", "-r", "--json", here, "d/killed"});
  BOOST_TEST(up.code == 0, up);
  BOOST_TEST(up.summary()["unchanged"].get<std::uint64_t>() > 80);
  BOOST_TEST(up.summary()["sent"].get<std::uint64_t>() + up.summary()["unchanged"].get<std::uint64_t>() == 501);
  wait_for_everywhere();
  BOOST_TEST(run_kaiku({"get", "-r", "d/killed", cli_work() / "back"}).code == 0);
  BOOST_TEST(is_same(here, cli_work() / "back"));
}

BOOST_AUTO_TEST_CASE(a_download_that_was_killed_goes_on_where_it_was) {
  const generated_bytes content{7, 8 << 20};
  write_file(cli_work() / "large", content.all());
  BOOST_TEST(run_kaiku({"put", "--durability", "all", cli_work() / "large", "d/large"}).code == 0);
  const auto down = cli_work() / "down";
  fs::create_directories(down);
  const auto partial = [&]() -> std::uint64_t {
    for (const auto& entry : fs::directory_iterator(down)) return entry.file_size();
    return 0;
  };
  {
    const auto command = begin_kaiku({"get", "--limit-rate", "512K", "d/large", down / "large"});
    kill_when(command, [&] { return partial() > (256 << 10); });
  }
  const auto left = partial();
  wait_until_quiet();
  BOOST_TEST(!fs::exists(down / "large"));
  const auto sent = body_bytes("response");
  const auto done = run_kaiku({"get", "--json", "d/large", down / "large"});
  BOOST_TEST(done.code == 0, done);
  BOOST_TEST(done.documents().at(0)["fetched"] == content.size - left);
  wait_until_quiet();
  BOOST_TEST(body_bytes("response") - sent == content.size - left);
  BOOST_TEST(digest_of(read_file(down / "large")) == content.digest());
  BOOST_TEST(std::distance(fs::directory_iterator(down), {}) == 1);
}

BOOST_AUTO_TEST_CASE(what_a_download_left_is_not_believed) {
  const generated_bytes content{8, 3 << 20};
  write_file(cli_work() / "large", content.all());
  BOOST_TEST(run_kaiku({"put", "--durability", "all", cli_work() / "large", "d/damaged"}).code == 0);
  const auto down = cli_work() / "down";
  fs::create_directories(down);
  {
    const auto command = begin_kaiku({"get", "--limit-rate", "256K", "d/damaged", down / "large"});
    kill_when(command, [&] {
      return fs::directory_iterator(down) != fs::directory_iterator() &&
             fs::directory_iterator(down)->file_size() > 1000;
    });
  }
  const auto left = fs::directory_iterator(down)->path();
  std::fstream(left, std::ios::in | std::ios::out) << "damage";
  const auto done = run_kaiku({"get", "d/damaged", down / "large"});
  BOOST_TEST(done.code == 0, done);
  BOOST_TEST(digest_of(read_file(down / "large")) == content.digest());
  // And of another version nothing is used; what is left of it goes.
  write_file(left, "left");
  write_file(cli_work() / "large", "another");
  BOOST_TEST(run_kaiku({"put", "--durability", "all", cli_work() / "large", "d/damaged"}).code == 0);
  BOOST_TEST(run_kaiku({"get", "d/damaged", down / "large"}).code == 0);
  BOOST_TEST(read_file(down / "large") == "another");
  BOOST_TEST(std::distance(fs::directory_iterator(down), {}) == 1);
}

BOOST_AUTO_TEST_CASE(an_interrupted_copy_says_how_to_go_on) {
  write_file(cli_work() / "large", generated_bytes{9, 2 << 20}.all());
  wait_until_quiet();
  const auto command = begin_kaiku({"put", "-r", "--limit-rate", "100K", cli_work(), "d/interrupted"});
  BOOST_TEST(wait_until(milliseconds{10'000}, [] { return !is_quiet(); }));
  command.process->send_signal(SIGINT);
  BOOST_TEST(command.process->wait_for_exit(milliseconds{10'000}).value_or(-1) == 130);
  BOOST_TEST(command.said().err.find("the same command again goes on from here") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_limit_of_the_rate_is_kept_both_ways_by_all_transfers_together) {
  constexpr std::uint64_t size = 3 << 19;  // 1.5 s
  for (const char* which : {"one", "four"}) fs::create_directories(cli_work() / which);
  wait_for_everywhere();
  fill(cli_work() / "one", 0, 1, size);
  fill(cli_work() / "four", 0, 4, size / 4);
  const auto took = [](std::vector<std::string> command) {
    const auto start = clock::now();
    command.insert(command.end(), {"--limit-rate", "1M"});
    const auto done = run_kaiku(command);
    BOOST_TEST(done.code == 0, done);
    return static_cast<double>(since(start).count()) / 1000;
  };
  for (const std::string which : {"one", "four"}) {
    // A quarter of a second may be made up for; and one transfer has all of the rate, whatever the others could have.
    for (const double seconds :
         {took({"put", "-r", cli_work() / which, "d/rate-" + which}),
          (wait_for_everywhere(), took({"get", "-r", "d/rate-" + which, cli_work() / ("down-" + which)}))}) {
      BOOST_TEST(seconds > 1.15);
      BOOST_TEST(seconds < 10);  // 12 if each had a quarter of it
    }
    BOOST_TEST(is_same(cli_work() / which, cli_work() / ("down-" + which)));
  }
  BOOST_TEST(took({"get", "d/rate-one/large0", cli_work() / "alone"}) > 1.15);
}

BOOST_AUTO_TEST_CASE(links_and_devices_are_passed_over_and_said_so) {
  write_file(cli_work() / "here/f", "f");
  fs::create_symlink("/etc/passwd", cli_work() / "here/link");
  run_command({"mkfifo", (cli_work() / "here/pipe").string()});
  const auto up = run_kaiku({"put", "-r", cli_work() / "here", "d/links"});
  BOOST_TEST(up.code == 0, up);
  BOOST_TEST(up.err.find("link: passed over, a symbolic link") != std::string::npos, up);
  // A directory of which nothing goes along is made nevertheless, and a download that has not ended is mentioned.
  fs::create_directories(cli_work() / "links");
  fs::create_symlink("/etc/passwd", cli_work() / "links/link");
  write_file(cli_work() / "links/.kaiku-0123-4567.part", "half");
  const auto only_links = run_kaiku({"put", "-r", cli_work() / "links", "d/only-links"});
  BOOST_TEST(only_links.code == 0, only_links);
  BOOST_TEST(only_links.err.find("passed over, a download that has not ended") != std::string::npos, only_links);
  wait_for_everywhere();
  BOOST_TEST(run_kaiku({"ls", "d/links"}).out == "f\n");
  BOOST_TEST(run_kaiku({"ls", "d/only-links"}).code == 0);
  // However a directory is written, it is called what it is called.
  for (const std::string ending : {"/here", "/here/", "/here/.", "/./here//"})
    BOOST_TEST(run_kaiku({"put", "-r", "--durability", "all", cli_work().string() + ending, "d/named/"}).code == 0);
  BOOST_TEST(run_kaiku({"ls", "-r", "d/named"}).out == "here/\nhere/f\n");
}

BOOST_AUTO_TEST_CASE(another_node_takes_over_when_the_one_that_was_asked_dies) {
  const auto here = cli_work() / "here";
  fill(here, 400, 0, 0);
  const auto leader = cli_cluster().wait_for_leader();
  const auto other = (leader + 1) % 3;
  // The leader, which answers first, dies in the middle of a copy.
  const environment first{{"KAIKU_URL", url_of({leader, other})}};
  const auto command =
      begin_kaiku({"put", "-r", "--json", "--parallel", "2", "--limit-rate", "20K", here, "d/failover"}, first);
  BOOST_REQUIRE(wait_until(milliseconds{20'000}, [&] { return names_in_store("d/failover") > 50; }));
  cli_cluster().node(leader).kill();
  BOOST_TEST(command.process->wait_for_exit(milliseconds{50'000}).value_or(-1) == 0);
  const auto up = command.said();
  BOOST_TEST(up.summary()["sent"] == 401, up);
  BOOST_TEST(up.summary()["failed"] == 0, up);
  // Reads go to the next at once.
  BOOST_TEST(run_kaiku({"ls", "d/failover"}, first).code == 0);
  cli_cluster().node(leader).start();
  wait_for_everywhere();
  BOOST_TEST(run_kaiku({"get", "-r", "d/failover", cli_work() / "back"}).code == 0);
  // What the dead leader alone had acknowledged may be gone; a `put` again brings it.
  BOOST_TEST(run_kaiku({"put", "-r", here, "d/failover"}).code == 0);
  wait_for_everywhere();
  BOOST_TEST(run_kaiku({"get", "-r", "d/failover", cli_work() / "back"}).code == 0);
  BOOST_TEST(is_same(here, cli_work() / "back"));
}

BOOST_AUTO_TEST_SUITE_END()
