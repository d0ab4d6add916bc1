// What each method does to files and directories, and what the answers say.

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"

namespace {

using namespace kaiku::test;

const char* const etag = "~\"[0-9]+\\.[0-9]+-[0-9a-f]{16}\"";
const char* const date = "~[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT";
const char* const token = "~[0-9a-f]+\\.[0-9]+\\.[0-9]+";
const char* const durability = "~leader|majority|all";

std::vector<http_case> putting() {
  return {
      {"put_of_a_new_file_is_201",
       {put("/files/{d}/f", "one")
            .is(201)
            .has("ETag", etag)
            .has("Last-Modified", date)
            .has("Kaiku-Token", token)
            .has("Kaiku-Durability", durability)
            .has("Kaiku-Replicas", "~[123]/3")
            .body(""),
        get("/files/{d}/f").is(200).body("one")}},
      {"put_over_a_file_is_204",
       {put("/files/{d}/f", "one").is(201),
        put("/files/{d}/f", "two").is(204).has("ETag", etag).has("Last-Modified", date).has("Kaiku-Token", token),
        get("/files/{d}/f").is(200).body("two")}},
      {"put_answers_the_etag_and_the_date_that_get_answers",
       {put("/files/{d}/f", "one").is(201).keep("a"),
        get("/files/{d}/f").is(200).has("ETag", "{a.etag}").has("Last-Modified", "{a.modified}")}},
      {"put_of_the_same_content_is_another_version",
       {put("/files/{d}/f", "one").is(201).keep("a"), put("/files/{d}/f", "one").is(204),
        get("/files/{d}/f", "If-None-Match: {a.etag}\r\n").is(200).body("one")}},
      {"put_of_nothing_is_an_empty_file",
       {put("/files/{d}/f", "").is(201), get("/files/{d}/f").is(200).has("Content-Length", "0").body("")}},
      {"put_without_a_length_is_an_empty_file",
       {raw("PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\n\r\n", "PUT").is(201),
        get("/files/{d}/f").is(200).has("Content-Length", "0")}},
      {"put_of_binary_content_is_kept_byte_by_byte",
       {put("/files/{d}/f", std::string("\0\r\n\r\n\xff\x80", 7)).is(201),
        get("/files/{d}/f").is(200).body(std::string("\0\r\n\r\n\xff\x80", 7))}},
      {"put_at_the_bound_of_small_content",
       {put("/files/{d}/f", std::string(65'536, 'x')).is(201),
        get("/files/{d}/f").is(200).body(std::string(65'536, 'x'))}},
      {"put_above_the_bound_of_small_content",
       {put("/files/{d}/f", std::string(65'537, 'y')).is(201),
        get("/files/{d}/f").is(200).body(std::string(65'537, 'y'))}},
      {"put_of_large_content_over_small",
       {put("/files/{d}/f", "small").is(201), put("/files/{d}/f", std::string(100'000, 'y')).is(204),
        get("/files/{d}/f").is(200).body(std::string(100'000, 'y'))}},
      {"put_of_small_content_over_large",
       {put("/files/{d}/f", std::string(100'000, 'y')).is(201), put("/files/{d}/f", "small").is(204),
        get("/files/{d}/f").is(200).body("small")}},
      {"put_makes_missing_parents",
       {put("/files/{d}/a/b/c/f", "x").is(201), get("/files/{d}/a/b/").is(200).contains("\"name\":\"c\"")}},
      {"put_with_parents_true_makes_missing_parents", {put("/files/{d}/a/f?parents=true", "x").is(201)}},
      {"put_with_parents_false_wants_the_parent",
       {put("/files/{d}/f?parents=false", "x").is(409, "parent_missing"), get("/files/{d}/").is(404, "not_found")}},
      {"put_with_parents_false_into_a_directory",
       {post("/files/{d}?op=mkdir").is(201), put("/files/{d}/f?parents=false", "x").is(201)}},
      {"put_with_parents_of_another_word_is_refused", {put("/files/{d}/f?parents=maybe", "x").is(400, "bad_request")}},
      {"put_over_a_directory_is_409",
       {post("/files/{d}?op=mkdir").is(201), put("/files/{d}", "x").is(409, "is_a_directory")}},
      {"put_below_a_file_is_409",
       {put("/files/{d}/f", "x").is(201), put("/files/{d}/f/g", "x").is(409, "not_a_directory")}},
      {"put_with_a_trailing_slash_is_refused", {put("/files/{d}/f/", "x").is(400, "invalid_path")}},
      {"put_of_the_root_is_405",
       {put("/files/", "x").is(405, "method_not_allowed").has("Allow", "GET, HEAD, OPTIONS, POST")}},
      {"put_of_files_itself_is_405", {put("/files", "x").is(405, "method_not_allowed").has("Allow")}},
      {"put_with_content_range_is_refused",
       {put("/files/{d}/f", "x", "Content-Range: bytes 0-0/1\r\n").is(400, "bad_request"),
        get("/files/{d}/f").is(404, "not_found")}},
      {"put_ignores_range",
       {put("/files/{d}/f", "xyz", "Range: bytes=0-0\r\n").is(201), get("/files/{d}/f").is(200).body("xyz")}},
      {"put_twice_at_once_on_one_connection",
       {raw("PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"
            "PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n2",
            "PUT")
            .is(201),
        next("PUT").is(204), get("/files/{d}/f").is(200).body("2")}},
  };
}

std::vector<http_case> getting() {
  return {
      {"get_of_a_file_gives_content_and_all_its_fields",
       {get("/files/s/hello")
            .is(200)
            .has("Content-Type", "text/plain")
            .has("Content-Length", "5")
            .has("ETag", "{hello.etag}")
            .has("Last-Modified", "{hello.modified}")
            .has("Accept-Ranges", "bytes")
            .has("Repr-Digest", "{hello.digest}")
            .has("Cache-Control", "no-cache")
            .lacks("Content-Range")
            .lacks("Kaiku-Token")
            .body("hello"),
        head("/files/s/hello").is(200).body("")}},
      {"get_of_a_file_tells_browsers_to_do_no_harm",
       {get("/files/s/page.html")
            .is(200)
            .has("Content-Type", "text/html; charset=utf-8")
            .has("X-Content-Type-Options", "nosniff")
            .has("Content-Security-Policy", "~sandbox; default-src 'none'.*")
            .has("Content-Disposition", "inline; filename*=UTF-8''page.html")}},
      {"get_escapes_the_name_in_content_disposition",
       {get("/files/s/a%20%22b%22%3Bc%C3%A4.txt")
            .is(200)
            .has("Content-Disposition", "inline; filename*=UTF-8''a%20%22b%22%3Bc%C3%A4.txt")}},
      {"get_of_an_empty_file",
       {get("/files/s/empty").is(200).has("Content-Length", "0").body(""), head("/files/s/empty").is(200)}},
      {"get_of_a_large_file_gives_all_of_it",
       {get("/files/s/large")
            .is(200)
            .has("Content-Length", "200000")
            .has("Repr-Digest", "{large.digest}")
            .body(shared_content("large")),
        head("/files/s/large").is(200)}},
      {"get_of_nothing_is_404",
       {get("/files/s/none").is(404, "not_found"), head("/files/s/none").is(404, "not_found")}},
      {"get_below_nothing_is_404", {get("/files/none/none").is(404, "not_found")}},
      {"get_below_a_file_is_404", {get("/files/s/hello/x").is(404, "not_found")}},
      {"get_of_a_file_with_a_trailing_slash_is_404",
       {get("/files/s/hello/").is(404, "not_found"), head("/files/s/hello/").is(404, "not_found")}},
      {"get_with_a_body_passes_it_over", {ask("GET", "/files/s/hello", "", "body").is(200).body("hello")}},
      {"get_with_an_unknown_parameter_is_refused",
       {get("/files/s/hello?x=1").is(400, "bad_request"), head("/files/s/hello?x=1").is(400, "bad_request")}},
      {"get_of_a_file_with_limit_is_refused", {get("/files/s/hello?limit=1").is(400, "bad_request")}},
      {"get_of_a_file_with_after_is_refused", {get("/files/s/hello?after=x").is(400, "bad_request")}},
      {"get_with_an_empty_query_is_as_without", {get("/files/s/hello?").is(200).body("hello")}},
      {"get_with_an_absolute_target", {get("http://elsewhere:80/files/s/hello").is(200).body("hello")}},
      {"get_with_an_absolute_target_of_any_case", {get("HTTPS://elsewhere/files/s/hello").is(200).body("hello")}},
      {"get_with_an_absolute_target_without_a_path", {get("http://elsewhere").is(404, "not_found")}},
      {"get_with_an_absolute_target_without_a_host", {get("http:///files/s/hello").is(400, "bad_request")}},
      {"get_of_another_scheme_is_refused", {get("ftp://elsewhere/files/s/hello").is(400, "bad_request")}},
      {"get_with_a_fragment_is_refused", {get("/files/s/hello#x").is(400, "bad_request")}},
      {"get_of_a_relative_target_is_refused", {get("files/s/hello").is(400, "bad_request")}},
      {"get_of_an_asterisk_is_refused", {get("*").is(400, "bad_request")}},
  };
}

std::vector<http_case> removing() {
  return {
      {"delete_of_a_file_is_204",
       {put("/files/{d}/f", "x").is(201),
        removal("/files/{d}/f").is(204).has("Kaiku-Token", token).has("Kaiku-Durability", durability).lacks("ETag"),
        get("/files/{d}/f").is(404, "not_found")}},
      {"delete_twice_is_404",
       {put("/files/{d}/f", "x").is(201), removal("/files/{d}/f").is(204),
        removal("/files/{d}/f").is(404, "not_found")}},
      {"delete_of_nothing_is_404", {removal("/files/{d}/f").is(404, "not_found")}},
      {"delete_below_a_file_is_404",
       {put("/files/{d}/f", "x").is(201), removal("/files/{d}/f/g").is(404, "not_found")}},
      {"delete_of_a_file_with_a_trailing_slash_is_404",
       {put("/files/{d}/f", "x").is(201), removal("/files/{d}/f/").is(404, "not_found"),
        get("/files/{d}/f").is(200).body("x")}},
      {"delete_of_an_empty_directory_is_204",
       {post("/files/{d}?op=mkdir").is(201), removal("/files/{d}").is(204), get("/files/{d}").is(404, "not_found")}},
      {"delete_of_an_empty_directory_with_a_trailing_slash_is_204",
       {post("/files/{d}?op=mkdir").is(201), removal("/files/{d}/").is(204)}},
      {"delete_of_a_directory_with_entries_is_409",
       {put("/files/{d}/f", "x").is(201), removal("/files/{d}").is(409, "directory_not_empty"),
        get("/files/{d}/f").is(200).body("x")}},
      {"delete_with_recursive_false_of_a_directory_with_entries_is_409",
       {put("/files/{d}/f", "x").is(201), removal("/files/{d}?recursive=false").is(409, "directory_not_empty")}},
      {"delete_with_recursive_true_takes_everything_below",
       {put("/files/{d}/a/b/f", "x").is(201), put("/files/{d}/g", "x").is(201),
        removal("/files/{d}?recursive=true").is(204), get("/files/{d}/a/b/f").is(404, "not_found"),
        get("/files/{d}").is(404, "not_found")}},
      {"delete_with_recursive_true_of_a_file_is_204",
       {put("/files/{d}/f", "x").is(201), removal("/files/{d}/f?recursive=true").is(204)}},
      {"delete_with_recursive_of_another_word_is_refused",
       {removal("/files/{d}?recursive=yes").is(400, "bad_request")}},
      {"delete_of_the_root_is_405",
       {removal("/files/").is(405, "method_not_allowed").has("Allow", "GET, HEAD, OPTIONS, POST")}},
      {"delete_of_files_itself_is_405", {removal("/files?recursive=true").is(405, "method_not_allowed").has("Allow")}},
      {"delete_with_another_parameter_is_refused", {removal("/files/{d}?parents=true").is(400, "bad_request")}},
      {"delete_leaves_the_parent",
       {put("/files/{d}/f", "x").is(201), removal("/files/{d}/f").is(204),
        get("/files/{d}/").is(200).contains("\"entries\":[]")}},
      {"a_removed_path_can_be_a_directory_next",
       {put("/files/{d}/f", "x").is(201), removal("/files/{d}/f").is(204), put("/files/{d}/f/g", "y").is(201),
        get("/files/{d}/f/g").is(200).body("y")}},
  };
}

std::vector<http_case> making() {
  return {
      {"mkdir_is_201",
       {post("/files/{d}?op=mkdir").is(201).has("Kaiku-Token", token).has("Kaiku-Durability", durability),
        get("/files/{d}").is(200).contains("\"entries\":[]")}},
      {"mkdir_with_a_trailing_slash_is_201", {post("/files/{d}/?op=mkdir").is(201)}},
      {"mkdir_twice_is_409",
       {post("/files/{d}?op=mkdir").is(201), post("/files/{d}?op=mkdir").is(409, "already_exists")}},
      {"mkdir_over_a_file_is_409",
       {put("/files/{d}/f", "x").is(201), post("/files/{d}/f?op=mkdir").is(409, "already_exists")}},
      {"mkdir_below_a_file_is_409",
       {put("/files/{d}/f", "x").is(201), post("/files/{d}/f/g?op=mkdir").is(409, "not_a_directory")}},
      {"mkdir_makes_missing_parents", {post("/files/{d}/a/b?op=mkdir").is(201), get("/files/{d}/a").is(200)}},
      {"mkdir_with_parents_false_wants_the_parent",
       {post("/files/{d}/a?op=mkdir&parents=false").is(409, "parent_missing")}},
      {"mkdir_with_parents_false_below_a_directory",
       {post("/files/{d}?op=mkdir").is(201), post("/files/{d}/a?parents=false&op=mkdir").is(201)}},
      {"mkdir_of_the_root_is_409", {post("/files/?op=mkdir").is(409, "already_exists")}},
      {"post_of_an_unknown_operation_is_refused", {post("/files/{d}/f?op=frobnicate").is(400, "bad_request")}},
      {"post_of_an_operation_in_capitals_is_refused", {post("/files/{d}?op=MKDIR").is(400, "bad_request")}},
      {"post_with_an_operation_twice_is_refused", {post("/files/{d}?op=mkdir&op=mkdir").is(400, "bad_request")}},
      {"post_with_an_unknown_parameter_is_refused", {post("/files/{d}?op=mkdir&x=y").is(400, "bad_request")}},
  };
}

std::vector<http_case> other_methods() {
  const char* const of_files = "GET, HEAD, OPTIONS, PUT, POST, DELETE, PATCH";
  const char* const of_root = "GET, HEAD, OPTIONS, POST";
  std::vector<http_case> out{
      {"options_of_a_file_is_204_with_allow",
       {ask("OPTIONS", "/files/s/hello").is(204).has("Allow", of_files).body("")}},
      {"options_of_nothing_is_204_with_allow", {ask("OPTIONS", "/files/s/none").is(204).has("Allow", of_files)}},
      {"options_of_an_asterisk_is_204", {ask("OPTIONS", "*").is(204).has("Allow", of_files)}},
      {"options_of_no_resource_is_404", {ask("OPTIONS", "/none").is(404, "not_found")}},
      {"options_of_the_root_is_204_with_what_it_takes", {ask("OPTIONS", "/files/").is(204).has("Allow", of_root)}},
      {"a_method_in_small_letters_is_501", {ask("get", "/files/s/hello").is(501, "not_implemented")}},
      {"connect_is_501", {ask("CONNECT", "elsewhere:80").is(501, "not_implemented")}},
      {"a_method_that_is_no_token_is_refused",
       {raw("G(T /files/s/hello HTTP/1.1\r\nHost: a\r\n\r\n").is(400, "bad_request").ends()}},
      {"a_body_of_an_unknown_method_is_passed_over",
       {ask("FOO", "/files/s/hello", "", "GET /files/smuggled HTTP/1.1\r\nHost: a\r\n\r\n").is(501, "not_implemented"),
        get("/files/s/hello").is(200)}},
  };
  for (const char* method : {"TRACE", "PROPFIND", "FOO", "LOCK", "M-SEARCH"})
    out.push_back({"a_file_takes_no_" + std::string(method),
                   {ask(method, "/files/s/hello").is(501, "not_implemented").lacks("Allow")}});
  struct resource {
    const char* name;
    const char* path;
    const char* allow;
    std::vector<const char*> refused;
  };
  for (const auto& one : std::vector<resource>{
           {"writes", "/writes/{hello.token}", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE", "PATCH"}},
           {"set_aside", "/set-aside", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE", "PATCH"}},
           {"an_entry_set_aside", "/set-aside/{hello.token}", "GET, HEAD, OPTIONS, POST, DELETE", {"PUT", "PATCH"}},
           {"content_set_aside", "/set-aside/{hello.token}/content", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE"}},
           {"healthz_live", "/healthz/live", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE", "PATCH"}},
           {"healthz_ready", "/healthz/ready", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE"}},
           {"healthz_leader", "/healthz/leader", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE"}},
           {"healthz_replica", "/healthz/replica", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE"}},
           {"cluster", "/cluster", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE", "PATCH"}},
           {"cluster_members", "/cluster/members", "GET, HEAD, OPTIONS, POST", {"PUT", "DELETE"}},
           {"a_cluster_member", "/cluster/members/n1", "GET, HEAD, OPTIONS, DELETE", {"PUT", "POST"}},
           {"cluster_leader", "/cluster/leader", "GET, HEAD, OPTIONS, POST", {"PUT", "DELETE"}},
           {"cluster_backup", "/cluster/backup", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE", "PATCH"}},
           {"cluster_scrub", "/cluster/scrub", "GET, HEAD, OPTIONS, POST", {"PUT", "DELETE"}},
           {"actors", "/actors", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE", "PATCH"}},
           {"an_actor", "/actors/n1:1", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE"}},
           {"the_stream_of_actors", "/actors/stream", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE"}},
           {"the_timeline", "/actors/timeline", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE"}},
           {"metrics", "/metrics", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE", "PATCH"}},
           {"openapi", "/openapi.json", "GET, HEAD, OPTIONS", {"PUT", "POST", "DELETE", "PATCH"}}}) {
    std::vector<step> steps{ask("OPTIONS", one.path).is(204).has("Allow", one.allow)};
    for (const char* method : one.refused)
      steps.push_back(ask(method, one.path).is(405, "method_not_allowed").has("Allow", one.allow));
    out.push_back({std::string(one.name) + "_tells_its_methods_and_refuses_others", steps});
  }
  int count = 0;
  for (const char* path : {"/", "/file", "/filesystem", "/Files/s/hello", "/healthz", "/healthz/", "/healthz/live/",
                           "/cluster/", "/cluster/nothing", "/cluster/members/", "/writes", "/writes/", "/set-aside/",
                           "/openapi.json/", "/favicon.ico", "//files/s/hello"})
    out.push_back({"no_such_resource_" + std::to_string(++count), {get(path).is(404, "not_found")}});
  return out;
}

BOOST_AUTO_TEST_SUITE(methods)
const cases of_put(putting());
const cases of_get(getting());
const cases of_delete(removing());
const cases of_mkdir(making());
const cases of_others(other_methods());
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
