// Ranges, one and several (RFC 9110, 14), and If-Range.

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"

namespace {

using namespace kaiku::test;

std::vector<http_case> of_ten_bytes() {
  struct row {
    const char* name;
    std::string range;
    int first = -1;  ///< -1: the whole; -2: none
    int last = -1;
  };
  constexpr int none = -2;
  std::vector<http_case> out;
  for (const auto& one : std::vector<row>{
           {"the_first_byte", "bytes=0-0", 0, 0},
           {"some_in_the_middle", "bytes=2-4", 2, 4},
           {"all_of_them", "bytes=0-9", 0, 9},
           {"the_last_byte", "bytes=9-9", 9, 9},
           {"from_the_start_without_an_end", "bytes=0-", 0, 9},
           {"from_the_middle_without_an_end", "bytes=5-", 5, 9},
           {"from_the_last_byte_without_an_end", "bytes=9-", 9, 9},
           {"an_end_beyond_the_content", "bytes=5-99", 5, 9},
           {"an_end_beyond_64_bits", "bytes=5-99999999999999999999", 5, 9},
           {"leading_zeros", "bytes=0002-0004", 2, 4},
           {"the_last_one", "bytes=-1", 9, 9},
           {"the_last_three", "bytes=-3", 7, 9},
           {"the_last_ten", "bytes=-10", 0, 9},
           {"the_last_hundred", "bytes=-100", 0, 9},
           {"the_last_beyond_64_bits", "bytes=-99999999999999999999", 0, 9},
           {"a_unit_in_capitals", "BYTES=0-1", 0, 1},
           {"a_start_behind_the_content", "bytes=10-", none},
           {"a_start_and_an_end_behind_the_content", "bytes=10-20", none},
           {"a_start_beyond_64_bits", "bytes=99999999999999999999-", none},
           {"the_last_zero", "bytes=-0", none},
           {"an_end_before_the_start", "bytes=5-2"},
           {"nothing_behind_the_unit", "bytes="},
           {"a_dash_alone", "bytes=-"},
           {"letters", "bytes=a-b"},
           {"a_letter_behind", "bytes=0-1x"},
           {"two_dashes", "bytes=--1"},
           {"a_sign", "bytes=+1-2"},
           {"a_hexadecimal_number", "bytes=0x0-0x1"},
           {"another_unit", "items=0-1"},
           {"no_unit", "0-1"},
           {"a_space_for_the_equals_sign", "bytes 0-1"},
           {"an_empty_field", ""},
       }) {
    auto asked = get("/files/s/digits", "Range: " + one.range + "\r\n");
    if (one.first == none) {
      asked.is(416, "range_not_satisfiable").has("Content-Range", "bytes */10");
    } else if (one.first == -1) {
      asked.is(200).lacks("Content-Range").has("Accept-Ranges", "bytes").body("0123456789");
    } else {
      const auto first = static_cast<std::size_t>(one.first), last = static_cast<std::size_t>(one.last);
      asked.is(206)
          .has("Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/10")
          .has("Content-Length", std::to_string(last - first + 1))
          .has("ETag", "{digits.etag}")
          .has("Last-Modified", "{digits.modified}")
          .has("Repr-Digest", "{digits.digest}")
          .has("Content-Type", "application/octet-stream")
          .body(std::string("0123456789").substr(first, last - first + 1));
    }
    out.push_back({std::string("range_of_") + one.name, {asked}});
  }
  return out;
}

std::vector<http_case> of_others() {
  const auto& large = shared_content("large");
  const auto part = [&](const char* name, std::size_t first, std::size_t last, const std::string& range) {
    return http_case{
        name,
        {get("/files/s/large", "Range: bytes=" + range + "\r\n")
             .is(206)
             .has("Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/200000")
             .has("Content-Length", std::to_string(last - first + 1))
             .body(large.substr(first, last - first + 1))}};
  };
  return {
      part("range_across_the_blocks_of_a_large_file", 65'535, 65'536, "65535-65536"),
      part("range_of_one_whole_block_of_a_large_file", 65'536, 131'071, "65536-131071"),
      part("range_to_the_end_of_a_large_file", 131'073, 199'999, "131073-"),
      part("range_of_the_last_byte_of_a_large_file", 199'999, 199'999, "-1"),
      part("range_of_all_of_a_large_file", 0, 199'999, "0-199999"),
      part("range_of_all_but_the_first_byte_of_a_large_file", 1, 199'999, "1-"),
      {"range_behind_a_large_file",
       {get("/files/s/large", "Range: bytes=200000-\r\n")
            .is(416, "range_not_satisfiable")
            .has("Content-Range", "bytes */200000")}},
      {"range_of_an_empty_file",
       {get("/files/s/empty", "Range: bytes=0-\r\n").is(416, "range_not_satisfiable").has("Content-Range", "bytes */0"),
        get("/files/s/empty", "Range: bytes=0-0\r\n").is(416, "range_not_satisfiable")}},
      {"range_with_head_is_passed_over",
       {head("/files/s/digits", "Range: bytes=0-1\r\n").is(200).has("Content-Length", "10").lacks("Content-Range")}},
      {"range_of_nothing_is_404", {get("/files/s/none", "Range: bytes=0-1\r\n").is(404, "not_found")}},
      {"range_of_a_listing_is_passed_over", {get("/files/s/list/", "Range: bytes=0-1\r\n").is(200).contains("alpha")}},
      {"range_with_delete_is_passed_over",
       {put("/files/{d}/f", "x").is(201), removal("/files/{d}/f", "Range: bytes=0-0\r\n").is(204)}},
      {"range_leaves_the_connection_in_order",
       {get("/files/s/large", "Range: bytes=0-9\r\n").is(206), get("/files/s/large", "Range: bytes=10-19\r\n").is(206),
        get("/files/s/hello").is(200).body("hello")}},
  };
}

/// Each part with its header, in the order that was asked for.
std::vector<http_case> of_several() {
  const auto& large = shared_content("large");
  struct part {
    std::size_t first, last;
  };
  const auto body = [&](const std::vector<part>& parts) {
    std::string out;
    for (const auto& one : parts)
      out += (out.empty() ? "--{boundary}\r\n" : "\r\n--{boundary}\r\n") +
             std::string("Content-Type: application/octet-stream\r\nContent-Range: bytes ") +
             std::to_string(one.first) + "-" + std::to_string(one.last) + "/200000\r\n\r\n" +
             large.substr(one.first, one.last - one.first + 1);
    return out + "\r\n--{boundary}--\r\n";
  };
  const auto asked = [](const std::string& ranges) { return get("/files/s/large", "Range: bytes=" + ranges + "\r\n"); };
  const auto several = [&](const std::string& ranges, const std::vector<part>& parts) {
    return asked(ranges)
        .is(206)
        .has("Content-Type", "~multipart/byteranges; boundary=.*")
        .has("ETag", "{large.etag}")
        .lacks("Content-Range")
        .body(body(parts));
  };
  const auto one = [&](const std::string& ranges, std::size_t first, std::size_t last) {
    return asked(ranges)
        .is(206)
        .has("Content-Type", "application/octet-stream")
        .has("Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/200000")
        .body(large.substr(first, last - first + 1));
  };
  std::string sixty_four, sixty_five;
  std::vector<part> parts;
  for (std::size_t i = 0; i < 64; ++i) {
    sixty_four += (i == 0 ? "" : ",") + std::to_string(i * 1000) + "-" + std::to_string(i * 1000 + 1);
    parts.push_back({i * 1000, i * 1000 + 1});
  }
  sixty_five = sixty_four + ",150000-150001";
  return {
      {"ranges_far_apart_come_as_parts", {several("0-1,1000-1001", {{0, 1}, {1000, 1001}})}},
      {"ranges_come_in_the_order_asked_for", {several("1000-1001,0-1,-2", {{1000, 1001}, {0, 1}, {199'998, 199'999}})}},
      {"ranges_of_three_kinds", {several("0-0,65535-65536,199990-", {{0, 0}, {65'535, 65'536}, {199'990, 199'999}})}},
      {"ranges_with_white_space_between", {several("0-1 ,\t 1000-1001", {{0, 1}, {1000, 1001}})}},
      {"ranges_in_two_lines_are_one_list",
       {get("/files/s/large", "Range: bytes=0-1\r\nRange: 1000-1001\r\n").is(206).body(body({{0, 1}, {1000, 1001}}))}},
      {"ranges_that_overlap_come_as_one", {one("0-10,5-20", 0, 20)}},
      {"ranges_that_touch_come_as_one", {one("0-9,10-19", 0, 19)}},
      {"ranges_close_together_come_as_one", {one("0-9,100-109", 0, 109)}},
      {"ranges_that_are_the_same_come_as_one", {one("5-9,5-9,5-9", 5, 9)}},
      {"ranges_of_which_one_is_all_come_as_all", {one("0-,0-0,-1", 0, 199'999)}},
      {"ranges_of_which_one_is_behind_the_content", {one("0-1,200000-", 0, 1)}},
      {"ranges_that_are_all_behind_the_content",
       {asked("200000-,300000-300001,-0").is(416, "range_not_satisfiable").has("Content-Range", "bytes */200000")}},
      {"ranges_of_which_one_is_malformed_give_the_whole",
       {asked("0-1,x").is(200).body(large), asked("0-1,5-2").is(200)}},
      {"ranges_up_to_64_come_as_parts", {several(sixty_four, parts)}},
      {"ranges_above_64_give_the_whole", {asked(sixty_five).is(200).body(large)}},
      {"ranges_with_if_range",
       {get("/files/s/large", "Range: bytes=0-1,1000-1001\r\nIf-Range: {large.etag}\r\n")
            .is(206)
            .body(body({{0, 1}, {1000, 1001}})),
        get("/files/s/large", "Range: bytes=0-1,1000-1001\r\nIf-Range: \"x\"\r\n").is(200)}},
      {"ranges_of_a_small_file_come_as_one",
       {get("/files/s/digits", "Range: bytes=0-0,9-9\r\n")
            .is(206)
            .has("Content-Range", "bytes 0-9/10")
            .body("0123456789")}},
      {"ranges_with_head_are_passed_over",
       {head("/files/s/large", "Range: bytes=0-1,1000-1001\r\n").is(200).has("Content-Length", "200000")}},
  };
}

std::vector<http_case> if_range() {
  struct row {
    const char* name;
    std::string value;
    int status;
  };
  std::vector<http_case> out;
  for (const auto& one : std::vector<row>{
           {"the_version_gives_the_part", "{digits.etag}", 206},
           {"another_version_gives_the_whole", "\"1-0000000000000000\"", 200},
           {"the_version_marked_weak_gives_the_whole", "W/{digits.etag}", 200},
           {"its_date_gives_the_part", "{digits.modified}", 206},
           {"an_earlier_date_gives_the_whole", "{digits.before}", 200},
           {"a_later_date_gives_the_whole", "{digits.after}", 200},
           {"no_date_gives_the_whole", "yesterday", 200},
           {"two_versions_give_the_whole", "\"1-0000000000000000\", {digits.etag}", 200},
           {"a_star_gives_the_whole", "*", 200},
       })
    out.push_back({std::string("if_range_of_") + one.name,
                   {get("/files/s/digits", "Range: bytes=0-1\r\nIf-Range: " + one.value + "\r\n")
                        .is(one.status)
                        .body(one.status == 206 ? "01" : "0123456789")}});
  out.push_back({"if_range_without_range_is_passed_over",
                 {get("/files/s/digits", "If-Range: {digits.etag}\r\n").is(200).body("0123456789")}});
  out.push_back({"if_range_that_fails_hides_a_range_behind_the_content",
                 {get("/files/s/digits", "Range: bytes=10-\r\nIf-Range: \"x\"\r\n").is(200).body("0123456789")}});
  out.push_back(
      {"if_range_that_holds_shows_a_range_behind_the_content",
       {get("/files/s/digits", "Range: bytes=10-\r\nIf-Range: {digits.etag}\r\n").is(416, "range_not_satisfiable")}});
  out.push_back({"if_range_after_a_change_gives_the_whole",
                 {put("/files/{d}/f", "abcdef").is(201).keep("a"), put("/files/{d}/f", "ghijkl").is(204),
                  get("/files/{d}/f", "Range: bytes=3-\r\nIf-Range: {a.etag}\r\n").is(200).body("ghijkl")}});
  return out;
}

BOOST_AUTO_TEST_SUITE(ranges)
const cases of_digits(of_ten_bytes());
const cases of_more(of_others());
const cases of_parts(of_several());
const cases of_if_range(if_range());
BOOST_AUTO_TEST_SUITE_END()

}  // namespace
