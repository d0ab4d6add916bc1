// Forms as browsers send them (RFC 7578).

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"

namespace {

using namespace kaiku::test;

const std::string form = "Content-Type: multipart/form-data; boundary=b\r\n", end = "--b--\r\n";

std::string part(const std::string& disposition, const std::string& content, const std::string& more = {}) {
  return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n" + more + "\r\n" + content + "\r\n";
}
std::string file(const std::string& name, const std::string& content, const std::string& more = {}) {
  return part("name=\"file\"; filename=\"" + name + "\"", content, more);
}
step send(const std::string& body, const std::string& query = {}, const std::string& more = {}) {
  return post("/files/{d}/" + query, form + more, body);
}

std::vector<http_case> accepted() {
  const std::string large(150'000, 'l');
  const auto there = [](const std::string& name, const std::string& content) {
    return get("/files/{d}/" + name).is(200).body(content);
  };
  return {
      {"a_form_stores_a_file",
       {send(file("f", "one") + end)
            .is(201)
            .has("Content-Type", "application/json")
            .has("Cache-Control", "no-store")
            .contains("\"path\":\"/{d}/f\",\"created\":true,\"size\":3,\"etag\":")
            .contains("\"token\":"),
        there("f", "one")}},
      {"a_form_stores_several_files",
       {send(file("f", "one") + file("g", "two") + file("h", "") + end).is(201).contains("/{d}/h"), there("f", "one"),
        there("g", "two"), there("h", "")}},
      {"a_form_replaces_a_file",
       {put("/files/{d}/f", "old").is(201), send(file("f", "new") + end).is(201).contains("\"created\":false"),
        there("f", "new")}},
      {"a_form_stores_large_files",
       {send(file("f", large) + file("g", "small") + end).is(201), there("f", large), there("g", "small")}},
      {"a_form_byte_by_byte",
       {send(file("f", "one") + file("g", "two") + end).slowly().is(201), there("f", "one"), there("g", "two")}},
      {"a_form_in_chunks",
       {raw("POST /files/{d}/ HTTP/1.1\r\nHost: a\r\n" + form + "Transfer-Encoding: chunked\r\n\r\n" +
                chunked({file("f", "one"), end}),
            "POST")
            .is(201),
        there("f", "one")}},
      {"a_form_with_expect_continue",
       {raw("POST /files/{d}/ HTTP/1.1\r\nHost: a\r\n" + form + "Expect: 100-continue\r\nContent-Length: " +
                std::to_string((file("f", "one") + end).size()) + "\r\n\r\n",
            "POST")
            .is(100),
        raw(file("f", "one") + end, "POST").is(201), there("f", "one")}},
      {"a_form_to_the_root",
       {raw("POST /files/ HTTP/1.1\r\nHost: a\r\n" + form + "Transfer-Encoding: chunked\r\n\r\n" +
                chunked({file("d1234567", "one") + end}),
            "POST")
            .is(201),
        raw("DELETE /files/d1234567 HTTP/1.1\r\nHost: a\r\n\r\n", "DELETE").is(204),
        get("/files/{d}/").is(404, "not_found")}},
      {"a_form_to_a_directory_without_its_slash",
       {post("/files/{d}", form, file("f", "one") + end).is(201), there("f", "one")}},
      {"a_form_makes_its_directory",
       {post("/files/{d}/a/b/", form, file("f", "one") + end).is(201), get("/files/{d}/a/b/f").is(200)}},
      {"a_form_with_parents_false", {send(file("f", "one") + end, "?parents=false").is(409, "parent_missing")}},
      {"a_form_with_overwrite_false",
       {send(file("f", "one") + end, "?overwrite=false").is(201),
        send(file("f", "two") + end, "?overwrite=false").is(412, "precondition_failed"), there("f", "one")}},
      {"a_form_with_a_durability",
       {send(file("f", "one") + end, "?durability=all").is(201).contains("\"durability\":\"all\",\"replicas\":\"3/3\""),
        send(file("f", "one") + end, "", "Kaiku-Durability: all\r\n").is(201).contains("\"durability\":\"all\"")}},
      {"a_form_keeps_the_types_of_its_files",
       {send(file("f", "one", "Content-Type: image/png\r\n") + file("g", "two") + end).is(201),
        get("/files/{d}/f").is(200).has("Content-Type", "image/png"),
        get("/files/{d}/g").is(200).has("Content-Type", "application/octet-stream")}},
      {"a_form_may_have_parts_that_are_no_files",
       {send(part("name=\"a\"", "b") + file("f", "one") + part("name=\"c\"", "d") + end).is(201), there("f", "one")}},
      {"a_form_may_have_a_field_for_which_no_file_was_chosen", {send(file("f", "one") + file("", "") + end).is(201)}},
      {"a_form_may_have_a_preamble_and_an_epilogue",
       {send("preamble\r\n" + file("f", "one") + end + "epilogue").is(201), there("f", "one")}},
      {"a_file_may_hold_what_looks_like_a_boundary",
       {send(file("f", "\r\n--c\r\n--\r\n-b--") + end).is(201), there("f", "\r\n--c\r\n--\r\n-b--")}},
      {"a_file_may_hold_line_ends",
       {send(file("f", "\r\n\n\r\r\n\r\n") + end).is(201), there("f", "\r\n\n\r\r\n\r\n")}},
      {"a_name_in_a_form_may_have_letters_beyond_ascii",
       {send(file("\u00e4 \u20ac", "one") + end).is(201), there("%C3%A4%20%E2%82%AC", "one")}},
      {"a_quote_in_a_name_is_an_escape_in_a_form", {send(file("a%22b", "one") + end).is(201), there("a%22b", "one")}},
      {"a_name_in_a_form_need_not_be_quoted",
       {send(part("name=file; filename=f", "one") + end).is(201), there("f", "one")}},
      {"a_boundary_may_be_quoted",
       {post("/files/{d}/", "Content-Type: multipart/form-data; charset=utf-8; boundary=\"b\"\r\n",
             file("f", "one") + end)
            .is(201),
        there("f", "one")}},
      {"a_form_from_a_browser_leads_back_to_the_listing",
       {send(file("f", "one") + end, "", "Accept: text/html,*/*;q=0.8\r\n")
            .is(303)
            .has("Location", "~/files/{d}/\\?token=[0-9a-f]+\\.[0-9]+\\.[0-9]+")
            .has("Vary", "Accept")}},
  };
}

std::vector<http_case> refused() {
  const std::string large(400'000, 'l');
  const auto nothing = get("/files/{d}/").is(404, "not_found");
  const auto bad = [&](const std::string& body) {
    return std::vector<step>{send(body).is(400, "bad_request"), nothing};
  };
  return {
      {"a_form_without_a_file_is_refused", bad(part("name=\"a\"", "b") + end)},
      {"a_form_of_nothing_is_refused", bad(end)},
      {"a_form_without_an_end_is_refused_and_stores_nothing_of_the_open_part",
       {send("--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\nhalf").is(400, "bad_request"),
        nothing}},
      {"a_form_without_its_boundary_is_refused", bad("hello")},
      {"a_part_without_a_disposition_is_refused", bad("--b\r\nContent-Type: text/plain\r\n\r\none\r\n" + end)},
      {"a_part_of_another_disposition_is_refused",
       bad("--b\r\nContent-Disposition: attachment; filename=\"f\"\r\n\r\none\r\n" + end)},
      {"a_part_without_a_name_is_refused", bad(part("filename=\"f\"", "one") + end)},
      {"a_part_with_an_open_quote_is_refused", bad(part("name=\"a\"; filename=\"f", "one") + end)},
      {"a_name_with_a_slash_is_refused_in_a_form", {send(file("a/b", "one") + end).is(400, "invalid_path"), nothing}},
      {"a_name_with_a_backslash_is_refused_in_a_form",
       {send(file("C:\\f", "one") + end).is(400, "invalid_path"), nothing}},
      {"a_name_of_dots_is_refused_in_a_form", {send(file("..", "one") + end).is(400, "invalid_path"), nothing}},
      {"a_name_that_is_not_utf8_is_refused_in_a_form",
       {send(file("\xe4", "one") + end).is(400, "invalid_path"), nothing}},
      {"a_type_that_is_none_is_refused_in_a_form",
       {send(file("f", "one", "Content-Type: text\r\n") + end).is(400, "bad_request"), nothing}},
      {"files_before_one_that_fails_stay_and_are_named",
       {send(file("f", "one") + file("..", "two") + file("g", "three") + end)
            .is(400, "invalid_path")
            .contains("\"stored\":[{")
            .contains("/{d}/f"),
        get("/files/{d}/f").is(200).body("one"), get("/files/{d}/g").is(404, "not_found")}},
      {"a_form_that_is_cut_off_keeps_the_files_before_it",
       {raw("POST /files/{d}/ HTTP/1.1\r\nHost: a\r\n" + form + "Content-Length: 1000000\r\n\r\n" + file("f", large) +
                "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"g\"\r\n\r\n" + large,
            "POST")
            .cut()
            .is(400, "body_incomplete")
            .contains("/{d}/f")
            .ends(),
        get("/files/{d}/f").is(200).body(large).anew(), get("/files/{d}/g").is(404, "not_found")}},
      {"a_form_without_a_boundary_is_refused",
       {post("/files/{d}/", "Content-Type: multipart/form-data\r\n", file("f", "one") + end).is(400, "bad_request"),
        nothing}},
      {"a_form_with_an_empty_boundary_is_refused",
       {post("/files/{d}/", "Content-Type: multipart/form-data; boundary=\r\n", file("f", "one") + end)
            .is(400, "bad_request")}},
      {"a_form_with_a_boundary_of_71_bytes_is_refused",
       {post("/files/{d}/", "Content-Type: multipart/form-data; boundary=" + std::string(71, 'b') + "\r\n",
             file("f", "one") + end)
            .is(400, "bad_request")}},
      {"a_form_of_another_kind_is_refused",
       {post("/files/{d}/", "Content-Type: application/x-www-form-urlencoded\r\n", "a=b").is(400, "bad_request"),
        nothing}},
      {"a_form_with_a_condition_is_refused",
       {send(file("f", "one") + end, "", "If-Match: *\r\n").is(400, "bad_request"),
        send(file("f", "one") + end, "", "If-None-Match: *\r\n").is(400, "bad_request"), nothing}},
      {"a_form_with_an_unknown_parameter_is_refused",
       {send(file("f", "one") + end, "?x=y").is(400, "bad_request"), nothing}},
      {"a_form_to_a_file_is_refused",
       {put("/files/{d}/f", "x").is(201),
        post("/files/{d}/f", form, file("g", "one") + end).is(409, "not_a_directory")}},
      {"a_connection_goes_on_after_a_form_that_was_refused",
       {send(file("..", "one") + file("g", std::string(1000, 'g')) + end).is(400, "invalid_path"),
        get("/files/s/hello").is(200)}},
  };
}

BOOST_AUTO_TEST_SUITE(forms)
const cases of_accepted(accepted());
const cases of_refused(refused());
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
