// Listings of directories, page by page.

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"

namespace {

using namespace kaiku::test;

std::vector<http_case> listings() {
  const std::string list = "/files/s/list/";
  const auto after = [&](const std::string& name) { return get(list + "?after=" + name); };
  return {
      {"a_listing_is_json_with_a_weak_tag",
       {get(list)
            .is(200)
            .has("Content-Type", "application/json")
            .has("Cache-Control", "no-cache")
            .has("X-Content-Type-Options", "nosniff")
            .has("ETag", "~W/\"[0-9a-f]{32}\"")
            .has("Vary", "Accept")
            .lacks("Last-Modified")
            .lacks("Accept-Ranges"),
        head(list).is(200)}},
      {"a_listing_is_by_name_in_byte_order",
       {get(list).is(200).contains("\"path\":\"/s/list\"").contains("\"next\":null"),
        get(list + "?limit=1").is(200).contains("\"name\":\"alpha\"").contains("\"next\":\"alpha\""),
        after("alpha&limit=1").is(200).contains("\"name\":\"beta\""),
        after("beta&limit=1").is(200).contains("\"name\":\"gamma\""),
        after("gamma&limit=1").is(200).contains("\"name\":\"z 1\""),
        after("z%201&limit=1").is(200).contains("\"name\":\"\u00e4\"").contains("\"next\":null")}},
      {"a_listing_says_what_a_file_is",
       {get(list + "?limit=1")
            .is(200)
            .contains("\"type\":\"file\"")
            .contains("\"size\":1")
            .contains("\"content_type\":\"text/plain\"")
            .contains("\"etag\":\"\\\"")
            .contains("\"modified\":\"20")}},
      {"a_listing_says_what_a_directory_is", {after("beta&limit=1").is(200).contains("\"type\":\"directory\"")}},
      {"a_listing_without_the_trailing_slash",
       {get("/files/s/list").is(200).contains("\"path\":\"/s/list\"").contains("alpha")}},
      {"a_listing_of_the_root",
       {get("/files/?limit=1000").is(200).contains("\"path\":\"/\"").contains("\"name\":\"s\"").differs()}},
      {"a_listing_of_an_empty_directory",
       {post("/files/{d}?op=mkdir").is(201), get("/files/{d}/").is(200).contains("\"entries\":[],\"next\":null")}},
      {"a_listing_of_nothing_is_404",
       {get("/files/s/none/").is(404, "not_found"), head("/files/s/none/").is(404, "not_found")}},
      {"a_listing_has_a_page_of_1000_entries",
       {get("/files/s/many/")
            .is(200)
            .contains("\"name\":\"1000\"")
            .contains("\"name\":\"1999\"")
            .contains("\"next\":\"1999\""),
        get("/files/s/many/?after=1999").is(200).contains("\"name\":\"2000\"").contains("\"next\":null")}},
      {"a_page_that_ends_with_the_last_entry_is_the_last",
       {get(list + "?limit=5").is(200).contains("\"next\":null"),
        get(list + "?limit=4").is(200).contains("\"next\":\"z 1\"")}},
      {"a_page_after_the_last_entry_is_empty", {after("%C3%A4").is(200).contains("\"entries\":[],\"next\":null")}},
      {"a_page_after_a_name_that_is_not_there", {after("b&limit=1").is(200).contains("\"name\":\"beta\"")}},
      {"a_page_after_nothing_is_the_first", {after("&limit=1").is(200).contains("\"name\":\"alpha\"")}},
      {"a_page_after_a_name_with_a_plus_for_a_space",
       {after("z+1").is(200).contains("\u00e4").contains("\"next\":null")}},
      {"a_page_after_a_name_that_was_removed_meanwhile",
       {put("/files/{d}/a", "x").is(201), put("/files/{d}/b", "x").is(201), put("/files/{d}/c", "x").is(201),
        get("/files/{d}/?limit=2").is(200).contains("\"next\":\"b\""), removal("/files/{d}/b").is(204),
        get("/files/{d}/?limit=2&after=b").is(200).contains("\"name\":\"c\"").contains("\"next\":null")}},
      {"a_limit_of_1000", {get(list + "?limit=1000").is(200)}},
      {"a_limit_of_0_is_refused", {get(list + "?limit=0").is(400, "bad_request")}},
      {"a_limit_of_1001_is_refused", {get(list + "?limit=1001").is(400, "bad_request")}},
      {"a_limit_below_0_is_refused", {get(list + "?limit=-1").is(400, "bad_request")}},
      {"a_limit_that_is_no_number_is_refused", {get(list + "?limit=ten").is(400, "bad_request")}},
      {"a_limit_with_something_behind_it_is_refused", {get(list + "?limit=10x").is(400, "bad_request")}},
      {"a_limit_that_is_empty_is_refused", {get(list + "?limit=").is(400, "bad_request")}},
      {"a_limit_beyond_64_bits_is_refused", {get(list + "?limit=99999999999999999999").is(400, "bad_request")}},
      {"a_listing_has_no_strong_tag_to_match",
       {get(list).is(200).keep("l"), get(list, "If-Match: {l.etag}\r\n").is(412, "precondition_failed"),
        get(list, "If-Match: \"1-0000000000000000\"\r\n").is(412, "precondition_failed")}},
      {"a_listing_matches_a_star", {get(list, "If-Match: *\r\n").is(200)}},
      {"a_listing_that_is_the_same_is_304",
       {get(list).is(200).keep("l"),
        get(list, "If-None-Match: {l.etag}\r\n").is(304).has("ETag", "{l.etag}").has("Vary", "Accept"),
        head(list, "If-None-Match: {l.etag}\r\n").is(304), get(list, "If-None-Match: *\r\n").is(304)}},
      {"a_listing_that_has_changed_is_200",
       {put("/files/{d}/f", "x").is(201), get("/files/{d}/").is(200).keep("l"), put("/files/{d}/g", "x").is(201),
        get("/files/{d}/", "If-None-Match: {l.etag}\r\n").is(200).contains("\"name\":\"g\"")}},
      {"a_listing_ignores_dates",
       {get(list, "If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT\r\n").is(200),
        get(list, "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n").is(200)}},
      {"a_listing_shows_a_change",
       {put("/files/{d}/f", "x").is(201), get("/files/{d}/").is(200).contains("\"size\":1"),
        put("/files/{d}/f", "xyz").is(204), get("/files/{d}/").is(200).contains("\"size\":3"),
        removal("/files/{d}/f").is(204), get("/files/{d}/").is(200).contains("\"entries\":[]")}},
      {"a_listing_shows_the_etag_of_a_file",
       {put("/files/{d}/f", "x").is(201).keep("a"), get("/files/{d}/f").is(200).has("ETag", "{a.etag}"),
        get("/files/{d}/").is(200)}},
      {"a_listing_escapes_what_json_wants_escaped",
       {put("/files/{d}/a%22%5Cb", "x").is(201), get("/files/{d}/").is(200).contains("\"name\":\"a\\\"\\\\b\"")}},
      {"a_listing_has_no_entries_of_directories_below",
       {get("/files/s/").is(200).contains("\"name\":\"list\""),
        get(list + "?after=beta&limit=1").is(200).contains("[{\"name\":\"gamma\"")}},
  };
}

BOOST_AUTO_TEST_SUITE(listing)
const cases of_listings(listings());
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
