#include "kaiku/core/command.hpp"

#include <boost/test/unit_test.hpp>

#include "printing.hpp"

using namespace kaiku;

namespace {

file_path path(std::string_view text) {
  return file_path::parse(text).value();
}

std::vector<command> samples() {
  set_members members;
  members.cluster.bytes[3] = 9;
  members.voters = {{{"n1"}, {}, "127.0.0.1:9000"}, {{"n2"}, {{1, 2, 3}}, "n2.kaiku:9000"}};
  put_file put{path("a/b c/\xc3\xa4"), {{}, {1ull << 40}}, "text/plain; charset=utf-8", {-1}, false};
  put.content.sha256.bytes[31] = 200;
  return {no_operation{},
          members,
          put,
          put_file{path("x"), {}, "", {}, true},
          make_directory{path("deep/er"), {1'700'000'000'000}, true},
          make_directory{{}, {0}, false},
          remove_path{path("a"), true, {5}},
          remove_path{path("a/b"), false, {6}}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(commands)

BOOST_AUTO_TEST_CASE(every_command_reads_back_and_equal_commands_give_equal_bytes) {
  for (const auto& x : samples()) {
    auto decoded = decode_command(encode(x));
    BOOST_REQUIRE(decoded.ok());
    BOOST_TEST((*decoded == x));
    BOOST_TEST(encode(*decoded) == encode(x));
  }
}

BOOST_AUTO_TEST_CASE(every_truncation_is_corrupt) {
  for (const auto& x : samples()) {
    const auto bytes = encode(x);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      auto decoded = decode_command(std::string_view{bytes}.substr(0, size));
      BOOST_REQUIRE_MESSAGE(!decoded.ok(), "kind " << x.index() << " cut to " << size);
      BOOST_TEST(decoded.failure().code == errc::corrupt);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_trailing_byte_is_corrupt) {
  for (const auto& x : samples())
    for (int byte = 0; byte < 256; ++byte) BOOST_REQUIRE(!decode_command(encode(x) + static_cast<char>(byte)).ok());
}

BOOST_AUTO_TEST_CASE(an_unknown_kind_is_corrupt) {
  for (int kind = 0; kind < 256; ++kind)
    if (kind != 1) BOOST_TEST(!decode_command(std::string(1, static_cast<char>(kind))).ok(), kind);
}

BOOST_AUTO_TEST_CASE(a_flag_is_zero_or_one) {
  auto bytes = encode(make_directory{path("a"), {1}, true});
  bytes.back() = 2;
  BOOST_TEST(!decode_command(bytes).ok());
}

BOOST_AUTO_TEST_CASE(a_path_that_encode_never_writes_is_corrupt) {
  const auto good = encode(make_directory{path("abc"), {1}, true});
  for (std::string_view text : {"/ab", "ab/", "a//", "../", "a\x01z", "\xff\xff\xff", "..."}) {
    auto bytes = good;
    bytes.replace(2, 3, text);
    BOOST_TEST(decode_command(bytes).ok() == (text == "..."), text);
  }
}

BOOST_AUTO_TEST_CASE(a_file_at_the_root_is_corrupt) {
  BOOST_TEST(!decode_command(encode(put_file{})).ok());
}

BOOST_AUTO_TEST_CASE(a_cluster_of_nobody_or_of_more_than_the_limit_is_corrupt) {
  set_members members;
  BOOST_TEST(!decode_command(encode(members)).ok());
  members.voters.assign(limits::members, {{"n"}, {}, "h:1"});
  BOOST_TEST(decode_command(encode(members)).ok());
  members.voters.push_back({{"n"}, {}, "h:1"});
  BOOST_TEST(!decode_command(encode(members)).ok());
  members.voters.assign(1, {{"Not Legal"}, {}, "h:1"});
  BOOST_TEST(!decode_command(encode(members)).ok());
}

BOOST_AUTO_TEST_CASE(any_single_changed_byte_decodes_to_another_command_or_to_none) {
  for (const auto& x : samples()) {
    const auto bytes = encode(x);
    for (std::size_t at = 0; at < bytes.size(); ++at)
      for (int mask : {1, 0x10, 0x80, 0xff}) {
        auto changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ mask);
        auto decoded = decode_command(changed);
        if (decoded.ok()) BOOST_REQUIRE(!(*decoded == x));
      }
  }
}

BOOST_AUTO_TEST_CASE(only_a_put_names_content) {
  for (const auto& x : samples()) BOOST_TEST(content_of(x).has_value() == std::holds_alternative<put_file>(x));
}

BOOST_AUTO_TEST_CASE(content_up_to_64_kib_is_small) {
  BOOST_TEST((content_ref{{}, {65'536}}.is_small()));
  BOOST_TEST((!content_ref{{}, {65'537}}.is_small()));
}

BOOST_AUTO_TEST_CASE(an_entity_tag_is_strong_and_changes_with_version_and_content) {
  file_info info;
  info.version = {12};
  info.content.sha256.bytes[0] = 0xab;
  BOOST_TEST(info.etag() == "\"12-ab00000000000000\"");
}

BOOST_AUTO_TEST_CASE(a_write_token_names_cluster_term_and_index) {
  write_token token;
  token.cluster.bytes[0] = 0x5a;
  token.at = {{3}, {17}};
  BOOST_TEST(to_string(token) == "5a000000.3.17");
  BOOST_TEST((parse_write_token("5a000000.3.17") == token));
}

BOOST_AUTO_TEST_CASE(what_is_not_a_write_token_is_refused) {
  for (auto bad : {"", "5a000000", "5a000000.3", "5a000000.3.", "5a000000..17", "5a00000.3.17", "5A000000.3.17",
                   "5a000000.03.17", "5a000000.3.17 ", "5a000000.3.0", "5a000000.3.-1", "5a000000.3.17.1",
                   "5a000000.3.99999999999999999999", "zz000000.3.17"})
    BOOST_TEST(!parse_write_token(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(durabilities_read_back_and_others_are_refused) {
  for (auto x : {durability::leader, durability::majority, durability::all})
    BOOST_TEST((parse_durability(to_string(x)) == x));
  for (auto bad : {"", "any", "Leader", "majority "}) BOOST_TEST(!parse_durability(bad).has_value(), bad);
}

BOOST_AUTO_TEST_SUITE_END()
