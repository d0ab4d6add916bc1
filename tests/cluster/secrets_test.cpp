/// Secrets that a node is given are found nowhere but where they came from: not in its logs, answers, files, arguments.

#include <filesystem>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "support/command.hpp"
#include "support/test_cluster.hpp"

namespace {

using namespace kaiku::test;
namespace fs = std::filesystem;

/// A directory with secret files; it goes with the object.
class secrets {
 public:
  secrets() : directory_(make_test_directory()) {}
  ~secrets() { fs::remove_all(directory_); }
  secrets(const secrets&) = delete;
  secrets& operator=(const secrets&) = delete;

  std::string write(const std::string& name, const std::string& content) const {
    const auto file = directory_ / name;
    std::ofstream(file) << content << '\n';
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    return file.string();
  }
  fs::path operator/(const std::string& name) const { return directory_ / name; }

 private:
  fs::path directory_;
};

/// All that clients are told, header and body, good requests and bad ones.
std::string all_answers(const test_node& node, const header_list& with) {
  std::string all;
  auto client = node.client();
  const std::string get[] = {"/",        "/cluster",     "/metrics",      "/healthz",        "/healthz/ready",
                             "/files/",  "/files/f",     "/files/none",   "/files/../x",     "/set-aside",
                             "/scrub",   "/writes/none", "/openapi.json", "/cluster/leader", "/files/?recursive=true",
                             "/nowhere", "/changes",     "/files/f?x=y",  "/cluster/members"};
  const auto take = [&](const http_response& answer) {
    for (const auto& [name, value] : answer.headers) all += name + ": " + value + "\n";
    all += answer.body + "\n";
  };
  for (const auto& target : get) take(client.request("GET", target, with));
  for (const auto* target : {"/cluster/members", "/cluster/leader", "/scrub"}) {
    take(client.request("POST", target, {{"Content-Type", "application/json"}}, "{\"name\": 7"));
    take(client.request("POST", target, {{"Content-Type", "application/json"}}, "{\"name\": \"nobody\"}"));
  }
  take(client.request("PUT", "/files/f", {{"Kaiku-Durability", "none"}}, "x"));
  return all;
}

std::string all_files(const fs::path& below) {
  std::string all;
  for (const auto& entry : fs::recursive_directory_iterator(below))
    if (entry.is_regular_file()) all += entry.path().string() + "\n" + read_file(entry.path());
  return all;
}

struct place {
  std::string what;
  std::string text;
};

std::vector<place> places(test_node& node, const header_list& with = {}) {
  const auto process = "/proc/" + std::to_string(node.process().pid());
  return {{"answers", all_answers(node, with)},
          {"log", node.log()},
          {"data directory", all_files(node.data())},
          {"arguments", read_file(process + "/cmdline")},
          {"environment", read_file(process + "/environ")},
          {"title", read_file(process + "/comm")}};
}

void check_nowhere(test_node& node, const std::vector<std::string>& canaries, const header_list& with = {}) {
  for (const auto& one : places(node, with)) {
    if (one.what != "environment") BOOST_TEST(!one.text.empty(), one.what);
    for (const auto& canary : canaries)
      BOOST_TEST(one.text.find(canary) == std::string::npos,
                 canary << " is in the " << one.what << " of " << node.name());
  }
}

/// A stranger, and somebody who knows how a hello begins.
void knock(const endpoint& at) {
  for (const std::string& said :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\0\0\0\x0c\x01kaiku-link\x02", 16)}) {
    tcp_connection stranger(at, milliseconds{5000});
    stranger.send_all(said, clock::now() + milliseconds{5000});
    stranger.finish_sending();
    stranger.is_closed_within(milliseconds{10'000});
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(secrets_)

BOOST_AUTO_TEST_CASE(of_peers_and_redis_are_found_nowhere_also_when_they_are_refused) {
  const secrets kept;
  const std::string peers = "canary-of-peers-5f2d", other = "canary-of-another-81c4", redis = "canary-of-redis-77ab";
  const reserved_port port;
  // It does not know AUTH, and repeats what it is told.
  const test_redis server(kept / "redis", {"--port", std::to_string(port.number()), "--rename-command", "AUTH", ""});
  const auto peer_file = kept.write("peers", peers);
  test_cluster cluster(
      {.nodes = 2,
       .extra = {"--peer-secret-file", peer_file, "--redis", "redis://127.0.0.1:" + std::to_string(port.number()),
                 "--redis-password-file", kept.write("redis-password", redis), "--log-level", "trace"}});
  BOOST_TEST(cluster.node(0).client().put("f", std::string_view{"x"}).is_success());
  for (std::size_t i = 0; i < cluster.size(); ++i) knock(cluster.node(i).peers());
  cluster.wait_for("the password is refused", milliseconds{10'000}, [&] {
    return server.call({"INFO", "errorstats"}).text.find("errorstat_ERR:count=") != std::string::npos;
  });
  // From its next start on, one has another secret.
  std::ofstream(peer_file) << other << '\n';
  BOOST_TEST(cluster.node(1).terminate(milliseconds{15'000}).value_or(-1) == 0);
  cluster.node(1).start();
  cluster.wait_for("the secret is refused", milliseconds{15'000}, [&] {
    return (cluster.node(0).log() + cluster.node(1).log()).find("the shared secrets of") != std::string::npos;
  });
  for (std::size_t i = 0; i < cluster.size(); ++i) check_nowhere(cluster.node(i), {peers, other, redis});
}

BOOST_AUTO_TEST_CASE(of_certificates_and_clients_are_found_nowhere_also_when_they_are_wrong) {
  const secrets kept;
  const auto file = kept.write("auth.json", R"({"url_keys": [{"id": "k1", "key": "url.key"}]})");
  const std::string url_key = "canary-that-signs-urls-32-bytes-0c3e", wrong = "canary-of-a-wrong-token-6d1b";
  kept.write("url.key", url_key);
  auto token = run_command({kaikud_program(), "token", "new", "--file", file, "--name", "all", "--scope", "admin"});
  token.erase(token.find_last_not_of('\n') + 1);
  test_cluster cluster({.nodes = 2, .extra = {"--auth-file", file, "--log-level", "trace"}, .tls = true});
  const header_list by{{"Authorization", "Bearer " + token}};
  BOOST_TEST(cluster.node(0).client().put("f", std::string_view{"x"}, by).is_success());
  std::vector<std::string> canaries{url_key, wrong, token.substr(token.rfind('_') + 1)};
  for (const auto& one : fs::directory_iterator(cluster.directory()))
    if (one.path().extension() == ".key") canaries.push_back(read_file(one.path()).substr(40, 48));
  BOOST_TEST(canaries.size() > 4u);
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    auto& node = cluster.node(i);
    BOOST_TEST(node.client().get("f", {{"Authorization", "Bearer " + wrong}}).status == 401);
    BOOST_TEST(node.client().get("f?key=k1&expires=9&signature=" + wrong).status == 401);
    // A key that others can read is refused, by its name.
    std::ofstream(kept / "url.key") << url_key << wrong;
    fs::permissions(kept / "url.key", fs::perms::owner_read | fs::perms::others_read);
    cluster.wait_for("the key is refused", milliseconds{10'000},
                     [&] { return node.log().find("is open to every user") != std::string::npos; });
    check_nowhere(node, canaries, by);
  }
}

BOOST_AUTO_TEST_CASE(are_not_told_by_an_error_of_a_redis_that_repeats_what_it_does_not_know) {
  const secrets kept;
  const test_redis server(kept / "redis", {"--rename-command", "AUTH", ""});
  auto at = server.address();
  at.password = "canary-of-redis-4401";
  const auto opened = kaiku::redis::connection::open(at);
  BOOST_REQUIRE(!opened.ok());
  BOOST_TEST(opened.failure().detail == "Redis refuses the user or the password (AUTH)");
}

BOOST_AUTO_TEST_CASE(in_the_url_of_redis_are_warned_of_and_go_no_further_than_the_arguments) {
  const std::string canary = "canary-in-a-url-90fe";
  const reserved_port port;  // nobody listens
  test_cluster cluster({.nodes = 1,
                        .extra = {"--redis", "redis://u:" + canary + "@127.0.0.1:" + std::to_string(port.number()),
                                  "--log-level", "trace"}});
  auto& node = cluster.node(0);
  BOOST_TEST(node.log().find("the password in --redis can be read by every user") != std::string::npos);
  for (const auto& one : places(node)) {
    const bool shown = one.text.find(canary) != std::string::npos;
    BOOST_TEST(shown == (one.what == "arguments"), one.what);
  }
}

BOOST_AUTO_TEST_CASE(are_kept_by_a_process_that_gains_no_privileges_and_lets_nobody_read_its_files) {
  test_cluster cluster({.nodes = 1});
  auto& node = cluster.node(0);
  const auto status = read_file("/proc/" + std::to_string(node.process().pid()) + "/status");
  BOOST_TEST(status.find("NoNewPrivs:\t1") != std::string::npos);
  for (const auto& entry : fs::recursive_directory_iterator(node.data())) {
    const auto others = fs::perms::group_all | fs::perms::others_all;
    BOOST_TEST(((entry.status().permissions() & others) == fs::perms::none), entry.path());
  }
}

BOOST_AUTO_TEST_SUITE_END()
