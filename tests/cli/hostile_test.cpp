/// Servers that lie, break off, or are not there: what `kaiku` believes, and what it does again.

#include <set>

#include "cli/command_line.hpp"
#include "cli/fake_server.hpp"
#include "support/bytes.hpp"
#include "support/command.hpp"

namespace {

using namespace kaiku::test;

environment at(const fake_server& server) {
  return {{"KAIKU_URL", url_of_port(server.port())}};
}

std::string entry(const std::string& name, std::size_t size = 4) {
  return nlohmann::json{{"name", name}, {"type", "file"}, {"size", size}, {"etag", "\"1.1-00\""}, {"modified", "now"}}
      .dump();
}

std::string content_answer(const std::string& content, const std::string& etag = "\"1.1-00\"") {
  return fake_answer(200, "ETag: " + etag + "\r\nRepr-Digest: " + digest_of(content) + "\r\n", content);
}

const std::string directory_answer =
    "HTTP/1.1 200 x\r\nConnection: close\r\nContent-Length: 9\r\nETag: W/\"x\"\r\n\r\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(hostile)

BOOST_AUTO_TEST_CASE(names_of_a_listing_never_lead_out_of_the_target) {
  const std::vector<std::string> names{
      "../escaped", "/tmp/kaiku-escaped", "a/../../escaped", "..",  ".", "", "a//b", std::string("nul\0byte", 8),
      "new\nline",  "\x1b]0;title\x07",   "linked/escaped",  "good"};
  std::string entries;
  for (const auto& name : names) entries += (entries.empty() ? "" : ",") + entry(name);
  const fake_server server([&](const fake_request& asked) {
    if (asked.method == "HEAD") return directory_answer;
    if (asked.target.find("recursive=true") != std::string::npos)
      return fake_json(R"({"path":"/x","entries":[)" + entries + R"(],"next":null})");
    return content_answer("evil");
  });
  const auto target = cli_work() / "target";
  fs::create_directories(cli_work() / "outside");
  fs::create_directories(target);
  fs::create_symlink(cli_work() / "outside", target / "linked");
  const auto got = run_kaiku({"get", "-r", "/x", target}, at(server));
  BOOST_TEST(got.code == 8, got);
  BOOST_TEST(read_file(target / "good") == "evil");
  BOOST_TEST(fs::is_empty(cli_work() / "outside"));
  BOOST_TEST(!fs::exists(cli_work() / "escaped"));
  BOOST_TEST(!fs::exists("/tmp/kaiku-escaped"));
  std::size_t files = 0;
  for (const auto& one : fs::recursive_directory_iterator(cli_work())) files += one.is_regular_file() ? 1 : 0;
  BOOST_TEST(files == 1);
  // Nor does a terminal see what they hold.
  for (char c : got.err) BOOST_TEST((c == '\n' || static_cast<unsigned char>(c) >= ' '));
  BOOST_TEST(got.err.find("\\x1b]0;title") != std::string::npos, got);
}

BOOST_AUTO_TEST_CASE(a_listing_that_goes_in_circles_ends) {
  const fake_server server([&](const fake_request& asked) {
    return asked.method == "HEAD" ? directory_answer : fake_json(R"({"entries":[],"next":"a"})");
  });
  const auto listed = run_kaiku({"ls", "/x"}, at(server));
  BOOST_TEST(listed.code == 1, listed);
  BOOST_TEST(listed.err.find("goes in circles") != std::string::npos, listed);
}

BOOST_AUTO_TEST_CASE(a_listing_goes_on_name_by_name) {
  // As strings, the second is before the first.
  fake_server server([](const fake_request& asked) {
    if (asked.method == "HEAD") return directory_answer;
    const bool is_first = asked.target.find("after=") == std::string::npos;
    const bool is_last = asked.target.find("photos-2024") != std::string::npos;
    const std::string next = is_first ? R"("photos/z")" : is_last ? "null" : R"("photos-2024/a")";
    return fake_json(R"({"entries":[)" + (is_last ? entry("photos-2024/b") : "") + R"(],"next":)" + next + "}");
  });
  const auto listed = run_kaiku({"ls", "-r", "/x"}, at(server));
  BOOST_TEST(listed.code == 0, listed);
  BOOST_TEST(listed.out == "photos-2024/b\n");
}

BOOST_AUTO_TEST_CASE(a_change_without_a_token_is_none) {
  const fake_server server([](const fake_request&) { return fake_answer(200, "", "<html>Welcome</html>"); });
  write_file(cli_work() / "f", "x");
  for (const std::vector<std::string>& one :
       {std::vector<std::string>{"rm", "/f"}, {"mkdir", "/d"}, {"put", "--again", cli_work() / "f", "/f"}}) {
    const auto refused = run_kaiku(one, at(server));
    BOOST_TEST(refused.code == 1, refused);
    BOOST_TEST(refused.err.find("is it a node of Kaiku?") != std::string::npos, refused);
  }
}

BOOST_AUTO_TEST_CASE(content_that_is_not_what_its_digest_says_is_not_kept) {
  const fake_server server([&](const fake_request& asked) {
    const auto fields = "ETag: \"1.1-00\"\r\nRepr-Digest: " + digest_of("good") + "\r\n";
    return asked.method == "HEAD" ? "HTTP/1.1 200 x\r\nConnection: close\r\nContent-Length: 4\r\n" + fields + "\r\n"
                                  : fake_answer(200, fields, "evil");
  });
  const auto got = run_kaiku({"get", "/f", cli_work() / "f"}, at(server));
  BOOST_TEST(got.code == 1, got);
  BOOST_TEST(fs::is_empty(cli_work()));
}

BOOST_AUTO_TEST_CASE(what_came_by_a_pipe_and_is_stored_otherwise_is_a_failure) {
  const auto hex = [](const std::string& of) {
    return run_command({"sh", "-c", "printf %s '" + of + "' | sha256sum"}).substr(0, 16);
  };
  struct {
    std::string stored;
    bool may_read;
    int code;
  } const cases[] = {{"other", true, 1}, {"other", false, 1}, {"input", true, 0}, {"input", false, 0}};
  write_file(cli_work() / "input", "input");
  for (const auto& one : cases) {
    const auto fields = "ETag: \"1.1-" + hex(one.stored) + "\"\r\nRepr-Digest: " + digest_of(one.stored) + "\r\n";
    const fake_server server([&](const fake_request& asked) {
      if (asked.method == "HEAD") return fake_answer(one.may_read ? 200 : 403, one.may_read ? fields : "", "");
      return fake_answer(201, fields + "Kaiku-Token: 1.1.1\r\nKaiku-Durability: leader\r\nKaiku-Replicas: 1/3\r\n", "");
    });
    const auto sent = run_kaiku({"put", "-", "/f"}, at(server), cli_work() / "input");
    BOOST_TEST(sent.code == one.code, sent);
  }
}

BOOST_AUTO_TEST_CASE(a_download_that_has_fetched_nothing_leaves_nothing) {
  const fake_server server([](const fake_request& asked) {
    return asked.method == "HEAD"
               ? "HTTP/1.1 200 x\r\nConnection: close\r\nContent-Length: 4\r\nETag: \"1.1-00\"\r\n\r\n"
               : fake_answer(404, "", "");
  });
  BOOST_TEST(run_kaiku({"get", "/f", cli_work() / "f"}, at(server)).code == 3);
  BOOST_TEST(fs::is_empty(cli_work()));
}

BOOST_AUTO_TEST_CASE(a_name_that_downloads_have_is_not_taken_from_a_listing) {
  const fake_server server([](const fake_request& asked) {
    if (asked.method == "HEAD") return directory_answer;
    if (asked.target.find("recursive=true") != std::string::npos)
      return fake_json(R"({"entries":[)" + entry(".kaiku-0123-4567.part") + "," + entry("good") + R"(],"next":null})");
    return content_answer("good");
  });
  const auto got = run_kaiku({"get", "-r", "/x", cli_work() / "down"}, at(server));
  BOOST_TEST(got.code == 8, got);
  BOOST_TEST(read_file(cli_work() / "down/good") == "good");
  BOOST_TEST(!fs::exists(cli_work() / "down/.kaiku-0123-4567.part"));
}

BOOST_AUTO_TEST_CASE(directories_alone_are_fetched_however_many) {
  std::string first, second;
  for (int i = 0; i < 600; ++i)
    (i < 300 ? first : second) +=
        (i % 300 == 0 ? "" : ",") + ("{\"type\":\"directory\",\"name\":\"" + std::to_string(1000 + i) + "\"}");
  const fake_server server([&](const fake_request& asked) {
    if (asked.method == "HEAD") return directory_answer;
    const bool is_first = asked.target.find("after=") == std::string::npos;
    return fake_json("{\"entries\":[" + (is_first ? first : second) + "],\"next\":" + (is_first ? "\"1299\"" : "null") +
                     "}");
  });
  const auto got = run_kaiku({"get", "-r", "/x", cli_work() / "down"}, at(server));
  BOOST_TEST(got.code == 0, got);
  BOOST_TEST(std::distance(fs::directory_iterator(cli_work() / "down"), {}) == 600);
}

BOOST_AUTO_TEST_CASE(a_download_that_breaks_off_goes_on_by_range) {
  const auto content = generated_bytes{3, 100'000}.all();
  const fake_server server([&](const fake_request& asked) {
    const auto fields = "ETag: \"1.1-00\"\r\nRepr-Digest: " + digest_of(content) + "\r\n";
    const auto start = "HTTP/1.1 200 x\r\nConnection: close\r\nContent-Length: 100000\r\n" + fields + "\r\n";
    if (asked.method == "HEAD") return start;
    const auto range = asked.head.find("Range: bytes=");
    if (range == std::string::npos) return start + content.substr(0, 30'000);
    const auto from = std::stoul(asked.head.substr(range + 13));
    if (asked.head.find("If-Range: \"1.1-00\"") == std::string::npos) return fake_answer(400, "", "");
    return fake_answer(206, fields + "Content-Range: bytes " + std::to_string(from) + "-99999/100000\r\n",
                       content.substr(from));
  });
  const auto got = run_kaiku({"get", "/f", cli_work() / "f"}, at(server));
  BOOST_TEST(got.code == 0, got);
  BOOST_TEST((read_file(cli_work() / "f") == content));
}

BOOST_AUTO_TEST_CASE(a_change_of_files_is_repeated_with_its_key_and_one_of_the_cluster_is_not) {
  std::size_t left = 2;
  fake_server server([&](const fake_request& asked) -> std::string {
    if (asked.method == "HEAD") return fake_answer(404, "", "");
    switch (left) {
      case 0: return fake_answer(201, "Kaiku-Token: 1.1.1\r\nKaiku-Durability: leader\r\nKaiku-Replicas: 1/3\r\n", "");
      case 1: return --left, fake_answer(502, "", "a gateway's");
      default: return --left, "";
    }
  });
  write_file(cli_work() / "f", "x");
  BOOST_TEST(run_kaiku({"put", cli_work() / "f", "/f"}, at(server)).code == 0);
  std::set<std::string> keys;
  for (const auto& one : server.asked()) {
    const auto key = one.head.find("Idempotency-Key: ");
    if (one.method == "PUT") keys.insert(one.head.substr(key, one.head.find('\r', key) - key));
  }
  BOOST_TEST(server.asked().size() == 4);
  BOOST_TEST(keys.size() == 1);

  fake_server mute([](const fake_request&) { return std::string(); });
  const auto asked = run_kaiku({"cluster", "transfer", "n2"}, at(mute));
  BOOST_TEST(asked.code == 9, asked);
  BOOST_TEST(mute.asked().size() == 1);
  BOOST_TEST(asked.err.find("may have been done nevertheless") != std::string::npos, asked);
  // A gateway that has lost its node knows no more.
  fake_server gateway([](const fake_request&) { return fake_answer(504, "", ""); });
  const auto passed_on = run_kaiku({"cluster", "transfer", "n2"}, at(gateway));
  BOOST_TEST(passed_on.code == 9, passed_on);
  BOOST_TEST(gateway.asked().size() == 1);
  // Nor does anybody know of one with a key, when no attempt is answered.
  const auto removed = run_kaiku({"rm", "--json", "--wait", "1", "/f"}, at(mute));
  BOOST_TEST(removed.code == 9, removed);
  BOOST_TEST(removed.err.find("may have been done nevertheless") != std::string::npos, removed);
}

BOOST_AUTO_TEST_CASE(a_node_that_falls_silent_on_a_connection_of_before_was_reached) {
  // The connection stays open behind the first answer, and nothing that comes on it is answered.
  const fake_server server(
      [](const fake_request&) { return "HTTP/1.1 503 x\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n"; });
  const auto asked = run_kaiku({"cat", "/f", "--wait", "4"}, at(server));
  BOOST_TEST(asked.code == 6, asked);
  BOOST_TEST(asked.err.find("ended before it answered") != std::string::npos, asked);
}

BOOST_AUTO_TEST_CASE(a_node_that_can_not_sends_on_to_the_next_and_a_redirection_is_followed_with_the_token) {
  const fake_server good([](const fake_request& asked) {
    return asked.head.find("Authorization: Bearer secret") == std::string::npos ? fake_answer(401, "", "")
                                                                                : content_answer("from the next");
  });
  const auto busy_problem = R"({"code":"no_leader","detail":"no leader"})";
  const fake_server busy([&](const fake_request&) {
    return fake_answer(503, "Content-Type: application/problem+json\r\nRetry-After: 1\r\n", busy_problem);
  });
  const fake_server sends_on([&](const fake_request& asked) {
    return fake_answer(307, "Location: " + url_of_port(good.port()) + asked.target + "\r\n", "");
  });
  const auto cat = [](const std::string& url) {
    return run_kaiku({"cat", "/f"}, {{"KAIKU_URL", url}, {"KAIKU_TOKEN", "secret"}});
  };
  BOOST_TEST(cat(url_of_port(busy.port()) + "," + url_of_port(good.port())).out == "from the next");
  BOOST_TEST(cat("127.0.0.1:1," + url_of_port(good.port())).out == "from the next");
  BOOST_TEST(cat(url_of_port(sends_on.port())).out == "from the next");
  const fake_server sends_away([&](const fake_request& asked) {
    return fake_answer(307, "Location: http://127.0.0.1:1" + asked.target + "\r\n", "");
  });
  BOOST_TEST(cat(url_of_port(sends_away.port()) + "," + url_of_port(good.port())).out == "from the next");
  const auto never = run_kaiku({"cat", "/f", "--wait", "1"}, {{"KAIKU_URL", url_of_port(busy.port())}});
  BOOST_TEST(never.code == 6, never);
  BOOST_TEST(never.err.find("no leader; ask again") != std::string::npos, never);
}

BOOST_AUTO_TEST_SUITE_END()
