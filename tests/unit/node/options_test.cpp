#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include <boost/test/unit_test.hpp>

#include "kaiku/node/options.hpp"

using namespace kaiku;

namespace {

/// A command line with a machine of its own: variables, a host name, and a folder that goes away with it.
struct command_line {
  std::map<std::string, std::string> environment;
  std::string host_name = "n1";
  std::filesystem::path folder;

  command_line() {
    std::string name = (std::filesystem::temp_directory_path() / "kaiku-options-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
  }
  ~command_line() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  std::string write(const std::string& name, const std::string& content, mode_t mode = 0600) const {
    std::string path = (folder / name).string();
    std::ofstream(path) << content;
    BOOST_REQUIRE_EQUAL(::chmod(path.c_str(), mode), 0);
    return path;
  }

  result<parse_outcome> parse(std::vector<std::string> arguments) const {
    std::vector<const char*> argv{"kaikud"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    auto variable = [this](const std::string& name) -> std::optional<std::string> {
      auto found = environment.find(name);
      return found == environment.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
    return parse_options(static_cast<int>(argv.size()), argv.data(), {variable, host_name});
  }

  options accepted(std::vector<std::string> arguments) const {
    auto outcome = parse(std::move(arguments));
    BOOST_REQUIRE_MESSAGE(outcome.ok(), (outcome.ok() ? "" : outcome.failure().detail));
    BOOST_REQUIRE(std::holds_alternative<options>(*outcome));
    return std::get<options>(*outcome);
  }

  /// The complaint; always one line.
  std::string refused(std::vector<std::string> arguments) const {
    auto outcome = parse(std::move(arguments));
    BOOST_REQUIRE_MESSAGE(!outcome.ok(), "was accepted");
    BOOST_TEST((outcome.failure().code == errc::bad_request));
    BOOST_TEST(outcome.failure().detail.find('\n') == std::string::npos, outcome.failure().detail);
    return outcome.failure().detail;
  }

  std::string printed(std::vector<std::string> arguments) const {
    auto outcome = parse(std::move(arguments));
    BOOST_REQUIRE(outcome.ok() && std::holds_alternative<answer_and_exit>(*outcome));
    return std::get<answer_and_exit>(*outcome).text;
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

#define CHECK_CONTAINS(text, part)                                              \
  do {                                                                          \
    std::string t = (text);                                                     \
    BOOST_TEST(contains(t, part), "\"" << t << "\" lacks \"" << (part) << '"'); \
  } while (false)

BOOST_FIXTURE_TEST_SUITE(parse_options_, command_line)

BOOST_AUTO_TEST_CASE(without_arguments_gives_a_cluster_of_one_on_loopback) {
  options x = accepted({});
  BOOST_TEST(x.name.name == "n1");
  BOOST_TEST(x.data.string() == "./kaiku-data");
  BOOST_TEST(to_string(x.http) == "127.0.0.1:8000");
  BOOST_TEST(to_string(x.peers) == "127.0.0.1:9000");
  BOOST_TEST((x.advertise_http == x.http && x.advertise_peers == x.peers));
  BOOST_REQUIRE_EQUAL(x.cluster.size(), 1u);
  BOOST_TEST((x.cluster.front() == initial_member{x.name, x.peers}));
  BOOST_TEST((x.default_durability == durability::leader));
  BOOST_TEST(x.election_timeout.count() == 1000);
  BOOST_TEST(x.heartbeat_interval.count() == 150);
  BOOST_TEST(x.peer_secret == "");
  BOOST_TEST(!x.insecure);
  BOOST_TEST((x.level == log_level::info && x.format == log_format::text));
}

BOOST_AUTO_TEST_CASE(every_option_is_read_from_the_command_line) {
  std::string secret = write("secret", "swordfish\n");
  options x = accepted({"--name",
                        "n2",
                        "--data",
                        "/srv/kaiku",
                        "--http",
                        "[::1]:8001",
                        "--peers",
                        "0.0.0.0:9001",
                        "--advertise-http",
                        "n2.example:8001",
                        "--advertise-peers",
                        "10.0.0.2:9000",
                        "--cluster=n2=10.0.0.2:9000,n1=10.0.0.1:9000",
                        "--durability",
                        "majority",
                        "--election-timeout-ms",
                        "600",
                        "--heartbeat-ms=200",
                        "--peer-secret-file",
                        secret,
                        "--insecure",
                        "--log-level",
                        "debug",
                        "--log-format",
                        "json"});
  BOOST_TEST(x.name.name == "n2");
  BOOST_TEST(x.data.string() == "/srv/kaiku");
  BOOST_TEST(to_string(x.http) == "[::1]:8001");
  BOOST_TEST(x.http.host == "::1");
  BOOST_TEST(to_string(x.peers) == "0.0.0.0:9001");
  BOOST_TEST(to_string(x.advertise_http) == "n2.example:8001");
  BOOST_TEST(to_string(x.advertise_peers) == "10.0.0.2:9000");
  BOOST_REQUIRE_EQUAL(x.cluster.size(), 2u);
  BOOST_TEST(x.cluster[0].id.name == "n1");
  BOOST_TEST(to_string(x.cluster[1].peers) == "10.0.0.2:9000");
  BOOST_TEST((x.default_durability == durability::majority));
  BOOST_TEST(x.election_timeout.count() == 600);
  BOOST_TEST(x.heartbeat_interval.count() == 200);
  BOOST_TEST(x.peer_secret == "swordfish");
  BOOST_TEST(x.insecure);
  BOOST_TEST((x.level == log_level::debug && x.format == log_format::json));
}

BOOST_AUTO_TEST_CASE(every_option_is_read_from_the_environment) {
  environment = {{"KAIKU_NAME", "n2"},
                 {"KAIKU_DATA", "/srv/kaiku"},
                 {"KAIKU_HTTP", "127.0.0.2:8001"},
                 {"KAIKU_PEERS", "127.0.0.2:9001"},
                 {"KAIKU_ADVERTISE_HTTP", "n2:8001"},
                 {"KAIKU_ADVERTISE_PEERS", "n2:9000"},
                 {"KAIKU_CLUSTER", "n1=n1:9000,n2=n2:9000"},
                 {"KAIKU_DURABILITY", "majority"},
                 {"KAIKU_ELECTION_TIMEOUT_MS", "600"},
                 {"KAIKU_HEARTBEAT_MS", "20"},
                 {"KAIKU_PEER_SECRET_FILE", write("secret", "swordfish")},
                 {"KAIKU_INSECURE", "true"},
                 {"KAIKU_LOG_LEVEL", "error"},
                 {"KAIKU_LOG_FORMAT", "json"}};
  options x = accepted({});
  BOOST_TEST(x.name.name == "n2");
  BOOST_TEST(x.data.string() == "/srv/kaiku");
  BOOST_TEST(to_string(x.http) == "127.0.0.2:8001");
  BOOST_TEST(to_string(x.peers) == "127.0.0.2:9001");
  BOOST_TEST(to_string(x.advertise_http) == "n2:8001");
  BOOST_TEST(to_string(x.advertise_peers) == "n2:9000");
  BOOST_TEST(x.cluster.size() == 2u);
  BOOST_TEST((x.default_durability == durability::majority));
  BOOST_TEST(x.election_timeout.count() == 600);
  BOOST_TEST(x.heartbeat_interval.count() == 20);
  BOOST_TEST(x.peer_secret == "swordfish");
  BOOST_TEST(x.insecure);
  BOOST_TEST((x.level == log_level::error && x.format == log_format::json));
}

BOOST_AUTO_TEST_CASE(every_option_is_read_from_the_config_file) {
  std::string secret = write("secret", "swordfish");
  std::string config = write("kaiku.toml",
                             "# a node of three\n"
                             "name = \"n2\"\n"
                             "data = '/srv/kaiku'  # on a volume\n"
                             "http = \"127.0.0.2:8001\"\n"
                             "peers = \"127.0.0.2:9001\"\n"
                             "advertise-http = \"n2:8001\"\n"
                             "advertise-peers = \"n2:9000\"\n"
                             "cluster = [\"n1=n1:9000\", \"n2=n2:9000\", \"n3=[fd00::3]:9000\"]\n"
                             "durability = \"majority\"\n"
                             "election-timeout-ms = 600\n"
                             "heartbeat-ms = 20\n"
                             "peer-secret-file = \"" +
                                 secret +
                                 "\"\n"
                                 "insecure = true\n"
                                 "log-level = \"warn\"\n"
                                 "log-format = \"json\"\n");
  options x = accepted({"--config", config});
  BOOST_TEST(x.name.name == "n2");
  BOOST_TEST(x.data.string() == "/srv/kaiku");
  BOOST_TEST(to_string(x.http) == "127.0.0.2:8001");
  BOOST_TEST(to_string(x.peers) == "127.0.0.2:9001");
  BOOST_TEST(to_string(x.advertise_http) == "n2:8001");
  BOOST_REQUIRE_EQUAL(x.cluster.size(), 3u);
  BOOST_TEST(to_string(x.cluster[2].peers) == "[fd00::3]:9000");
  BOOST_TEST((x.default_durability == durability::majority));
  BOOST_TEST(x.election_timeout.count() == 600);
  BOOST_TEST(x.heartbeat_interval.count() == 20);
  BOOST_TEST(x.peer_secret == "swordfish");
  BOOST_TEST(x.insecure);
  BOOST_TEST((x.level == log_level::warn && x.format == log_format::json));
}

BOOST_AUTO_TEST_CASE(the_cluster_in_the_config_file_may_be_one_text) {
  std::string config = write("kaiku.toml", "cluster = \"n1=h1:9000,n2=h2:9000\"\n");
  BOOST_TEST(accepted({"--config", config}).cluster.size() == 2u);
}

BOOST_AUTO_TEST_CASE(the_command_line_wins_over_the_environment_and_that_over_the_file) {
  environment = {{"KAIKU_HTTP", "127.0.0.1:8002"}, {"KAIKU_PEERS", "127.0.0.1:9002"}};
  environment["KAIKU_CONFIG"] = write(
      "kaiku.toml", "http = \"127.0.0.1:8003\"\npeers = \"127.0.0.1:9003\"\nadvertise-http = \"127.0.0.1:8003\"\n");
  options x = accepted({"--http", "127.0.0.1:8001"});
  BOOST_TEST(x.http.port == 8001);
  BOOST_TEST(x.peers.port == 9002);
  BOOST_TEST(x.advertise_http.port == 8003);
}

BOOST_AUTO_TEST_CASE(writes_at_a_follower_go_on_to_the_leader_unless_they_are_to_be_redirected) {
  BOOST_TEST((accepted({}).client_side.writes == follower_writes::forward));
  BOOST_TEST((accepted({"--follower-writes", "redirect"}).client_side.writes == follower_writes::redirect));
  BOOST_TEST(refused({"--follower-writes", "refuse"}) == "--follower-writes: \"refuse\" is none of forward, redirect");
}

BOOST_AUTO_TEST_CASE(an_empty_or_foreign_variable_counts_as_not_set) {
  environment = {{"KAIKU_HTTP", ""}, {"KAIKU_SERVICE_HOST", "10.0.0.1"}, {"KAIKU_PORT", "tcp://10.0.0.1:80"}};
  BOOST_TEST(to_string(accepted({}).http) == "127.0.0.1:8000");
}

BOOST_AUTO_TEST_CASE(help_and_version_are_answers_and_win_over_other_mistakes) {
  BOOST_TEST(printed({"--version"}) == "kaikud " KAIKU_VERSION "\n");
  std::string help = printed({"--unknown", "--help"});
  for (const char* option : {"--name",
                             "--data",
                             "--http",
                             "--peers",
                             "--advertise-http",
                             "--advertise-peers",
                             "--cluster",
                             "--join",
                             "--durability",
                             "--election-timeout-ms",
                             "--heartbeat-ms",
                             "--peer-secret-file",
                             "--insecure",
                             "--scrub-rate",
                             "--scrub-interval-hours",
                             "--set-aside-days",
                             "--set-aside-bytes",
                             "--remove-dead-minutes",
                             "--kubernetes-labels",
                             "--kubernetes-pod",
                             "--kubernetes-api",
                             "--kubernetes-service-account",
                             "--cors-origin",
                             "--follower-writes",
                             "--http-connections",
                             "--http-requests",
                             "--http-body-bytes",
                             "--http-body-rate",
                             "--http-body-stall-ms",
                             "--http-header-bytes",
                             "--http-header-fields",
                             "--http-header-timeout-ms",
                             "--http-idle-timeout-ms",
                             "--http-ranges",
                             "--http-listing-page",
                             "--log-level",
                             "--log-format",
                             "--config",
                             "--version",
                             "--help",
                             "KAIKU_"}) {
    CHECK_CONTAINS(help, option);
  }
}

BOOST_AUTO_TEST_CASE(what_kaikud_does_not_know_is_named) {
  CHECK_CONTAINS(refused({"--unknown", "text"}), "unknown option --unknown");
  CHECK_CONTAINS(refused({"--follow=n1:9000"}), "unknown option --follow=n1:9000");
  CHECK_CONTAINS(refused({"serve"}), "unexpected argument serve");
  CHECK_CONTAINS(refused({"--name"}), "--name");
  CHECK_CONTAINS(refused({"--name", "a", "--name", "b"}), "--name");
}

BOOST_AUTO_TEST_CASE(a_complaint_names_where_the_value_came_from) {
  BOOST_TEST(refused({"--http", "8000"}) == "--http: \"8000\" is not address:port");
  environment["KAIKU_HTTP"] = "8000";
  BOOST_TEST(refused({}) == "KAIKU_HTTP: \"8000\" is not address:port");
  environment.clear();
  std::string config = write("kaiku.toml", "http = \"8000\"\n");
  BOOST_TEST(refused({"--config", config}) == config + ": http: \"8000\" is not address:port");
}

BOOST_AUTO_TEST_CASE(a_config_file_with_mistakes_is_refused) {
  CHECK_CONTAINS(refused({"--config", (folder / "none.toml").string()}), "cannot be read");
  CHECK_CONTAINS(refused({"--config", write("a.toml", "nmae = \"n1\"\n")}), "unknown key nmae");
  CHECK_CONTAINS(refused({"--config", write("b.toml", "config = \"other.toml\"\n")}), "unknown key config");
  CHECK_CONTAINS(refused({"--config", write("c.toml", "[node]\nname = \"n1\"\n")}), "unknown key [node]");
  CHECK_CONTAINS(refused({"--config", write("d.toml", "name = \"n1\"\nname = \"n2\"\n")}), "name");
  CHECK_CONTAINS(refused({"--config", write("e.toml", "data = \"/srv/a#b\"\n")}), "#");
  CHECK_CONTAINS(refused({"--config", write("f.toml", "insecure = \"maybe\"\n")}), "maybe");
}

BOOST_AUTO_TEST_CASE(only_addresses_of_this_machine_count_as_loopback) {
  for (const char* inside : {"127.0.0.1", "127.1.2.3", "::1", "localhost"})
    BOOST_TEST(is_loopback({inside, 1}), inside);
  for (const char* outside : {"0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "localhost.example", "::ffff:10.0.0.1"}) {
    BOOST_TEST(!is_loopback({outside, 1}), outside);
  }
}

BOOST_AUTO_TEST_CASE(numbers_out_of_range_are_refused) {
  for (const char* bad : {"99", "60001", "-5", "1e3", "", "1000ms", "99999999999"}) {
    CHECK_CONTAINS(refused({"--election-timeout-ms=" + std::string(bad)}), "--election-timeout-ms");
  }
  CHECK_CONTAINS(refused({"--heartbeat-ms", "9"}), "from 10 to 333");
  CHECK_CONTAINS(refused({"--heartbeat-ms", "334"}), "a third of the election timeout");
  BOOST_TEST(accepted({"--heartbeat-ms", "333"}).heartbeat_interval.count() == 333);
  BOOST_TEST(accepted({"--election-timeout-ms", "60000"}).heartbeat_interval.count() == 150);
}

BOOST_AUTO_TEST_CASE(a_short_election_timeout_brings_a_shorter_heartbeat) {
  BOOST_TEST(accepted({"--election-timeout-ms", "300"}).heartbeat_interval.count() == 50);
  BOOST_TEST(accepted({"--election-timeout-ms", "100"}).heartbeat_interval.count() == 16);
}

BOOST_AUTO_TEST_CASE(the_care_for_what_is_stored_has_numbers_in_bounds) {
  const auto usual = accepted({});
  BOOST_TEST(usual.scrub_rate.value == 2u * 1024 * 1024);
  BOOST_TEST(usual.scrub_interval.count() == 168);
  BOOST_TEST(usual.remove_dead_after.count() == 0);
  BOOST_TEST(accepted({"--remove-dead-minutes", "90"}).remove_dead_after.count() == 90);
  BOOST_TEST(usual.set_aside_age.count() == 30 * 24);
  BOOST_TEST(usual.set_aside_bytes.value == 10ull << 30);
  const auto other = accepted(
      {"--scrub-rate", "4096", "--scrub-interval-hours", "0", "--set-aside-days", "2", "--set-aside-bytes", "0"});
  BOOST_TEST(other.scrub_rate.value == 4096u);
  BOOST_TEST(other.scrub_interval.count() == 0);
  BOOST_TEST(other.set_aside_age.count() == 48);
  BOOST_TEST(other.set_aside_bytes.value == 0u);
  CHECK_CONTAINS(refused({"--scrub-rate", "100"}), "\"100\" is not a number from 1024 to");
  CHECK_CONTAINS(refused({"--set-aside-days", "0"}), "\"0\" is not a number from 1 to 3650");
  CHECK_CONTAINS(refused({"--scrub-interval-hours", "1h"}), "\"1h\" is not a number from 0 to 8760");
}

BOOST_AUTO_TEST_CASE(the_client_side_has_bounds_and_origins) {
  const auto usual = accepted({}).client_side;
  BOOST_TEST(usual.cors_origins.empty());
  BOOST_TEST(usual.max_requests == 2048u);
  BOOST_TEST(usual.min_body_rate == 512u);
  const auto other = accepted({"--cors-origin", "https://a.example", "--cors-origin", "http://b.example:8080",
                               "--http-requests", "7", "--http-body-rate", "0", "--http-idle-timeout-ms", "1000"})
                         .client_side;
  BOOST_TEST((other.cors_origins == std::vector<std::string>{"https://a.example", "http://b.example:8080"}));
  BOOST_TEST(other.max_requests == 7u);
  BOOST_TEST(other.min_body_rate == 0u);
  BOOST_TEST(other.idle_timeout.count() == 1000);
  environment["KAIKU_CORS_ORIGIN"] = "*";
  BOOST_TEST((accepted({}).client_side.cors_origins == std::vector<std::string>{"*"}));
  environment.clear();
  const auto config = write("cors.toml", "cors-origin = [\"https://a.example\", \"https://b.example\"]\n");
  BOOST_TEST(accepted({"--config", config}).client_side.cors_origins.size() == 2u);
  for (auto wrong : {"a.example", "https://a.example/", "https://", "https://a b", "null"})
    CHECK_CONTAINS(refused({"--cors-origin", wrong}), "is not an origin");
  CHECK_CONTAINS(refused({"--http-requests", "0"}), "\"0\" is not a number from 1 to");
}

BOOST_AUTO_TEST_CASE(a_pods_label_needs_a_pod_with_a_service_account) {
  BOOST_TEST(!accepted({"--kubernetes-pod", "kaiku-0"}).kubernetes.has_value());
  CHECK_CONTAINS(refused({"--kubernetes-labels"}), "--kubernetes-labels: this is no pod");
  environment = {{"KAIKU_KUBERNETES_LABELS", "true"},
                 {"KUBERNETES_SERVICE_HOST", "10.96.0.1"},
                 {"KUBERNETES_SERVICE_PORT", "443"}};
  CHECK_CONTAINS(refused({}),
                 "KAIKU_KUBERNETES_LABELS: /var/run/secrets/kubernetes.io/serviceaccount/namespace: No such");
  environment["KAIKU_KUBERNETES_SERVICE_ACCOUNT"] = folder.string();
  write("namespace", "files\n");
  CHECK_CONTAINS(refused({}), "/ca.crt: No such file or directory; the pod needs a service account");
  write("ca.crt", "-----BEGIN CERTIFICATE-----\n", 0644);
  CHECK_CONTAINS(refused({}), "/token: No such file");
  write("token", "header.payload.signature", 0644);  // as Kubernetes mounts it, unless the pod has a group
  auto x = accepted({}).kubernetes;
  BOOST_REQUIRE(x.has_value());
  BOOST_TEST(x->api == "https://10.96.0.1:443");
  BOOST_TEST(x->pod == "n1");
  BOOST_TEST(x->name_space == "files");
  environment["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  BOOST_TEST(accepted({}).kubernetes->api == "https://[fd00::1]:443");
  x = accepted({"--kubernetes-api", "https://api.example:6443/", "--kubernetes-pod", "kaiku-2"}).kubernetes;
  BOOST_TEST(x->api == "https://api.example:6443");
  BOOST_TEST(x->pod == "kaiku-2");
}

BOOST_AUTO_TEST_CASE(an_api_server_or_a_pod_that_makes_no_sense_is_refused) {
  for (const char* bad : {"http://api:80", "api:6443", "https://", "https:///x", "https://api/path", "https://a@b"})
    CHECK_CONTAINS(refused({"--kubernetes-api", bad}), "is not https://host:port");
  for (const char* bad : {"../secrets", "A", "a/b", "-a", ""})
    CHECK_CONTAINS(refused({"--kubernetes-pod", bad}), "is not the name of a pod");
}

BOOST_AUTO_TEST_CASE(words_outside_a_choice_are_refused) {
  CHECK_CONTAINS(refused({"--durability", "some"}), "\"some\" is none of leader, majority, all");
  CHECK_CONTAINS(refused({"--log-level", "loud"}), "trace, debug, info, warn, error");
  CHECK_CONTAINS(refused({"--log-format", "xml"}), "text, json");
}

BOOST_AUTO_TEST_CASE(the_host_name_serves_as_name_when_it_can) {
  host_name = "Node-7.example";
  BOOST_TEST(accepted({}).name.name == "node-7.example");
  host_name = "my_machine";
  CHECK_CONTAINS(refused({}), "give --name");
  CHECK_CONTAINS(refused({"--name", "N1"}), "not a member name");
}

BOOST_AUTO_TEST_CASE(a_cluster_that_makes_no_sense_is_refused) {
  CHECK_CONTAINS(refused({"--cluster", "n1"}), "not name=host:port");
  CHECK_CONTAINS(refused({"--cluster", "n1=h1:9000,,n2=h2:9000"}), "not name=host:port");
  CHECK_CONTAINS(refused({"--cluster", "N1=h1:9000"}), "not a member name");
  CHECK_CONTAINS(refused({"--cluster", "n1=h1"}), "n1: \"h1\" is not address:port");
  CHECK_CONTAINS(refused({"--cluster", "n1=h1:9000,n1=h2:9000"}), "n1 stands there twice");
  CHECK_CONTAINS(refused({"--cluster", "n1=h1:9000,n2=h1:9000"}), "two members at h1:9000");
  CHECK_CONTAINS(refused({"--cluster", "n1=0.0.0.0:9000"}), "nobody can connect");
  CHECK_CONTAINS(refused({"--cluster", "n2=h2:9000,n3=h3:9000"}), "does not name this node, \"n1\"");
  CHECK_CONTAINS(refused({"--cluster", "n1=h1:9000", "--advertise-peers", "h1:9001"}), "--cluster says n1=h1:9000");
}

BOOST_AUTO_TEST_CASE(a_node_that_joins_names_no_first_members) {
  options x = accepted({"--join", "h1:9000, [::1]:9001,h1:9000"});
  BOOST_TEST(x.cluster.empty());
  BOOST_REQUIRE_EQUAL(x.join.size(), 2u);
  BOOST_TEST(to_string(x.join[0]) == "h1:9000");
  BOOST_TEST(to_string(x.join[1]) == "[::1]:9001");
  BOOST_TEST((x.advertise_peers == x.peers));
}

BOOST_AUTO_TEST_CASE(join_and_cluster_exclude_each_other) {
  CHECK_CONTAINS(refused({"--join", "h2:9000", "--cluster", "n1=h1:9000"}), "--join and --cluster exclude each other");
  environment["KAIKU_CLUSTER"] = "n1=h1:9000";
  CHECK_CONTAINS(refused({"--join", "h2:9000"}), "--join and --cluster exclude each other");
}

BOOST_AUTO_TEST_CASE(an_address_to_join_that_makes_no_sense_is_refused) {
  CHECK_CONTAINS(refused({"--join", "h1"}), "--join: \"h1\" is not address:port");
  CHECK_CONTAINS(refused({"--join", "n1=h1:9000"}), "--join");
  CHECK_CONTAINS(refused({"--join", "0.0.0.0:9000"}), "nobody can connect");
  CHECK_CONTAINS(refused({"--join", "h1:1,h1:2,h1:3,h1:4,h1:5,h1:6,h1:7,h1:8,h1:9,h1:10"}), "10 addresses; at most 9");
}

BOOST_AUTO_TEST_CASE(a_cluster_has_at_most_the_stated_number_of_members) {
  std::string cluster = "n1=h1:9000";
  for (std::size_t i = 2; i <= limits::members; ++i)
    cluster += ",n" + std::to_string(i) + "=h" + std::to_string(i) + ":9000";
  BOOST_TEST(accepted({"--cluster", cluster}).cluster.size() == limits::members);
  CHECK_CONTAINS(refused({"--cluster", cluster + ",one-more=h:1"}), "at most");
}

BOOST_AUTO_TEST_CASE(what_is_advertised_can_be_reached) {
  options alone = accepted({"--http", "0.0.0.0:8000", "--peers", "[::]:9000", "--insecure"});
  BOOST_TEST(to_string(alone.advertise_http) == "n1:8000");
  BOOST_TEST(to_string(alone.advertise_peers) == "n1:9000");
  options listed =
      accepted({"--http", "0.0.0.0:8000", "--peers", "0.0.0.0:9000", "--cluster", "n1=10.0.0.1:9500", "--insecure"});
  BOOST_TEST(to_string(listed.advertise_http) == "10.0.0.1:8000");
  BOOST_TEST(to_string(listed.advertise_peers) == "10.0.0.1:9500");
  CHECK_CONTAINS(refused({"--advertise-http", "0.0.0.0:8000"}), "nobody can connect");
}

BOOST_AUTO_TEST_CASE(listening_for_strangers_needs_the_word_insecure) {
  std::string secret = write("secret", "swordfish");
  CHECK_CONTAINS(refused({"--http", "0.0.0.0:8000"}), "change every file; give --auth-file, or");
  CHECK_CONTAINS(refused({"--http", "10.0.0.1:8000", "--peer-secret-file", secret}), "--insecure");
  CHECK_CONTAINS(refused({"--peers", "10.0.0.1:9000"}), "pose as a member; give --peer-tls-cert or --peer-secret-file");
  accepted({"--peers", "10.0.0.1:9000", "--peer-secret-file", secret});
  accepted({"--peers", "10.0.0.1:9000", "--http", "[::]:8000", "--insecure"});
  CHECK_CONTAINS(refused({"--http", "0.0.0.0:8000", "--insecure=false"}), "--insecure");
}

BOOST_AUTO_TEST_CASE(certificates_of_everybody_keep_strangers_out) {
  const std::vector<std::string> links{"--peer-tls-cert", "c", "--peer-tls-key", "k", "--peer-tls-ca", "a"};
  auto exposed = links;
  exposed.insert(exposed.end(), {"--peers", "10.0.0.1:9000"});
  const auto x = accepted(exposed);
  BOOST_TEST((x.peer_tls == tls_files{"c", "k", "a"}));
  BOOST_TEST(!x.http_tls);
  std::vector<std::string> https{"--http", "0.0.0.0:8000", "--http-tls-cert", "c", "--http-tls-key", "k"};
  CHECK_CONTAINS(refused(https), "--insecure");
  https.insert(https.end(), {"--http-tls-client-ca", "a"});
  BOOST_TEST((accepted(https).http_tls == tls_files{"c", "k", "a"}));
  https.emplace_back("--http-tls-client-optional");
  CHECK_CONTAINS(refused(https), "--insecure");
  https.emplace_back("--insecure");
  BOOST_TEST((accepted(https).http_tls == tls_files{"c", "k", "a", true}));
}

BOOST_AUTO_TEST_CASE(what_tls_needs_is_given_together) {
  CHECK_CONTAINS(refused({"--peer-tls-cert", "c"}), "go together");
  CHECK_CONTAINS(refused({"--peer-tls-cert", "c", "--peer-tls-key", "k"}), "go together");
  CHECK_CONTAINS(refused({"--peer-tls-ca", "a"}), "go together");
  CHECK_CONTAINS(refused({"--http-tls-cert", "c"}), "go together");
  CHECK_CONTAINS(refused({"--http-tls-client-ca", "a"}), "go together");
  CHECK_CONTAINS(refused({"--http-tls-client-optional"}), "goes with --http-tls-client-ca");
  CHECK_CONTAINS(refused({"--peer-tls-cert", "c", "--peer-tls-key", "k", "--peer-tls-ca", "a", "--peer-secret-file",
                          write("secret", "swordfish")}),
                 "exclude each other");
}

BOOST_AUTO_TEST_CASE(a_secret_file_must_hold_a_secret_that_is_one) {
  CHECK_CONTAINS(refused({"--peer-secret-file", (folder / "none").string()}), "No such file");
  CHECK_CONTAINS(refused({"--peer-secret-file", folder.string()}), "is not a file");
  CHECK_CONTAINS(refused({"--peer-secret-file", write("empty", "\n")}), "is empty");
  CHECK_CONTAINS(refused({"--peer-secret-file", write("open", "swordfish", 0604)}), "chmod go=");
  CHECK_CONTAINS(refused({"--peer-secret-file", write("long", std::string(limits::link_frame_bytes + 1, 'x'))}),
                 "longer");
  BOOST_TEST(accepted({"--peer-secret-file", write("good", "sword fish\r\n", 0600)}).peer_secret == "sword fish");
  const auto pipe = (folder / "pipe").string();
  BOOST_REQUIRE_EQUAL(::mkfifo(pipe.c_str(), 0600), 0);
  CHECK_CONTAINS(refused({"--peer-secret-file", pipe}), "is not a file");
}

BOOST_AUTO_TEST_CASE(a_secret_that_a_group_can_read_is_one_only_when_root_mounted_it_for_this_process) {
  for (mode_t mode : {0660u, 0620u})
    CHECK_CONTAINS(refused({"--peer-secret-file", write("shared", "swordfish", mode)}), "is open to the group");
  const auto mounted = write("mounted", "swordfish", 0440);
  if (::geteuid() != 0) {
    CHECK_CONTAINS(refused({"--peer-secret-file", mounted}), "is open to the group");
    return;
  }
  BOOST_TEST(accepted({"--peer-secret-file", mounted}).peer_secret == "swordfish");
  BOOST_REQUIRE_EQUAL(::chown(mounted.c_str(), 0, 54321), 0);
  CHECK_CONTAINS(refused({"--peer-secret-file", mounted}), "is open to the group 54321");
  BOOST_REQUIRE_EQUAL(::chown(mounted.c_str(), 54321, 0), 0);
  CHECK_CONTAINS(refused({"--peer-secret-file", mounted}), "is open to the group 0");
}

BOOST_AUTO_TEST_CASE(a_complaint_about_a_secret_does_not_tell_it) {
  const std::string secret = "swordfish";
  for (const char* url : {"redis://:swordfish@", "redis://user:swordfish@host:port", "redis://u:swordfish@host/db",
                          "redis://:swordfish%zz@host", "rediss://:swordfish@host", "http://:swordfish@host"})
    BOOST_TEST(!contains(refused({"--redis", url}), secret), url);
  BOOST_TEST(!contains(refused({"--peer-secret-file", write("open", secret, 0644)}), secret));
}

BOOST_AUTO_TEST_CASE(tokens_that_cross_a_network_in_clear_text_are_warned_of) {
  const std::vector<std::string> open{"--http", "0.0.0.0:8000", "--auth-file", "auth.json"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), open.begin(), open.end());
    return accepted(more).warnings.size();
  };
  BOOST_TEST(with({}) == 1u);
  BOOST_TEST(with({"--http-tls-cert", "c", "--http-tls-key", "k"}) == 0u);
  BOOST_TEST(with({"--http-trusted-proxy", "10.0.0.0/8"}) == 0u);
  BOOST_TEST(accepted({"--auth-file", "auth.json"}).warnings.empty());
}

BOOST_AUTO_TEST_CASE(a_password_on_the_command_line_is_warned_of) {
  const auto seen = accepted({"--redis", "redis://:swordfish@10.0.0.1"}).warnings;
  BOOST_REQUIRE_EQUAL(seen.size(), 1u);
  CHECK_CONTAINS(seen.front(), "--redis-password-file");
  BOOST_TEST(!contains(seen.front(), "swordfish"));
  BOOST_TEST(accepted({"--redis", "redis://10.0.0.1"}).warnings.empty());
  environment["KAIKU_REDIS"] = "redis://:swordfish@10.0.0.1";
  BOOST_TEST(accepted({}).warnings.empty());
}

BOOST_AUTO_TEST_CASE(clients_and_members_need_ports_of_their_own) {
  CHECK_CONTAINS(refused({"--http", "127.0.0.1:9000"}), "both 127.0.0.1:9000");
}

BOOST_AUTO_TEST_CASE(redis_is_named_by_a_url_and_its_password_may_come_from_a_file) {
  BOOST_TEST(!accepted({}).redis.has_value());
  const auto local = accepted({"--redis", "unix:///run/redis.sock?db=2"}).redis;
  BOOST_REQUIRE(local.has_value());
  BOOST_TEST(local->path == "/run/redis.sock");
  BOOST_TEST(local->database == 2U);
  const auto file = write("redis-password", "swordfish\n");
  const auto tcp = accepted({"--redis", "redis://:other@10.0.0.1", "--redis-password-file", file}).redis;
  BOOST_REQUIRE(tcp.has_value());
  BOOST_TEST(tcp->password == "swordfish");
}

BOOST_AUTO_TEST_CASE(a_redis_that_can_not_be_is_refused_without_repeating_its_password) {
  CHECK_CONTAINS(refused({"--redis", "rediss://:swordfish@host"}), "TLS");
  BOOST_TEST(refused({"--redis", "redis://:swordfish@host:x"}).find("swordfish") == std::string::npos);
  CHECK_CONTAINS(refused({"--redis-password-file", write("redis-password", "swordfish")}), "goes with --redis");
}

BOOST_AUTO_TEST_SUITE_END()
