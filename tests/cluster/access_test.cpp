/// Access control of real nodes: tokens made by the command, asked for on every node, taken back while it runs.

#include <csignal>
#include <fstream>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "scenario.hpp"
#include "support/command.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace kaiku::test;

struct guarded {
  guarded() {
    std::ofstream(folder / "url.key") << std::string(32, 'k');
    std::filesystem::permissions(folder / "url.key", std::filesystem::perms::owner_read);
    std::ofstream(folder / "auth.json") << R"({"url_keys": [{"id": "k1", "key": "url.key"}]})";
    writer = make("writer", {"read", "write"});
    reader = make("reader \"of\" photos", {"read"}, "/photos");
    admin = make("operator", {"admin"});
    cluster = std::make_unique<test_cluster>(cluster_options{.extra = {"--auth-file", file()}});
  }

  std::string file() const { return (folder / "auth.json").string(); }
  std::string make(const std::string& name, const std::vector<std::string>& scopes,
                   const std::string& path = {}) const {
    std::vector<std::string> command{kaikud_program(), "token", "new", "--file", file(), "--name", name};
    for (const auto& one : scopes) command.insert(command.end(), {"--scope", one});
    if (!path.empty()) command.insert(command.end(), {"--path", path});
    auto token = run_command(command);
    token.erase(token.find_last_not_of('\n') + 1);
    return token;
  }
  static header_list by(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }
  /// The file without this token.
  void take_out(const std::string& name) const {
    auto document = nlohmann::json::parse(read_file(file()));
    auto& tokens = document["tokens"];
    for (auto it = tokens.begin(); it != tokens.end();) it = (*it)["name"] == name ? tokens.erase(it) : std::next(it);
    std::ofstream(folder / "new") << document.dump();
    std::filesystem::rename(folder / "new", file());
  }

  temporary_directory folder;
  std::string writer, reader, admin;
  std::unique_ptr<test_cluster> cluster;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(access_, guarded)

BOOST_AUTO_TEST_CASE(every_node_asks_for_a_token_and_followers_pass_writes_on) {
  cluster->wait_until_ready();
  for (std::size_t i = 0; i < cluster->size(); ++i) {
    auto client = cluster->node(i).client();
    BOOST_TEST(client.put("photos/a", "x").status == 401);
    BOOST_TEST(client.get("photos/a").status == 401);
    BOOST_TEST(client.put("photos/a", "x", by(reader)).status == 403);
    auto put = by(writer);
    put.emplace_back("Kaiku-Durability", "all");
    BOOST_TEST(client.put("photos/a", "x", put).is_success());
    BOOST_TEST(client.put("secret", "x", put).is_success());
    BOOST_TEST(client.get("photos/a", by(reader)).body == "x");
    BOOST_TEST(client.get("secret", by(reader)).status == 403);
    BOOST_TEST(client.request("POST", "/cluster/scrub", by(writer)).status == 403);
    BOOST_TEST(client.request("POST", "/cluster/scrub", by(admin)).is_success());
    BOOST_TEST(client.request("GET", "/healthz/ready").status == 200);
  }
}

BOOST_AUTO_TEST_CASE(every_change_leaves_a_line_that_says_who_and_no_line_has_a_token) {
  cluster->wait_until_ready();
  auto& node = cluster->node(0);
  auto client = node.client();
  auto put = by(writer);
  put.emplace_back("Kaiku-Durability", "all");  // so that this node has it
  BOOST_TEST(client.put("photos/a%20b", "x", put).is_success());
  BOOST_TEST(client.put("photos/c", "x", by(reader)).status == 403);
  BOOST_TEST(client.put("photos/d", "x").status == 401);
  BOOST_TEST(client.get("photos/a%20b", by(reader)).status == 200);
  cluster->wait_for("the lines", milliseconds{5000},
                    [&] { return node.log().find("path=/files/photos/d") != std::string::npos; });
  const auto log = node.log();
  BOOST_TEST(log.find("audit who=\"writer\" from=127.0.0.1 method=PUT path=/files/photos/a%20b status=201") !=
             std::string::npos);
  BOOST_TEST(
      log.find("audit who=\"reader \\\"of\\\" photos\" from=127.0.0.1 method=PUT path=/files/photos/c status=403") !=
      std::string::npos);
  BOOST_TEST(log.find("audit who=\"\" from=127.0.0.1 method=PUT path=/files/photos/d status=401") != std::string::npos);
  BOOST_TEST(log.find("method=GET") == std::string::npos);
  for (const auto& token : {writer, reader, admin})
    BOOST_TEST(log.find(token.substr(token.rfind('_') + 1)) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_file_is_read_again_when_it_changes_or_is_asked_for_and_a_bad_one_changes_nothing) {
  cluster->wait_until_ready();
  auto& node = cluster->node(0);
  auto client = node.client();
  const auto reads = [&](const std::string& token) { return client.get("", by(token)).status == 200; };
  BOOST_TEST(reads(writer));
  take_out("writer");
  cluster->wait_for("the token is taken back", milliseconds{10'000}, [&] { return !reads(writer); });
  const auto fresh = make("fresh", {"read"});
  node.process().send_signal(SIGHUP);
  cluster->wait_for("the new token works", milliseconds{10'000}, [&] { return reads(fresh); });
  std::ofstream(folder / "auth.json") << "{\"tokens\": [1]}";
  cluster->wait_for("it says what is wrong", milliseconds{10'000}, [&] {
    return node.log().find("access control stays as it was: " + file() + ": tokens[0]: an object is expected") !=
           std::string::npos;
  });
  BOOST_TEST(reads(fresh));
}

BOOST_AUTO_TEST_CASE(a_signed_url_is_made_by_the_command_and_good_for_one_file) {
  cluster->wait_until_ready();
  auto client = cluster->node(0).client();
  const auto url = [&](const std::string& method) {
    auto text = run_command({kaikud_program(), "url", "sign", "--file", file(), "--key", "k1", "--method", method,
                             "--path", "/inbox/a b", "--seconds", "60"});
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
  };
  BOOST_TEST(client.request("PUT", url("PUT"), {{"Kaiku-Durability", "all"}}, "content").is_success());
  BOOST_TEST(client.request("GET", url("GET")).body == "content");
  BOOST_TEST(client.request("DELETE", url("PUT")).status == 401);
}

BOOST_AUTO_TEST_SUITE_END()
