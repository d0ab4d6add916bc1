// What a write carries beside its bytes: digests, media types, expectations, durability, sizes.

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"
#include "support/bytes.hpp"

namespace {

using namespace kaiku::test;

const std::string end = "\r\n";

std::vector<http_case> digests() {
  const std::string right = digest_of("x"), wrong = digest_of("y"), large(100'000, 'l');
  const std::string sha512 = "sha-512=:" + std::string(86, 'A') + "==:";
  const auto gone = get("/files/{d}/f").is(404, "not_found");
  const auto put_with = [](const std::string& fields) { return put("/files/{d}/f", "x", fields + "\r\n"); };
  const auto chunks_with = [](const std::string& fields) {
    return raw(
        "PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + fields + "\r\n\r\n" + chunked({"x"}),
        "PUT");
  };
  std::vector<http_case> out{
      {"digest_in_repr_digest_that_is_right",
       {put_with("Repr-Digest: " + right).is(201), get("/files/{d}/f").is(200).has("Repr-Digest", right)}},
      {"digest_in_content_digest_that_is_right", {put_with("Content-Digest: " + right).is(201)}},
      {"digest_in_repr_digest_that_is_wrong", {put_with("Repr-Digest: " + wrong).is(400, "digest_mismatch"), gone}},
      {"digest_in_content_digest_that_is_wrong",
       {put_with("Content-Digest: " + wrong).is(400, "digest_mismatch"), gone}},
      {"digests_in_both_fields_that_are_right",
       {put_with("Content-Digest: " + right + end + "Repr-Digest: " + right).is(201)}},
      {"digests_in_both_fields_of_which_one_is_wrong",
       {put_with("Content-Digest: " + right + end + "Repr-Digest: " + wrong).is(400, "digest_mismatch"), gone}},
      {"digest_of_another_algorithm_is_passed_over", {put_with("Repr-Digest: " + sha512).is(201)}},
      {"digest_beside_one_of_another_algorithm_is_checked",
       {put_with("Repr-Digest: " + sha512 + ", " + wrong).is(400, "digest_mismatch"), gone}},
      {"digest_of_large_content_that_is_right",
       {put("/files/{d}/f", large, "Repr-Digest: " + digest_of(large) + end).is(201),
        get("/files/{d}/f").is(200).body(large)}},
      {"digest_of_large_content_that_is_wrong",
       {put("/files/{d}/f", large, "Repr-Digest: " + wrong + end).is(400, "digest_mismatch"), gone}},
      {"digest_of_chunks_that_is_right", {chunks_with("Repr-Digest: " + right).is(201)}},
      {"digest_of_chunks_that_is_wrong", {chunks_with("Repr-Digest: " + wrong).is(400, "digest_mismatch"), gone}},
      {"digest_that_is_wrong_leaves_the_old_file",
       {put("/files/{d}/f", "old").is(201).keep("a"), put_with("Repr-Digest: " + wrong).is(400, "digest_mismatch"),
        get("/files/{d}/f").is(200).body("old").has("ETag", "{a.etag}")}},
      {"digest_of_nothing_that_is_right", {put("/files/{d}/f", "", "Repr-Digest: " + digest_of("") + end).is(201)}},
      {"digest_of_nothing_that_is_wrong",
       {put("/files/{d}/f", "", "Repr-Digest: " + right + end).is(400, "digest_mismatch"), gone}},
      {"content_md5_is_obsolete_and_passed_over", {put_with("Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==").is(201)}},
      {"digest_of_rfc_3230_is_obsolete_and_passed_over",
       {put_with("Digest: SHA-256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").is(201)}},
  };
  int count = 0;
  for (const char* malformed : {"sha-256", "sha-256=abc", "sha-256=:abc:", "sha-256=::", "sha-256=:!!!!:",
                                "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:"})
    out.push_back({"digest_malformed_" + std::to_string(++count) + "_is_refused",
                   {put_with("Repr-Digest: " + std::string(malformed)).is(400, "bad_request"), gone}});
  return out;
}

std::vector<http_case> media_types() {
  const auto put_of = [](const std::string& type) {
    return put("/files/{d}/f", "x", "Content-Type: " + type + "\r\n");
  };
  const auto kept_as = [](const std::string& type) { return get("/files/{d}/f").is(200).has("Content-Type", type); };
  std::vector<http_case> out{
      {"content_type_is_kept", {put_of("image/png").is(201), kept_as("image/png")}},
      {"content_type_is_kept_with_its_parameters",
       {put_of("text/plain; charset=utf-8; x=\"y z\"").is(201), kept_as("text/plain; charset=utf-8; x=\"y z\"")}},
      {"content_type_is_kept_with_its_case", {put_of("Text/HTML").is(201), kept_as("Text/HTML")}},
      {"content_type_is_replaced_with_the_content",
       {put_of("image/png").is(201), put_of("text/css").is(204), kept_as("text/css")}},
      {"content_type_that_is_not_given_is_octet_stream",
       {put("/files/{d}/f", "x").is(201), kept_as("application/octet-stream")}},
      {"content_type_that_is_empty_is_octet_stream", {put_of("").is(201), kept_as("application/octet-stream")}},
      {"content_type_is_listed",
       {put_of("image/png").is(201), get("/files/{d}/").is(200).contains("\"content_type\":\"image/png\"")}},
      {"content_type_of_255_bytes",
       {put_of("text/" + std::string(250, 'x')).is(201), kept_as("text/" + std::string(250, 'x'))}},
      {"content_type_of_256_bytes_is_refused", {put_of("text/" + std::string(251, 'x')).is(400, "bad_request")}},
      {"content_encoding_identity", {put("/files/{d}/f", "x", "Content-Encoding: identity\r\n").is(201)}},
  };
  int count = 0;
  for (const char* malformed : {"text", "/plain", "text/", "text/p lain", "te xt/plain", "text/plain/x",
                                "text/\xc3\xa4", "text/plain, text/html", "<x>/y", "*"})
    out.push_back({"content_type_malformed_" + std::to_string(++count) + "_is_refused",
                   {put_of(malformed).is(400, "bad_request"), get("/files/{d}/f").is(404, "not_found")}});
  return out;
}

std::vector<http_case> expectations() {
  const auto header = [](const std::string& target, const std::string& fields) {
    return raw("PUT " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n", "PUT");
  };
  const std::string sized = "Content-Length: 4\r\n", waits = "Expect: 100-continue\r\n";
  const auto there = get("/files/{d}/f").is(200).body("body");
  return {
      {"expect_continue_is_answered_before_the_body",
       {header("/files/{d}/f", sized + waits).is(100), raw("body", "PUT").is(201), there}},
      {"expect_continue_of_any_case",
       {header("/files/{d}/f", sized + "expect: 100-Continue\r\n").is(100), raw("body", "PUT").is(201)}},
      {"expect_continue_with_chunks",
       {header("/files/{d}/f", "Transfer-Encoding: chunked\r\n" + waits).is(100),
        raw(chunked({"bo", "dy"}), "PUT").is(201), there}},
      {"expect_continue_of_large_content",
       {header("/files/{d}/f", "Content-Length: 100000\r\n" + waits).is(100),
        raw(std::string(100'000, 'l'), "PUT").is(201), get("/files/{d}/f").is(200).body(std::string(100'000, 'l'))}},
      {"expect_continue_without_a_body_needs_no_interim_answer",
       {header("/files/{d}/f", "Content-Length: 0\r\n" + waits).is(201)}},
      {"expect_continue_with_the_body_sent_already",
       {raw("PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\n" + sized + waits + "\r\nbody", "PUT").is(201), there}},
      {"expect_continue_is_refused_for_a_path_that_is_not_allowed",
       {header("/files/{d}/../f", sized + waits).is(400, "invalid_path").ends()}},
      {"expect_continue_is_refused_for_the_root",
       {header("/files/", sized + waits).is(405, "method_not_allowed").ends()}},
      {"expect_continue_is_refused_for_a_malformed_condition",
       {header("/files/{d}/f", sized + waits + "If-Match: x\r\n").is(400, "bad_request").ends()}},
      {"expect_continue_is_refused_for_a_malformed_digest",
       {header("/files/{d}/f", sized + waits + "Repr-Digest: x\r\n").is(400, "bad_request").ends()}},
      {"expect_continue_is_refused_for_an_unknown_durability",
       {header("/files/{d}/f", sized + waits + "Kaiku-Durability: some\r\n").is(400, "bad_request").ends()}},
      {"expect_continue_is_refused_for_what_is_too_large",
       {header("/files/{d}/f", "Content-Length: 1099511627777\r\n" + waits).is(413, "body_too_large").ends()}},
      {"expect_continue_is_refused_for_a_resource_that_is_not_there",
       {header("/none", sized + waits).is(404, "not_found").ends()}},
      {"expect_of_something_else_is_417",
       {header("/files/{d}/f", sized + "Expect: magic\r\n\r\nbody").is(417, "expectation_failed"),
        get("/files/{d}/f").is(404, "not_found")}},
      {"expect_of_several_things_is_417",
       {header("/files/{d}/f", sized + "Expect: 100-continue, magic\r\n\r\nbody").is(417, "expectation_failed")}},
      {"expect_continue_of_http_1_0_is_passed_over",
       {raw("PUT /files/{d}/f HTTP/1.0\r\n" + sized + waits + "\r\nbody", "PUT").is(201).ends()}},
      {"expect_continue_with_get_needs_no_interim_answer", {get("/files/s/hello", waits).is(200).body("hello")}},
  };
}

std::vector<http_case> durabilities() {
  const auto put_at = [](const std::string& query, const std::string& fields) {
    return put("/files/{d}/f" + query, "x", fields);
  };
  const std::string majority = "Kaiku-Durability: majority\r\n", all = "Kaiku-Durability: all\r\n",
                    leader = "Kaiku-Durability: leader\r\n";
  return {
      {"durability_leader", {put_at("", leader).is(201).has("Kaiku-Durability", "~leader|majority|all")}},
      {"durability_majority",
       {put_at("", majority).is(201).has("Kaiku-Durability", "~majority|all").has("Kaiku-Replicas", "~[23]/3")}},
      {"durability_all", {put_at("", all).is(201).has("Kaiku-Durability", "all").has("Kaiku-Replicas", "3/3")}},
      {"durability_as_a_parameter", {put_at("?durability=all", "").is(201).has("Kaiku-Durability", "all")}},
      {"durability_in_field_and_parameter_alike",
       {put_at("?durability=all", all).is(201).has("Kaiku-Durability", "all")}},
      {"durability_in_field_and_parameter_that_differ",
       {put_at("?durability=all", majority).is(400, "bad_request"), get("/files/{d}/f").is(404, "not_found")}},
      {"durability_of_an_unknown_word", {put_at("", "Kaiku-Durability: most\r\n").is(400, "bad_request")}},
      {"durability_as_a_parameter_of_an_unknown_word", {put_at("?durability=most", "").is(400, "bad_request")}},
      {"durability_of_an_empty_word", {put_at("", "Kaiku-Durability: \r\n").is(400, "bad_request")}},
      {"durability_in_capitals", {put_at("", "Kaiku-Durability: ALL\r\n").is(400, "bad_request")}},
      {"durability_in_a_field_name_of_any_case",
       {put_at("", "kaiku-DURABILITY: all\r\n").is(201).has("Kaiku-Durability", "all")}},
      {"durability_twice", {put_at("", leader + majority).is(400, "bad_request")}},
      {"durability_of_a_removal",
       {put_at("", "").is(201), removal("/files/{d}/f", all).is(204).has("Kaiku-Durability", "all")}},
      {"durability_of_a_directory", {post("/files/{d}?op=mkdir", all).is(201).has("Kaiku-Durability", "all")}},
      {"durability_of_a_read_is_checked", {get("/files/s/hello", "Kaiku-Durability: most\r\n").is(400, "bad_request")}},
      {"durability_of_a_read_changes_nothing", {get("/files/s/hello", all).is(200).lacks("Kaiku-Durability")}},
      {"durability_as_a_parameter_of_a_read_is_refused", {get("/files/s/hello?durability=all").is(400, "bad_request")}},
      {"durability_of_large_content",
       {put("/files/{d}/f", std::string(100'000, 'l'), all).is(201).has("Kaiku-Durability", "all")}},
  };
}

std::vector<http_case> sizes() {
  const auto header = [](const std::string& fields) {
    return raw("PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n", "PUT");
  };
  const auto gone = get("/files/{d}/f").is(404, "not_found").anew();
  return {
      {"a_body_above_the_bound_is_413", {header("Content-Length: 1099511627777\r\n").is(413, "body_too_large").ends()}},
      {"a_body_of_the_largest_number_is_413",
       {header("Content-Length: 18446744073709551615\r\n").is(413, "body_too_large").ends()}},
      {"a_chunk_above_the_bound_is_413",
       {header("Transfer-Encoding: chunked\r\n\r\n10000000001\r\n").is(413, "body_too_large").ends()}},
      {"a_small_body_that_is_cut_off_leaves_nothing",
       {raw("PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf", "PUT")
            .cut()
            .is(400, "body_incomplete")
            .ends(),
        gone}},
      {"a_large_body_that_is_cut_off_leaves_nothing",
       {raw("PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + std::string(150'000, 'l'), "PUT")
            .cut()
            .is(400, "body_incomplete")
            .ends(),
        gone}},
      {"chunks_that_are_cut_off_leave_nothing",
       {raw("PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "PUT")
            .cut()
            .is(400, "body_incomplete")
            .ends(),
        gone}},
      {"a_body_without_its_last_chunk_leaves_the_old_file",
       {put("/files/{d}/f", "old").is(201),
        raw("PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n", "PUT")
            .cut()
            .is(400, "body_incomplete")
            .ends(),
        get("/files/{d}/f").is(200).body("old").anew()}},
      {"a_header_that_is_cut_off_is_refused",
       {raw("GET /files/s/hello HTTP/1.1\r\nHost: a\r\n").cut().is(400, "bad_request").ends()}},
  };
}

BOOST_AUTO_TEST_SUITE(writing)
const cases of_digests(digests());
const cases of_media_types(media_types());
const cases of_expectations(expectations());
const cases of_durabilities(durabilities());
const cases of_sizes(sizes());
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
