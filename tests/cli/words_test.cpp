/// What `kaiku` says: sizes, bars, completions, its manual; and how it reads events.

#include <algorithm>
#include <cctype>
#include <fstream>
#include <set>
#include <sstream>

#include "cli/command_line.hpp"
#include "kaiku/cli/actors_view.hpp"
#include "kaiku/cli/arguments.hpp"
#include "kaiku/cli/digest.hpp"
#include "kaiku/cli/events.hpp"
#include "kaiku/cli/local_folder.hpp"
#include "kaiku/cli/progress.hpp"
#include "kaiku/cli/text.hpp"
#include "support/bytes.hpp"
#include "support/command.hpp"

namespace {

using namespace kaiku::cli;
using kaiku::test::find_program;
using kaiku::test::read_file;
using kaiku::test::run_command;

/// Every command with those below it.
void each(const command_words& of, const std::string& path,
          const std::function<void(const std::string&, const command_words&)>& with) {
  with(path, of);
  for (const auto& below : of.commands) each(below, path.empty() ? below.name : path + " " + below.name, with);
}

/// What bash offers for the last of these words.
std::string completed(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += " '" + word + "'";
  const auto script = "source <('" + kaiku::test::kaiku_program() + "' completion bash); COMP_WORDS=(" + line +
                      "); COMP_CWORD=" + std::to_string(words.size() - 1) +
                      "; _kaiku; printf '%s\\n' \"${COMPREPLY[@]}\"";
  return run_command({"bash", "-c", script});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(words)

BOOST_AUTO_TEST_CASE(nothing_that_a_terminal_would_obey_is_printed) {
  BOOST_TEST(printable("a\xc3\xa4 b") == "a\xc3\xa4 b");
  BOOST_TEST(printable("\x1b[2J\n\t\x7f") == "\\x1b[2J\\n\\t\\x7f");
  BOOST_TEST(printable("\xff\xc3") == "\\xff\\xc3");
  BOOST_TEST(printable("\xc2\x9b"
                       "31m") == "\\u{9b}31m");
  BOOST_TEST(printable("x\xe2\x80\xaetxt") == "x\\u{202e}txt");
  BOOST_TEST(fitted("/a/long/path", 6) == "\u2026/path");
}

BOOST_AUTO_TEST_CASE(wide_characters_have_two_columns_and_marks_over_others_none) {
  BOOST_TEST(columns_of("\u65e5\u672c\u8a9e") == 6);
  BOOST_TEST(columns_of("e\u0301\u00e4") == 2);
  BOOST_TEST(columns_of("\xff") == 1);
  BOOST_TEST(padded("\u65e5", 4) == "\u65e5  ");
  BOOST_TEST(fitted("\u65e5\u672c\u8a9e", 5) == "\u2026\u672c\u8a9e");
  BOOST_TEST(fitted("\u65e5\u672c\u8a9e", 4) == "\u2026\u8a9e");
  BOOST_TEST(cut("a\u65e5\u672c", 4) == "a\u65e5");
  const progress_figures wide{0, 1, 0, 10, true, true, 0, "\u65e5\u672c\u8a9e"};
  for (std::size_t columns = 1; columns < 80; ++columns)
    BOOST_TEST(columns_of(progress_line(wide, columns)) <= columns);
}

BOOST_AUTO_TEST_CASE(dates_of_fields_are_written_like_those_of_documents) {
  BOOST_TEST(iso_date("Sun, 06 Nov 1994 08:49:37 GMT") == "1994-11-06T08:49:37.000Z");
  for (const char* bad : {"", "now", "Sun, 06 Nov 1994 08:49:37 GMTx"}) BOOST_TEST(iso_date(bad) == "");
}

BOOST_AUTO_TEST_CASE(a_folder_is_opened_once_while_its_content_goes_by) {
  auto top = local_folder::open(kaiku::test::cli_work(), true);
  BOOST_REQUIRE(top.ok());
  const auto at = [&](const char* path) { return top->folder(*kaiku::file_path::parse(path)).value(); };
  const auto first = at("a");
  at("a/b/c");
  BOOST_TEST(at("a") == first);
  BOOST_TEST(first->leftovers().empty());
}

BOOST_AUTO_TEST_CASE(sizes_and_times_are_short) {
  BOOST_TEST(in_bytes(1023) == "1023 B");
  BOOST_TEST(in_bytes(1536) == "1.5 KiB");
  BOOST_TEST(in_bytes((std::uint64_t{1} << 30) - 1) == "1.0 GiB");
  BOOST_TEST(with_commas(1234567) == "1,234,567");
  BOOST_TEST(with_commas(123) == "123");
  BOOST_TEST(as_clock(std::chrono::seconds(3723)) == "1:02:03");
  BOOST_TEST(as_clock(std::chrono::seconds(7)) == "0:07");
}

BOOST_AUTO_TEST_CASE(a_bar_fits_its_line_whatever_it_is_about) {
  const progress_figures half{5, 10, 512 << 10, 1 << 20, true, true, 1 << 20, "/a/file"};
  BOOST_TEST(progress_line(half, 120) ==
             "[##########----------]  50%  5/10 files  512.0 KiB of 1.0 MiB  1.0 MiB/s  0:01 left  /a/file");
  auto long_name = half;
  long_name.current = std::string(300, 'x');
  for (std::size_t columns = 10; columns < 140; ++columns)
    BOOST_TEST(columns_of(progress_line(long_name, columns)) <= columns);
  auto open_end = half;
  open_end.all_known = false;
  BOOST_TEST(progress_line(open_end, 120).find('%') == std::string::npos);
  BOOST_TEST(progress_line({}, 120).find("100%") != std::string::npos);
  // How long a pipe is, shows at its end.
  BOOST_TEST(progress_line({0, 1, 3 << 19, 0, true, false, 1 << 20, "/a"}, 120) == "1.5 MiB  1.0 MiB/s  /a");
}

BOOST_AUTO_TEST_CASE(digest_fields_are_read_and_written) {
  const auto sum = sha256_of("hello");
  BOOST_TEST(digest_field(sum) == kaiku::test::digest_of("hello"));
  BOOST_TEST((parse_digest_field("md5=:x:, " + digest_field(sum)) == sum));
  for (const char* bad : {"", "sha-256=:", "sha-256=:AAAA:", "sha-256=:!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!=:"})
    BOOST_TEST(!parse_digest_field(bad).has_value());
}

BOOST_AUTO_TEST_CASE(events_are_read_in_whatever_pieces_they_come) {
  const std::string stream =
      ": alive\r\n\r\nevent: state\ndata: {\ndata: }\n\ndata: plain\nid: 7\n\nevent: nothing\n\n";
  for (std::size_t size = 1; size < stream.size(); ++size) {
    std::string seen;
    event_reader reader([&](const std::string& name, const std::string& data) { seen += name + "=" + data + ";"; });
    for (std::size_t from = 0; from < stream.size(); from += size) BOOST_TEST(reader.feed(stream.substr(from, size)));
    BOOST_TEST(seen == "state={\n};=plain;");
  }
}

BOOST_AUTO_TEST_CASE(the_view_of_actors_follows_changes_and_keeps_to_a_node) {
  const auto actor = [](const std::string& id, const std::string& name, int rate) {
    return json{{"id", id}, {"name", name}, {"mailbox", {{"depth", 0}}}, {"per_second", rate}};
  };
  const auto node = [](const std::string& name, bool reachable, const json& actors) {
    return json{{"name", name}, {"reachable", reachable}, {"role", "leader"}, {"actors", actors}};
  };
  const json whole{
      {"at", "1"},
      {"nodes", json::array({node("n1", true, json::array({actor("n1:1", "slow", 1), actor("n1:2", "fast", 9)})),
                             node("n2", true, json::array({actor("n2:1", "other", 5)}))})}};
  const auto drawn = [](const actors_view& view) { return view.draw(actors_view::order::load, {200, 100}); };
  actors_view all({}), one("n1");
  for (auto* view : {&all, &one}) view->replace(whole);
  BOOST_TEST(drawn(all).find("fast") < drawn(all).find("other"));
  BOOST_TEST(drawn(all).find("other") < drawn(all).find("slow"));
  BOOST_TEST(drawn(one).find("other") == std::string::npos);
  const json change{{"at", "2"},
                    {"nodes", json::array({node("n2", false, json::array({}))})},
                    {"actors", json::array({actor("n1:3", "fresh", 3)})},
                    {"gone", json::array({"n1:2"})}};
  for (auto* view : {&all, &one}) {
    view->change(change);
    BOOST_TEST(drawn(*view).find("fast") == std::string::npos);
    BOOST_TEST(drawn(*view).find("fresh") != std::string::npos);
    BOOST_TEST(drawn(*view).find("other") == std::string::npos);
  }
  BOOST_TEST(drawn(all).find("not there") != std::string::npos);
  all.change({{"gone", json::array({"n2"})}});  // no member any more
  BOOST_TEST(drawn(all).find("not there") == std::string::npos);
  // A server may send anything.
  for (const char* odd :
       {"{}", "[]", "{\"nodes\":7}",
        "{\"nodes\":[7,{\"actors\":[1,{\"id\":2,\"mailbox\":[]}]}],\"actors\":{\"a\":[]},\"gone\":[1]}"}) {
    all.replace(json::parse(odd));
    all.change(json::parse(odd));
    BOOST_TEST(!drawn(all).empty());
  }
  // No line is longer, and there are no more of them, than the screen has.
  one.replace(whole);
  BOOST_TEST(one.draw(actors_view::order::name, {20, 5}).size() <= 5 * 21);
}

BOOST_AUTO_TEST_CASE(addresses_are_checked) {
  const auto several = addresses::parse("n1:8000, https://n2.example/kaiku/,n1:8000");
  BOOST_REQUIRE(several.ok());
  BOOST_TEST(several->count() == 2);
  BOOST_TEST(several->url(0) == "http://n1:8000");
  BOOST_TEST(several->url(1) == "https://n2.example/kaiku");
  for (const char* bad : {"", ",", "http://", "ftp://x", "http://user@x", "http://x?y", "x y"})
    BOOST_TEST(!addresses::parse(bad).ok());
}

BOOST_AUTO_TEST_CASE(bash_completes_commands_options_and_choices) {
  BOOST_TEST(completed({"kaiku", "clu"}) == "cluster\n");
  BOOST_TEST(completed({"kaiku", "cluster", "members", "a"}) == "add\n");
  BOOST_TEST(completed({"kaiku", "put", "--durability", "ma"}) == "majority\n");
  BOOST_TEST(completed({"kaiku", "put", "--no-o"}) == "--no-overwrite\n");
  BOOST_TEST(completed({"kaiku", "completion", "z"}) == "zsh\n");
  BOOST_TEST(completed({"kaiku", "put", "/etc/host"}).find("/etc/hostname") != std::string::npos);
  const auto spaced = (kaiku::test::cli_work() / "a name with spaces").string();
  kaiku::test::write_file(spaced, "");
  const auto begun = spaced.substr(0, spaced.size() - 3);
  BOOST_TEST(completed({"kaiku", "put", begun}) == spaced + "\n");
  BOOST_TEST(completed({"kaiku", "--cacert", begun}) == spaced + "\n");
}

BOOST_AUTO_TEST_CASE(completions_are_scripts_of_their_shells) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const auto script = kaiku::test::cli_work() / shell;
    run_command(
        {"sh", "-c", "'" + kaiku::test::kaiku_program() + "' completion " + shell + " >'" + script.string() + "'"});
    BOOST_TEST(read_file(script).find("write-status") != std::string::npos);
    if (!find_program(shell).empty()) run_command({shell, "-n", script.string()});
  }
}

/// Words of lines that begin with `start`.
std::set<std::string> words_behind(const std::string& text, const std::string& start) {
  std::set<std::string> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(start)) continue;
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == ',' || c == '"'; }, ' ');
    std::istringstream words(line);
    for (std::string word; words >> word;) out.insert(word);
  }
  return out;
}

/// As a whole, not as the beginning of something longer.
bool has_phrase(const std::string& text, const std::string& phrase) {
  for (auto at = text.find(phrase); at != std::string::npos; at = text.find(phrase, at + 1)) {
    const auto end = at + phrase.size();
    if (end == text.size() || (std::isalnum(static_cast<unsigned char>(text[end])) == 0 && text[end] != '-'))
      return true;
  }
  return false;
}

BOOST_AUTO_TEST_CASE(the_manual_and_the_guide_name_every_command_and_option_and_the_manual_is_well_formed) {
  auto manual = read_file(KAIKU_MANUAL);
  std::erase(manual, '\\');
  const auto guide = read_file(KAIKU_GUIDE);
  std::set<std::string> described, known{"-h"};
  for (const auto& word : words_behind(manual, ".B"))
    if (word.starts_with("-") && word.size() > 1 && word != "--") described.insert(word);
  each(all_commands(), "", [&](const std::string& path, const command_words& of) {
    BOOST_TEST((path.empty() || has_phrase(manual, "kaiku " + path)), "the manual has no " << path);
    BOOST_TEST((path.empty() || has_phrase(guide, "kaiku " + path)), "the guide has no " << path);
    for (const auto& option : of.options)
      for (const auto& name : option.names) {
        known.insert(name);
        BOOST_TEST(described.contains(name), "the manual has no " << name);
      }
  });
  for (const auto& name : described) BOOST_TEST(known.contains(name), "nothing has " << name);
  for (const int code : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130}) {
    BOOST_TEST(manual.find(".TP\n.B " + std::to_string(code) + "\n") != std::string::npos, code);
    BOOST_TEST(guide.find("\n| " + std::to_string(code) + " | ") != std::string::npos, code);
  }
  for (const std::string member : {"path",     "name",     "type",    "size",   "etag",    "modified",  "content_type",
                                   "sha256",   "metadata", "expires", "result", "created", "token",     "durability",
                                   "replicas", "local",    "fetched", "error",  "summary", "unchanged", "passed_over",
                                   "seconds",  "requests", "code",    "exit",   "message"}) {
    BOOST_TEST(has_phrase(manual, member), "the manual has no " << member);
    BOOST_TEST(guide.find("`" + member + "`") != std::string::npos, "the guide has no " << member);
  }
  if (!find_program("man").empty())
    BOOST_TEST(run_command({"sh", "-c",
                            std::string("man --warnings -E UTF-8 -l -Tutf8 '") + KAIKU_MANUAL + "' 2>&1 >/dev/null"})
                   .empty());
}

BOOST_AUTO_TEST_CASE(the_help_of_each_command_fits_the_purpose) {
  each(all_commands(), "", [&](const std::string& path, const command_words& of) {
    BOOST_TEST(!of.help.empty(), path);
    for (const auto& option : of.options) BOOST_TEST(!option.help.empty(), path << " " << option.names.back());
  });
}

BOOST_AUTO_TEST_SUITE_END()
