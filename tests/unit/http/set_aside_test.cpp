// What failovers displaced, and the check of stored content, over HTTP.

#include <nlohmann/json.hpp>

#include "http_fixture.hpp"

namespace {

using namespace kaiku;
using namespace kaiku::test;

std::string code_of(const raw_answer& answer) {
  auto document = nlohmann::json::parse(answer.body, nullptr, false);
  return document.is_object() && document.contains("code") ? document["code"].get<std::string>() : "";
}

struct set_aside_fixture : http_fixture {
  /// As a failover would: the entry is kept, the file is not in the tree.
  std::string displace(std::uint64_t index, command what) {
    const write_token token{tag_of(node.view_.cluster), {{2}, {index}}};
    node.displaced.push_back({token, {784'111'777'000}, std::move(what)});
    return to_string(token);
  }
  std::string displace_file(std::uint64_t index, const std::string& path, std::string bytes) {
    auto info = node.add_file("elsewhere" + std::to_string(index), std::move(bytes));
    return displace(index, put_file{*file_path::parse(path), info.content, {"text/x-kept"}, {784'111'777'000}, true});
  }
  raw_answer ask(std::string_view method, const std::string& target, std::string_view fields = {}) {
    return raw_http(port()).ask(method, target, fields);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_set_aside, set_aside_fixture)

BOOST_AUTO_TEST_CASE(what_was_set_aside_is_listed_oldest_first_and_page_by_page) {
  const auto file = displace_file(7, "a/b c", "kept");
  const auto directory = displace(8, make_directory{*file_path::parse("d"), {784'111'777'000}, true});
  const auto removal = displace(9, remove_path{*file_path::parse("e"), true, {}});
  const auto internal = displace(10, no_operation{});
  auto all = nlohmann::json::parse(ask("GET", "/set-aside").body);
  BOOST_TEST(all["node"] == "node-0");
  BOOST_TEST(all["next"].is_null());
  BOOST_REQUIRE(all["entries"].size() == 4U);
  const auto& one = all["entries"][0];
  BOOST_TEST(one["token"] == file);
  BOOST_TEST(one["set_aside"] == "1994-11-06T08:49:37.000Z");
  BOOST_TEST(one["change"] == "put");
  BOOST_TEST(one["path"] == "/a/b c");
  BOOST_TEST(one["size"] == 4);
  BOOST_TEST(one["content_type"] == "text/x-kept");
  BOOST_TEST(one["content"] == "/set-aside/" + file + "/content");
  BOOST_TEST(all["entries"][1]["change"] == "mkdir");
  BOOST_TEST(all["entries"][2]["change"] == "remove");
  BOOST_TEST(all["entries"][2]["recursive"] == true);
  BOOST_TEST(all["entries"][3]["change"] == "internal");
  std::vector<std::string> seen;
  for (std::string next = "/set-aside?limit=3"; !next.empty();) {
    auto page = nlohmann::json::parse(ask("GET", next).body);
    for (const auto& entry : page["entries"]) seen.push_back(entry["token"]);
    next = page["next"].is_null() ? "" : "/set-aside?limit=3&after=" + page["next"].get<std::string>();
  }
  BOOST_TEST(seen == (std::vector<std::string>{file, directory, removal, internal}), boost::test_tools::per_element());
  for (const auto* bad : {"?limit=0", "?limit=1001", "?after=x", "?x=1"})
    BOOST_TEST(ask("GET", std::string("/set-aside") + bad).status == 400, bad);
}

BOOST_AUTO_TEST_CASE(one_is_shown_by_its_token_with_its_content_as_a_file) {
  const auto token = displace_file(7, "a/b", "kept bytes");
  auto one = nlohmann::json::parse(ask("GET", "/set-aside/" + token).body);
  BOOST_TEST(one["path"] == "/a/b");
  auto content = ask("GET", "/set-aside/" + token + "/content");
  BOOST_TEST(content.body == "kept bytes");
  BOOST_TEST(content.header("Content-Type") == "text/x-kept");
  BOOST_TEST(content.header("X-Content-Type-Options") == "nosniff");
  BOOST_TEST(content.header("Content-Security-Policy").starts_with("sandbox"));
  BOOST_TEST(!content.header("Repr-Digest").empty());
  BOOST_TEST(ask("GET", "/set-aside/" + token + "/content", "Range: bytes=5-\r\n").body == "bytes");
  BOOST_TEST(raw_http(port()).ask("HEAD", "/set-aside/" + token + "/content").header("Content-Length") == "10");
  BOOST_TEST(ask("GET", "/set-aside/x").status == 400);
  BOOST_TEST(ask("GET", "/set-aside/ab000000.2.99").status == 404);
  BOOST_TEST(ask("GET", "/set-aside/cd000000.2.7").status == 404);
  const auto directory = displace(8, make_directory{*file_path::parse("d"), {}, true});
  BOOST_TEST(ask("GET", "/set-aside/" + directory + "/content").status == 404);
  BOOST_TEST(ask("GET", "/set-aside/" + token + "/other").status == 404);
}

BOOST_AUTO_TEST_CASE(a_restored_file_is_a_new_version_where_it_was_or_where_it_is_wanted) {
  const auto token = displace_file(7, "a/b c", "kept");
  auto got = ask("POST", "/set-aside/" + token + "?op=restore&durability=majority");
  BOOST_TEST(got.status == 201);
  BOOST_TEST(got.header("Location") == "/files/a/b%20c");
  BOOST_TEST(!got.header("Kaiku-Token").empty());
  BOOST_TEST(got.header("Kaiku-Token") != token);
  BOOST_TEST((node.last_write.want == durability::majority));
  BOOST_TEST(node.bytes_at("a/b c") == "kept");
  BOOST_TEST(ask("GET", "/files/a/b%20c").header("Content-Type") == "text/x-kept");
  BOOST_TEST(ask("POST", "/set-aside/" + token + "?op=restore&to=/other/place").status == 201);
  BOOST_TEST(node.bytes_at("other/place") == "kept");
  // It is kept until it is purged.
  BOOST_TEST(ask("GET", "/set-aside/" + token).status == 200);
}

BOOST_AUTO_TEST_CASE(a_newer_file_is_replaced_only_by_who_names_it) {
  const auto token = displace_file(7, "f", "kept");
  auto newer = node.add_file("f", "newer");
  BOOST_TEST(ask("POST", "/set-aside/" + token + "?op=restore").status == 412);
  BOOST_TEST(ask("POST", "/set-aside/" + token + "?op=restore", "If-Match: \"1-0\"\r\n").status == 412);
  BOOST_TEST(node.bytes_at("f") == "newer");
  auto got = ask("POST", "/set-aside/" + token + "?op=restore", "If-Match: " + newer.etag() + "\r\n");
  BOOST_TEST(got.status == 204);
  BOOST_TEST(node.bytes_at("f") == "kept");
}

BOOST_AUTO_TEST_CASE(large_content_is_streamed_to_the_leader) {
  std::string bytes;
  for (std::size_t i = 0; bytes.size() < 3 * limits::chunk_bytes; ++i) bytes += std::to_string(i);
  const auto token = displace_file(7, "large", bytes);
  BOOST_TEST(ask("POST", "/set-aside/" + token + "?op=restore").status == 201);
  BOOST_TEST(node.uploads_begun == 1);
  BOOST_TEST(node.last_expected.value == bytes.size());
  BOOST_TEST(node.largest_piece <= limits::chunk_bytes);
  BOOST_TEST(node.bytes_at("large") == bytes);
  BOOST_TEST(node.uploads_open == 0);
}

BOOST_AUTO_TEST_CASE(a_directory_is_restored_and_a_removal_is_not) {
  const auto directory = displace(8, make_directory{*file_path::parse("d/e"), {}, true});
  const auto removal = displace(9, remove_path{*file_path::parse("f"), false, {}});
  const auto internal = displace(10, no_operation{});
  const auto from = *file_path::parse("f"), to = *file_path::parse("g");
  const auto move = displace(12, move_path{from, to, false, true, {}});
  const auto copy = displace(13, copy_path{from, to, false, true, {}});
  const auto patch = displace(14, change_properties{from, {}, {}});
  BOOST_TEST(ask("POST", "/set-aside/" + directory + "?op=restore").status == 201);
  BOOST_TEST(node.has("d/e"));
  for (const auto& [token, advice] :
       {std::pair{removal, "by DELETE"}, std::pair{move, "op=move"}, std::pair{copy, "op=copy"},
        std::pair{patch, "by PATCH"}, std::pair{internal, "nothing to restore"}}) {
    auto refused = ask("POST", "/set-aside/" + token + "?op=restore");
    BOOST_TEST(refused.status == 400);
    BOOST_TEST(refused.body.find(advice) != std::string::npos, refused.body);
  }
  const auto file = displace_file(11, "g", "x");
  for (const auto* bad :
       {"", "?op=purge", "?op=restore&to=/", "?op=restore&to=a//b", "?op=restore&x=1", "?op=restore&durability=some"})
    BOOST_TEST(ask("POST", "/set-aside/" + file + bad).status == 400, bad);
  BOOST_TEST(!node.has("g"));
}

BOOST_AUTO_TEST_CASE(moves_copies_and_patches_are_listed_as_what_they_were) {
  const auto from = *file_path::parse("a/f"), to = *file_path::parse("b/g h");
  displace(7, move_path{from, to, false, true, {}});
  displace(8, copy_path{from, to, false, true, {}});
  displace(9, change_properties{from, {}, {}});
  auto all = nlohmann::json::parse(ask("GET", "/set-aside").body)["entries"];
  BOOST_REQUIRE(all.size() == 3U);
  for (const auto& one : all) BOOST_TEST(one["path"] == "/a/f");
  BOOST_TEST(all[0]["change"] == "move");
  BOOST_TEST(all[0]["to"] == "/b/g h");
  BOOST_TEST(all[1]["change"] == "copy");
  BOOST_TEST(all[1]["to"] == "/b/g h");
  BOOST_TEST(all[2]["change"] == "properties");
  BOOST_TEST(!all[2].contains("to"));
}

BOOST_AUTO_TEST_CASE(a_restored_file_whose_time_is_over_stays) {
  const auto now = std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const auto restored = [&](std::uint64_t index, std::int64_t expires) {
    const auto info = node.add_file("elsewhere", "kept");
    put_file file{*file_path::parse("f" + std::to_string(index)), info.content, {"text/x-kept"}, {1}, true};
    file.properties.expires = unix_time_ms{expires};
    BOOST_TEST(ask("POST", "/set-aside/" + displace(index, file) + "?op=restore").status == 201);
    return std::get<put_file>(node.last_write.what).properties;
  };
  BOOST_TEST(!restored(7, now.count() - 1).expires.has_value());
  BOOST_TEST(restored(8, now.count() - 1).content_type == "text/x-kept");
  const auto later = now.count() + 3'600'000;
  BOOST_TEST(restored(9, later).expires->value == later);
}

BOOST_AUTO_TEST_CASE(what_is_purged_is_gone) {
  const auto token = displace_file(7, "f", "kept");
  BOOST_TEST(ask("DELETE", "/set-aside/" + token).status == 204);
  BOOST_TEST(ask("GET", "/set-aside/" + token).status == 404);
  BOOST_TEST(ask("DELETE", "/set-aside/" + token).status == 404);
  BOOST_TEST(ask("DELETE", "/set-aside").header("Allow") == "GET, HEAD, OPTIONS");
}

BOOST_AUTO_TEST_CASE(content_that_can_not_be_read_is_said_and_nothing_is_written) {
  const auto token = displace_file(7, "f", "kept");
  node.fail_open = errc::content_missing;
  BOOST_TEST(code_of(ask("GET", "/set-aside/" + token + "/content")) == "content_missing");
  BOOST_TEST(code_of(ask("POST", "/set-aside/" + token + "?op=restore")) == "content_missing");
  BOOST_TEST(node.writes == 0);
}

BOOST_AUTO_TEST_CASE(the_fate_of_a_write_says_where_it_is_kept) {
  const auto token = displace_file(7, "f", "kept");
  node.fate = {write_status::fate::set_aside, 0, 3};
  BOOST_TEST(nlohmann::json::parse(ask("GET", "/writes/" + token).body)["kept"] == "/set-aside/" + token);
  BOOST_TEST(nlohmann::json::parse(ask("GET", "/writes/ab000000.2.99").body)["kept"].is_null());
}

BOOST_AUTO_TEST_CASE(the_check_of_stored_content_is_started_and_followed) {
  node.scrubbed = {true, unix_time_ms{784'111'777'000}, std::nullopt, 12, {3456}, 3, 2, 1};
  auto got = ask("GET", "/cluster/scrub");
  BOOST_TEST(got.status == 200);
  BOOST_TEST(node.scrubs_begun == 0);
  auto document = nlohmann::json::parse(got.body);
  BOOST_TEST(document["node"] == "node-0");
  BOOST_TEST(document["running"] == true);
  BOOST_TEST(document["began"] == "1994-11-06T08:49:37.000Z");
  BOOST_TEST(document["ended"].is_null());
  BOOST_TEST(document["checked"] == 12);
  BOOST_TEST(document["checked_bytes"] == 3456);
  BOOST_TEST(document["damaged"] == 3);
  BOOST_TEST(document["repaired"] == 2);
  BOOST_TEST(document["unrepairable"] == 1);
  BOOST_TEST(ask("POST", "/cluster/scrub").status == 202);
  BOOST_TEST(node.scrubs_begun == 1);
  BOOST_TEST(ask("POST", "/cluster/scrub?x=1").status == 400);
}

BOOST_AUTO_TEST_SUITE_END()
