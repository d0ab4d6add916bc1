// Members of the cluster and its leader, asked for over HTTP.

#include <nlohmann/json.hpp>

#include "http_fixture.hpp"

namespace {

using namespace kaiku;
using namespace kaiku::test;

const std::string as_json = "Content-Type: application/json\r\n";

std::string code_of(const raw_answer& answer) {
  auto document = nlohmann::json::parse(answer.body, nullptr, false);
  return document.is_object() && document.contains("code") ? document["code"].get<std::string>() : "";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_members, http_fixture)

BOOST_AUTO_TEST_CASE(members_are_listed_and_shown_one_by_one) {
  raw_http client(port());
  auto all = nlohmann::json::parse(client.ask("GET", "/cluster/members").body);
  BOOST_TEST(all["members"].size() == 2U);
  BOOST_TEST(all["members"][0]["id"] == "node-0");
  BOOST_TEST(all["members"][0]["voter"] == true);
  auto one = nlohmann::json::parse(client.ask("GET", "/cluster/members/node-1").body);
  BOOST_TEST(one == all["members"][1]);
  BOOST_TEST(client.ask("GET", "/cluster/members/node-9").status == 404);
  BOOST_TEST(client.ask("GET", "/cluster/members?x=1").status == 400);
  BOOST_TEST(client.ask("PUT", "/cluster/members", {}, "x").header("Allow") == "GET, HEAD, OPTIONS, POST");
  BOOST_TEST(client.ask("POST", "/cluster/members/node-1").header("Allow") == "GET, HEAD, OPTIONS, DELETE");
}

BOOST_AUTO_TEST_CASE(a_member_is_added_by_name_and_address) {
  raw_http client(port());
  auto got = client.ask("POST", "/cluster/members", as_json, R"({"id":"node-3","peer_address":"10.0.0.3:9000"})");
  BOOST_TEST(got.status == 201);
  BOOST_TEST(got.header("Location") == "/cluster/members/node-3");
  BOOST_TEST((node.last_member_change.what == member_change::kind::add));
  BOOST_TEST(node.last_member_change.id.name == "node-3");
  BOOST_TEST(node.last_member_change.peer_address == "10.0.0.3:9000");
  const auto charset = "Content-Type: Application/JSON; charset=utf-8\r\n";
  BOOST_TEST(client.ask("POST", "/cluster/members", charset, R"({"peer_address":"a:1","id":"b"})").status == 201);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_not_exactly_what_is_wanted_is_refused) {
  raw_http client(port());
  for (const auto* body :
       {"", "x", "[]", "null", "\"id\"", "{}", R"({"id":"a"})", R"({"peer_address":"a:1"})",
        R"({"id":1,"peer_address":"a:1"})", R"({"id":"a","peer_address":null})", R"({"id":["a"],"peer_address":"a:1"})",
        R"({"id":"a","peer_address":"a:1","voter":true})", R"({"id":"a","id":"b","peer_address":"a:1"})",
        R"({"id":"a","peer_address":"a:1"} x)", R"({"id":"a","peer_address":"a:1",})", "{\"id\":\"\xff\"}"}) {
    BOOST_TEST_CONTEXT(body) {
      auto got = client.ask("POST", "/cluster/members", as_json, body);
      BOOST_TEST(got.status == 400);
      BOOST_TEST(code_of(got) == "bad_request");
    }
  }
  const std::string deep(limits::http_document_bytes, '[');
  BOOST_TEST(client.ask("POST", "/cluster/members", as_json, deep).status == 400);
  BOOST_TEST(client.ask("POST", "/cluster/members", as_json, deep + "[").status == 413);
  client.send("POST /cluster/members HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + as_json + "\r\n4001\r\n" +
              deep + "[\r\n0\r\n\r\n");
  BOOST_TEST(client.read().status == 413);
  BOOST_TEST(node.last_member_change.id.name.empty());
}

BOOST_AUTO_TEST_CASE(a_body_that_a_form_on_another_site_could_send_is_refused) {
  raw_http client(port());
  for (const auto* type : {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"}) {
    auto got = client.ask("POST", "/cluster/members", type, R"({"id":"a","peer_address":"a:1"})");
    BOOST_TEST(got.status == 415);
    BOOST_TEST(code_of(got) == "unsupported_media_type");
  }
  BOOST_TEST(node.last_member_change.id.name.empty());
}

BOOST_AUTO_TEST_CASE(a_member_is_removed_by_name) {
  raw_http client(port());
  BOOST_TEST(client.ask("DELETE", "/cluster/members/node-1").status == 204);
  BOOST_TEST((node.last_member_change.what == member_change::kind::remove));
  BOOST_TEST(node.last_member_change.id.name == "node-1");
  node.last_member_change = {};
  BOOST_TEST(client.ask("DELETE", "/cluster/members/%2e").status == 404);
  BOOST_TEST(client.ask("DELETE", "/cluster/members/" + std::string(64, 'a')).status == 404);
  BOOST_TEST(node.last_member_change.id.name.empty());
}

BOOST_AUTO_TEST_CASE(what_the_leader_refuses_is_said_with_its_reason) {
  struct row {
    errc code;
    int status;
  };
  raw_http client(port());
  for (auto one : {row{errc::busy, 409}, row{errc::already_exists, 409}, row{errc::bad_request, 400},
                   row{errc::not_found, 404}, row{errc::no_leader, 503}}) {
    node.fail_question = one.code;
    for (const auto& got : {client.ask("POST", "/cluster/members", as_json, R"({"id":"a","peer_address":"a:1"})"),
                            client.ask("DELETE", "/cluster/members/node-1"),
                            client.ask("POST", "/cluster/leader", as_json, R"({"id":"node-1"})")}) {
      BOOST_TEST(got.status == one.status);
      BOOST_TEST(code_of(got) == to_string(one.code));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_leader_is_shown_and_handed_over_to_whom_one_names) {
  node.view_.leader_http = "127.0.0.1:8000";
  raw_http client(port());
  auto now = nlohmann::json::parse(client.ask("GET", "/cluster/leader").body);
  BOOST_TEST(now["leader"] == "node-0");
  BOOST_TEST(now["leader_http"] == "127.0.0.1:8000");
  BOOST_TEST(now["term"] == 3);
  BOOST_TEST(client.ask("POST", "/cluster/leader", as_json, R"({"id":"node-1"})").status == 200);
  BOOST_TEST(node.last_transfer.name == "node-1");
  // Who leads is told once a majority has confirmed it.
  BOOST_TEST((node.last_freshness.level == consistency::linearizable));
  for (const auto* body : {"", "{}"}) {
    node.last_transfer = {"x"};
    BOOST_TEST(client.ask("POST", "/cluster/leader", as_json, body).status == 200);
    BOOST_TEST(node.last_transfer.name.empty());
  }
  BOOST_TEST(client.ask("POST", "/cluster/leader", as_json, R"({"id":""})").status == 400);
  BOOST_TEST(client.ask("POST", "/cluster/leader", as_json, R"({"id":"A B"})").status == 400);
}

BOOST_AUTO_TEST_CASE(an_unknown_leader_is_503) {
  node.view_.leader = {};
  BOOST_TEST(raw_http(port()).ask("GET", "/cluster/leader").status == 503);
}

BOOST_AUTO_TEST_CASE(the_cluster_resource_tells_learners_and_what_may_be_lost) {
  node.learner = true;
  node.possibly_lost = lost_entries{{2}, {38}, {40}};
  raw_http client(port());
  auto got = nlohmann::json::parse(client.ask("GET", "/cluster").body);
  BOOST_TEST(got["members"][0]["voter"] == true);
  BOOST_TEST(got["members"][1]["voter"] == false);
  BOOST_TEST(got["possibly_lost"]["term"] == 2);
  BOOST_TEST(got["possibly_lost"]["first"] == 38);
  BOOST_TEST(got["possibly_lost"]["last"] == 40);
}

BOOST_AUTO_TEST_SUITE_END()
