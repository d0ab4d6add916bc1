// /metrics: figures in the Prometheus text format, counted as requests are answered.

#include <map>
#include <sstream>

#include "http_fixture.hpp"

namespace {

using namespace kaiku;
using namespace kaiku::test;

/// Every sample by its name and labels, as it stands in the text.
std::map<std::string, double> samples(const std::string& text) {
  std::map<std::string, double> out;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#') || line.empty()) continue;
    const auto space = line.rfind(' ');
    BOOST_REQUIRE(space != std::string::npos);
    BOOST_TEST(out.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second, "twice: " << line);
  }
  return out;
}

struct metrics_fixture : http_fixture {
  std::map<std::string, double> scrape() {
    auto got = raw_http{port()}.ask("GET", "/metrics");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    return samples(got.body);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_metrics, metrics_fixture)

BOOST_AUTO_TEST_CASE(requests_are_counted_by_route_method_and_status) {
  raw_http client(port());
  client.ask("PUT", "/files/a", {}, "hello");
  client.ask("GET", "/files/a");
  client.ask("GET", "/files/a");
  client.ask("GET", "/files/none");
  client.ask("GET", "/nowhere");
  const auto found = scrape();
  BOOST_TEST(found.at(R"(kaiku_http_requests_total{code="201",method="PUT",route="/files/{path}"})") == 1);
  BOOST_TEST(found.at(R"(kaiku_http_requests_total{code="200",method="GET",route="/files/{path}"})") == 2);
  BOOST_TEST(found.at(R"(kaiku_http_requests_total{code="404",method="GET",route="/files/{path}"})") == 1);
  BOOST_TEST(found.at(R"(kaiku_http_requests_total{code="404",method="GET",route="none"})") == 1);
  BOOST_TEST(found.at(R"(kaiku_http_request_duration_seconds_count{method="GET",route="/files/{path}"})") == 3);
  BOOST_TEST(found.at(R"(kaiku_http_request_body_bytes_total{method="PUT",route="/files/{path}"})") == 5);
  BOOST_TEST(found.at(R"(kaiku_http_response_body_bytes_total{method="GET",route="/files/{path}"})") > 10);
  // The scrape itself is in flight.
  BOOST_TEST(found.at("kaiku_http_requests_in_flight") == 1);
  BOOST_TEST(found.at("kaiku_http_connections") == 2);
}

BOOST_AUTO_TEST_CASE(what_was_refused_by_its_framing_counts_too) {
  raw_http client(port());
  client.send("GET / HTTP/1.1\nHost: x\r\n\r\n");
  BOOST_TEST(client.read().status == 400);
  BOOST_TEST(scrape().at(R"(kaiku_http_requests_total{code="400",method="other",route="none"})") == 1);
}

BOOST_AUTO_TEST_CASE(the_node_tells_its_role_its_log_and_its_members) {
  const auto found = scrape();
  BOOST_TEST(found.at(R"(kaiku_role{role="leader"})") == 1);
  BOOST_TEST(found.at(R"(kaiku_role{role="follower"})") == 0);
  BOOST_TEST(found.at("kaiku_term") == 3);
  BOOST_TEST(found.at("kaiku_log_last_index") == 41);
  BOOST_TEST(found.at("kaiku_log_commit_index") == 40);
  BOOST_TEST(found.at("kaiku_leader_contact_age_seconds") == 0.007);
  BOOST_TEST(found.at(R"(kaiku_actor_messages_total{actor="election"})") == 9);
  BOOST_TEST(found.at(R"(kaiku_actor_queue_messages{actor="election"})") == 1);
  BOOST_TEST(found.contains("kaiku_disk_free_bytes"));
  BOOST_TEST(found.contains("kaiku_scrub_unrepairable_contents"));
  BOOST_TEST(found.at("process_resident_memory_bytes") > 1'000'000);
  BOOST_TEST(found.at("process_open_fds") > 3);
  BOOST_TEST(found.at("process_start_time_seconds") > 1.6e9);
}

BOOST_AUTO_TEST_CASE(every_name_follows_the_conventions_and_has_a_help_text) {
  const auto text = raw_http{port()}.ask("GET", "/metrics").body;
  std::istringstream lines{text};
  std::string helped;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string hash, what, name, kind;
    words >> hash >> what >> name >> kind;
    if (hash != "#") continue;
    if (what == "HELP") helped = name;
    if (what != "TYPE") continue;
    BOOST_TEST(helped == name);
    BOOST_TEST((name.starts_with("kaiku_") || name.starts_with("process_")), name);
    BOOST_TEST(name.ends_with("_total") == (kind == "counter"), name << " is a " << kind);
  }
}

BOOST_AUTO_TEST_SUITE_END()
