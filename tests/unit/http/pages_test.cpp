// What browsers meet: listings as pages, their assets, pages of other origins, and a crowd.

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "http_fixture.hpp"
#include "kaiku/http/api/accept.hpp"

namespace {

using namespace kaiku;
using namespace kaiku::test;
using nlohmann::json;

const std::string browser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n";

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_pages, http_fixture)

BOOST_AUTO_TEST_CASE(accept_decides_between_html_and_json) {
  struct row {
    const char* accept;
    bool html;
  };
  for (const auto& one :
       {row{"text/html", true}, row{"TEXT/HTML", true}, row{"*/*", false}, row{"text/*", true},
        row{"application/json", false}, row{"text/html, application/json", false},
        row{"text/html;q=0.5, application/json", false}, row{"text/html, application/json;q=0.9", true},
        row{"text/html;q=0", false}, row{"text/html;q=0, */*", false}, row{"*/*;q=0.1, text/html;q=0.2", true},
        row{"application/*;q=0.3, text/html;q=0.3", false}, row{"text/html;level=1;q=0.4,*/*;q=0.1", true},
        row{"text/html;q=0.001", true}, row{"", false}, row{"image/png", false}, row{"text/html;q=2", true}}) {
    request in;
    in.fields.push_back({"Accept", one.accept});
    BOOST_TEST(prefers_html(in) == one.html, one.accept);
  }
  BOOST_TEST(!prefers_html(request{}));
}

BOOST_AUTO_TEST_CASE(a_browser_gets_a_listing_that_it_can_read_and_that_runs_nothing_foreign) {
  node.add_file("d/a<b>&\"c\".txt", std::string(1500, 'x'));
  node.add_file("d/javascript:alert(1)", "x");
  node.add_directory("d/sub dir");
  raw_http client(port());
  auto got = client.ask("GET", "/files/d/", browser);
  BOOST_TEST(got.status == 200);
  BOOST_TEST(got.header("Content-Type") == "text/html; charset=utf-8");
  BOOST_TEST(got.header("Vary") == "Accept");
  BOOST_TEST(got.header("X-Content-Type-Options") == "nosniff");
  const auto policy = got.header("Content-Security-Policy");
  for (auto part : {"default-src 'none'", "script-src 'self'", "form-action 'self'", "frame-ancestors 'none'"})
    BOOST_TEST(contains(policy, part), part);
  BOOST_TEST(!contains(policy, "unsafe"));
  for (auto part : {"<html lang=\"en\">", "<title>/d/</title>", "<h1>/d/</h1>", "<caption>3 entries</caption>",
                    "scope=\"col\"", "href=\"a%3Cb%3E%26%22c%22.txt\">a&lt;b&gt;&amp;&quot;c&quot;.txt</a>",
                    "href=\"javascript%3Aalert%281%29\"", "href=\"sub%20dir/\">sub dir/</a>", "href=\"../\"", "1.5 KiB",
                    "<time datetime=\"1994-11-06T08:49:37.000Z\">", "enctype=\"multipart/form-data\"",
                    "<label for=\"files\">", "role=\"status\"", "<script src=\"/assets/listing.js\" defer></script>"})
    BOOST_TEST(contains(got.body, part), part);
  for (auto part : {"<script>", "style=", "onclick", "<b>"}) BOOST_TEST(!contains(got.body, part), part);
  BOOST_TEST(!contains(client.ask("GET", "/files/", browser).body, "href=\"../\""));
  const auto tag = got.header("ETag");
  BOOST_TEST(client.ask("GET", "/files/d/", browser + "If-None-Match: " + tag + "\r\n").status == 304);
  auto other = client.ask("GET", "/files/d/", "If-None-Match: " + tag + "\r\n");
  BOOST_TEST(other.status == 200);
  BOOST_TEST(other.header("Content-Type") == "application/json");
  BOOST_TEST(other.header("Vary") == "Accept");
}

BOOST_AUTO_TEST_CASE(pages_of_a_listing_lead_on) {
  for (auto name : {"d/a", "d/b&c", "d/d"}) node.add_file(name, "x");
  raw_http client(port());
  auto got = client.ask("GET", "/files/d/?limit=2&after=0", browser);
  BOOST_TEST(contains(got.body, "<caption>2 entries on this page</caption>"));
  BOOST_TEST(contains(got.body, "<a rel=\"next\" href=\"?limit=2&amp;after=b%26c\">"));
  got = client.ask("GET", "/files/d/?limit=2&after=b%26c", browser);
  BOOST_TEST(contains(got.body, "<caption>1 entry</caption>"));
  BOOST_TEST(!contains(got.body, "rel=\"next\""));
}

BOOST_AUTO_TEST_CASE(a_browser_is_sent_to_the_trailing_slash_and_a_program_is_not) {
  node.add_directory("a b/c");
  raw_http client(port());
  auto sent = client.ask("GET", "/files/a%20b/c?limit=5", browser);
  BOOST_TEST(sent.status == 301);
  BOOST_TEST(sent.header("Location") == "/files/a%20b/c/?limit=5");
  BOOST_TEST(client.ask("GET", "/files", browser).header("Location") == "/files/");
  BOOST_TEST(client.ask("GET", "/files/a%20b/c").status == 200);
  node.add_file("f", "x");
  BOOST_TEST(client.ask("GET", "/files/f", browser).body == "x");
}

BOOST_AUTO_TEST_CASE(assets_are_served_with_their_types_and_tags) {
  raw_http client(port());
  auto script = client.ask("GET", "/assets/listing.js");
  BOOST_TEST(script.status == 200);
  BOOST_TEST(script.header("Content-Type") == "text/javascript; charset=utf-8");
  BOOST_TEST(script.header("X-Content-Type-Options") == "nosniff");
  BOOST_TEST(contains(script.body, "XMLHttpRequest"));
  auto style = client.ask("GET", "/assets/listing.css");
  BOOST_TEST(style.header("Content-Type") == "text/css; charset=utf-8");
  BOOST_TEST(style.header("ETag") != script.header("ETag"));
  auto known = client.ask("GET", "/assets/listing.js", "If-None-Match: " + script.header("ETag") + "\r\n");
  BOOST_TEST(known.status == 304);
  BOOST_TEST(client.ask("HEAD", "/assets/listing.js").header("Content-Length") == std::to_string(script.body.size()));
  BOOST_TEST(client.ask("GET", "/assets/other.js").status == 404);
  BOOST_TEST(client.ask("PUT", "/assets/listing.js", {}, "x").status == 405);
}

BOOST_AUTO_TEST_CASE(the_console_is_served_whole_under_a_strict_policy) {
  raw_http client(port());
  auto without_slash = client.ask("GET", "/console");
  BOOST_TEST(without_slash.status == 301);
  BOOST_TEST(without_slash.header("Location") == "/console/");
  auto page = client.ask("GET", "/console/");
  BOOST_TEST(page.status == 200);
  BOOST_TEST(page.header("Content-Type") == "text/html; charset=utf-8");
  BOOST_TEST(page.body == client.ask("GET", "/console/index.html").body);
  const auto policy = page.header("Content-Security-Policy");
  BOOST_TEST(contains(policy, "default-src 'none'"));
  BOOST_TEST(contains(policy, "require-trusted-types-for 'script'"));
  BOOST_TEST(!contains(policy, "unsafe"));
  // All that the page loads, and all that this loads, comes from here.
  std::set<std::string> asked, waiting{"index.html"};
  while (!waiting.empty()) {
    const auto name = waiting.extract(waiting.begin()).value();
    if (!asked.insert(name).second) continue;
    auto got = client.ask("GET", "/console/" + name);
    BOOST_TEST(got.status == 200, name);
    BOOST_TEST(got.header("X-Content-Type-Options") == "nosniff");
    BOOST_TEST(got.header("Content-Security-Policy") == policy);
    BOOST_TEST(client.ask("GET", "/console/" + name, "If-None-Match: " + got.header("ETag") + "\r\n").status == 304);
    if (name == "chart.min.js") continue;
    const std::regex loaded("(?:src=\"|href=\"|from \"\\./)([a-z_.]+\\.(?:js|css|svg))\"");
    for (auto at = std::sregex_iterator(got.body.begin(), got.body.end(), loaded); at != std::sregex_iterator(); ++at)
      waiting.insert((*at)[1]);
  }
  BOOST_TEST(asked.size() > 10U);
  BOOST_TEST(client.ask("GET", "/console/other.js").status == 404);
  BOOST_TEST(client.ask("GET", "/console/?x=y").status == 400);
  BOOST_TEST(client.ask("PUT", "/console/app.js", {}, "x").status == 405);
}

BOOST_AUTO_TEST_CASE(a_page_of_another_origin_may_change_nothing_although_forms_need_no_preflight) {
  node.add_directory("d");
  raw_http client(port());
  const auto asked = [&](const std::string& fields) {
    return client.ask("POST", "/files/d/new?op=mkdir", "Origin: " + fields + "\r\n");
  };
  for (auto foreign : {"http://evil.example", "null", "http://kaiku:81", "http://kaiku\r\nSec-Fetch-Site: cross-site",
                       "http://kaiku\r\nSec-Fetch-Site: same-site"}) {
    auto got = asked(foreign);
    BOOST_TEST(got.status == 403, foreign);
    BOOST_TEST(json::parse(got.body)["code"] == "cross_origin");
    BOOST_TEST(got.header("Access-Control-Allow-Origin") == "");
  }
  BOOST_TEST(node.writes == 0);
  BOOST_TEST(asked("http://kaiku").status == 201);
  BOOST_TEST(asked("https://front.example\r\nSec-Fetch-Site: same-origin").status == 409);
  BOOST_TEST(client.ask("GET", "/files/d", "Origin: http://evil.example\r\n").status == 200);
  BOOST_TEST(client.ask("GET", "/files/d", "Origin: http://evil.example\r\n").header("Vary") == "Accept");
  BOOST_TEST(client.ask("OPTIONS", "/files/d", "Origin: http://evil.example\r\nAccess-Control-Request-Method: PUT\r\n")
                 .header("Access-Control-Allow-Methods") == "");
}

BOOST_AUTO_TEST_CASE(an_origin_that_was_named_may_read_answers_and_make_changes) {
  settings.cors_origins = {"https://app.example", "http://localhost:3000"};
  node.add_file("f", "x");
  raw_http client(port());
  const std::string origin = "Origin: https://app.example\r\n";
  auto preflight = client.ask(
      "OPTIONS", "/files/f",
      origin + "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: if-match, kaiku-durability\r\n");
  BOOST_TEST(preflight.status == 204);
  BOOST_TEST(preflight.header("Access-Control-Allow-Origin") == "https://app.example");
  BOOST_TEST(contains(preflight.header("Access-Control-Allow-Methods"), "PUT"));
  BOOST_TEST(preflight.header("Access-Control-Allow-Headers") == "*, Authorization");
  for (auto target : {"/files/f", "/files/none", "/healthz/live", "/nowhere"}) {
    auto got = client.ask("GET", target, origin);
    BOOST_TEST(got.header("Access-Control-Allow-Origin") == "https://app.example", target);
    BOOST_TEST(got.header("Access-Control-Expose-Headers") == "*");
    BOOST_TEST(got.header("Vary") == "Origin");
  }
  BOOST_TEST(client.ask("PUT", "/files/f", origin + "Sec-Fetch-Site: cross-site\r\n", "y").status == 204);
  BOOST_TEST(client.ask("PUT", "/files/f", "Origin: https://other.example\r\n", "y").status == 403);
  // The answer depends on it, so a cache between is told also when it is absent.
  BOOST_TEST(client.ask("GET", "/files/f").header("Vary") == "Origin");
  BOOST_TEST(client.ask("GET", "/files/f").header("Access-Control-Allow-Origin") == "");
}

BOOST_AUTO_TEST_CASE(any_origin_is_named_by_a_star) {
  settings.cors_origins = {"*"};
  raw_http client(port());
  auto got = client.ask("PUT", "/files/f", "Origin: null\r\n", "y");
  BOOST_TEST(got.status == 201);
  BOOST_TEST(got.header("Access-Control-Allow-Origin") == "*");
  BOOST_TEST(got.header("Vary") == "");
}

BOOST_AUTO_TEST_CASE(requests_above_the_bound_are_503_and_probes_are_answered_all_the_same) {
  settings.max_requests = 1;
  node.hold_writes = true;
  raw_http busy(port()), other(port());
  busy.request("PUT", "/files/f", {}, "x");
  BOOST_REQUIRE(eventually([&] { return node.held == 1; }));
  auto refused = other.ask("GET", "/files/");
  BOOST_TEST(refused.status == 503);
  BOOST_TEST(json::parse(refused.body)["code"] == "overloaded");
  BOOST_TEST(refused.header("Retry-After") == "1");
  BOOST_TEST(!refused.closes());
  BOOST_TEST(other.ask("GET", "/healthz/live").status == 200);
  node.release_writes();
  BOOST_TEST(busy.read().status == 201);
  BOOST_TEST(eventually([&] { return server->open_requests() == 0; }));
  BOOST_TEST(other.ask("GET", "/files/").status == 200);
}

BOOST_AUTO_TEST_CASE(bounds_of_headers_and_listings_are_as_the_server_was_told) {
  settings.max_header_bytes = 2000;
  settings.max_header_fields = 10;
  settings.max_listing_page = 2;
  for (auto name : {"d/a", "d/b", "d/c"}) node.add_file(name, "x");
  {
    raw_http client(port());
    BOOST_TEST(client.ask("GET", "/files/", "X: " + std::string(1000, 'x') + "\r\n").status == 200);
    BOOST_TEST(json::parse(client.ask("GET", "/files/d").body)["entries"].size() == 2u);
    BOOST_TEST(client.ask("GET", "/files/d?limit=3").status == 400);
    BOOST_TEST(client.ask("GET", "/files/", "X: " + std::string(2000, 'x') + "\r\n").status == 431);
  }
  raw_http client(port());
  std::string many;
  for (int i = 0; i < 10; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  BOOST_TEST(client.ask("GET", "/files/", many).status == 431);
}

BOOST_AUTO_TEST_SUITE_END()
