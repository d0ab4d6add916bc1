// Moves, copies, appends, properties, expiry, repeated requests, and listings of more than a directory.

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"

namespace {

using namespace kaiku::test;

const auto made = put("/files/{d}/f", "one", "Content-Type: text/plain\r\nKaiku-Meta-A: b\r\n").is(201).keep("a");
const std::string other_tag = "\"1-0000000000000000\"";

step there(const std::string& name, const std::string& content) {
  return get("/files/{d}/" + name).is(200).body(content);
}
step gone(const std::string& name) {
  return get("/files/{d}/" + name).is(404, "not_found");
}

std::vector<http_case> moves_and_copies() {
  std::vector<http_case> out;
  for (const std::string op : {"move", "copy"}) {
    const bool moves = op == "move";
    const auto send = [&](const std::string& from, const std::string& to, const std::string& more = {},
                          const std::string& fields = {}) {
      return post("/files/{d}/" + from + "?op=" + op + "&to=/{d}/" + to + more, fields);
    };
    const auto from_after = moves ? gone("f") : there("f", "one");
    const auto row = [&](const std::string& name, std::vector<step> steps) {
      out.push_back({op + "_" + name, std::move(steps)});
    };
    row("of_a_file_is_201",
        {made, send("f", "g").is(201).has("Location", "/files/{d}/g").has("ETag").has("Kaiku-Token"), from_after,
         get("/files/{d}/g").is(200).body("one").has("Content-Type", "text/plain").has("Kaiku-Meta-A", "b")});
    row("over_a_file_is_204", {made, put("/files/{d}/g", "old").is(201),
                               send("f", "g").is(204).has("Location", "/files/{d}/g"), there("g", "one"), from_after});
    row("with_overwrite_false_replaces_nothing",
        {made, put("/files/{d}/g", "old").is(201), send("f", "g", "&overwrite=false").is(412, "precondition_failed"),
         there("g", "old"), there("f", "one")});
    row("with_overwrite_false_to_a_new_place", {made, send("f", "g", "&overwrite=false").is(201), there("g", "one")});
    row("makes_missing_parents", {made, send("f", "x/y/g").is(201), there("x/y/g", "one")});
    row("with_parents_false_wants_the_parent",
        {made, send("f", "x/y/g", "&parents=false").is(409, "parent_missing"), there("f", "one")});
    row("of_nothing_is_404", {made, send("none", "g").is(404, "not_found")});
    row("of_a_directory_takes_all_below", {put("/files/{d}/x/y/f", "one").is(201), send("x", "z").is(201),
                                           there("z/y/f", "one"), moves ? gone("x/y/f") : there("x/y/f", "one")});
    row("of_a_directory_below_itself_is_refused",
        {put("/files/{d}/x/f", "one").is(201), send("x", "x/y").is(400, "bad_request"), there("x/f", "one")});
    row("to_itself_is_refused", {made, send("f", "f").is(400, "bad_request"), there("f", "one")});
    row("of_a_file_over_a_directory_is_409",
        {made, post("/files/{d}/g?op=mkdir").is(201), send("f", "g").is(409, "is_a_directory"), there("f", "one")});
    row("of_a_directory_over_a_file_is_409",
        {made, put("/files/{d}/x/f", "x").is(201), send("x", "f").is(409, "not_a_directory"), there("f", "one")});
    row("of_a_directory_over_an_empty_one",
        {put("/files/{d}/x/f", "one").is(201), post("/files/{d}/y?op=mkdir").is(201), send("x", "y").is(204),
         there("y/f", "one")});
    row("of_a_directory_over_one_with_entries_is_409",
        {put("/files/{d}/x/f", "one").is(201), put("/files/{d}/y/g", "two").is(201),
         send("x", "y").is(409, "directory_not_empty"), there("y/g", "two")});
    row("below_a_file_is_409", {made, put("/files/{d}/g", "x").is(201), send("f", "g/h").is(409, "not_a_directory")});
    row("without_to_is_refused", {made, post("/files/{d}/f?op=" + op).is(400, "bad_request")});
    row("to_a_path_that_is_not_allowed_is_refused",
        {made, send("f", "../g").is(400, "invalid_path"), send("f", "%00").is(400, "invalid_path"),
         send("f", "a//b").is(400, "invalid_path"), there("f", "one")});
    row("of_the_root_is_refused", {post("/files?op=" + op + "&to=/{d}/x").is(400, "invalid_path")});
    row("to_the_root_is_refused", {made, post("/files/{d}/f?op=" + op + "&to=/").is(400, "invalid_path")});
    row("with_a_slash_at_an_end_is_refused",
        {made, send("f/", "g").is(400, "invalid_path"), send("f", "g/").is(400, "invalid_path"), there("f", "one")});
    row("to_a_name_with_a_plus_for_a_space",
        {made, send("f", "a+b").is(201).has("Location", "/files/{d}/a%20b"), there("a%20b", "one")});
    row("if_match_is_about_what_is_taken", {made, put("/files/{d}/g", "old").is(201).keep("g"),
                                            send("f", "g", "", "If-Match: {g.etag}\r\n").is(412, "precondition_failed"),
                                            send("f", "g", "", "If-Match: {a.etag}\r\n").is(204), there("g", "one")});
    row("if_match_of_another_version_does_nothing",
        {made, send("f", "g", "", "If-Match: " + other_tag + "\r\n").is(412, "precondition_failed"), gone("g")});
    row("with_a_durability",
        {made, send("f", "g", "", "Kaiku-Durability: all\r\n").is(201).has("Kaiku-Durability", "all")});
    row("with_an_unknown_parameter_is_refused",
        {made, send("f", "g", "&recursive=true").is(400, "bad_request"), gone("g")});
    row("of_large_content", {put("/files/{d}/f", std::string(100'000, 'l')).is(201), send("f", "g").is(201),
                             there("g", std::string(100'000, 'l'))});
  }
  out.push_back({"move_keeps_the_etag",
                 {made, post("/files/{d}/f?op=move&to=/{d}/g").is(201).has("ETag", "{a.etag}"),
                  get("/files/{d}/g").is(200).has("ETag", "{a.etag}")}});
  return out;
}

std::vector<http_case> appends() {
  const auto append = [](const std::string& body, const std::string& fields = {}, const std::string& more = {}) {
    return post("/files/{d}/f?op=append" + more, fields, body);
  };
  const std::string large(150'000, 'l');
  return {
      {"append_makes_a_file", {append("one").is(201).has("ETag"), there("f", "one")}},
      {"append_goes_behind_what_is_there",
       {made, append(" two").is(204), append(" three").is(204), there("f", "one two three")}},
      {"append_keeps_the_properties",
       {made, append(" two").is(204),
        get("/files/{d}/f").is(200).has("Content-Type", "text/plain").has("Kaiku-Meta-A", "b").body("one two")}},
      {"append_of_nothing", {made, post("/files/{d}/f?op=append", "Content-Length: 0\r\n").is(204), there("f", "one")}},
      {"append_makes_another_version",
       {made, append("x").is(204), get("/files/{d}/f", "If-None-Match: {a.etag}\r\n").is(200)}},
      {"append_of_large_content", {made, append(large).is(204), there("f", "one" + large)}},
      {"append_to_large_content", {put("/files/{d}/f", large).is(201), append("x").is(204), there("f", large + "x")}},
      {"append_in_chunks",
       {made,
        raw("POST /files/{d}/f?op=append HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
                chunked({" t", "wo"}),
            "POST")
            .is(204),
        there("f", "one two")}},
      {"append_if_match_of_the_version",
       {made, append(" two", "If-Match: {a.etag}\r\n").is(204), there("f", "one two")}},
      {"append_if_match_of_another_version",
       {made, append(" two", "If-Match: " + other_tag + "\r\n").is(412, "precondition_failed"), there("f", "one")}},
      {"append_if_none_match_star",
       {made, append(" two", "If-None-Match: *\r\n").is(412, "precondition_failed"), there("f", "one")}},
      {"append_with_a_digest_of_the_body",
       {made, append("hello", "Content-Digest: {hello.digest}\r\n").is(204), there("f", "onehello")}},
      {"append_with_a_digest_that_is_wrong",
       {made, append(" two", "Content-Digest: {hello.digest}\r\n").is(400, "digest_mismatch"), there("f", "one")}},
      {"append_to_a_directory_is_409", {post("/files/{d}/f?op=mkdir").is(201), append("x").is(409, "is_a_directory")}},
      {"append_with_parents_false", {append("x", "", "&parents=false").is(409, "parent_missing")}},
      {"append_with_a_trailing_slash_is_refused", {post("/files/{d}/f/?op=append", "", "x").is(400, "invalid_path")}},
  };
}

std::vector<http_case> properties() {
  const auto patch = [](const std::string& document, const std::string& fields = {}) {
    return ask("PATCH", "/files/{d}/f", "Content-Type: application/merge-patch+json\r\n" + fields, document);
  };
  const auto put_with = [](const std::string& fields) { return put("/files/{d}/f", "one", fields); };
  std::vector<http_case> out{
      {"metadata_comes_back",
       {put_with("Kaiku-Meta-Author: Ada L.\r\nKAIKU-META-state: draft\r\n").is(201),
        get("/files/{d}/f").is(200).has("Kaiku-Meta-author", "Ada L.").has("Kaiku-Meta-state", "draft"),
        head("/files/{d}/f").is(200).has("Kaiku-Meta-author", "Ada L."),
        get("/files/{d}/").is(200).contains("\"author\":\"Ada L.\"")}},
      {"metadata_is_replaced_with_the_content",
       {made, put("/files/{d}/f", "two").is(204), get("/files/{d}/f").is(200).lacks("Kaiku-Meta-A")}},
      {"metadata_above_the_bounds_is_refused",
       {put_with("Kaiku-Meta-A: " + std::string(4097, 'x') + "\r\n").is(400, "bad_request"), gone("f")}},
      {"a_content_coding_is_kept",
       {put_with("Content-Encoding: gzip\r\n").is(201),
        get("/files/{d}/f").is(200).has("Content-Encoding", "gzip").body("one"),
        get("/files/{d}/").is(200).contains("\"content_encoding\":\"gzip\"")}},
      {"a_content_coding_that_is_malformed_is_refused",
       {put_with("Content-Encoding: g zip\r\n").is(400, "bad_request"), gone("f")}},
      {"a_file_with_a_ttl_says_when_it_ends",
       {put_with("Kaiku-TTL: 1000\r\n").is(201), get("/files/{d}/f").is(200).has("Kaiku-Expires", "~.* GMT"),
        put("/files/{d}/f?ttl=1000", "two").is(204), get("/files/{d}/f").is(200).has("Kaiku-Expires"),
        get("/files/{d}/").is(200).contains("\"expires\":\"")}},
      {"a_file_is_gone_after_its_ttl",
       {put_with("Kaiku-TTL: 1\r\n").is(201), get("/files/{d}/f").is(404, "not_found").eventually(),
        get("/files/{d}/").is(200).contains("\"entries\":[]"), removal("/files/{d}/f").is(404, "not_found"),
        put("/files/{d}/f", "new", "If-None-Match: *\r\n").is(201), there("f", "new")}},
      {"a_put_without_a_ttl_ends_it",
       {put_with("Kaiku-TTL: 1000\r\n").is(201), put("/files/{d}/f", "two").is(204),
        get("/files/{d}/f").is(200).lacks("Kaiku-Expires")}},
      {"patch_changes_the_type",
       {made, patch("{\"content_type\":\"image/png\"}").is(204).has("ETag").has("Kaiku-Token"),
        get("/files/{d}/f", "If-None-Match: {a.etag}\r\n")
            .is(200)
            .has("Content-Type", "image/png")
            .has("Kaiku-Meta-A", "b")
            .body("one")}},
      {"patch_changes_and_takes_away_metadata",
       {made, patch("{\"metadata\":{\"a\":null,\"C\":\"d\"}}").is(204),
        get("/files/{d}/f").is(200).lacks("Kaiku-Meta-A").has("Kaiku-Meta-C", "d").has("Content-Type", "text/plain")}},
      {"patch_sets_and_takes_away_a_ttl",
       {made, patch("{\"ttl\":1000}").is(204), get("/files/{d}/f").is(200).has("Kaiku-Expires"),
        patch("{\"ttl\":null}").is(204), get("/files/{d}/f").is(200).lacks("Kaiku-Expires")}},
      {"patch_takes_a_coding_and_a_type_away",
       {put_with("Content-Encoding: gzip\r\nContent-Type: text/css\r\n").is(201),
        patch("{\"content_encoding\":null,\"content_type\":null}").is(204),
        get("/files/{d}/f").is(200).lacks("Content-Encoding").has("Content-Type", "application/octet-stream")}},
      {"patch_of_nothing_changes_nothing_else",
       {made, patch("{}").is(204), get("/files/{d}/f").is(200).has("Kaiku-Meta-A", "b").body("one")}},
      {"patch_if_match",
       {made, patch("{\"ttl\":1000}", "If-Match: " + other_tag + "\r\n").is(412, "precondition_failed"),
        patch("{\"ttl\":1000}", "If-Match: {a.etag}\r\n").is(204)}},
      {"patch_of_nothing_is_404", {patch("{}").is(404, "not_found")}},
      {"patch_of_a_directory_is_409", {post("/files/{d}/f?op=mkdir").is(201), patch("{}").is(409, "is_a_directory")}},
      {"patch_of_another_type_is_415",
       {made, ask("PATCH", "/files/{d}/f", "Content-Type: application/json\r\n", "{}")
                  .is(415, "unsupported_media_type")
                  .has("Accept-Patch", "application/merge-patch+json")}},
      {"patch_of_the_root_is_405",
       {ask("PATCH", "/files/", "Content-Type: application/merge-patch+json\r\n", "{}").is(405, "method_not_allowed")}},
  };
  int count = 0;
  for (const char* document :
       {"{", "[]", "null", "{\"size\":1}", "{\"ttl\":0}", "{\"ttl\":-1}", "{\"ttl\":\"1\"}", "{\"ttl\":1.5}",
        "{\"content_type\":1}", "{\"content_type\":\"x\"}", "{\"metadata\":[]}", "{\"metadata\":{\"a\":1}}",
        "{\"metadata\":{\"a b\":\"c\"}}", "{\"metadata\":{\"a\":\"b\\r\\nc\"}}", "{\"ttl\":1,\"ttl\":2}"})
    out.push_back(
        {"patch_malformed_" + std::to_string(++count) + "_is_refused",
         {made, patch(document).is(400, "bad_request"), get("/files/{d}/f").is(200).has("ETag", "{a.etag}")}});
  count = 0;
  for (const char* ttl : {"0", "-1", "+1", "1s", "", "1.5", "99999999999999999999", "0x1"})
    out.push_back({"ttl_malformed_" + std::to_string(++count) + "_is_refused",
                   {put_with("Kaiku-TTL: " + std::string(ttl) + "\r\n").is(400, "bad_request"), gone("f")}});
  return out;
}

std::vector<http_case> repeats() {
  const std::string key = "Idempotency-Key: {d}\r\n";
  return {
      {"a_put_that_is_repeated_gives_its_first_answer",
       {put("/files/{d}/f", "one", key).is(201).keep("a"), put("/files/{d}/f", "two").is(204),
        put("/files/{d}/f", "one", key).is(201).has("ETag", "{a.etag}").has("Kaiku-Token", "{a.token}"),
        there("f", "two")}},
      {"a_removal_that_is_repeated_gives_its_first_answer",
       {made, ask("DELETE", "/files/{d}/f", key).is(204).keep("a"), put("/files/{d}/f", "two").is(201),
        ask("DELETE", "/files/{d}/f", key).is(204).has("Kaiku-Token", "{a.token}"), there("f", "two")}},
      {"a_condition_that_held_holds_when_it_is_repeated",
       {put("/files/{d}/f", "one", key + "If-None-Match: *\r\n").is(201),
        put("/files/{d}/f", "one", key + "If-None-Match: *\r\n").is(201)}},
      {"an_append_that_is_repeated_is_made_once",
       {post("/files/{d}/f?op=append", key, "one").is(201), post("/files/{d}/f?op=append", key, "one").is(201),
        there("f", "one")}},
      {"a_move_that_is_repeated_is_made_once",
       {made, post("/files/{d}/f?op=move&to=/{d}/g", key).is(201), post("/files/{d}/f?op=move&to=/{d}/g", key).is(201),
        there("g", "one")}},
      {"a_directory_that_is_made_again_with_its_key",
       {post("/files/{d}?op=mkdir", key).is(201), post("/files/{d}?op=mkdir", key).is(201)}},
      {"a_key_with_another_body_is_422",
       {put("/files/{d}/f", "one", key).is(201), put("/files/{d}/f", "two", key).is(422, "key_reused"),
        there("f", "one")}},
      {"a_key_with_another_target_is_422",
       {put("/files/{d}/f", "one", key).is(201), put("/files/{d}/g", "one", key).is(422, "key_reused"), gone("g")}},
      {"a_key_with_another_method_is_422",
       {put("/files/{d}/f", "one", key).is(201), ask("DELETE", "/files/{d}/f", key).is(422, "key_reused"),
        there("f", "one")}},
      {"a_large_put_that_is_repeated",
       {put("/files/{d}/f", std::string(100'000, 'l'), key).is(201).keep("a"),
        put("/files/{d}/f", std::string(100'000, 'l'), key).is(201).has("Kaiku-Token", "{a.token}")}},
      {"a_key_that_is_empty_is_refused",
       {put("/files/{d}/f", "one", "Idempotency-Key: \r\n").is(400, "bad_request"), gone("f")}},
  };
}

std::vector<http_case> more_listings() {
  const std::string list = "/files/s/list/";
  const auto same_second = "If-Unmodified-Since: {a.modified}\r\n",
             long_ago = "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
  return {
      {"a_recursive_listing_has_all_below",
       {get(list + "?recursive=true")
            .is(200)
            .contains("\"name\":\"gamma\"")
            .contains("\"name\":\"gamma/deep\"")
            .contains("\"next\":null"),
        head(list + "?recursive=true").is(200)}},
      {"a_recursive_listing_comes_in_pages",
       {get(list + "?recursive=true&limit=4").is(200).contains("\"next\":\"gamma/deep\""),
        get(list + "?recursive=true&limit=1&after=gamma/deep").is(200).contains("\"name\":\"z 1\"")}},
      {"a_listing_by_prefix",
       {get(list + "?prefix=al").is(200).contains("[{\"name\":\"alpha\"").contains("\"next\":null"),
        get(list + "?prefix=none").is(200).contains("\"entries\":[]")}},
      {"a_recursive_listing_by_prefix",
       {get(list + "?recursive=true&prefix=gamma/")
            .is(200)
            .contains("[{\"name\":\"gamma/deep\"")
            .contains("\"next\":null")}},
      {"a_listing_with_recursive_of_another_word_is_refused", {get(list + "?recursive=yes").is(400, "bad_request")}},
      {"a_file_has_no_prefix", {get("/files/s/hello?prefix=h").is(400, "bad_request")}},
      {"put_if_unmodified_since_its_date", {made, put("/files/{d}/f", "two", same_second).is(204)}},
      {"put_if_unmodified_since_long_ago_replaces_nothing",
       {made, put("/files/{d}/f", "two", long_ago).is(412, "precondition_failed"), there("f", "one")}},
      {"put_if_match_hides_if_unmodified_since",
       {made, put("/files/{d}/f", "two", "If-Match: {a.etag}\r\n" + std::string(long_ago)).is(204)}},
      {"delete_if_unmodified_since_long_ago_removes_nothing",
       {made, ask("DELETE", "/files/{d}/f", long_ago).is(412, "precondition_failed"), there("f", "one")}},
      {"put_with_overwrite_false_replaces_nothing",
       {made, put("/files/{d}/f?overwrite=false", "two").is(412, "precondition_failed"), there("f", "one")}},
      {"put_with_overwrite_false_makes_a_file",
       {put("/files/{d}/f?overwrite=false", "one").is(201), put("/files/{d}/g?overwrite=true", "one").is(201)}},
  };
}

BOOST_AUTO_TEST_SUITE(changes)
const cases of_transfers(moves_and_copies());
const cases of_appends(appends());
const cases of_properties(properties());
const cases of_repeats(repeats());
const cases of_listings(more_listings());
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
