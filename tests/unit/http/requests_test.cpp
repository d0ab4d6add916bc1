// What is refused, and how: framing, paths, queries, methods, options, the error table, probes, the OpenAPI document.

#include <nlohmann/json.hpp>
#include <set>

#include "http_fixture.hpp"
#include "kaiku/http/api/problem.hpp"
#include "kaiku/http/api/router.hpp"

namespace {

using namespace kaiku;
using namespace std::string_literals;
using namespace kaiku::test;

std::string code_of(const raw_answer& answer) {
  auto document = nlohmann::json::parse(answer.body, nullptr, false);
  return document.is_object() && document.contains("code") ? document["code"].get<std::string>() : "";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_requests, http_fixture)

BOOST_AUTO_TEST_CASE(ambiguous_framing_is_refused_and_ends_the_connection) {
  struct row {
    const char* what;
    std::string bytes;
    int status = 400;
  };
  const std::string put = "PUT /files/f HTTP/1.1\r\nHost: a\r\n", chunk = "1\r\nx\r\n0\r\n\r\n";
  const std::string coded = put + "Transfer-Encoding: chunked\r\n";
  const std::vector<row> table{
      {"length and coding", put + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk},
      {"coding and length", coded + "Content-Length: 1\r\n\r\n" + chunk},
      {"two lengths", put + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"},
      {"two equal lengths", put + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"},
      {"a list of lengths", put + "Content-Length: 1, 1\r\n\r\nx"},
      {"a signed length", put + "Content-Length: +1\r\n\r\nx"},
      {"a negative length", put + "Content-Length: -1\r\n\r\nx"},
      {"an empty length", put + "Content-Length: \r\n\r\nx"},
      {"a hexadecimal length", put + "Content-Length: 0x1\r\n\r\nx"},
      {"a length beyond 64 bits", put + "Content-Length: 18446744073709551616\r\n\r\nx"},
      {"two codings", coded + "Transfer-Encoding: chunked\r\n\r\n" + chunk},
      {"a coding twice", put + "Transfer-Encoding: chunked, chunked\r\n\r\n" + chunk, 501},
      {"another coding", put + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk, 501},
      {"chunked not last", put + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunk, 501},
      {"a coding in HTTP/1.0", "PUT /files/f HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk},
      {"a space before the colon", put + "Content-Length : 1\r\n\r\nx"},
      {"a folded line", put + "X: a\r\n b\r\n\r\n"},
      {"a folded first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"bare line feeds", "GET /files/ HTTP/1.1\nHost: a\n\n"},
      {"one bare line feed", "GET /files/ HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"},
      {"a bare carriage return", "GET /files/ HTTP/1.1\r\nHost: a\rb\r\n\r\n"},
      {"a NUL in a value", put + "X: a\0b\r\n\r\n"s},
      {"a bell in a value", put + "X: a\x07\r\n\r\n"},
      {"a NUL in the target", "GET /files/\0 HTTP/1.1\r\nHost: a\r\n\r\n"s},
      {"no name", put + ": a\r\n\r\n"},
      {"no colon", put + "X\r\n\r\n"},
      {"no Host", "GET /files/ HTTP/1.1\r\n\r\n"},
      {"two Hosts", "GET /files/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"a Host with a path", "GET /files/ HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {"a Host with a user", "GET /files/ HTTP/1.1\r\nHost: a@b\r\n\r\n"},
      {"no version", "GET /files/\r\nHost: a\r\n\r\n"},
      {"two spaces", "GET  /files/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"another version", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
      {"a TLS hello", "\x16\x03\x01\x02\x00\x01\r\n\r\n"s},
      {"nonsense", "hello\r\n\r\n"},
      {"too many fields",
       "GET / HTTP/1.1\r\nHost: a\r\n" +
           [] {
             std::string all;
             for (int i = 0; i < 101; ++i) all += "X: y\r\n";
             return all;
           }() +
           "\r\n",
       431},
      {"a header too large", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
      {"a target too large", "GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 431},
  };
  for (const auto& one : table) {
    BOOST_TEST_CONTEXT(one.what) {
      raw_http client(port());
      // What follows would be a second request to whoever is fooled.
      client.send(one.bytes + "GET /files/smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
      auto got = client.read();
      BOOST_TEST(got.status == one.status);
      BOOST_TEST(got.header("Content-Type") == "application/problem+json");
      BOOST_TEST(got.closes());
      client.finish_sending();
      BOOST_TEST(client.at_end());
    }
  }
  BOOST_TEST(node.writes == 0);
}

BOOST_AUTO_TEST_CASE(malformed_chunks_store_nothing_and_end_the_connection) {
  const std::vector<std::string> bodies{"x\r\n\r\n",
                                        "-1\r\nx\r\n0\r\n\r\n",
                                        "1\r\nxy\r\n0\r\n\r\n",
                                        "1\nx\n0\n\n",
                                        "10000000000000000\r\nx\r\n0\r\n\r\n",
                                        "1;a=\"\n\"\r\nx\r\n0\r\n\r\n",
                                        "1;\x01\r\nx\r\n0\r\n\r\n",
                                        "1 1\r\nx\r\n0\r\n\r\n",
                                        "1\r\nx\r\n0\r\nContent-Length: 5\r\n\r\n",
                                        "1\r\nx\r\n0\r\nX : 5\r\n\r\n",
                                        "1\r\nx\r\n0\r\nX: 5\r\n 6\r\n\r\n",
                                        "1\r\nx\r\n0\n\n",
                                        "1\r\nx\r\n0\r\n" + std::string(70'000, 'x')};
  for (const auto& body : bodies) {
    BOOST_TEST_CONTEXT(body.substr(0, 40)) {
      raw_http client(port());
      client.send("PUT /files/f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body);
      auto got = client.read();
      BOOST_TEST(got.status == 400);
      BOOST_TEST(got.closes());
    }
  }
  BOOST_TEST(node.writes == 0);
}

BOOST_AUTO_TEST_CASE(paths_are_decoded_once_and_tricks_are_refused) {
  node.add_file("a b/%41", "x");
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "/files/a%20b/%2541").status == 200);
  const std::vector<std::string> bad{"/files/a/../b",
                                     "/files/..",
                                     "/files/%2e%2e/a",
                                     "/files/a/./b",
                                     "/files/a%2fb",
                                     "/files/a%2Fb",
                                     "/files/a%00b",
                                     "/files/a%0ab",
                                     "/files/%7f",
                                     "/files/a//b",
                                     "/files/%",
                                     "/files/%4",
                                     "/files/%zz",
                                     "/files/%ff",
                                     "/files/%c0%ae",
                                     "/files/%ed%a0%80",
                                     "/files/" + std::string(256, 'a')};
  for (const auto& target : bad) {
    for (auto method : {"GET", "PUT", "DELETE"}) {
      BOOST_TEST_CONTEXT(method << " " << target) {
        auto got = client.ask(method, target, {}, std::string_view(method) == "PUT" ? "x" : "");
        BOOST_TEST(got.status == 400);
        BOOST_TEST(code_of(got) == "invalid_path");
      }
    }
  }
  std::string deep = "/files";
  for (int i = 0; i < 2050; ++i) deep += "/a";
  BOOST_TEST(code_of(client.ask("GET", deep)) == "invalid_path");
  BOOST_TEST(node.writes == 0);
}

BOOST_AUTO_TEST_CASE(targets_come_in_origin_and_absolute_form) {
  node.add_file("f", "x");
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "http://other:80/files/f").status == 200);
  BOOST_TEST(client.ask("GET", "HTTPS://other/files/f").status == 200);
  BOOST_TEST(client.ask("GET", "http://other").status == 404);
  BOOST_TEST(client.ask("GET", "http://other?x").status == 404);
  BOOST_TEST(client.ask("GET", "/files/f#part").status == 400);
  BOOST_TEST(client.ask("GET", "files/f").status == 400);
  BOOST_TEST(client.ask("GET", "http:///files/f").status == 400);
  BOOST_TEST(client.ask("GET", "ftp://other/files/f").status == 400);
  BOOST_TEST(client.ask("OPTIONS", "*").status == 204);
  BOOST_TEST(client.ask("GET", "*").status == 400);
  for (auto target : {"/", "/filesystem", "/file", "/healthz", "/healthz/live/", "/Files/f"})
    BOOST_TEST(client.ask("GET", target).status == 404, target);
}

BOOST_AUTO_TEST_CASE(nothing_that_is_asked_for_is_silently_passed_over) {
  node.add_file("f", "x");
  raw_http client(port());
  auto refused = [&](std::string_view method, std::string_view target, std::string_view fields = {}) {
    auto got = client.ask(method, target, fields, method == "PUT" ? "x" : "");
    BOOST_TEST_CONTEXT(method << " " << target << " " << fields) {
      BOOST_TEST(got.status == 400);
    }
  };
  refused("GET", "/files/f?x=1");
  refused("GET", "/files/f?limit=1");
  refused("PUT", "/files/f?recursive=false");
  refused("PUT", "/files/f?parents=maybe");
  refused("PUT", "/files/f?parents=true&parents=true");
  refused("PUT", "/files/f?%zz");
  refused("DELETE", "/files/f?parents=true");
  refused("POST", "/files/f?op=mkdir&to=x");
  refused("GET", "/healthz/live?x");
  refused("GET", "/cluster?x=1");
  refused("PUT", "/files/f?durability=most");
  refused("GET", "/files/f", "Kaiku-Durability: sometimes\r\n");
  refused("GET", "/cluster", "Kaiku-Token: a\r\n");
  refused("PUT", "/files/f", "Kaiku-Durability: sometimes\r\n");
  refused("PUT", "/files/f?durability=leader", "Kaiku-Durability: majority\r\n");
  refused("PUT", "/files/f", "Kaiku-Durability: leader\r\nKaiku-Durability: majority\r\n");
  refused("GET", "/files/f", "Kaiku-Consistency: strong\r\n");
  refused("GET", "/files/f?consistency=leader");
  refused("GET", "/files/f", "Kaiku-Token: a\r\n");
  refused("PUT", "/files/f", "Content-Range: bytes 0-0/1\r\n");
  refused("PUT", "/files/f", "Content-Type: text\r\n");
  refused("PUT", "/files/f", "Content-Type: text/p lain\r\n");
  refused("PUT", "/files/f", "Content-Type: text/" + std::string(300, 'x') + "\r\n");
  BOOST_TEST(client.ask("PUT", "/files/f", "Expect: magic\r\n", "x").status == 417);
  BOOST_TEST(node.writes == 0);
  BOOST_TEST(client.ask("GET", "/files/f?consistency=any", "Kaiku-Consistency: any\r\n").status == 200);
}

BOOST_AUTO_TEST_CASE(a_method_that_is_not_there_is_405_with_allow_and_one_that_is_nowhere_501) {
  raw_http client(port());
  for (auto method : {"TRACE", "PROPFIND", "FOO"}) {
    auto got = client.ask(method, "/files/f");
    BOOST_TEST(got.status == 501);
    BOOST_TEST(nlohmann::json::parse(got.body)["code"] == "not_implemented");
  }
  BOOST_TEST(client.ask("DELETE", "/cluster").header("Allow") == "GET, HEAD, OPTIONS");
  for (auto root : {"/files", "/files/"}) {
    for (auto method : {"PUT", "DELETE", "PATCH"}) {
      auto got = client.ask(method, root);
      BOOST_TEST(got.status == 405);
      BOOST_TEST(got.header("Allow") == "GET, HEAD, OPTIONS, POST");
    }
    auto told = client.ask("OPTIONS", root);
    BOOST_TEST(told.header("Allow") == "GET, HEAD, OPTIONS, POST");
    BOOST_TEST(told.header("Accept-Patch") == "");
  }
  auto options = client.ask("OPTIONS", "/files/f");
  BOOST_TEST(options.status == 204);
  BOOST_TEST(options.header("Allow") == "GET, HEAD, OPTIONS, PUT, POST, DELETE, PATCH");
}

BOOST_AUTO_TEST_CASE(a_follower_that_redirects_names_the_leader_before_it_reads_a_body) {
  settings.writes = follower_writes::redirect;
  const std::string leader = settings.tls ? "https://10.0.0.7:8000" : "http://10.0.0.7:8000";
  node.view_.now = role::follower;
  node.view_.leader_http = "10.0.0.7:8000";
  node.add_file("f", "x");
  for (auto [method, target] :
       {std::pair{"PUT", "/files/a%20b/c?ttl=60&parents=true"}, std::pair{"DELETE", "/files/f"},
        std::pair{"POST", "/files/f?op=append"}, std::pair{"POST", "/files/"}, std::pair{"PATCH", "/files/f"}}) {
    raw_http client(port());
    client.send(std::string(method) + " " + target +
                " HTTP/1.1\r\nHost: k\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    auto got = client.read();
    BOOST_TEST(got.status == 307);
    BOOST_TEST(got.header("Location") == leader + target);
  }
  raw_http client(port());
  BOOST_TEST(client.ask("PUT", "http://evil.example/files/f", {}, "x").header("Location") == leader + "/files/f");
  BOOST_TEST(client.ask("GET", "/files/f").status == 200);
  BOOST_TEST(client.ask("POST", "/cluster/scrub").status == 202);
  BOOST_TEST(node.writes == 0);
  // A page of this node can't follow to another.
  for (const char* page : {"Origin: http://kaiku\r\n", "Origin: http://kaiku\r\nSec-Fetch-Site: same-origin\r\n"})
    BOOST_TEST(client.ask("PUT", "/files/f", page, "x").status == 204);
  BOOST_TEST(client.ask("PUT", "/files/f", "Origin: http://kaiku\r\nSec-Fetch-Site: same-site\r\n", "x").status == 403);
  node.view_.leader_http.clear();
  auto alone = client.ask("PUT", "/files/f", {}, "y");
  BOOST_TEST(alone.status == 503);
  BOOST_TEST(nlohmann::json::parse(alone.body)["code"] == "no_leader");
  node.view_.now = role::leader;
  BOOST_TEST(client.ask("PUT", "/files/f", {}, "y").status == 204);
}

BOOST_AUTO_TEST_CASE(each_error_has_its_status_and_a_problem_document) {
  struct row {
    errc code;
    int status;
  };
  raw_http client(port());
  for (auto one :
       {row{errc::bad_request, 400},      row{errc::invalid_path, 400},   row{errc::not_found, 404},
        row{errc::not_a_directory, 409},  row{errc::is_a_directory, 409}, row{errc::directory_not_empty, 409},
        row{errc::parent_missing, 409},   row{errc::already_exists, 409}, row{errc::precondition_failed, 412},
        row{errc::too_many_entries, 422}, row{errc::key_reused, 422},     row{errc::body_too_large, 413},
        row{errc::no_leader, 503},        row{errc::not_leader, 503},     row{errc::quorum_lost, 503},
        row{errc::outcome_unknown, 503},  row{errc::overloaded, 503},     row{errc::disk_full, 507},
        row{errc::io_error, 500},         row{errc::corrupt, 500},        row{errc::stale_term, 500}}) {
    BOOST_TEST_CONTEXT(to_string(one.code)) {
      node.fail_write = one.code;
      auto got = client.ask("PUT", "/files/f", {}, "x");
      BOOST_TEST(got.status == one.status);
      BOOST_TEST(got.header("Content-Type") == "application/problem+json");
      const bool may_stand = one.code == errc::outcome_unknown;
      BOOST_TEST(got.header("Retry-After") == (one.status == 503 && !may_stand ? "1" : ""));
      auto document = nlohmann::json::parse(got.body);
      BOOST_TEST(document["code"] == to_string(one.code));
      BOOST_TEST(document["status"] == one.status);
      BOOST_TEST(document["type"] == "urn:kaiku:problem:" + std::string(to_string(one.code)));
      BOOST_TEST(!document["title"].get<std::string>().empty());
      BOOST_TEST(document["detail"] == "this write fails");
    }
  }
}

BOOST_AUTO_TEST_CASE(probes_say_200_or_503_and_why) {
  auto probe = [&](const char* which) { return raw_http(port()).ask("GET", std::string("/healthz/") + which); };
  auto expect = [&](role now, bool ready, int live, int is_ready, int leader, int replica) {
    boost::asio::post(io, [&, now, ready] {
      node.view_.now = now;
      node.view_.ready = ready;
      node.view_.not_ready_reason = ready ? "" : "12 entries behind";
    });
    BOOST_TEST(probe("live").status == live);
    BOOST_TEST(probe("ready").status == is_ready);
    BOOST_TEST(probe("leader").status == leader);
    BOOST_TEST(probe("replica").status == replica);
  };
  port();
  expect(role::leader, true, 200, 200, 200, 503);
  expect(role::follower, true, 200, 200, 503, 200);
  expect(role::follower, false, 200, 503, 503, 503);
  auto why = nlohmann::json::parse(probe("ready").body);
  BOOST_TEST(why["reason"] == "12 entries behind");
  BOOST_TEST(why["node"] == "node-0");
}

BOOST_AUTO_TEST_CASE(the_cluster_resource_shows_members_and_actors) {
  raw_http client(port());
  auto got = nlohmann::json::parse(client.ask("GET", "/cluster").body);
  BOOST_TEST(got["role"] == "leader");
  BOOST_TEST(got["members"].size() == 2U);
  BOOST_TEST(got["members"][1]["connected"] == false);
  BOOST_TEST(got["members"][1]["match"].is_null());
  BOOST_TEST(got["actors"][0]["name"] == "election");
  BOOST_TEST(got["free_space"] == 1 << 30);
}

/// RFC 8259, 4: what a reader makes of them is its own affair.
BOOST_AUTO_TEST_CASE(no_object_of_the_openapi_document_has_two_members_of_a_name) {
  raw_http client(port());
  std::vector<std::set<std::string>> open;
  const auto look = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using happened = nlohmann::json::parse_event_t;
    if (event == happened::object_start) open.emplace_back();
    if (event == happened::object_end) open.pop_back();
    if (event == happened::key) BOOST_TEST(open.back().insert(parsed.get<std::string>()).second, parsed);
    return true;
  };
  BOOST_TEST(!nlohmann::json::parse(client.ask("GET", "/openapi.json").body, look).empty());
}

BOOST_AUTO_TEST_CASE(the_openapi_document_has_the_paths_and_methods_of_the_route_table) {
  raw_http client(port());
  auto got = client.ask("GET", "/openapi.json");
  BOOST_TEST(got.header("Content-Type") == "application/json");
  auto document = nlohmann::json::parse(got.body);
  BOOST_TEST(document["openapi"] == "3.1.0");
  std::set<std::string> described, served;
  for (const auto& [path, item] : document["paths"].items())
    for (const auto& [method, operation] : item.items())
      if (method != "parameters") described.insert(method + " " + path);
  for (const auto& one : routes()) {
    const std::string path(one.pattern);
    for (auto method : {"get ", "head ", "options "}) served.insert(method + path);
    if (one.put != nullptr) served.insert("put " + path);
    if (one.post != nullptr) served.insert("post " + path);
    if (one.remove != nullptr) served.insert("delete " + path);
    if (one.patch != nullptr) served.insert("patch " + path);
  }
  BOOST_TEST(described == served, boost::test_tools::per_element());
  // Every status and code that a problem may have is named.
  std::set<std::string> codes;
  for (const auto& code : document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
    codes.insert(code.get<std::string>());
  for (auto code = 1; code <= static_cast<int>(errc::in_use); ++code)
    BOOST_TEST(codes.count(std::string(kind_of(static_cast<errc>(code)).code)) == 1U, code);
}

BOOST_AUTO_TEST_SUITE_END()
