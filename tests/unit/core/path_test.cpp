#include "kaiku/core/path.hpp"

#include <boost/test/unit_test.hpp>

#include "printing.hpp"

using namespace kaiku;
using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(paths)

BOOST_AUTO_TEST_CASE(good_encodings_are_decoded_once) {
  const struct {
    std::string encoded, text;
  } table[] = {
      {"", ""},
      {"/", ""},
      {"a", "a"},
      {"/a/b/", "a/b"},
      {"a%20b", "a b"},
      {"a+b", "a+b"},
      {"%61", "a"},
      {"%2561", "%61"},              // decoded once only
      {"%252e%252e/x", "%2e%2e/x"},  // a name that looks encoded is only a name
      {"%252f", "%2f"},
      {"a%5Cb", "a\\b"},  // a backslash separates nothing
      {"...", "..."},
      {"..a/.b/c..", "..a/.b/c.."},
      {"%C3%A4", "\xc3\xa4"},
      {"\xc3\xa4", "\xc3\xa4"},
      {"%F0%9F%93%84", "\xf0\x9f\x93\x84"},
      {"%EF%BB%BFa",
       "\xef\xbb\xbf"
       "a"},
      {"CON", "CON"},
      {"a:b*c?%23", "a:b*c?#"},
      {"%7e", "~"},
      {std::string(255, 'n'), std::string(255, 'n')},
  };
  for (const auto& row : table) {
    auto path = file_path::parse_percent_encoded(row.encoded);
    BOOST_REQUIRE_MESSAGE(path.ok(), row.encoded);
    BOOST_TEST(path->text() == row.text);
  }
}

BOOST_AUTO_TEST_CASE(hostile_encodings_are_refused) {
  const std::string table[] = {
      "..",
      "../a",
      "a/..",
      "a/../b",
      "./a",
      "a/.",
      "/../",
      "%2e%2e",
      "%2e%2e/etc",
      "%2E.",
      ".%2e/a",
      "a/%2e/b",
      "a//b",

      "//",
      "///",
      "//a",
      "a//",
      "a%2fb",
      "a%2Fb",
      "%2f",
      "..%2f..%2fetc",
      "%2e%2e%2fetc",
      "%00",
      "a%00.txt",
      "%0a",
      "a%0d%0aSet-Cookie:x",
      "%7f",
      "%1f",
      "a\tb",
      "a\nb",
      "a\0b"s,
      "%",
      "%4",
      "%zz",
      "a%",
      "a%4",
      "%%20",
      "% 20",
      "%-1",
      "%+1",
      "%ff",
      "%c0%af",
      "%c0%ae%c0%ae",
      "%e0%80%af",
      "%f0%80%80%af",
      "%c1%9c",
      "%ed%a0%80",
      "%ed%bf%bf",
      "%f4%90%80%80",
      "%f5%80%80%80",
      "%80",
      "%c3",
      "%e2%82",
      "%f0%9f%93",
      "\xff",
      "\xc3",
      std::string(256, 'n'),
  };
  for (const auto& encoded : table) {
    auto path = file_path::parse_percent_encoded(encoded);
    BOOST_REQUIRE_MESSAGE(!path.ok(), "accepted: " << encoded);
    BOOST_TEST(path.failure().code == errc::invalid_path);
    BOOST_TEST(!path.failure().detail.empty());
  }
}

BOOST_AUTO_TEST_CASE(the_whole_path_is_at_most_4096_bytes) {
  std::string longest;
  while (longest.size() < 4096) longest += std::string(31, 'a') + '/';
  longest.back() = 'b';
  BOOST_TEST(longest.size() == 4096u);
  BOOST_TEST(file_path::parse(longest).ok());
  BOOST_TEST(!file_path::parse(longest + "d").ok());
}

BOOST_AUTO_TEST_CASE(a_path_has_at_most_255_names) {
  std::string deepest = "a";
  for (int i = 1; i < 255; ++i) deepest += "/a";
  BOOST_TEST(file_path::parse(deepest).ok());
  BOOST_TEST(!file_path::parse(deepest + "/a").ok());
}

BOOST_AUTO_TEST_CASE(a_path_that_a_move_made_longer_has_the_same_names) {
  std::string many = "a", large = "a";
  for (int i = 0; i < 300; ++i) many += "/a";
  for (int i = 0; i < 30; ++i) large += "/" + std::string(200, 'b');
  for (const auto& text : {many, large}) {
    BOOST_TEST(!file_path::parse(text).ok());
    const auto path = file_path::parse_any_length(text);
    BOOST_REQUIRE(path.ok());
    BOOST_TEST(path->text() == text);
    for (const char* more : {"//a", "/..", "/\x1f", "/\xff"})
      BOOST_TEST(!file_path::parse_any_length(text + more).ok());
  }
}

BOOST_AUTO_TEST_CASE(a_path_knows_its_names_its_last_name_and_its_parent) {
  auto path = file_path::parse("/a/bc/d").value();
  BOOST_TEST((path.names() == std::vector<std::string_view>{"a", "bc", "d"}));
  BOOST_TEST(path.name() == "d");
  BOOST_TEST(path.parent().text() == "a/bc");
  BOOST_TEST(path.parent().parent().parent().is_root());
}

BOOST_AUTO_TEST_CASE(the_root_has_no_names) {
  file_path root;
  BOOST_TEST(root.is_root());
  BOOST_TEST(root.names().empty());
  BOOST_TEST(root.name() == "");
  BOOST_TEST(root.parent().is_root());
}

BOOST_AUTO_TEST_CASE(whatever_parses_reads_back_from_its_encoding) {
  for (std::string_view text : {"a b/c%d", "\xc3\xa4/?#", "~.-_", "%41", "100%", "\xf0\x9f\x93\x84"}) {
    auto path = file_path::parse(text).value();
    BOOST_TEST((file_path::parse_percent_encoded(percent_encode_path(path.text())).value() == path), text);
  }
}

BOOST_AUTO_TEST_CASE(only_unreserved_characters_and_the_slash_stay_unencoded) {
  BOOST_TEST(percent_encode_path("aZ9-._~/") == "aZ9-._~/");
  BOOST_TEST(percent_encode_path(" \"<>%\xc3") == "%20%22%3C%3E%25%C3");
}

BOOST_AUTO_TEST_SUITE_END()
