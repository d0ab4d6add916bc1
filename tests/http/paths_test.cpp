// Paths: decoded once, kept as they are, or refused.

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"
#include "support/http_client.hpp"

namespace {

using namespace kaiku::test;

std::string repeated(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

struct named_path {
  std::string name;
  std::string encoded;
};

/// Each is one file: put under the name as given, listed decoded, and gone after a removal.
std::vector<http_case> allowed() {
  struct row {
    std::string name;
    std::string encoded;
    std::string listed;  ///< as JSON has it
  };
  std::vector<http_case> out;
  for (const auto& one : std::vector<row>{
           {"a_space", "a%20b", "a b"},
           {"a_plus_that_is_no_space", "a+b", "a+b"},
           {"an_encoded_plus", "a%2Bb", "a+b"},
           {"a_letter_that_need_not_be_encoded", "%41", "A"},
           {"an_encoded_percent_sign_decoded_once", "%2541", "%41"},
           {"an_encoded_dot_dot_decoded_once", "%252e%252e", "%2e%2e"},
           {"an_encoded_slash_decoded_once", "%252f", "%2f"},
           {"hexadecimal_digits_of_both_cases", "%c3%A4", "\u00e4"},
           {"two_bytes_of_utf8", "%C3%A4", "\u00e4"},
           {"three_bytes_of_utf8", "%E2%82%AC", "\u20ac"},
           {"four_bytes_of_utf8", "%F0%9F%A6%86", "\U0001f986"},
           {"the_last_code_point", "%F4%8F%BF%BF", "\xf4\x8f\xbf\xbf"},
           {"a_decomposed_letter", "a%CC%88", "a\xcc\x88"},
           {"a_question_mark", "a%3Fb", "a?b"},
           {"a_number_sign", "a%23b", "a#b"},
           {"a_backslash", "a%5Cb", "a\\\\b"},
           {"a_quote", "a%22b", "a\\\"b"},
           {"angle_brackets", "%3Ca%3E", "<a>"},
           {"sub_delimiters", "!$&'()*,;=", "!$&'()*,;="},
           {"a_colon_and_an_at_sign", "a:b@c", "a:b@c"},
           {"a_tilde", "~a", "~a"},
           {"a_leading_dot", ".a", ".a"},
           {"three_dots", "...", "..."},
           {"dots_and_a_letter", "..a", "..a"},
           {"a_trailing_dot", "a.", "a."},
           {"spaces_alone", "%20", " "},
           {"a_name_of_255_bytes", std::string(255, 'n'), std::string(255, 'n')},
           {"a_name_of_255_bytes_of_utf8", repeated("%E2%82%AC", 85), repeated("\u20ac", 85)},
       }) {
    const auto target = "/files/{d}/" + one.encoded;
    out.push_back({"a_name_may_hold_" + one.name,
                   {put(target, "x").is(201), get(target).is(200).body("x"), head(target).is(200),
                    get("/files/{d}/").is(200).contains("\"name\":\"" + one.listed + "\""), removal(target).is(204),
                    get(target).is(404, "not_found")}});
  }
  return out;
}

std::vector<http_case> refused() {
  std::vector<http_case> out;
  for (const auto& one : std::vector<named_path>{
           {"dot_dot", ".."},
           {"dot", "."},
           {"encoded_dot_dot", "%2e%2e"},
           {"dot_dot_of_both_kinds", ".%2E"},
           {"encoded_dot", "%2e"},
           {"dot_dot_in_the_middle", "a/../b"},
           {"encoded_dot_dot_in_the_middle", "a/%2e%2e/b"},
           {"dot_in_the_middle", "a/./b"},
           {"dot_dot_with_a_slash_behind", "a/../"},
           {"dot_dot_up_and_out", "../../../../etc/passwd"},
           {"an_encoded_slash", "a%2fb"},
           {"an_encoded_slash_in_capitals", "a%2Fb"},
           {"an_encoded_slash_at_the_end", "a%2f"},
           {"dot_dot_with_encoded_slashes", "..%2f..%2fetc"},
           {"nul", "a%00b"},
           {"nul_alone", "%00"},
           {"control_character_1", "a%01"},
           {"line_feed", "a%0ab"},
           {"carriage_return_and_line_feed", "a%0d%0ab"},
           {"tab", "a%09b"},
           {"control_character_31", "%1f"},
           {"delete", "%7f"},
           {"an_empty_name", "a//b"},
           {"an_empty_first_name", "/a"},
           {"two_slashes_at_the_end", "a//"},
           {"a_percent_sign_alone", "a%"},
           {"one_hexadecimal_digit", "a%4"},
           {"no_hexadecimal_digits", "a%zz"},
           {"half_a_hexadecimal_number", "a%4g"},
           {"a_sign_for_a_digit", "a%+1"},
           {"a_byte_that_is_never_utf8", "%ff"},
           {"an_overlong_dot", "%c0%ae"},
           {"an_overlong_slash", "%c0%af"},
           {"an_overlong_letter", "%c1%81"},
           {"an_overlong_sequence_of_three", "%e0%80%af"},
           {"an_overlong_sequence_of_four", "%f0%80%80%af"},
           {"a_surrogate", "%ed%a0%80"},
           {"above_the_last_code_point", "%f4%90%80%80"},
           {"a_continuation_byte_alone", "a%80"},
           {"a_sequence_cut_off", "a%e2%82"},
           {"latin_1", "%e4"},
           {"a_name_of_256_bytes", std::string(256, 'n')},
           {"a_name_of_258_bytes_of_utf8", repeated("%E2%82%AC", 86)},
           {"256_names", repeated("a/", 256) + "a"},
           {"more_than_4096_bytes", repeated(std::string(250, 'p') + "/", 17)},
       }) {
    const auto target = "/files/" + one.encoded;
    out.push_back({"a_path_with_" + one.name + "_is_refused",
                   {get(target).is(400, "invalid_path"), head(target).is(400, "invalid_path"),
                    put(target, "x").is(400, "invalid_path"), removal(target).is(400, "invalid_path"),
                    post(target + "?op=mkdir").is(400, "invalid_path")}});
  }
  return out;
}

std::vector<http_case> whole() {
  const auto deep = "/files/{d}/" + repeated("a/", 252) + "f";
  // With the 9 of "d1000001/": 4,096.
  const auto longest =
      "/files/{d}/" + repeated(std::string(255, 'p') + "/", 15) + std::string(4096 - 8 - 15 * 256 - 1, 'q');
  return {
      {"a_path_of_254_names",
       {put(deep, "x").is(201), get(deep).is(200).body("x"), removal("/files/{d}?recursive=true").is(204)}},
      {"a_path_of_4096_bytes", {put(longest, "x").is(201), get(longest).is(200).body("x")}},
      {"a_path_of_4097_bytes_is_refused", {put(longest + "q", "x").is(400, "invalid_path")}},
      {"names_differ_by_case",
       {put("/files/{d}/a", "small").is(201), put("/files/{d}/A", "capital").is(201),
        get("/files/{d}/a").is(200).body("small"), get("/files/{d}/A").is(200).body("capital")}},
      {"names_are_not_normalized",
       {put("/files/{d}/%C3%A4", "composed").is(201), put("/files/{d}/a%CC%88", "decomposed").is(201),
        get("/files/{d}/%C3%A4").is(200).body("composed")}},
      {"an_encoded_name_is_the_name",
       {put("/files/{d}/abc", "x").is(201), get("/files/{d}/%61%62%63").is(200).body("x")}},
      {"the_root_with_and_without_a_slash",
       {get("/files").is(200).contains("\"path\":\"/\""), get("/files/").is(200).contains("\"path\":\"/\"")}},
      {"a_malformed_query_is_refused",
       {get("/files/s/?after=%zz").is(400, "bad_request"), get("/files/s/?after=%4").is(400, "bad_request"),
        get("/files/s/?%").is(400, "bad_request")}},
      {"a_parameter_twice_is_refused", {get("/files/s/?limit=1&limit=1").is(400, "bad_request")}},
      {"an_encoded_parameter_name_is_the_name",
       {get("/files/s/list/?%6cimit=1").is(200).contains("\"next\":\"alpha\"")}},
      {"ampersands_with_nothing_between_are_passed_over", {get("/files/s/list/?&limit=1&&").is(200).contains("alpha")}},
  };
}

BOOST_AUTO_TEST_SUITE(paths)
const cases of_allowed(allowed());
const cases of_refused(refused());
const cases of_whole(whole());
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
