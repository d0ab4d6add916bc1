// What is not a file: writes, what was set aside, the cluster, probes, the interface's description.

#include <set>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "http/conformance.hpp"

namespace {

using namespace kaiku::test;

const std::string json = "Content-Type: application/json\r\n";

std::vector<http_case> writes() {
  return {
      {"a_write_that_all_have_is_told_so",
       {get("/writes/{hello.token}")
            .is(200)
            .has("Content-Type", "application/json")
            .has("Cache-Control", "no-store")
            .body("{\"token\":\"{hello.token}\",\"status\":\"all\",\"holders\":3,\"voters\":3,\"kept\":null}\n"),
        head("/writes/{hello.token}").is(200)}},
      {"a_write_of_a_case_is_told_by_any_node",
       {put("/files/{d}/f", "x", "Kaiku-Durability: all\r\n").is(201).keep("a"),
        get("/writes/{a.token}").is(200).contains("\"status\":\"all\"").contains("\"token\":\"{a.token}\"")}},
      {"a_write_by_a_word_that_is_no_token_is_refused", {get("/writes/abc").is(400, "bad_request")}},
      {"a_write_by_a_token_of_two_parts_is_refused", {get("/writes/12345678.1").is(400, "bad_request")}},
      {"a_write_by_a_token_of_four_parts_is_refused", {get("/writes/{hello.token}.1").is(400, "bad_request")}},
      {"a_write_of_another_cluster_is_refused", {get("/writes/12345678.1.1").is(400, "bad_request")}},
      {"a_write_with_a_parameter_is_refused", {get("/writes/{hello.token}?x=y").is(400, "bad_request")}},
      {"a_write_with_something_behind_it_is_404", {get("/writes/{hello.token}/x").is(404, "not_found")}},
  };
}

std::vector<http_case> set_aside() {
  return {
      {"nothing_is_set_aside",
       {get("/set-aside").is(200).contains("\"entries\":[],\"next\":null").contains("\"node\":").differs(),
        head("/set-aside").is(200).differs()}},
      {"pages_of_what_is_set_aside",
       {get("/set-aside?limit=1&after={hello.token}").is(200).contains("\"entries\":[]").differs()}},
      {"a_page_after_something_else_is_refused", {get("/set-aside?after=abc").is(400, "bad_request")}},
      {"a_page_of_0_is_refused", {get("/set-aside?limit=0").is(400, "bad_request")}},
      {"an_unknown_parameter_is_refused", {get("/set-aside?x=y").is(400, "bad_request")}},
      {"an_entry_that_is_not_there_is_404",
       {get("/set-aside/{hello.token}").is(404, "not_found"),
        get("/set-aside/{hello.token}/content").is(404, "not_found"),
        removal("/set-aside/{hello.token}").is(404, "not_found"),
        post("/set-aside/{hello.token}?op=restore").is(404, "not_found")}},
      {"an_entry_by_a_word_that_is_no_token_is_refused",
       {get("/set-aside/abc").is(400, "bad_request"), removal("/set-aside/abc").is(400, "bad_request"),
        post("/set-aside/abc?op=restore").is(400, "bad_request")}},
  };
}

std::vector<http_case> members() {
  const auto add = [](const std::string& body, const std::string& fields = json) {
    return post("/cluster/members", fields, body);
  };
  const std::string exists = "{\"id\":\"n1\",\"peer_address\":\"127.0.0.1:1\"}";
  return {
      {"members_are_listed",
       {get("/cluster/members")
            .is(200)
            .contains("\"id\":\"n1\"")
            .contains("\"id\":\"n2\"")
            .contains("\"id\":\"n3\"")
            .contains("\"voter\":true")
            .differs(),
        head("/cluster/members").is(200).differs()}},
      {"a_member_is_shown", {get("/cluster/members/n2").is(200).contains("\"id\":\"n2\"").differs()}},
      {"a_member_that_is_not_there_is_404",
       {get("/cluster/members/n9").is(404, "not_found"), removal("/cluster/members/n9").is(404, "not_found")}},
      {"a_member_whose_name_is_not_allowed_is_404",
       {get("/cluster/members/N_1").is(404, "not_found"), removal("/cluster/members/N_1").is(404, "not_found")}},
      {"a_member_that_is_there_is_not_added", {add(exists).is(409, "already_exists")}},
      {"a_new_member_without_a_body_is_refused", {post("/cluster/members").is(400, "bad_request")}},
      {"a_new_member_of_no_type_is_refused", {add(exists, "").is(415, "unsupported_media_type")}},
      {"a_new_member_of_another_type_is_refused",
       {add(exists, "Content-Type: text/json\r\n").is(415, "unsupported_media_type")}},
      {"a_type_with_parameters_is_taken",
       {add(exists, "Content-Type: Application/JSON; charset=utf-8\r\n").is(409, "already_exists")}},
      {"a_new_member_that_is_no_json_is_refused", {add("{\"id\":").is(400, "bad_request")}},
      {"a_new_member_that_is_no_object_is_refused",
       {add("[]").is(400, "bad_request"), add("\"n4\"").is(400, "bad_request"), add("null").is(400, "bad_request")}},
      {"a_new_member_without_an_id_is_refused", {add("{\"peer_address\":\"127.0.0.1:1\"}").is(400, "bad_request")}},
      {"a_new_member_without_an_address_is_refused", {add("{\"id\":\"n4\"}").is(400, "bad_request")}},
      {"a_new_member_whose_address_has_no_port_is_refused",
       {add("{\"id\":\"n4\",\"peer_address\":\"nowhere\"}").is(400, "bad_request"),
        add("{\"id\":\"n4\",\"peer_address\":\"::1:9000\"}").is(400, "bad_request")}},
      {"a_new_member_with_more_than_that_is_refused",
       {add("{\"id\":\"n4\",\"peer_address\":\"127.0.0.1:1\",\"voter\":\"yes\"}").is(400, "bad_request")}},
      {"a_new_member_with_an_id_twice_is_refused",
       {add("{\"id\":\"n4\",\"id\":\"n5\",\"peer_address\":\"127.0.0.1:1\"}").is(400, "bad_request")}},
      {"a_new_member_whose_id_is_a_number_is_refused",
       {add("{\"id\":4,\"peer_address\":\"127.0.0.1:1\"}").is(400, "bad_request")}},
      {"a_new_member_whose_name_is_not_allowed_is_refused",
       {add("{\"id\":\"N 4\",\"peer_address\":\"127.0.0.1:1\"}").is(400, "bad_request")}},
      {"a_document_above_16_kib_is_413",
       {add("{\"id\":\"" + std::string(17'000, 'n') + "\"}").is(413, "body_too_large")}},
      {"a_document_in_chunks_is_taken",
       {raw("POST /cluster/members HTTP/1.1\r\nHost: a\r\n" + json + "Transfer-Encoding: chunked\r\n\r\n" +
                chunked({exists.substr(0, 5), exists.substr(5)}),
            "POST")
            .is(409, "already_exists")}},
      {"members_with_a_parameter_are_refused",
       {get("/cluster/members?x=y").is(400, "bad_request"), get("/cluster/members/n1?x=y").is(400, "bad_request"),
        post("/cluster/members?x=y", json, exists).is(400, "bad_request")}},
  };
}

std::vector<http_case> cluster() {
  return {
      {"the_cluster_is_described",
       {get("/cluster")
            .is(200)
            .has("Content-Type", "application/json")
            .has("Cache-Control", "no-store")
            .contains("\"role\":")
            .contains("\"leader\":\"n")
            .contains("\"members\":[")
            .contains("\"actors\":[")
            .contains("\"possibly_lost\":null")
            .contains("\"free_space\":")
            .contains("\"ready\":true")
            .differs(),
        head("/cluster").is(200).differs()}},
      {"the_cluster_takes_no_parameter", {get("/cluster?x=y").is(400, "bad_request")}},
      {"the_leader_is_named",
       {get("/cluster/leader")
            .is(200)
            .contains("\"leader\":\"n")
            .contains("\"leader_http\":\"127.0.0.1:")
            .contains("\"term\":"),
        head("/cluster/leader").is(200)}},
      {"the_leader_is_not_changed_to_nobody", {post("/cluster/leader", json, "{\"id\":\"n9\"}").is(404, "not_found")}},
      {"the_leader_is_not_changed_to_a_name_that_is_not_allowed",
       {post("/cluster/leader", json, "{\"id\":\"N 1\"}").is(400, "bad_request")}},
      {"the_leader_is_not_changed_by_something_else",
       {post("/cluster/leader", json, "{\"node\":\"n1\"}").is(400, "bad_request"),
        post("/cluster/leader", "Content-Type: text/plain\r\n", "n1").is(415, "unsupported_media_type")}},
      {"the_scrub_is_described",
       {get("/cluster/scrub")
            .is(200)
            .contains("\"running\":")
            .contains("\"damaged\":0")
            .contains("\"unrepairable\":0")
            .differs()}},
      {"the_actors_of_all_nodes_are_told",
       {get("/actors").is(200).has("Cache-Control", "no-store").contains("\"name\":\"replication\"").differs(),
        head("/actors").is(200).differs()}},
      {"the_actors_of_one_node_are_told", {get("/actors?node=n2").is(200).contains("\"name\":\"n2\"").differs()}},
      {"the_actors_of_no_node_are_404", {get("/actors?node=n99").is(404, "not_found")}},
      {"actors_take_no_other_parameter", {get("/actors?x=y").is(400, "bad_request")}},
      {"an_actor_that_is_not_there_is_404",
       {get("/actors/n1:999999999").is(404, "not_found"), get("/actors/nonsense").is(404, "not_found"),
        get("/actors/n99:1").is(404, "not_found")}},
      {"the_timeline_is_told", {get("/actors/timeline").is(200).contains("\"kind\":\"started\"").differs()}},
      {"the_timeline_behind_nonsense_is_refused", {get("/actors/timeline?after=x").is(400, "bad_request")}},
      {"the_scrub_is_started", {post("/cluster/scrub").is(202).contains("\"node\":\"n").differs()}},
      {"the_scrub_takes_no_parameter", {post("/cluster/scrub?x=y").is(400, "bad_request")}},
      {"the_process_is_alive",
       {get("/healthz/live")
            .is(200)
            .has("Content-Type", "application/json")
            .contains("\"status\":\"ok\"")
            .contains("\"reason\":")
            .differs(),
        head("/healthz/live").is(200).differs()}},
      {"the_node_is_ready", {get("/healthz/ready").is(200).contains("\"status\":\"ok\"").differs()}},
      {"probes_take_no_parameter",
       {get("/healthz/live?x=y").is(400, "bad_request"), get("/healthz/ready?x=y").is(400, "bad_request"),
        get("/healthz/leader?x=y").is(400, "bad_request"), get("/healthz/replica?x=y").is(400, "bad_request")}},
      {"the_interface_is_described",
       {get("/openapi.json")
            .is(200)
            .has("Content-Type", "application/json")
            .contains("\"openapi\": \"3.1")
            .contains("/files/{path}"),
        head("/openapi.json").is(200)}},
      {"the_description_takes_no_parameter", {get("/openapi.json?x=y").is(400, "bad_request")}},
  };
}

std::string code_of(const raw_answer& got) {
  return nlohmann::json::parse(got.body).value("code", "");
}

BOOST_AUTO_TEST_SUITE(resources)

const cases of_writes(writes());
const cases of_set_aside(set_aside());
const cases of_members(members());
const cases of_cluster(cluster());

BOOST_AUTO_TEST_CASE(probes_tell_the_leader_from_the_others) {
  shared_cluster();
  raw_http leader(shared_leader_port()), follower(shared_follower_port());
  BOOST_TEST(leader.ask("GET", "/healthz/leader").status == 200);
  BOOST_TEST(leader.ask("GET", "/healthz/replica").status == 503);
  BOOST_TEST(follower.ask("GET", "/healthz/replica").status == 200);
  const auto refused = follower.ask("GET", "/healthz/leader");
  BOOST_TEST(refused.status == 503);
  BOOST_TEST(refused.header("Retry-After") == "1");
  BOOST_TEST(refused.header("Content-Type") == "application/json");
  BOOST_TEST(nlohmann::json::parse(refused.body)["status"] == "unavailable");
  BOOST_TEST(nlohmann::json::parse(refused.body)["role"] == "follower");
}

BOOST_AUTO_TEST_CASE(a_write_that_nobody_has_made_yet_is_unknown_on_every_node) {
  const auto token = raw_http(shared_leader_port()).ask("PUT", "/files/unknown", {}, "x").header("Kaiku-Token");
  const auto later = token.substr(0, token.rfind('.') + 1) + "999999999";
  for (auto port : {shared_leader_port(), shared_follower_port()}) {
    const auto got = raw_http(port).ask("GET", "/writes/" + later);
    BOOST_TEST(got.status == 200);
    BOOST_TEST(nlohmann::json::parse(got.body)["status"] == "unknown");
  }
}

BOOST_AUTO_TEST_CASE(a_read_that_can_not_become_fresh_is_503_after_its_wait) {
  const auto token = raw_http(shared_leader_port()).ask("PUT", "/files/unknown", {}, "x").header("Kaiku-Token");
  const auto later = token.substr(0, token.rfind('.') + 1) + "999999999";
  raw_http leader(shared_leader_port()), follower(shared_follower_port());
  leader.request("GET", "/files/unknown?token=" + later);
  follower.request("GET", "/files/unknown?token=" + later);
  for (auto* node : {&leader, &follower}) {
    const auto got = node->read();
    BOOST_TEST(got.status == 503);
    BOOST_TEST(code_of(got) == "not_fresh");
    BOOST_TEST(got.header("Retry-After") == "1");
  }
}

/// Each path of the document is served, and no method beyond its own.
BOOST_AUTO_TEST_CASE(the_description_names_the_methods_that_options_names) {
  for (auto port : {shared_leader_port(), shared_follower_port()}) {
    raw_http client(port);
    const auto document = nlohmann::json::parse(client.ask("GET", "/openapi.json").body);
    BOOST_TEST(document["paths"].size() >= 15U);
    for (const auto& [path, item] : document["paths"].items()) {
      std::string target = path;
      for (auto open = target.find('{'); open != std::string::npos; open = target.find('{'))
        target.replace(open, target.find('}') - open + 1, "x");
      std::set<std::string> described, allowed;
      for (const auto& [method, operation] : item.items()) {
        if (method == "parameters") continue;
        std::string name = method;
        for (auto& c : name) c = static_cast<char>(c - 32);
        described.insert(name);
      }
      const auto got = client.ask("OPTIONS", target);
      BOOST_TEST(got.status == 204, path);
      std::istringstream list(got.header("Allow"));
      for (std::string name; std::getline(list >> std::ws, name, ',');) allowed.insert(name);
      BOOST_TEST(described == allowed, boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
