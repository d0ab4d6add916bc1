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
  put_file put{path("a/b c/\xc3\xa4"), {{}, {1ull << 40}}, {"text/plain; charset=utf-8"}, {-1}, false};
  put.content.sha256.bytes[31] = 200;
  put_file full = put;
  full.properties = {"text/html", "gzip", {{"author", "J\xc3\xb6rg"}, {"x-2", ""}}, unix_time_ms{1'800'000'000'000}};
  full.key = request_key{{{1}}, {{2}}};
  const properties_patch nothing;
  const properties_patch all{"", "br", {{"a", "1"}, {"b", std::nullopt}}, unix_time_ms{7}};
  put_file brief = put;
  brief.properties.ttl = milliseconds{5000};
  properties_patch stripped;
  stripped.no_metadata = true;
  stripped.ttl = milliseconds{7000};
  const properties_patch lasting{std::nullopt, std::nullopt, {}, std::optional<unix_time_ms>{}};
  return {no_operation{},
          members,
          put,
          full,
          brief,
          put_file{path("x"), {}, {}, {}, true},
          make_directory{path("deep/er"), {1'700'000'000'000}, true},
          make_directory{{}, {0}, false},
          remove_path{path("a"), true, {5}},
          remove_path{path("a/b"), false, {6}, full.key},
          remove_path{path("a/b"), true, {6}, {}, true},
          move_path{path("a/b"), path("c"), true, false, {7}},
          move_path{path("a"), {}, false, true, {8}, full.key},
          copy_path{path("a/b"), path("c"), false, true, {9}, full.key},
          change_properties{path("a"), nothing, {10}},
          change_properties{path("a"), all, {11}, full.key},
          change_properties{path("a"), lasting, {12}},
          change_properties{path("a"), stripped, {12}},
          remove_expired{{13}}};
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
  info.version = {{3}, {12}};
  info.content.sha256.bytes[0] = 0xab;
  BOOST_TEST(info.etag() == "\"3.12-ab00000000000000\"");
  // What a failover displaced may have had the same index.
  auto other = info;
  other.version.in_term = {4};
  BOOST_TEST(other.etag() != info.etag());
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

BOOST_AUTO_TEST_CASE(properties_that_no_client_may_give_do_not_decode) {
  const std::string long_name(limits::metadata_name_bytes + 1, 'n'), long_value(limits::metadata_bytes, 'v');
  std::vector<std::pair<std::string, std::string>> many;
  for (std::size_t i = 0; i <= limits::metadata_names; ++i) many.emplace_back("n" + std::to_string(1000 + i), "");
  const std::vector<file_properties> wrong{
      {std::string(limits::content_type_bytes + 1, 't')},
      {"text/plain\r\nX: y"},
      {"", std::string(limits::content_encoding_bytes + 1, 'e')},
      {"", "\x7f"},
      {"", "", {{"", "v"}}},
      {"", "", {{"Upper", "v"}}},
      {"", "", {{"a b", "v"}}},
      {"", "", {{long_name, "v"}}},
      {"", "", {{"a", "line\nbreak"}}},
      {"", "", {{"b", ""}, {"a", ""}}},
      {"", "", {{"a", ""}, {"a", ""}}},
      {"", "", {{"a", long_value}}},
      {"", "", many},
      {"", "", {}, unix_time_ms{-1}},
  };
  for (const auto& x : wrong) {
    BOOST_TEST(!check(x).ok());
    BOOST_TEST(!decode_command(encode(put_file{path("f"), {}, x, {}, true})).ok());
  }
  many.pop_back();
  BOOST_TEST(decode_command(encode(put_file{path("f"), {}, {"", "", many}, {}, true})).ok());
}

BOOST_AUTO_TEST_CASE(a_merge_patch_changes_what_it_names_and_nothing_else) {
  const file_properties before{"text/plain", "gzip", {{"a", "1"}, {"c", "3"}}, unix_time_ms{5}};
  BOOST_TEST((*apply({}, before) == before));
  const properties_patch some{
      "text/html", std::nullopt, {{"a", std::nullopt}, {"b", "2"}, {"c", "4"}, {"d", std::nullopt}}};
  BOOST_TEST((*apply(some, before) == file_properties{"text/html", "gzip", {{"b", "2"}, {"c", "4"}}, unix_time_ms{5}}));
  properties_patch stripped;
  stripped.no_metadata = true;
  stripped.metadata = {{"e", "5"}};
  BOOST_TEST((apply(stripped, before)->metadata == decltype(before.metadata){{"e", "5"}}));
  const properties_patch lasting{std::nullopt, "", {}, std::optional<unix_time_ms>{}};
  BOOST_TEST((*apply(lasting, before) == file_properties{"text/plain", "", before.metadata}));
}

BOOST_AUTO_TEST_CASE(a_merge_patch_that_gives_a_file_too_much_is_refused) {
  file_properties full;
  for (std::size_t i = 0; i < limits::metadata_names; ++i) full.metadata.emplace_back(std::to_string(1000 + i), "");
  BOOST_TEST(apply({std::nullopt, std::nullopt, {{"more", ""}}}, full).failure().code == errc::bad_request);
  BOOST_TEST(apply({std::nullopt, std::nullopt, {{"1000", std::nullopt}, {"more", ""}}}, full).ok());
}

BOOST_AUTO_TEST_CASE(the_leader_dates_every_command_that_has_a_time) {
  for (auto x : samples()) {
    const bool dated = time_of(x).has_value();
    BOOST_TEST(dated == !(std::holds_alternative<no_operation>(x) || std::holds_alternative<set_members>(x)));
    set_time(x, {77});
    BOOST_TEST((!dated || time_of(x)->value == 77));
    if (const auto* put = std::get_if<put_file>(&x)) BOOST_TEST(!put->properties.ttl);
  }
}

BOOST_AUTO_TEST_CASE(the_leader_makes_a_time_of_a_ttl) {
  put_file put{path("f"), {}, {}, {}, true};
  put.properties.ttl = milliseconds{5000};
  command made = put;
  set_time(made, {77});
  BOOST_TEST(std::get<put_file>(made).properties.expires->value == 5077);
  change_properties change{path("f"), {}, {}};
  change.patch.ttl = milliseconds{1000};
  command changed = change;
  set_time(changed, {77});
  BOOST_REQUIRE(std::get<change_properties>(changed).patch.expires.has_value());
  BOOST_TEST((*std::get<change_properties>(changed).patch.expires)->value == 1077);
  BOOST_TEST(!std::get<change_properties>(changed).patch.ttl);
}

BOOST_AUTO_TEST_SUITE_END()
