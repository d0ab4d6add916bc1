/// What a person sees: a terminal of 120 by 30, drawn by tmux.

#include "cli/command_line.hpp"
#include "cli/fake_server.hpp"
#include "support/bytes.hpp"
#include "support/command.hpp"

namespace {

using namespace kaiku::test;

boost::test_tools::assertion_result has_tmux(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result out(!find_program("tmux").empty());
  out.message() << "tmux is not installed";
  return out;
}

/// One command in a terminal of its own, until this ends.
class terminal {
 public:
  /// `with_jobs`: within a shell that a stopped command comes back to.
  terminal(const std::string& url, const std::string& command, bool with_jobs = false) {
    std::string line;
    for (const auto& word : clean_environment()) line += word + " ";
    line += "KAIKU_URL='" + url + "' '" + kaiku_program() + "' " + command;
    const auto whole = with_jobs ? "env PS1='$ ' bash --norc --noprofile -i" : line + "; echo ended: $?; exec cat";
    tmux({"new-session", "-d", "-x", "120", "-y", "30", whole});
    if (with_jobs) type(line);
  }
  ~terminal() {
    try {
      tmux({"kill-server"});
    } catch (const std::exception&) {
      // It has ended by itself.
    }
  }
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;

  std::string screen() { return tmux({"capture-pane", "-p"}); }
  void press(const std::string& key) { tmux({"send-keys", key}); }
  void type(const std::string& line) { tmux({"send-keys", line, "Enter"}); }
  bool shows(const std::vector<std::string>& all, milliseconds deadline = milliseconds{20'000}) {
    return wait_until(deadline, [&] {
      seen_ = screen();
      for (const auto& text : all)
        if (seen_.find(text) == std::string::npos) return false;
      return true;
    });
  }
  const std::string& seen() const { return seen_; }

 private:
  std::string tmux(std::vector<std::string> what) {
    std::vector<std::string> all{"tmux", "-f", "/dev/null", "-S", (cli_work() / "tmux").string()};
    all.insert(all.end(), what.begin(), what.end());
    return run_command(all);
  }
  std::string seen_;
};

const std::string actor =
    R"({"id":"n1:12","name":"storage","parent":null,"state":"writing","mailbox":{"depth":3,"oldest_ms":7},"received":10,
  "processed":7,"per_second":12.5,"errors":1,"restarts":0,"alive":true,"busy":0.012,"took_us":{"p50":120,"p99":2500,"max":9000}})";
const std::string node_start =
    R"({"name":"n1","reachable":true,"role":"leader","term":4,"applied":1201,"committed":1200,"ready":true,
  "requests_per_s":3.5,"in_flight":2)";
const std::string dead_node =
    R"({"name":"n3","reachable":false,"reason":"no answer within 500 ms","last_heard_ms":4100,"actors":[]})";

std::string one_line(std::string text) {
  std::erase(text, '\n');
  return text;
}
const std::string actors_document = one_line(R"({"at":"2026-11-23T07:00:00.000Z","answered_by":"n1","nodes":[)" +
                                             node_start + R"(,"actors":[)" + actor + "]}," + dead_node + "]}");

}  // namespace

BOOST_AUTO_TEST_SUITE(terminals, *boost::unit_test::precondition(has_tmux))

BOOST_AUTO_TEST_CASE(a_copy_shows_a_bar_with_rate_and_time_left_and_then_the_last_word) {
  write_file(cli_work() / "here/large", generated_bytes{1, 6 << 20}.all());
  write_file(cli_work() / "here/small", "x");
  terminal shown(url_of(), "put -r --limit-rate 2M --parallel 2 '" + (cli_work() / "here").string() + "' t/bar");
  BOOST_TEST(shown.shows({"[#", "%", "/2 files", "MiB of 6.0 MiB", "MiB/s", " left"}), shown.seen());
  BOOST_TEST(shown.shows({"2 files sent, 6.0 MiB in 0:0", "ended: 0"}), shown.seen());
  BOOST_TEST(shown.seen().find("[#") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_actors_are_shown_live_and_follow_what_happens) {
  const fake_server server([](const fake_request& asked) {
    if (asked.target == "/actors") return fake_json(actors_document);
    auto changed = actors_document;
    const std::string change = one_line(R"({"at":"2026-11-23T07:00:01.000Z","nodes":[],"actors":[)" + actor +
                                        R"(],"gone":["n1:40"],"flows":[]})");
    changed = "event: state\ndata: " + actors_document + "\n\n: alive\n\nevent: change\ndata: " + change +
              "\n\nevent: timeline\ndata: {\"at\":\"now\",\"node\":\"n2\",\"kind\":\"election_won\",\"text\":\"term "
              "4\\u001b[31m\"}\n\n";
    return "HTTP/1.1 200 x\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n" + changed;
  });
  terminal shown(url_of_port(server.port()), "actors");
  BOOST_TEST(
      shown.shows({"07:00:01", "n1            leader",
                   "n3            not there: no answer within 500 ms, last heard 4,100 ms ago", "storage", "7.0ms",
                   "12.5", "1.2%", "120.0us", "2.5ms", "writing", "election_won  term 4\\x1b[31m", "by load"}),
      shown.seen());
  shown.press("m");
  BOOST_TEST(shown.shows({"by mailbox"}), shown.seen());
  shown.press("q");
  BOOST_TEST(shown.shows({"ended: 0"}), shown.seen());
  const auto once = run_kaiku({"actors", "--once"}, {{"KAIKU_URL", url_of_port(server.port())}});
  BOOST_TEST(once.code == 0, once);
  BOOST_TEST(once.out.find("storage") != std::string::npos, once);
  BOOST_TEST(
      run_kaiku({"actors", "--json"}, {{"KAIKU_URL", url_of_port(server.port())}}).documents().at(0)["nodes"].size() ==
      2);
}

const std::string stream_start = "HTTP/1.1 200 x\r\nContent-Type: text/event-stream\r\n\r\nevent: state\ndata: ";

BOOST_AUTO_TEST_CASE(ctrl_z_gives_the_terminal_back_until_the_view_goes_on) {
  const fake_server server([](const fake_request&) { return stream_start + actors_document + "\n\n"; });
  terminal shown(url_of_port(server.port()), "actors", true);
  BOOST_TEST(shown.shows({"by load"}), shown.seen());
  shown.press("C-z");
  BOOST_TEST(shown.shows({"Stopped"}), shown.seen());
  BOOST_TEST(shown.seen().find("by load") == std::string::npos, shown.seen());
  shown.type("echo back''again");
  BOOST_TEST(shown.shows({"backagain"}), shown.seen());
  shown.type("fg");
  BOOST_TEST(shown.shows({"by load"}), shown.seen());
  shown.press("n");
  BOOST_TEST(shown.shows({"by name"}), shown.seen());
  shown.press("q");
  BOOST_TEST(shown.shows({"backagain"}), shown.seen());
}

BOOST_AUTO_TEST_CASE(a_stream_that_falls_silent_is_taken_from_another_node) {
  auto later = actors_document;
  later.replace(later.find("07:00:00"), 8, "08:00:00");
  const fake_server silent([](const fake_request&) { return stream_start + actors_document + "\n\n"; });
  const fake_server good([&](const fake_request&) { return stream_start + later + "\n\n"; });
  terminal shown(url_of_port(silent.port()) + "," + url_of_port(good.port()), "actors");
  BOOST_TEST(shown.shows({"07:00:00"}), shown.seen());
  BOOST_TEST(shown.shows({"08:00:00"}, milliseconds{40'000}), shown.seen());
}

BOOST_AUTO_TEST_CASE(a_gateway_that_loses_its_node_does_not_end_the_view) {
  auto later = actors_document;
  later.replace(later.find("07:00:00"), 8, "08:00:00");
  std::size_t asked = 0;
  const fake_server gateway([&](const fake_request&) {
    switch (++asked) {
      case 1: return fake_answer(502, "", "a gateway's");
      case 2:
        return "HTTP/1.1 200 x\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\nevent: state\ndata: " +
               actors_document + "\n\n";
      case 3: return fake_answer(504, "", "");
      default: return stream_start + later + "\n\n";
    }
  });
  terminal shown(url_of_port(gateway.port()), "actors");
  BOOST_TEST(shown.shows({"08:00:00"}), shown.seen());
  shown.press("q");
  BOOST_TEST(shown.shows({"ended: 0"}), shown.seen());
}

BOOST_AUTO_TEST_CASE(a_pipe_has_no_share_of_its_whole) {
  terminal shown(url_of(), "put --limit-rate 1M - t/pipe < <(head -c 3000000 /dev/zero)", true);
  BOOST_TEST(shown.shows({"MiB/s  /t/pipe"}), shown.seen());
  BOOST_TEST(shown.seen().find('%') == std::string::npos, shown.seen());
  BOOST_TEST(shown.shows({"2.9 MiB sent"}), shown.seen());
}

BOOST_AUTO_TEST_CASE(a_trace_is_awaited_and_drawn_as_a_sequence) {
  const std::string id(32, 'a');
  const std::string spans =
      R"({"id":"01","parent":null,"node":"n2","actor":null,"name":"session","what":"PUT /files/f","kind":"request","start_us":1000,"waited_us":null,"took_us":5000,"note":null},
      {"id":"02","parent":"01","node":"n1","actor":"n1:7","name":"storage","what":"fsync","kind":"sync","start_us":2500,"waited_us":10,"took_us":1200,"note":"durable at 7:1201"})";
  std::size_t asked_for = 0;
  const fake_server server([&](const fake_request& asked) {
    if (asked.method == "PUT")
      return asked.head.find("Kaiku-Trace: 1") == std::string::npos
                 ? fake_answer(400, "", "")
                 : fake_answer(
                       201,
                       "Kaiku-Token: 1.1.1\r\nKaiku-Durability: leader\r\nKaiku-Replicas: 1/3\r\nKaiku-Trace: " + id +
                           "\r\n",
                       "");
    if (asked.target != "/actors/trace/" + id || ++asked_for == 1) return fake_answer(404, "", "");
    return fake_json(R"({"id":")" + id + R"(","began":"now","complete":)" + (asked_for > 2 ? "true" : "false") +
                     R"(,"unreachable":["n3"],"spans":[)" + spans + "]}");
  });
  write_file(cli_work() / "f", "x");
  const auto traced = run_kaiku({"trace", "put", cli_work() / "f", "/f"}, {{"KAIKU_URL", url_of_port(server.port())}});
  BOOST_TEST(traced.code == 0, traced);
  BOOST_TEST(traced.out.find("without n3, which does not answer") != std::string::npos, traced);
  BOOST_TEST(traced.out.find("     0.000 ms            -     5.000 ms  n2        session: PUT /files/f\n") !=
                 std::string::npos,
             traced);
  BOOST_TEST(
      traced.out.find("     1.500 ms     0.010 ms     1.200 ms  n1          storage: fsync  (durable at 7:1201)\n") !=
          std::string::npos,
      traced);
  BOOST_TEST(asked_for == 3);
}

BOOST_AUTO_TEST_SUITE_END()
