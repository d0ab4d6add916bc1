// How fresh a read has to be, and the fields with which a client says so.

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"

namespace {

using namespace kaiku::test;

std::vector<http_case> levels() {
  std::vector<http_case> out;
  for (const char* level : {"committed", "linearizable", "bounded=0", "bounded=1000", "bounded=4294967295"}) {
    const std::string word = std::string(level).substr(0, std::string(level).find('='));
    const std::string name = "a_read_that_is_" + (word == level ? word : "bounded_by_" + std::string(level).substr(8));
    const std::string field = "Kaiku-Consistency: " + std::string(level) + "\r\n";
    out.push_back({name + "_gives_a_file",
                   {get("/files/s/hello", field).is(200).has("Kaiku-Consistency", word).body("hello"),
                    head("/files/s/hello", field).is(200)}});
    out.push_back({name + "_gives_a_listing",
                   {get("/files/s/list/?limit=1&consistency=" + std::string(level))
                        .is(200)
                        .has("Kaiku-Consistency", word)
                        .contains("alpha")}});
  }
  for (auto& more : std::vector<http_case>{
           {"a_read_of_any_freshness_says_nothing_of_it",
            {get("/files/s/hello", "Kaiku-Consistency: any\r\n").is(200).lacks("Kaiku-Consistency"),
             get("/files/s/hello?consistency=any").is(200).lacks("Kaiku-Consistency")}},
           {"a_read_with_a_token_is_of_its_session",
            {get("/files/s/hello", "Kaiku-Token: {hello.token}\r\n")
                 .is(200)
                 .has("Kaiku-Consistency", "session")
                 .body("hello"),
             get("/files/s/hello?token={hello.token}").is(200).has("Kaiku-Consistency", "session"),
             get("/files/s/hello?consistency=session&token={hello.token}").is(200).has("Kaiku-Consistency", "session"),
             get("/files/s/hello?consistency=session", "Kaiku-Token: {hello.token}\r\n").is(200)}},
           {"a_read_with_the_token_of_a_write_shows_it",
            {put("/files/{d}/f", "x").is(201).keep("a"),
             get("/files/{d}/f", "Kaiku-Token: {a.token}\r\n").is(200).body("x").has("Kaiku-Consistency", "session")}},
           {"a_read_with_the_token_of_a_removal_shows_nothing",
            {put("/files/{d}/f", "x").is(201), removal("/files/{d}/f").is(204).keep("a"),
             get("/files/{d}/f?token={a.token}").is(404, "not_found")}},
           {"a_linearizable_read_shows_what_a_majority_has",
            {put("/files/{d}/f", "x", "Kaiku-Durability: majority\r\n").is(201),
             get("/files/{d}/f?consistency=linearizable").is(200).body("x")}},
           {"a_fresh_read_has_ranges_and_conditions",
            {get("/files/s/digits?consistency=linearizable", "Range: bytes=0-1\r\n").is(206).body("01"),
             get("/files/s/hello?consistency=linearizable", "If-None-Match: {hello.etag}\r\n").is(304)}},
           {"a_fresh_read_of_nothing_is_404", {get("/files/s/none?consistency=linearizable").is(404, "not_found")}},
           {"the_same_in_field_and_parameter",
            {get("/files/s/hello?consistency=committed", "Kaiku-Consistency: committed\r\n").is(200)}},
       })
    out.push_back(std::move(more));
  return out;
}

std::vector<http_case> refused() {
  std::vector<http_case> out;
  struct row {
    const char* name;
    std::string query;
    std::string fields;
  };
  for (const auto& one : std::vector<row>{
           {"a_level_that_is_not_known", "", "Kaiku-Consistency: strong\r\n"},
           {"a_level_as_a_parameter_that_is_not_known", "?consistency=strong", ""},
           {"a_level_in_capitals", "?consistency=ANY", ""},
           {"a_level_that_is_empty", "?consistency=", ""},
           {"levels_that_differ", "?consistency=any", "Kaiku-Consistency: committed\r\n"},
           {"bounds_that_differ", "?consistency=bounded=1", "Kaiku-Consistency: bounded=2\r\n"},
           {"a_bound_without_a_number", "?consistency=bounded", ""},
           {"a_bound_that_is_empty", "?consistency=bounded=", ""},
           {"a_bound_below_0", "?consistency=bounded=-1", ""},
           {"a_bound_that_is_no_number", "?consistency=bounded=1s", ""},
           {"a_bound_beyond_32_bits", "?consistency=bounded=4294967296", ""},
           {"a_session_without_a_token", "?consistency=session", ""},
           {"a_token_with_another_level", "?consistency=linearizable", "Kaiku-Token: {hello.token}\r\n"},
           {"a_token_with_any", "?consistency=any&token={hello.token}", ""},
           {"a_token_that_is_none", "?token=abc", ""},
           {"a_token_in_a_field_that_is_none", "", "Kaiku-Token: abc\r\n"},
           {"a_token_that_is_empty", "?token=", ""},
           {"a_token_of_another_cluster", "?token=12345678.1.1", ""},
           {"a_token_with_a_term_beyond_64_bits", "?token=12345678.99999999999999999999.1", ""},
           {"tokens_that_differ", "?token={hello.token}", "Kaiku-Token: {digits.token}\r\n"},
       })
    out.push_back({one.name + std::string("_is_refused"),
                   {get("/files/s/hello" + one.query, one.fields).is(400, "bad_request")}});
  out.push_back({"fields_about_freshness_are_checked_everywhere",
                 {get("/cluster", "Kaiku-Consistency: strong\r\n").is(400, "bad_request"),
                  get("/healthz/live", "Kaiku-Token: abc\r\n").is(400, "bad_request"),
                  put("/files/{d}/f", "x", "Kaiku-Consistency: strong\r\n").is(400, "bad_request"),
                  put("/files/{d}/f", "x", "Kaiku-Token: abc\r\n").is(400, "bad_request"),
                  get("/files/{d}/f").is(404, "not_found")}});
  out.push_back({"parameters_about_freshness_are_not_for_writes",
                 {put("/files/{d}/f?consistency=any", "x").is(400, "bad_request"),
                  removal("/files/{d}/f?token={hello.token}").is(400, "bad_request")}});
  return out;
}

BOOST_AUTO_TEST_SUITE(freshness)
const cases of_levels(levels());
const cases of_refused(refused());
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
