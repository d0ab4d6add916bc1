// What browsers get: listings as pages, what these load, and what pages of other origins may not. And digests that were
// asked for.

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"

namespace {

using namespace kaiku::test;

const std::string browser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n";

std::vector<http_case> pages() {
  const std::string list = "/files/s/list/";
  std::vector<http_case> out{
      {"a_directory_is_a_page_for_a_browser",
       {get(list, browser)
            .is(200)
            .has("Content-Type", "text/html; charset=utf-8")
            .has("Cache-Control", "no-cache")
            .has("X-Content-Type-Options", "nosniff")
            .has("Content-Security-Policy", "~default-src 'none'; .*form-action 'self'.*")
            .has("Referrer-Policy")
            .has("Vary", "Accept")
            .has("ETag", "~W/\"[0-9a-f]{32}\"")
            .contains("<!DOCTYPE html>\n<html lang=\"en\">")
            .contains("<a href=\"alpha\">alpha</a>")
            .contains("<a href=\"gamma/\">gamma/</a>")
            .contains("<a href=\"%C3%A4\">\u00e4</a>")
            .contains("<a href=\"z%201\">z 1</a>")
            .contains("<a href=\"../\">")
            .contains("enctype=\"multipart/form-data\""),
        head(list, browser).is(200)}},
      {"a_page_escapes_names",
       {put("/files/{d}/%3Cb%3E&%22'", "x").is(201),
        get("/files/{d}/", browser).is(200).contains("<a href=\"%3Cb%3E%26%22%27\">&lt;b&gt;&amp;&quot;'</a>")}},
      {"a_page_of_the_root_has_no_parent", {get("/files/?limit=1", browser).is(200).contains("<h1>/</h1>").differs()}},
      {"a_page_leads_to_the_next",
       {get(list + "?limit=2", browser).is(200).contains("<a rel=\"next\" href=\"?limit=2&amp;after=beta\">"),
        get(list + "?limit=2&after=beta", browser).is(200).contains("after=z%201\">")}},
      {"a_page_that_is_the_same_is_304",
       {get(list, browser).is(200).keep("l"), get(list, browser + "If-None-Match: {l.etag}\r\n").is(304)}},
      {"a_page_and_its_json_have_different_tags",
       {get(list, browser).is(200).keep("l"), get(list, "If-None-Match: {l.etag}\r\n").is(200)}},
      {"a_page_without_its_slash_is_redirected",
       {get("/files/s/list?limit=1", browser).is(301).has("Location", "/files/s/list/?limit=1").has("Vary", "Accept"),
        head("/files/s/list?limit=1", browser).is(301), get("/files", browser).is(301).has("Location", "/files/")}},
      {"a_page_with_a_limit_out_of_bounds_is_refused", {get(list + "?limit=0", browser).is(400, "bad_request")}},
      {"a_file_is_itself_for_a_browser",
       {get("/files/s/hello", browser).is(200).has("Content-Type", "text/plain").body("hello")}},
      {"a_path_that_is_not_there_is_a_problem_for_a_browser", {get("/files/s/none/", browser).is(404, "not_found")}},
      {"style_and_script_of_a_page",
       {get("/assets/listing.css")
            .is(200)
            .has("Content-Type", "text/css; charset=utf-8")
            .has("ETag")
            .has("X-Content-Type-Options", "nosniff"),
        head("/assets/listing.css").is(200),
        get("/assets/listing.js").is(200).has("Content-Type", "text/javascript; charset=utf-8").keep("j"),
        head("/assets/listing.js").is(200), get("/assets/listing.js", "If-None-Match: {j.etag}\r\n").is(304),
        get("/assets/none.js").is(404, "not_found"), get("/assets/listing.js?x=y").is(400, "bad_request"),
        get("/assets/").is(404, "not_found")}},
      {"the_console_is_a_page_with_a_policy",
       {get("/console/", browser)
            .is(200)
            .has("Content-Type", "text/html; charset=utf-8")
            .has("Content-Security-Policy", "~default-src 'none'; .*require-trusted-types-for 'script'.*")
            .has("Referrer-Policy", "no-referrer")
            .contains("<html lang=\"en\">")
            .keep("c"),
        head("/console/").is(200), get("/console/", "If-None-Match: {c.etag}\r\n").is(304),
        get("/console").is(301).has("Location", "/console/"), get("/console/app.js").is(200),
        get("/console/none").is(404, "not_found"), get("/console/app.js/").is(404, "not_found"),
        put("/console/app.js", "x").is(405, "method_not_allowed")}},
      {"assets_tell_their_methods_and_refuse_others",
       {ask("OPTIONS", "/assets/listing.js").is(204).has("Allow", "GET, HEAD, OPTIONS"),
        put("/assets/listing.js", "x").is(405, "method_not_allowed")}},
  };
  struct row {
    const char* name;
    const char* accept;
    bool html;
  };
  for (const auto& one : std::vector<row>{
           {"html", "text/html", true},
           {"html_in_capitals", "TEXT/HTML", true},
           {"html_with_a_weight", "text/html;q=0.5", true},
           {"html_before_json", "application/json;q=0.5, text/html;q=0.6", true},
           {"any_text", "text/*", true},
           {"anything", "*/*", false},
           {"json", "application/json", false},
           {"json_before_html", "text/html;q=0.5, application/json", false},
           {"html_and_json_alike", "text/html, application/json", false},
           {"html_not_at_all", "text/html;q=0, */*", false},
           {"something_else", "image/png", false},
           {"nothing", "", false},
           {"nonsense", ";;,q=,//", false},
       })
    out.push_back({std::string("accept_of_") + one.name + (one.html ? "_gives_a_page" : "_gives_json"),
                   {get(list, "Accept: " + std::string(one.accept) + "\r\n")
                        .is(200)
                        .has("Content-Type", one.html ? "text/html; charset=utf-8" : "application/json")
                        .has("Vary", "Accept")}});
  return out;
}

/// None is allowed here (`--cors-origin`).
std::vector<http_case> origins() {
  const std::string other = "Origin: https://elsewhere.example\r\n", own = "Origin: http://kaiku\r\n";
  const auto gone = get("/files/{d}/f").is(404, "not_found");
  return {
      {"a_page_of_another_origin_puts_nothing", {put("/files/{d}/f", "x", other).is(403, "cross_origin"), gone}},
      {"a_page_of_no_origin_puts_nothing",
       {put("/files/{d}/f", "x", "Origin: null\r\n").is(403, "cross_origin"), gone}},
      {"a_page_of_another_origin_removes_nothing",
       {put("/files/{d}/f", "x").is(201), removal("/files/{d}/f", other).is(403, "cross_origin"),
        get("/files/{d}/f").is(200)}},
      {"a_page_of_another_origin_posts_nothing",
       {post("/files/{d}?op=mkdir", other).is(403, "cross_origin"),
        post("/files/{d}/", other + "Content-Type: multipart/form-data; boundary=b\r\n",
             "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\nx\r\n--b--\r\n")
            .is(403, "cross_origin"),
        post("/cluster/scrub", other).is(403, "cross_origin"), post("/cluster/leader", other).is(403, "cross_origin"),
        gone}},
      {"a_page_of_another_origin_on_the_same_site_puts_nothing",
       {put("/files/{d}/f", "x", own + "Sec-Fetch-Site: same-site\r\n").is(403, "cross_origin"),
        put("/files/{d}/f", "x", own + "Sec-Fetch-Site: cross-site\r\n").is(403, "cross_origin")}},
      {"a_page_of_this_origin_puts",
       {put("/files/{d}/f", "x", own).is(201),
        put("/files/{d}/f", "x", "Origin: https://kaiku\r\nSec-Fetch-Site: same-origin\r\n").is(204)}},
      {"a_page_of_another_origin_is_not_told_that_it_may_read",
       {get("/files/s/hello", other).is(200).lacks("Access-Control-Allow-Origin").body("hello")}},
      {"a_page_of_another_origin_is_not_told_that_it_may_write",
       {ask("OPTIONS", "/files/{d}/f", other + "Access-Control-Request-Method: PUT\r\n")
            .is(204)
            .lacks("Access-Control-Allow-Origin")
            .lacks("Access-Control-Allow-Methods")}},
  };
}

std::vector<http_case> digests() {
  const auto wanted = [](const std::string& fields) { return get("/files/s/hello", fields).is(200).body("hello"); };
  return {
      {"a_digest_of_the_file_comes_unasked", {wanted("").has("Repr-Digest", "{hello.digest}").lacks("Content-Digest")}},
      {"a_digest_of_the_file_that_is_not_wanted_is_left_out",
       {wanted("Want-Repr-Digest: sha-256=0\r\n").lacks("Repr-Digest")}},
      {"a_digest_of_the_file_that_is_wanted_comes",
       {wanted("Want-Repr-Digest: sha-512=3, sha-256=10\r\n").has("Repr-Digest", "{hello.digest}")}},
      {"a_digest_of_the_answer_that_is_wanted_comes",
       {wanted("Want-Content-Digest: sha-256=1\r\n").has("Content-Digest", "{hello.digest}")}},
      {"a_digest_of_another_algorithm_does_not_come",
       {wanted("Want-Content-Digest: sha-512=1\r\n").lacks("Content-Digest")}},
      {"a_digest_that_is_wanted_in_a_malformed_way_does_not_come",
       {wanted("Want-Content-Digest: sha-256=11\r\n").lacks("Content-Digest"),
        wanted("Want-Content-Digest: ,;=\r\n").lacks("Content-Digest")}},
      {"a_digest_of_a_part_is_of_the_part",
       {get("/files/s/digits", "Range: bytes=0-4\r\nWant-Content-Digest: sha-256=1\r\n")
            .is(206)
            .has("Repr-Digest", "{digits.digest}")
            .has("Content-Digest", "~sha-256=:[A-Za-z0-9+/]{43}=:")}},
      {"a_digest_of_a_large_answer_that_is_wanted_comes",
       {get("/files/s/large", "Want-Content-Digest: sha-256=1\r\n").is(200).has("Content-Digest", "{large.digest}")}},
  };
}

BOOST_AUTO_TEST_SUITE(pages_and_origins)
const cases of_pages(pages());
const cases of_origins(origins());
const cases of_digests(digests());
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
