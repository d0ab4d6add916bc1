// Conditional requests (RFC 9110, 13).

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"

namespace {

using namespace kaiku::test;

const std::string match = "If-Match: ", none_match = "If-None-Match: ", since = "If-Modified-Since: ",
                  unmodified = "If-Unmodified-Since: ", end = "\r\n";
const std::string the_tag = "{hello.etag}", other_tag = "\"1-0000000000000000\"";

/// On the shared file, with GET and HEAD.
std::vector<http_case> reads() {
  struct row {
    const char* name;
    std::string fields;
    int status;
  };
  std::vector<http_case> out;
  for (const auto& one : std::vector<row>{
           {"if_match_of_the_version_is_200", match + the_tag + end, 200},
           {"if_match_of_another_version_is_412", match + other_tag + end, 412},
           {"if_match_of_anything_is_200", match + "*" + end, 200},
           {"if_match_with_the_version_in_a_list_is_200", match + other_tag + ", " + the_tag + end, 200},
           {"if_match_in_two_lines_is_one_list", match + other_tag + end + match + the_tag + end, 200},
           {"if_match_compares_strongly", match + "W/" + the_tag + end, 412},
           {"if_match_of_an_empty_tag_is_412", match + "\"\"" + end, 412},
           {"if_none_match_of_the_version_is_304", none_match + the_tag + end, 304},
           {"if_none_match_of_another_version_is_200", none_match + other_tag + end, 200},
           {"if_none_match_of_anything_is_304", none_match + "*" + end, 304},
           {"if_none_match_with_the_version_in_a_list_is_304", none_match + other_tag + "," + the_tag + end, 304},
           {"if_none_match_with_empty_list_elements_is_304", none_match + ", ," + the_tag + " ," + end, 304},
           {"if_none_match_compares_weakly", none_match + "W/" + the_tag + end, 304},
           {"if_none_match_of_a_tag_with_a_comma_is_200", none_match + "\"a,b\"" + end, 200},
           {"if_modified_since_its_date_is_304", since + "{hello.modified}" + end, 304},
           {"if_modified_since_later_is_304", since + "{hello.after}" + end, 304},
           {"if_modified_since_earlier_is_200", since + "{hello.before}" + end, 200},
           {"if_modified_since_of_no_date_is_passed_over", since + "yesterday" + end, 200},
           {"if_modified_since_of_two_dates_is_passed_over", since + "{hello.after}, {hello.after}" + end, 200},
           {"if_modified_since_in_the_form_of_rfc_850_is_304", since + "Friday, 01-Jan-38 00:00:00 GMT" + end, 304},
           {"if_modified_since_in_the_form_of_asctime_is_304", since + "Fri Jan  1 00:00:00 2038" + end, 304},
           {"if_modified_since_long_ago_in_the_form_of_asctime_is_200", since + "Sun Nov  6 08:49:37 1994" + end, 200},
           {"if_unmodified_since_its_date_is_200", unmodified + "{hello.modified}" + end, 200},
           {"if_unmodified_since_later_is_200", unmodified + "{hello.after}" + end, 200},
           {"if_unmodified_since_earlier_is_412", unmodified + "{hello.before}" + end, 412},
           {"if_unmodified_since_of_no_date_is_passed_over", unmodified + "never" + end, 200},
           // The order of RFC 9110, 13.2.2.
           {"if_match_that_fails_goes_before_if_none_match", match + other_tag + end + none_match + the_tag + end, 412},
           {"if_match_that_holds_leaves_it_to_if_none_match", match + the_tag + end + none_match + the_tag + end, 304},
           {"if_match_and_if_none_match_that_both_hold", match + the_tag + end + none_match + other_tag + end, 200},
           {"if_match_hides_if_unmodified_since", match + the_tag + end + unmodified + "{hello.before}" + end, 200},
           {"if_match_in_vain_whatever_if_unmodified_since",
            match + other_tag + end + unmodified + "{hello.after}" + end, 412},
           {"if_unmodified_since_goes_before_if_none_match",
            unmodified + "{hello.before}" + end + none_match + the_tag + end, 412},
           {"if_unmodified_since_that_holds_leaves_it_to_if_none_match",
            unmodified + "{hello.after}" + end + none_match + the_tag + end, 304},
           {"if_none_match_hides_if_modified_since", none_match + other_tag + end + since + "{hello.after}" + end, 200},
           {"if_none_match_of_the_version_whatever_if_modified_since",
            none_match + the_tag + end + since + "{hello.before}" + end, 304},
           {"if_unmodified_since_that_fails_goes_before_if_modified_since",
            unmodified + "{hello.before}" + end + since + "{hello.after}" + end, 412},
           {"if_match_leaves_it_to_if_modified_since", match + the_tag + end + since + "{hello.after}" + end, 304},
           {"order_of_the_lines_does_not_matter", none_match + the_tag + end + match + other_tag + end, 412},
           {"if_match_that_fails_goes_before_range", match + other_tag + end + "Range: bytes=0-1\r\n", 412},
           {"if_none_match_of_the_version_goes_before_range", none_match + the_tag + end + "Range: bytes=0-1\r\n", 304},
           {"if_match_malformed_is_refused", match + "abc" + end, 400},
           {"if_match_with_an_open_quote_is_refused", match + "\"abc" + end, 400},
           {"if_match_with_a_star_in_a_list_is_refused", match + "*, \"a\"" + end, 400},
           {"if_none_match_malformed_is_refused", none_match + "abc" + end, 400},
           {"if_none_match_of_two_tags_without_a_comma_is_refused", none_match + "\"a\" \"b\"" + end, 400},
           {"if_none_match_weak_in_small_letters_is_refused", none_match + "w/\"a\"" + end, 400},
           {"if_match_of_nothing_is_refused", match + end, 400},
       }) {
    const std::string code = one.status == 412 ? "precondition_failed" : one.status == 400 ? "bad_request" : "";
    auto asked = get("/files/s/hello", one.fields).is(one.status, code);
    if (one.status == 200) asked.body("hello");
    if (one.status == 304)
      asked.has("ETag", "{hello.etag}")
          .has("Last-Modified", "{hello.modified}")
          .has("Cache-Control", "no-cache")
          .lacks("Content-Type")
          .body("");
    std::vector<step> steps{asked};
    steps.push_back(head("/files/s/hello", one.fields).is(one.status, code));
    out.push_back({one.name, steps});
  }
  for (const auto& [name, fields] :
       std::vector<std::pair<std::string, std::string>>{{"if_match", match + "*" + end},
                                                        {"if_none_match", none_match + "*" + end},
                                                        {"if_modified_since", since + "{hello.after}" + end},
                                                        {"if_unmodified_since", unmodified + "{hello.before}" + end}})
    out.push_back({name + "_on_nothing_is_404", {get("/files/s/none", fields).is(404, "not_found")}});
  return out;
}

std::vector<http_case> writes() {
  const auto file = put("/files/{d}/f", "one").is(201).keep("a");
  const auto replaced = put("/files/{d}/f", "two").is(204).keep("b");
  const std::string tag = "{a.etag}";
  const auto still = get("/files/{d}/f").is(200).body("one").has("ETag", "{a.etag}");
  const auto put_if = [](const std::string& fields) { return put("/files/{d}/f", "new", fields); };
  const std::string large(100'000, 'l');
  return {
      {"put_if_none_match_star_makes_a_file",
       {put_if(none_match + "*" + end).is(201), get("/files/{d}/f").is(200).body("new")}},
      {"put_if_none_match_star_replaces_nothing",
       {file, put_if(none_match + "*" + end).is(412, "precondition_failed"), still}},
      // A condition counts where the request would succeed without it (RFC 9110, 13.2.1).
      {"put_if_none_match_star_over_a_directory_is_409",
       {post("/files/{d}/f?op=mkdir").is(201), put_if(none_match + "*" + end).is(409, "is_a_directory")}},
      {"put_if_none_match_of_the_version_replaces_nothing",
       {file, put_if(none_match + tag + end).is(412, "precondition_failed"), still}},
      {"put_if_none_match_compares_weakly",
       {file, put_if(none_match + "W/" + tag + end).is(412, "precondition_failed"), still}},
      {"put_if_none_match_of_another_version_replaces", {file, put_if(none_match + other_tag + end).is(204)}},
      {"put_if_match_of_the_version_replaces",
       {file, put_if(match + tag + end).is(204), get("/files/{d}/f").is(200).body("new")}},
      {"put_if_match_of_another_version_replaces_nothing",
       {file, put_if(match + other_tag + end).is(412, "precondition_failed"), still}},
      {"put_if_match_compares_strongly",
       {file, put_if(match + "W/" + tag + end).is(412, "precondition_failed"), still}},
      {"put_if_match_with_the_version_in_a_list_replaces",
       {file, put_if(match + other_tag + ", " + tag + end).is(204)}},
      {"put_if_match_star_replaces", {file, put_if(match + "*" + end).is(204)}},
      {"put_if_match_star_makes_nothing",
       {put_if(match + "*" + end).is(412, "precondition_failed"), get("/files/{d}/f").is(404, "not_found")}},
      {"put_if_match_of_a_version_makes_nothing",
       {put_if(match + other_tag + end).is(412, "precondition_failed"), get("/files/{d}/f").is(404, "not_found")}},
      {"put_if_match_of_the_version_before_replaces_nothing",
       {file, replaced, put_if(match + tag + end).is(412, "precondition_failed"),
        get("/files/{d}/f").is(200).body("two")}},
      {"put_if_match_twice_with_the_same_version_wins_once",
       {file, put_if(match + tag + end).is(204), put_if(match + tag + end).is(412, "precondition_failed")}},
      {"put_if_match_of_the_version_before_a_removal_makes_nothing",
       {file, removal("/files/{d}/f").is(204), put_if(match + tag + end).is(412, "precondition_failed")}},
      {"put_if_match_and_if_none_match_that_contradict",
       {file, put_if(match + tag + end + none_match + "*" + end).is(412, "precondition_failed"), still}},
      {"put_if_match_and_if_none_match_that_both_hold",
       {file, put_if(match + tag + end + none_match + other_tag + end).is(204)}},
      {"put_ignores_if_modified_since", {file, put_if(since + "{a.modified}" + end).is(204)}},
      {"put_if_match_malformed_is_refused", {file, put_if(match + "abc" + end).is(400, "bad_request"), still}},
      {"put_if_none_match_malformed_is_refused",
       {file, put_if(none_match + "abc" + end).is(400, "bad_request"), still}},
      {"put_of_large_content_with_a_condition_that_fails_leaves_the_old",
       {file, put("/files/{d}/f", large, match + other_tag + end).is(412, "precondition_failed"), still}},
      {"put_of_large_content_with_a_condition_that_holds",
       {file, put("/files/{d}/f", large, match + tag + end).is(204), get("/files/{d}/f").is(200).body(large)}},
      {"put_of_chunks_with_a_condition_that_fails_leaves_the_old",
       {file,
        raw("PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + match + other_tag + end + end +
                chunked({"new"}),
            "PUT")
            .is(412, "precondition_failed"),
        still}},
      {"put_that_was_refused_by_a_condition_makes_no_parents",
       {put("/files/{d}/x/y/f", "new", match + "*" + end).is(412, "precondition_failed"),
        get("/files/{d}/x/").is(404, "not_found")}},
      {"delete_if_match_of_the_version", {file, removal("/files/{d}/f", match + tag + end).is(204)}},
      {"delete_if_match_of_another_version_removes_nothing",
       {file, removal("/files/{d}/f", match + other_tag + end).is(412, "precondition_failed"), still}},
      {"delete_if_match_star", {file, removal("/files/{d}/f", match + "*" + end).is(204)}},
      {"delete_if_none_match_of_the_version_removes_nothing",
       {file, removal("/files/{d}/f", none_match + tag + end).is(412, "precondition_failed"), still}},
      {"delete_if_none_match_star_removes_nothing",
       {file, removal("/files/{d}/f", none_match + "*" + end).is(412, "precondition_failed"), still}},
      {"delete_if_none_match_of_another_version",
       {file, removal("/files/{d}/f", none_match + other_tag + end).is(204)}},
      {"delete_of_a_directory_if_match_star", {file, removal("/files/{d}?recursive=true", match + "*" + end).is(204)}},
      {"mkdir_if_none_match_star", {post("/files/{d}?op=mkdir", none_match + "*" + end).is(201)}},
      {"mkdir_if_match_star_makes_nothing",
       {post("/files/{d}?op=mkdir", match + "*" + end).is(412, "precondition_failed"),
        get("/files/{d}").is(404, "not_found")}},
      {"get_if_none_match_after_a_change_gives_the_new_content",
       {file, get("/files/{d}/f", none_match + tag + end).is(304), replaced,
        get("/files/{d}/f", none_match + tag + end).is(200).body("two").has("ETag", "{b.etag}")}},
  };
}

BOOST_AUTO_TEST_SUITE(conditions)
const cases of_reads(reads());
const cases of_writes(writes());
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
