// Requests that are followed: who asks for it, whose trace it is, and what the answer says.

#include <algorithm>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "http_fixture.hpp"
#include "kaiku/http/api/tracing.hpp"
#include "schemas.hpp"

namespace kaiku::test {
namespace {

using nlohmann::json;

struct tracing_fixture : http_fixture {
  json openapi() {
    raw_http client(port());
    return json::parse(client.ask("GET", "/openapi.json").body);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_tracing, tracing_fixture)

BOOST_AUTO_TEST_CASE(the_openapi_document_tells_of_traces_with_every_request_and_its_answer) {
  const auto described = openapi();
  const auto has = [](const json& all, const std::string& ref) {
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.value("$ref", "") == ref; });
  };
  for (const auto& [path, item] : described["paths"].items()) {
    for (const char* name : {"Trace", "Traceparent"})
      BOOST_TEST(has(item.value("parameters", json::array()), std::string("#/components/parameters/") + name), path);
    for (const char* method : {"get", "put", "post", "delete", "patch"}) {
      if (!item.contains(method)) continue;
      for (const auto& [code, answer] : item[method]["responses"].items())
        for (const char* field : {"Kaiku-Trace", "traceparent"})
          if (code[0] == '2') BOOST_TEST(answer["headers"].contains(field), method << " " << path << " " << code);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_traceparent_is_gone_on_with_if_it_is_whole_and_sampled) {
  const std::string id = "0af7651916cd43dd8448eb211c80319c", span = "b7ad6b7169203331";
  const auto whole = parse_traceparent("00-" + id + "-" + span + "-01");
  BOOST_REQUIRE(whole.has_value());
  BOOST_TEST(to_string(whole->id) == id);
  BOOST_TEST(whole->span.value == 0xb7ad6b7169203331u);
  BOOST_TEST(parse_traceparent("00-" + id + "-" + span + "-ff").has_value());  // flags that are not known yet
  const std::string no_id(32, '0'), no_span(16, '0');
  for (const auto& one : std::vector<std::string>{
           "", "00", "00-" + id + "-" + span + "-00", "00-" + id + "-" + span + "-02", "01-" + id + "-" + span + "-01",
           "ff-" + id + "-" + span + "-01", "00-" + no_id + "-" + span + "-01", "00-" + id + "-" + no_span + "-01",
           "00-" + id + "-" + span + "-1", "00-" + id + "-" + span + "-01-", "00-" + id + "-" + span + "-0g",
           "00_" + id + "-" + span + "-01", "00-" + id + "_" + span + "-01", "00-" + id + "-" + span + "_01",
           "00-0AF7651916CD43DD8448EB211C80319C-" + span + "-01", "00-" + id + "-B7AD6B7169203331-01",
           "00-" + id + "-" + span + "-0B", "00-" + id.substr(1) + "g-" + span + "-01"})
    BOOST_TEST(!parse_traceparent(one).has_value(), one);
}

BOOST_AUTO_TEST_CASE(a_request_is_traced_if_it_asks_for_that_and_only_then) {
  raw_http client(port());
  const std::string above = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
  for (const auto& fields : {std::string{}, std::string{"Kaiku-Trace: 0\r\n"}, above}) {
    const auto got = client.ask("GET", "/cluster", fields);
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.header("Kaiku-Trace").empty(), fields);
    BOOST_TEST(got.header("traceparent").empty(), fields);
  }
  for (const char* value : {"2", "yes", "", "01", "1, 1"})
    BOOST_TEST(client.ask("GET", "/cluster", "Kaiku-Trace: " + std::string(value) + "\r\n").status == 400, value);

  const auto fresh = client.ask("GET", "/cluster", "Kaiku-Trace: 1\r\n");
  const auto id = fresh.header("Kaiku-Trace");
  BOOST_TEST(id.size() == 32u);
  BOOST_TEST(fresh.header("traceparent").starts_with("00-" + id + "-"));
  BOOST_TEST(fresh.header("traceparent").ends_with("-01"));
  // One that can't be gone on with is passed over.
  const auto other = client.ask("GET", "/cluster", "Kaiku-Trace: 1\r\ntraceparent: 00-1-2-01\r\n");
  BOOST_TEST(other.status == 200);
  BOOST_TEST(other.header("Kaiku-Trace").size() == 32u);
  BOOST_TEST(client.ask("GET", "/cluster", above + "Kaiku-Trace: 1\r\n").header("Kaiku-Trace") ==
             "0af7651916cd43dd8448eb211c80319c");
  // A problem too, and what it was asked of is told in ASCII.
  const auto unknown = client.ask("GET", "/files/\xc3\xa4", "Kaiku-Trace: 1\r\n");
  BOOST_TEST(unknown.status >= 400);
  const auto traces = json::parse(client.ask("GET", "/actors/traces").body);
  const described_schemas described(openapi());
  for (const auto& one : described.complaints_of("Traces", traces)) BOOST_ERROR(one);
  BOOST_REQUIRE(traces["traces"].size() >= 3u);
  BOOST_TEST(traces["traces"][0]["id"] == unknown.header("Kaiku-Trace"));
  BOOST_TEST(traces["traces"][0]["what"] == "GET /files/??");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
