/// Every command against three real nodes.

#include <algorithm>
#include <cstdlib>

#include "cli/command_line.hpp"
#include "support/bytes.hpp"
#include "support/command.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace kaiku::test;

/// Options of a change that all nodes have when it is answered, so that any node shows it.
std::vector<std::string> everywhere(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--durability", "all"});
  return arguments;
}

void put(const std::string& path, const std::string& content) {
  write_file(cli_work() / "one", content);
  const auto done = run_kaiku(everywhere({"put", cli_work() / "one", path}));
  BOOST_REQUIRE_MESSAGE(done.code == 0, done);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(commands)

BOOST_AUTO_TEST_CASE(a_file_goes_up_is_seen_and_comes_down) {
  write_file(cli_work() / "a.txt", "hello");
  const auto up =
      run_kaiku(everywhere({"put", cli_work() / "a.txt", "c/updown/", "--type", "text/plain", "--meta", "author=Ada"}));
  BOOST_TEST(up.code == 0, up);
  BOOST_TEST(up.out.starts_with("/c/updown/a.txt: 5 B sent, recorded by 3/3 nodes (all), token "), up);
  BOOST_TEST(run_kaiku({"ls", "/c/updown"}).out == "a.txt\n");
  BOOST_TEST(run_kaiku({"ls", "-l", "c/updown"}).out.find("              5  20") == 0);
  const auto seen = run_kaiku({"stat", "--json", "/c/updown/a.txt"}).documents().at(0);
  BOOST_TEST(seen["type"] == "file");
  BOOST_TEST(seen["size"] == 5);
  BOOST_TEST(seen["content_type"] == "text/plain");
  BOOST_TEST(seen["metadata"]["author"] == "Ada");
  BOOST_TEST(seen["sha256"] == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  BOOST_TEST(run_kaiku({"stat", "/c/updown"}).out.find("type          directory") != std::string::npos);
  const auto down = run_kaiku({"get", "/c/updown/a.txt", cli_work() / "b.txt"});
  BOOST_TEST(down.code == 0, down);
  BOOST_TEST(read_file(cli_work() / "b.txt") == "hello");
  BOOST_TEST(run_kaiku({"get", "/c/updown/a.txt", cli_work().string() + "/new/"}).code == 0);
  BOOST_TEST(read_file(cli_work() / "new/a.txt") == "hello");
  BOOST_TEST(run_kaiku({"cat", "c/updown/a.txt", "c/updown/a.txt"}).out == "hellohello");
  BOOST_TEST(run_kaiku({"get", "c/updown/a.txt", "-"}).out == "hello");
}

BOOST_AUTO_TEST_CASE(what_comes_by_a_pipe_goes_up_and_is_checked) {
  const auto content = generated_bytes{1, 700'000}.all();
  write_file(cli_work() / "input", content);
  const auto up = run_kaiku(everywhere({"put", "-", "c/pipe"}), {}, cli_work() / "input");
  BOOST_TEST(up.code == 0, up);
  BOOST_TEST((run_kaiku({"cat", "c/pipe"}).out == content));
}

BOOST_AUTO_TEST_CASE(files_and_directories_are_made_moved_copied_and_removed) {
  BOOST_TEST(run_kaiku(everywhere({"mkdir", "c/change/empty", "c/change/deep/deeper"})).code == 0);
  put("c/change/f", "content");
  BOOST_TEST(run_kaiku(everywhere({"cp", "c/change/f", "c/change/deep/"})).code == 0);
  BOOST_TEST(run_kaiku(everywhere({"mv", "c/change/f", "c/change/g"})).code == 0);
  BOOST_TEST(run_kaiku({"ls", "-r", "c/change"}).out == "deep/\ndeep/deeper/\ndeep/f\nempty/\ng\n");
  const auto drawn = run_kaiku({"tree", "/c/change"});
  BOOST_TEST(drawn.out ==
                 "/c/change\n\u251c\u2500\u2500 deep/\n\u2502   \u251c\u2500\u2500 deeper/\n\u2502   "
                 "\u2514\u2500\u2500 f  7 B\n"
                 "\u251c\u2500\u2500 empty/\n\u2514\u2500\u2500 g  7 B\n\n3 directories, 2 files\n",
             drawn);
  BOOST_TEST(run_kaiku({"tree", "/c/change", "--depth", "1"}).out.find("deeper") == std::string::npos);
  const auto refused = run_kaiku({"rm", "c/change"});
  BOOST_TEST(refused.code == 4, refused);
  BOOST_TEST(refused.err.find("rm -r removes it with all that is in it") != std::string::npos, refused);
  BOOST_TEST(run_kaiku(everywhere({"rm", "-r", "c/change"})).code == 0);
  BOOST_TEST(run_kaiku({"ls", "c/change"}).code == 3);
}

BOOST_AUTO_TEST_CASE(exit_codes_say_what_kind_of_failure_it_was) {
  BOOST_TEST(run_kaiku({"cat", "c/nothing"}).code == 3);
  BOOST_TEST(run_kaiku({"nonsense"}).code == 2);
  BOOST_TEST(run_kaiku({"put", "x"}).code == 2);
  BOOST_TEST(run_kaiku({"ls", "../above"}).code == 2);
  BOOST_TEST(run_kaiku({"ls"}, {{"KAIKU_URL", "ftp://x"}}).code == 2);
  BOOST_TEST(run_kaiku({"put", cli_work() / "not-there", "c/x"}).code == 1);
  put("c/codes", "1");
  BOOST_TEST(run_kaiku({"put", cli_work() / "one", "c/codes", "--no-overwrite"}).code == 4);
  BOOST_TEST(run_kaiku({"put", cli_work() / "one", "c/codes", "--if-match", "\"0.0-0\""}).code == 4);
  BOOST_TEST(run_kaiku({"put", cli_work() / "one", cli_work() / "not-there", "c/codes-in/"}).code == 8);
  const auto nobody = run_kaiku({"ls"}, {{"KAIKU_URL", "127.0.0.1:1"}});
  BOOST_TEST(nobody.code == 6, nobody);
  BOOST_TEST(nobody.err.find("Set KAIKU_URL or --url") != std::string::npos, nobody);
  BOOST_TEST(run_kaiku({"get", "/c", cli_work()}).code == 2);
}

BOOST_AUTO_TEST_CASE(trouble_is_json_when_results_are) {
  const auto failed = run_kaiku({"cat", "--json", "c/nothing"});
  const auto said = nlohmann::json::parse(failed.err);
  BOOST_TEST(said["error"]["code"] == "not_found");
  BOOST_TEST(said["error"]["exit"] == 3);
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"nonsense", "--json"}, {"--json", "put", "x"}, {"ls", "--json", "--wait", "x"}}) {
    const auto refused = nlohmann::json::parse(run_kaiku(wrong).err);
    BOOST_TEST(refused["error"]["code"].is_null());
    BOOST_TEST(refused["error"]["exit"] == 2);
  }
}

BOOST_AUTO_TEST_CASE(programs_find_paths_dates_and_types_spelled_alike_everywhere) {
  put("c/alike/f", "x");
  const auto listed = run_kaiku({"ls", "--json", "c/alike"}).documents().at(0);
  BOOST_TEST(listed["path"] == "/c/alike/f");
  BOOST_TEST(listed["name"] == "f");
  const auto named = run_kaiku({"ls", "--json", "c/alike/f"}).documents().at(0);
  const auto drawn = run_kaiku({"tree", "--json", "c"}).documents();
  const auto seen = run_kaiku({"stat", "--json", "c/alike/f", "c/alike"}).documents();
  BOOST_TEST(named == listed);
  BOOST_TEST((std::find_if(drawn.begin(), drawn.end(), [](const auto& one) { return one["path"] == "/c/alike/f"; }) !=
              drawn.end()));
  for (const std::string member : {"path", "type", "size", "etag", "modified", "content_type"})
    BOOST_TEST(seen.at(0)[member] == listed[member], member);
  BOOST_TEST(seen.at(1)["modified"].get<std::string>().ends_with("Z"));
  for (const auto& one : run_kaiku({"ls", "--json", "/", "c/alike"}).documents())
    BOOST_TEST(one["path"].get<std::string>().find("//") == std::string::npos);
  write_file(cli_work() / "f", "x");
  BOOST_TEST(run_kaiku(everywhere({"put", "--ttl", "3600", cli_work() / "f", "c/alike/short"})).code == 0);
  const auto expires = run_kaiku({"stat", "--json", "c/alike/short"}).documents().at(0)["expires"].get<std::string>();
  const auto short_lived = run_kaiku({"ls", "--json", "c/alike/short"}).documents().at(0);
  BOOST_TEST(expires == short_lived["expires"].get<std::string>());
}

BOOST_AUTO_TEST_CASE(behind_two_dashes_everything_is_a_name) {
  put("c/dashes/f", "x");
  BOOST_TEST(run_kaiku({"cp", "--durability", "all", "--", "c/dashes/f", "-x"}).code == 0);
  BOOST_TEST(run_kaiku({"ls", "--", "-x"}).out == "-x\n");
  BOOST_TEST(run_kaiku({"cat", "c/dashes/f", "--", "-x"}).out == "xx");
  BOOST_TEST(run_kaiku({"rm", "--durability", "all", "--", "-x"}).code == 0);
}

BOOST_AUTO_TEST_CASE(nothing_of_the_environment_of_the_tests_is_read) {
  for (const char* name : {"KAIKU_TOKEN", "KAIKU_TOKEN_FILE", "KAIKU_CACERT"}) {
    ::setenv(name, "no such thing", 1);
    BOOST_TEST(run_kaiku({"ls"}).code == 0);
    ::unsetenv(name);
  }
}

BOOST_AUTO_TEST_CASE(a_command_as_a_name_is_a_name) {
  put("c/words/tree", "x");
  BOOST_TEST(run_kaiku({"ls", "c/words"}).out == "tree\n");
  put("ls", "x");
  BOOST_TEST(run_kaiku({"cat", "ls"}).out == "x");
  BOOST_TEST(run_kaiku(everywhere({"rm", "ls"})).code == 0);
}

BOOST_AUTO_TEST_CASE(odd_names_survive_the_way_there_and_back) {
  const std::string odd = "a b%2f?#&+\u00e4\u20ac;=@.txt";
  write_file(cli_work() / odd, "odd");
  BOOST_TEST(run_kaiku(everywhere({"put", cli_work() / odd, "c/odd/"})).code == 0);
  BOOST_TEST(run_kaiku({"ls", "c/odd"}).out == odd + "\n");
  BOOST_TEST(run_kaiku(everywhere({"cp", "c/odd/" + odd, "c/odd/copy " + odd})).code == 0);
  BOOST_TEST(run_kaiku({"cat", "c/odd/copy " + odd}).out == "odd");
}

BOOST_AUTO_TEST_CASE(a_name_in_brackets_is_one_name) {
  const std::string listed = "[c-a,c-b]";
  for (const std::string name : {"c-a", "c-b"}) {
    put(name, "stays");
    BOOST_TEST(run_kaiku({"rm", "[" + name + "]"}).code == 3);
  }
  BOOST_TEST(run_kaiku({"rm", listed}).code == 3);
  put(listed, "listed");
  BOOST_TEST(run_kaiku(everywhere({"cp", listed, "[copy]"})).code == 0);
  BOOST_TEST(run_kaiku(everywhere({"mv", "[copy]", "[moved]"})).code == 0);
  BOOST_TEST(run_kaiku(everywhere({"mkdir", "[x,y]"})).code == 0);
  BOOST_TEST(run_kaiku({"ls", "[moved]"}).out == "[moved]\n");
  BOOST_TEST(run_kaiku({"tree", "[x,y]"}).out.starts_with("[x,y]\n"));
  BOOST_TEST(run_kaiku({"cat", listed, "[moved]"}).out == "listedlisted");
  BOOST_TEST(run_kaiku({"stat", "--json", listed}).documents().at(0)["path"] == "/" + listed);
  BOOST_TEST(run_kaiku({"get", listed, cli_work() / "[down]"}).code == 0);
  BOOST_TEST(read_file(cli_work() / "[down]") == "listed");
  BOOST_TEST(run_kaiku(everywhere({"rm", "-r", listed, "[moved]", "[x,y]"})).code == 0);
  for (const std::string name : {"c-a", "c-b"}) BOOST_TEST(run_kaiku({"cat", name}).out == "stays");
}

BOOST_AUTO_TEST_CASE(what_is_empty_takes_no_condition_away_and_is_no_path) {
  put("c/kept", "kept");
  for (const std::vector<std::string>& empty : {std::vector<std::string>{"rm", "--if-match", "", "c/kept"},
                                                {"rm", "--if-match=", "c/kept"},
                                                {"rm", ""},
                                                {"cat", "--after", "", "c/kept"},
                                                {"cat", "--consistency", "", "c/kept"}}) {
    const auto refused = run_kaiku(empty);
    BOOST_TEST(refused.code == 2, refused);
    BOOST_TEST(refused.err.find("empty") != std::string::npos, refused);
  }
  BOOST_TEST(run_kaiku({"cat", "c/kept"}).out == "kept");
}

BOOST_AUTO_TEST_CASE(a_file_that_is_about_to_expire_is_sent_again_to_stay) {
  write_file(cli_work() / "f", "x");
  BOOST_TEST(run_kaiku(everywhere({"put", "--ttl", "3600", cli_work() / "f", "c/expires"})).code == 0);
  // Any node says what is there, so all of them have to have it. What has to be everywhere is always sent.
  const std::vector<std::string> put{"put", "--json", cli_work() / "f", "c/expires"};
  const auto again = run_kaiku(everywhere(put));
  BOOST_TEST(again.documents().at(0)["result"] == "sent", again);
  const auto once_more = run_kaiku(put);
  BOOST_TEST(once_more.documents().at(0)["result"] == "unchanged", once_more);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_changes_nothing) {
  put("c/sense/p/x", "of p");
  put("c/sense/q/x", "of q");
  write_file(cli_work() / "p/x", "");
  write_file(cli_work() / "q/x", "");
  for (const std::vector<std::string>& same :
       {std::vector<std::string>{"mv", "c/sense/p/x", "c/sense/q/x", "c/sense/to/"},
        {"cp", "c/sense/p/x", "c/sense/q/x", "c/sense/to/"},
        {"get", "c/sense/p/x", "c/sense/q/x", cli_work() / "down"},
        {"put", cli_work() / "p/x", cli_work() / "q/x", "c/sense/to/"}}) {
    const auto refused = run_kaiku(same);
    BOOST_TEST(refused.code == 2, refused);
    BOOST_TEST(refused.err.find("would both become") != std::string::npos, refused);
  }
  for (const std::vector<std::string>& half : {std::vector<std::string>{"rm", "c/sense/p/x", "../above"},
                                               {"cat", "c/sense/p/x", "../above"},
                                               {"ls", "c/sense/p/x", "../above"},
                                               {"put", cli_work() / "p/x", cli_work() / "q", "c/sense/"},
                                               {"get", "c/sense/p/x", "c/sense/q", cli_work() / "half"}}) {
    const auto refused = run_kaiku(half);
    BOOST_TEST(refused.code == 2, refused);
    BOOST_TEST(refused.out == "", refused);
  }
  BOOST_TEST(!fs::exists(cli_work() / "half"));
  BOOST_TEST(run_kaiku({"ls", "-r", "c/sense"}).out == "p/\np/x\nq/\nq/x\n");
  const auto in_the_way = run_kaiku({"mv", "c/sense/p", "c/sense/q"});
  BOOST_TEST(in_the_way.code == 4, in_the_way);
  BOOST_TEST(in_the_way.err.find("rm -r") == std::string::npos, in_the_way);
}

BOOST_AUTO_TEST_CASE(a_download_replaces_files_with_their_mode_and_nothing_else) {
  put("c/mode", "new");
  write_file(cli_work() / "file", "before");
  fs::permissions(cli_work() / "file", fs::perms::owner_read | fs::perms::owner_write);
  BOOST_TEST(run_kaiku({"get", "c/mode", cli_work() / "file"}).code == 0);
  BOOST_TEST(read_file(cli_work() / "file") == "new");
  BOOST_TEST((fs::status(cli_work() / "file").permissions() == (fs::perms::owner_read | fs::perms::owner_write)));
  run_command({"mkfifo", (cli_work() / "pipe").string()});
  BOOST_TEST(run_kaiku({"get", "c/mode", cli_work() / "pipe"}).code == 1);
  BOOST_TEST(fs::is_fifo(cli_work() / "pipe"));
}

BOOST_AUTO_TEST_CASE(several_files_go_into_a_directory_that_is_made) {
  put("c/made/a", "a");
  put("c/made/b", "b");
  BOOST_TEST(run_kaiku({"get", "c/made/a", "c/made/b", cli_work() / "new"}).code == 0);
  BOOST_TEST(read_file(cli_work() / "new/b") == "b");
  BOOST_TEST(run_kaiku({"get", "-r", "c/made/a", cli_work() / "alone"}).code == 0);
  BOOST_TEST(read_file(cli_work() / "alone") == "a");
}

BOOST_AUTO_TEST_CASE(a_write_is_followed_by_its_token) {
  write_file(cli_work() / "f", "x");
  const auto up = run_kaiku({"put", "--json", "--durability", "majority", cli_work() / "f", "c/token"});
  const auto token = up.documents().at(0).at("token").get<std::string>();
  // Any node, as fresh as the write.
  for (std::size_t i = 0; i < 3; ++i)
    BOOST_TEST(run_kaiku({"cat", "c/token", "--after", token}, {{"KAIKU_URL", url_of({i})}}).out == "x");
  const auto fate = run_kaiku({"write-status", token});
  BOOST_TEST(fate.code == 0, fate);
  BOOST_TEST((fate.out.starts_with("majority: ") || fate.out.starts_with("all: ")), fate);
  BOOST_TEST(run_kaiku({"cat", "c/token", "--consistency", "linearizable"}).out == "x");
  BOOST_TEST(run_kaiku({"write-status", "nonsense"}).code == 1);
}

BOOST_AUTO_TEST_CASE(the_cluster_is_shown_and_changed) {
  const auto shown = run_kaiku({"cluster"});
  BOOST_TEST(shown.code == 0, shown);
  BOOST_TEST(shown.out.find("led by n") != std::string::npos, shown);
  BOOST_TEST(run_kaiku({"cluster", "status", "--json"}).documents().at(0)["members"].size() == 3);
  BOOST_TEST(run_kaiku({"cluster", "members", "--json"}).documents().size() == 3);
  const auto to = cli_cluster().followers().front();
  const auto name = cli_cluster().node(to).name();
  const auto moved = run_kaiku({"cluster", "transfer", name});
  BOOST_TEST(moved.code == 0, moved);
  BOOST_TEST(moved.out.starts_with(name + " leads in term "), moved);
  const reserved_port port;
  const auto added = run_kaiku({"cluster", "members", "add", "n9", "127.0.0.1:" + std::to_string(port.number())});
  BOOST_TEST(added.code == 0, added);
  BOOST_TEST(run_kaiku({"cluster", "members", "add", "n9", "127.0.0.1:" + std::to_string(port.number())}).code == 4);
  const auto removed = run_kaiku({"cluster", "members", "remove", "n9"});
  BOOST_TEST(removed.code == 0, removed);
  BOOST_TEST(run_kaiku({"cluster", "members", "remove", "n9"}).code == 3);
  BOOST_TEST(run_kaiku({"cluster", "members", "add", "n9", "nowhere"}).code == 2);
}

BOOST_AUTO_TEST_CASE(a_health_check_goes_by_the_exit_code) {
  const environment leader{{"KAIKU_URL", url_of({cli_cluster().wait_for_leader()})}};
  const environment follower{{"KAIKU_URL", url_of({cli_cluster().followers().front()})}};
  for (const auto* probe : {"live", "ready", "leader"})
    BOOST_TEST(run_kaiku({"--wait", "0", "health", probe}, leader).code == 0, probe);
  BOOST_TEST(run_kaiku({"--wait", "0", "health"}, follower).code == 0);
  BOOST_TEST(run_kaiku({"--wait", "0", "health", "replica"}, follower).code == 0);
  const auto refused = run_kaiku({"--wait", "0", "health", "leader"}, follower);
  BOOST_TEST(refused.code == 6, refused);
  BOOST_TEST(refused.err.find("does not lead") != std::string::npos, refused);
  const reserved_port nobody;
  BOOST_TEST(run_kaiku({"--wait", "0", "health"}, {{"KAIKU_URL", url_of_port(nobody.number())}}).code == 6);
  // It is the first one's health, however well the next one is.
  for (const auto& first : {follower.at("KAIKU_URL"), url_of_port(nobody.number())}) {
    const environment both{{"KAIKU_URL", first + "," + leader.at("KAIKU_URL")}};
    const auto asked = run_kaiku({"--wait", "0", "health", "leader"}, both);
    BOOST_TEST(asked.code == 6, asked);
    BOOST_TEST(run_kaiku({"health", "leader"}, both).code == 0);
  }
  BOOST_TEST(run_kaiku({"health", "well"}).code == 2);
}

BOOST_AUTO_TEST_SUITE_END()
