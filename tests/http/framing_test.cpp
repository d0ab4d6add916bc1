// Chunks, connections that stay and that end, pipelining, HTTP/1.0. What is refused outright is in the corpus.

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"
#include "support/bytes.hpp"

namespace {

using namespace kaiku::test;

const std::string to_file = "PUT /files/{d}/f HTTP/1.1\r\nHost: a\r\n";
const std::string chunks_to_file = to_file + "Transfer-Encoding: chunked\r\n\r\n";
const std::string ask_hello = "GET /files/s/hello HTTP/1.1\r\nHost: a\r\n\r\n";

step hello() {
  return next().is(200).body("hello");
}
std::string repeated(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

std::vector<http_case> chunks() {
  const auto sent = [](const std::string& body) { return raw(chunks_to_file + body, "PUT"); };
  const auto there = [](const std::string& body) { return get("/files/{d}/f").is(200).body(body); };
  const std::string large = generated_bytes{5, 150'000}.all();
  std::vector<http_case> out{
      {"chunks_make_one_file", {sent(chunked({"hello", " ", "world"})).is(201), there("hello world")}},
      {"chunks_of_one_byte", {sent(chunked({"a", "b", "c", "d", "e"})).is(201), there("abcde")}},
      {"no_chunk_byte_by_byte", {sent(chunked({})).slowly().is(201), there("")}},
      {"no_chunk_and_a_trailer_byte_by_byte", {sent(chunked({}, "X: y\r\n")).slowly().is(201), there("")}},
      {"no_chunk_is_an_empty_file", {sent(chunked({})).is(201), there("")}},
      {"chunks_of_a_large_file",
       {sent(chunked({large.substr(0, 1), large.substr(1, 99'999), large.substr(100'000)})).is(201), there(large)}},
      {"chunks_byte_by_byte", {sent(chunked({"hello", " world"}, "X: y\r\n")).slowly().is(201), there("hello world")}},
      {"a_chunk_size_in_small_letters", {sent("a\r\n0123456789\r\n0\r\n\r\n").is(201), there("0123456789")}},
      {"a_chunk_size_in_capitals", {sent("A\r\n0123456789\r\n0\r\n\r\n").is(201), there("0123456789")}},
      {"a_chunk_size_with_leading_zeros", {sent("0000a\r\n0123456789\r\n000\r\n\r\n").is(201), there("0123456789")}},
      {"a_chunk_extension_is_passed_over", {sent("1;a=b;c\r\nx\r\n0;d=\"e f\"\r\n\r\n").is(201), there("x")}},
      {"a_trailer_is_passed_over", {sent(chunked({"x"}, "X: y\r\nRepr-Sum: z\r\n")).is(201), there("x")}},
      {"a_trailer_says_nothing_about_the_request",
       {sent(chunked({"x"}, "If-Match: \"a\"\r\nKaiku-Durability: none\r\n")).is(201), there("x")}},
      {"chunks_that_look_like_requests_are_content",
       {sent(chunked({ask_hello, ask_hello})).is(201), there(ask_hello + ask_hello)}},
      {"chunks_and_a_request_behind_them", {sent(chunked({"x"}) + ask_hello).is(201), hello()}},
      {"a_transfer_coding_of_any_case",
       {raw(to_file + "transfer-encoding: Chunked\r\n\r\n" + chunked({"x"}), "PUT").is(201), there("x")}},
  };
  int count = 0;
  for (const std::string& malformed : std::vector<std::string>{"x\r\n\r\n",
                                                               "\r\nx\r\n0\r\n\r\n",
                                                               "-1\r\nx\r\n0\r\n\r\n",
                                                               "+1\r\nx\r\n0\r\n\r\n",
                                                               "0x1\r\nx\r\n0\r\n\r\n",
                                                               " 1\r\nx\r\n0\r\n\r\n",
                                                               "1 1\r\nx\r\n0\r\n\r\n",
                                                               "1\r\nxy\r\n0\r\n\r\n",
                                                               "1\r\nx0\r\n\r\n",
                                                               "1\nx\n0\n\n",
                                                               "1\r\nx\n0\r\n\r\n",
                                                               "1\rx\r0\r\r",
                                                               "10000000000000000\r\nx\r\n0\r\n\r\n",
                                                               "1;a=\"\n\"\r\nx\r\n0\r\n\r\n",
                                                               "1;\x01\r\nx\r\n0\r\n\r\n",
                                                               "1\r\nx\r\n0\r\nX : 5\r\n\r\n",
                                                               "1\r\nx\r\n0\r\nX: 5\r\n 6\r\n\r\n",
                                                               "1\r\nx\r\n0\n\n",
                                                               "1\r\nx\r\n0\r\nX\r\n\r\n",
                                                               "1\r\nx\r\n0\r\nContent-Length: 5\r\n\r\n",
                                                               "1\r\nx\r\n0\r\nX: y\nZ: z\r\n\r\n",
                                                               "1\r\nx\r\n0\r\nX: " + std::string(70'000, 'x')})
    out.push_back({"malformed_chunks_" + std::to_string(++count) + "_leave_nothing",
                   {sent(malformed).is(400, "bad_request").ends(), get("/files/{d}/f").is(404, "not_found").anew()}});
  return out;
}

std::vector<http_case> connections() {
  return {
      {"a_connection_takes_one_request_after_the_other",
       {get("/files/s/hello").is(200), get("/files/s/digits").is(200), head("/files/s/large").is(200),
        get("/files/s/hello").is(200).body("hello")}},
      {"a_connection_is_closed_when_the_client_wants_it",
       {get("/files/s/hello", "Connection: close\r\n").is(200).body("hello").ends()}},
      {"a_connection_is_closed_when_the_client_wants_it_in_capitals",
       {get("/files/s/hello", "Connection: CLOSE\r\n").is(200).ends()}},
      {"a_connection_is_closed_when_close_is_one_of_several",
       {get("/files/s/hello", "Connection: TE, close\r\nTE: trailers\r\n").is(200).ends()}},
      {"a_write_is_answered_before_the_connection_is_closed",
       {put("/files/{d}/f", "x", "Connection: close\r\n").is(201).ends(),
        get("/files/{d}/f").is(200).body("x").anew()}},
      {"nothing_is_served_behind_connection_close",
       {raw("GET /files/s/hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nPUT /files/{d}/f HTTP/1.1\r\nHost: "
            "a\r\nContent-Length: 1\r\n\r\nx")
            .is(200)
            .ends(),
        get("/files/{d}/f").is(404, "not_found").anew()}},
      {"requests_in_one_packet_are_answered_in_order",
       {raw("GET /files/s/hello HTTP/1.1\r\nHost: a\r\n\r\nGET /files/s/digits HTTP/1.1\r\nHost: a\r\n\r\n"
            "HEAD /files/s/large HTTP/1.1\r\nHost: a\r\n\r\n" +
            ask_hello)
            .is(200)
            .body("hello"),
        next().is(200).body("0123456789"), next("HEAD").is(200).has("Content-Length", "200000"), hello()}},
      {"fifty_requests_in_one_packet",
       [] {
         std::vector<step> steps{raw(repeated(ask_hello, 50)).is(200)};
         for (int i = 1; i < 50; ++i) steps.push_back(hello());
         return steps;
       }()},
      {"writes_and_reads_in_one_packet_are_answered_in_order",
       {raw(to_file + "Content-Length: 1\r\n\r\n1" + to_file +
                "Kaiku-Durability: majority\r\nContent-Length: 1\r\n\r\n2"
                "GET /files/{d}/f?consistency=linearizable HTTP/1.1\r\nHost: a\r\n\r\n"
                "DELETE /files/{d}/f HTTP/1.1\r\nHost: a\r\n\r\n",
            "PUT")
            .is(201),
        next("PUT").is(204), next().is(200).body("2"), next("DELETE").is(204)}},
      {"a_large_answer_and_a_request_behind_it",
       {raw("GET /files/s/large HTTP/1.1\r\nHost: a\r\n\r\n" + ask_hello).is(200).body(shared_content("large")),
        hello()}},
      {"a_request_byte_by_byte", {raw(ask_hello).slowly().is(200).body("hello")}},
      {"a_write_byte_by_byte",
       {raw(to_file + "Content-Length: 5\r\n\r\nhello", "PUT").slowly().is(201),
        get("/files/{d}/f").is(200).body("hello")}},
      {"an_empty_line_before_a_request_is_forgiven", {raw("\r\n" + ask_hello).is(200).body("hello")}},
      {"an_empty_line_between_requests_is_forgiven", {raw(ask_hello + "\r\n" + ask_hello).is(200), hello()}},
      {"a_client_that_ends_its_side_gets_its_answer", {raw(ask_hello).cut().is(200).body("hello")}},
      {"white_space_around_a_value_is_no_part_of_it",
       {raw("GET /files/s/digits HTTP/1.1\r\nHost:\ta \r\nRange: \t bytes=0-1\t \r\n\r\n").is(206).body("01")}},
      {"no_white_space_before_a_value",
       {raw("GET /files/s/digits HTTP/1.1\r\nHost:a\r\nRange:bytes=0-1\r\n\r\n").is(206).body("01")}},
      {"field_names_of_any_case",
       {raw("GET /files/s/digits HTTP/1.1\r\nhOST: a\r\nrANGE: bytes=0-1\r\n\r\n").is(206).body("01")}},
      {"bytes_beyond_ascii_in_a_value_are_passed_over", {get("/files/s/hello", "X: \xc3\xa4\xff\r\n").is(200)}},
      {"an_empty_host", {raw("GET /files/s/hello HTTP/1.1\r\nHost:\r\n\r\n").is(200)}},
      {"a_host_with_a_port", {raw("GET /files/s/hello HTTP/1.1\r\nHost: a:80\r\n\r\n").is(200)}},
      {"a_host_that_is_an_ipv6_address", {raw("GET /files/s/hello HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").is(200)}},
      {"a_hundred_fields",
       {raw("GET /files/s/hello HTTP/1.1\r\nHost: a\r\n" + repeated("X: y\r\n", 99) + "\r\n").is(200)}},
      {"more_than_a_hundred_fields",
       {raw("GET /files/s/hello HTTP/1.1\r\nHost: a\r\n" + repeated("X: y\r\n", 100) + "\r\n")
            .is(431, "header_too_large")
            .ends()}},
      {"a_header_of_nearly_16_kib", {get("/files/s/hello", "X: " + std::string(16'000, 'x') + "\r\n").is(200)}},
      {"a_header_above_16_kib",
       {get("/files/s/hello", "X: " + std::string(16'384, 'x') + "\r\n").is(431, "header_too_large").ends()}},
      {"a_header_without_an_end",
       {raw("GET /files/s/hello HTTP/1.1\r\nX: " + std::string(40'000, 'x')).is(431, "header_too_large").ends()}},
      {"a_target_above_16_kib", {get("/files/" + std::string(17'000, 'x')).is(431, "header_too_large").ends()}},
      {"another_version",
       {raw("GET /files/s/hello HTTP/1.2\r\nHost: a\r\n\r\n").is(505, "version_not_supported").ends()}},
  };
}

std::vector<http_case> errors() {
  const std::string body(1000, 'b'), large(70'000, 'b');
  std::vector<http_case> out;
  struct row {
    const char* name;
    step failing;
  };
  for (const auto& one : std::vector<row>{
           {"not_found", get("/files/s/none").is(404, "not_found")},
           {"a_resource_that_is_not_there", put("/none", body).is(404, "not_found")},
           {"a_path_that_is_not_allowed", put("/files/{d}/../f", body).is(400, "invalid_path")},
           {"a_method_that_is_nowhere", ask("FOO", "/files/s/hello", "", body).is(501, "not_implemented")},
           {"a_query_that_is_not_known", put("/files/{d}/f?x=y", body).is(400, "bad_request")},
           {"a_condition_that_fails", put("/files/{d}/f", body, "If-Match: *\r\n").is(412, "precondition_failed")},
           {"a_digest_that_is_wrong",
            put("/files/{d}/f", body, "Repr-Digest: {hello.digest}\r\n").is(400, "digest_mismatch")},
           {"a_range_that_is_not_there",
            get("/files/s/digits", "Range: bytes=10-\r\n").is(416, "range_not_satisfiable")},
           {"an_expectation_that_is_not_known",
            put("/files/{d}/f", body, "Expect: x\r\n").is(417, "expectation_failed")},
           {"a_body_where_none_is_read", ask("DELETE", "/files/{d}/f", "", body).is(404, "not_found")},
           {"a_document_of_another_type",
            post("/cluster/members", "Content-Type: text/plain\r\n", body).is(415, "unsupported_media_type")},
       }) {
    auto failing = one.failing;
    out.push_back({std::string("a_connection_goes_on_after_") + one.name,
                   {failing, get("/files/s/hello").is(200).body("hello")}});
    failing.bytes += ask_hello;
    out.push_back({std::string("a_request_in_the_same_packet_is_served_after_") + one.name, {failing, hello()}});
  }
  out.push_back({"a_refused_body_above_64_kib_ends_the_connection",
                 {put("/files/{d}/../f", large).is(400, "invalid_path").ends(), get("/files/s/hello").is(200).anew()}});
  out.push_back(
      {"a_refused_chunked_body_ends_the_connection",
       {raw("PUT /files/{d}/../f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked({"x"}), "PUT")
            .is(400, "invalid_path")
            .ends()}});
  return out;
}

std::vector<http_case> http_1_0() {
  const std::string old = "GET /files/s/hello HTTP/1.0\r\n";
  return {
      {"http_1_0_is_answered_and_closed", {raw(old + "\r\n").is(200).body("hello").ends()}},
      {"http_1_0_needs_no_host", {raw(old + "\r\n").is(200).ends()}},
      {"http_1_0_may_have_a_host", {raw(old + "Host: a\r\n\r\n").is(200).ends()}},
      {"http_1_0_stays_open_when_asked",
       {raw(old + "Connection: keep-alive\r\n\r\n").is(200).has("Connection", "keep-alive"),
        get("/files/s/digits").is(200)}},
      {"http_1_0_errors_are_closed_too", {raw("GET /files/s/none HTTP/1.0\r\n\r\n").is(404, "not_found").ends()}},
      {"http_1_0_has_ranges_and_conditions",
       {raw("GET /files/s/digits HTTP/1.0\r\nRange: bytes=0-1\r\nConnection: keep-alive\r\n\r\n").is(206).body("01"),
        raw(old + "If-None-Match: {hello.etag}\r\n\r\n").is(304).ends()}},
      {"http_1_0_writes_with_a_length",
       {raw("PUT /files/{d}/f HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", "PUT").is(201).ends(),
        get("/files/{d}/f").is(200).body("x").anew()}},
      {"http_1_1_does_not_say_keep_alive", {get("/files/s/hello").is(200).lacks("Connection")}},
      {"http_1_1_with_connection_keep_alive", {get("/files/s/hello", "Connection: keep-alive\r\n").is(200)}},
  };
}

BOOST_AUTO_TEST_SUITE(framing)
const cases of_chunks(chunks());
const cases of_connections(connections());
const cases of_errors(errors());
const cases of_http_1_0(http_1_0());
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
