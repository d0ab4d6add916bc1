// Moves, copies, appends, properties, expiry, and requests that are repeated.

#include <nlohmann/json.hpp>

#include "http_fixture.hpp"
#include "kaiku/http/api/digest_field.hpp"

namespace {

using namespace kaiku;
using namespace kaiku::test;
using nlohmann::json;

std::string code_of(const raw_answer& answer) {
  auto document = json::parse(answer.body, nullptr, false);
  return document.is_object() && document.contains("code") ? document["code"].get<std::string>() : "";
}

const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT";  // what the fake node says
const std::string before = "Sun, 06 Nov 1994 08:49:36 GMT";
const std::string patch_type = "Content-Type: application/merge-patch+json\r\n";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_changes, http_fixture)

BOOST_AUTO_TEST_CASE(move_and_copy_answer_with_the_new_place) {
  const auto tag = node.add_file("a/f", "one").etag();
  raw_http client(port());
  auto moved = client.ask("POST", "/files/a/f?op=move&to=/b%20c/g");
  BOOST_TEST(moved.status == 201);
  BOOST_TEST(moved.header("Location") == "/files/b%20c/g");
  BOOST_TEST(moved.header("ETag") == tag);
  BOOST_TEST(!moved.header("Kaiku-Token").empty());
  BOOST_TEST(!node.has("a/f"));
  BOOST_TEST(node.bytes_at("b c/g") == "one");
  BOOST_TEST(client.ask("POST", "/files/b%20c?op=copy&to=d").status == 201);
  BOOST_TEST(node.bytes_at("d/g") == "one");
  BOOST_TEST(node.has("b c/g"));
  node.add_file("other", "two");
  BOOST_TEST(client.ask("POST", "/files/other?op=copy&to=d/g&overwrite=false").status == 412);
  BOOST_TEST(client.ask("POST", "/files/other?op=copy&to=d/g").status == 204);
  BOOST_TEST(node.bytes_at("d/g") == "two");
  BOOST_TEST(client.ask("POST", "/files/other?op=move&to=x&parents=false").status == 201);
  BOOST_TEST(!std::get<move_path>(node.last_write.what).make_parents);
}

BOOST_AUTO_TEST_CASE(a_move_or_copy_that_can_t_be_is_refused) {
  node.add_file("d/f", "x");
  raw_http client(port());
  for (std::string op : {"move", "copy"}) {
    BOOST_TEST(client.ask("POST", "/files/none?op=" + op + "&to=y").status == 404);
    BOOST_TEST(client.ask("POST", "/files/d?op=" + op).status == 400);
    BOOST_TEST(client.ask("POST", "/files/d?op=" + op + "&to=a/../b").status == 400);
    BOOST_TEST(client.ask("POST", "/files/d?op=" + op + "&to=d/e").status == 400);
    BOOST_TEST(client.ask("POST", "/files/d?op=" + op + "&to=/").status == 400);
    BOOST_TEST(client.ask("POST", "/files?op=" + op + "&to=x").status == 400);
    BOOST_TEST(client.ask("POST", "/files/d/?op=" + op + "&to=x").status == 400);
    BOOST_TEST(client.ask("POST", "/files/d?op=" + op + "&to=x/").status == 400);
    BOOST_TEST(client.ask("POST", "/files/d?op=" + op + "&to=x&overwrite=1").status == 400);
    BOOST_TEST(client.ask("POST", "/files/d?op=" + op + "&to=x&x=y").status == 400);
    BOOST_TEST(client.ask("POST", "/files/d/f?op=" + op + "&to=x", "If-Match: \"a\"\r\n").status == 412);
  }
  BOOST_TEST(client.ask("POST", "/files/d?op=rename&to=x").status == 400);
}

BOOST_AUTO_TEST_CASE(conditions_on_dates_reach_the_leader) {
  node.add_file("f", "x");
  raw_http client(port());
  BOOST_TEST(client.ask("PUT", "/files/f", "If-Unmodified-Since: " + before + "\r\n", "y").status == 412);
  BOOST_TEST(client.ask("DELETE", "/files/f", "If-Unmodified-Since: " + before + "\r\n").status == 412);
  BOOST_TEST(client.ask("PUT", "/files/f", "If-Unmodified-Since: yesterday\r\n", "y").status == 204);
  BOOST_TEST(client.ask("PUT", "/files/f", "If-Unmodified-Since: " + date + "\r\n", "y").status == 204);
  const auto tag = client.ask("HEAD", "/files/f").header("ETag");
  BOOST_TEST(
      client.ask("PUT", "/files/f", "If-Match: " + tag + "\r\nIf-Unmodified-Since: " + before + "\r\n", "z").status ==
      204);
}

BOOST_AUTO_TEST_CASE(put_with_overwrite_false_replaces_nothing) {
  raw_http client(port());
  BOOST_TEST(client.ask("PUT", "/files/f?overwrite=false", {}, "x").status == 201);
  BOOST_TEST(client.ask("PUT", "/files/f?overwrite=false", {}, "y").status == 412);
  BOOST_TEST(node.bytes_at("f") == "x");
}

BOOST_AUTO_TEST_CASE(properties_come_back_as_they_were_given) {
  raw_http client(port());
  const auto made = client.ask("PUT", "/files/f",
                               "Content-Type: text/css\r\nContent-Encoding: gzip\r\nKaiku-Meta-Colour: Dark Red\r\n"
                               "kaiku-meta-a.b: \xc3\xa4\r\nKaiku-TTL: 3600\r\n",
                               "x");
  BOOST_TEST(made.status == 201);
  BOOST_TEST(made.header("Kaiku-Expires").ends_with(" GMT"));
  for (auto method : {"GET", "HEAD"}) {
    auto got = client.ask(method, "/files/f");
    BOOST_TEST(got.header("Content-Type") == "text/css");
    BOOST_TEST(got.header("Content-Encoding") == "gzip");
    BOOST_TEST(got.header("Kaiku-Meta-Colour") == "Dark Red");
    BOOST_TEST(got.header("Kaiku-Meta-A.B") == "\xc3\xa4");
    BOOST_TEST(got.header("Kaiku-Expires").ends_with(" GMT"));
  }
  auto listed = json::parse(client.ask("GET", "/files/").body)["entries"][0];
  BOOST_TEST(listed["metadata"]["colour"] == "Dark Red");
  BOOST_TEST(listed["content_encoding"] == "gzip");
  BOOST_TEST(listed["expires"].get<std::string>().ends_with("Z"));
  // Replaced with all that it had.
  client.ask("PUT", "/files/f?ttl=5", {}, "y");
  auto got = client.ask("GET", "/files/f");
  BOOST_TEST(got.header("Content-Encoding") == "");
  BOOST_TEST(got.header("Kaiku-Meta-Colour") == "");
  BOOST_TEST(got.header("Kaiku-Expires") != "");
  const auto expires = std::get<put_file>(node.last_write.what).properties.expires;
  BOOST_REQUIRE(expires.has_value());
  const auto now = std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  BOOST_TEST(expires->value <= now.count() + 5000);
  BOOST_TEST(expires->value > now.count() - 15'000);
}

BOOST_AUTO_TEST_CASE(properties_that_are_none_are_refused) {
  raw_http client(port());
  for (const auto& fields : {std::string("Content-Encoding: a b\r\n"), std::string("Content-Encoding: gzip,,br\r\n"),
                             std::string("Kaiku-TTL: 0\r\n"), std::string("Kaiku-TTL: -1\r\n"),
                             std::string("Kaiku-TTL: soon\r\n"), std::string("Kaiku-TTL: 99999999999999999999\r\n"),
                             "Kaiku-Meta-X: " + std::string(limits::metadata_bytes, 'x') + "\r\n"})
    BOOST_TEST(client.ask("PUT", "/files/f", fields, "x").status == 400, fields.substr(0, 40));
  BOOST_TEST(client.ask("PUT", "/files/f?ttl=6", "Kaiku-TTL: 5\r\n", "x").status == 400);
  BOOST_TEST(node.writes == 0);
  BOOST_TEST(client.ask("PUT", "/files/f", "Content-Encoding: identity\r\n", "x").status == 201);
  BOOST_TEST(client.ask("GET", "/files/f").header("Content-Encoding") == "");
}

BOOST_AUTO_TEST_CASE(a_merge_patch_changes_what_it_names_and_nothing_else) {
  raw_http client(port());
  client.ask("PUT", "/files/f", "Content-Type: text/css\r\nKaiku-Meta-A: 1\r\nKaiku-Meta-B: 2\r\nKaiku-TTL: 60\r\n",
             "x");
  const auto tag = client.ask("HEAD", "/files/f").header("ETag");
  auto changed =
      client.ask("PATCH", "/files/f", patch_type, R"({"metadata":{"A":null,"c":"3"},"content_type":"text/plain"})");
  BOOST_TEST(changed.status == 204);
  BOOST_TEST(!changed.header("Kaiku-Token").empty());
  BOOST_TEST(changed.header("ETag") != tag);
  auto got = client.ask("GET", "/files/f");
  BOOST_TEST(got.body == "x");
  BOOST_TEST(got.header("ETag") == changed.header("ETag"));
  BOOST_TEST(got.header("Content-Type") == "text/plain");
  BOOST_TEST(got.header("Kaiku-Meta-A") == "");
  BOOST_TEST(got.header("Kaiku-Meta-B") == "2");
  BOOST_TEST(got.header("Kaiku-Meta-C") == "3");
  BOOST_TEST(got.header("Kaiku-Expires") != "");
  BOOST_TEST(client.ask("PATCH", "/files/f", patch_type, R"({"ttl":null,"content_type":null})").status == 204);
  got = client.ask("GET", "/files/f");
  BOOST_TEST(got.header("Kaiku-Expires") == "");
  BOOST_TEST(got.header("Content-Type") == "application/octet-stream");
  BOOST_TEST(client.ask("PATCH", "/files/f", patch_type + "If-Match: " + tag + "\r\n", "{}").status == 412);
  BOOST_TEST(client.ask("PATCH", "/files/f", patch_type, R"({"metadata":null})").status == 204);
  got = client.ask("GET", "/files/f");
  BOOST_TEST(got.header("Kaiku-Meta-B") + got.header("Kaiku-Meta-C") == "");
}

BOOST_AUTO_TEST_CASE(what_is_no_merge_patch_is_refused) {
  node.add_file("f", "x");
  raw_http client(port());
  for (auto text : {"", "[]", "{", R"({"size":1})", R"({"ttl":0})", R"({"ttl":-1})", R"({"ttl":1.5})", R"({"ttl":"5"})",
                    R"({"content_type":1})", R"({"content_type":"x"})", R"({"metadata":1})", R"({"metadata":{"a":1}})",
                    R"({"metadata":{"a b":"1"}})", R"({"metadata":{"a":"1","A":"2"}})", R"({"ttl":1,"ttl":2})",
                    R"({"metadata":{"a":"1","a":"2"}})", R"({"metadata":{"a":"\n"}})"})
    BOOST_TEST(client.ask("PATCH", "/files/f", patch_type, text).status == 400, text);
  auto wrong = client.ask("PATCH", "/files/f", "Content-Type: application/json\r\n", "{}");
  BOOST_TEST(wrong.status == 415);
  BOOST_TEST(wrong.header("Accept-Patch") == "application/merge-patch+json");
  BOOST_TEST(client.ask("OPTIONS", "/files/f").header("Accept-Patch") == "application/merge-patch+json");
  BOOST_TEST(client.ask("PATCH", "/files/none", patch_type, "{}").status == 404);
  BOOST_TEST(client.ask("PATCH", "/files/", patch_type, "{}").status == 405);
  BOOST_TEST(client.ask("PATCH", "/cluster", patch_type, "{}").status == 405);
}

BOOST_AUTO_TEST_CASE(append_makes_a_file_and_adds_to_it) {
  raw_http client(port());
  auto made = client.ask("POST", "/files/d/log?op=append", "Content-Type: text/plain\r\nKaiku-Meta-A: b\r\n", "one ");
  BOOST_TEST(made.status == 201);
  auto added = client.ask("POST", "/files/d/log?op=append", "Content-Type: text/css\r\n", "two");
  BOOST_TEST(added.status == 204);
  auto got = client.ask("GET", "/files/d/log");
  BOOST_TEST(got.body == "one two");
  BOOST_TEST(got.header("ETag") == added.header("ETag"));
  BOOST_TEST(got.header("Content-Type") == "text/plain");
  BOOST_TEST(got.header("Kaiku-Meta-A") == "b");
  node.add_directory("e");
  BOOST_TEST(client.ask("POST", "/files/e?op=append", {}, "x").status == 409);
  BOOST_TEST(client.ask("POST", "/files/?op=append", {}, "x").status == 409);
  BOOST_TEST(client.ask("POST", "/files/f/?op=append", {}, "x").status == 400);
  BOOST_TEST(client.ask("POST", "/files/x/y?op=append&parents=false", {}, "x").status == 409);
}

BOOST_AUTO_TEST_CASE(append_joins_contents_of_every_size) {
  raw_http client(port());
  const std::size_t border = limits::small_content_bytes;
  for (auto [have, more] :
       {std::pair{border - 1, std::size_t{1}}, std::pair{border - 1, std::size_t{2}}, std::pair{border, std::size_t{1}},
        std::pair{std::size_t{10}, border}, std::pair{std::size_t{300'000}, std::size_t{5}},
        std::pair{std::size_t{300'001}, limits::http_append_bytes},
        std::pair{std::size_t{7}, limits::http_append_bytes + 1},
        std::pair{std::size_t{300'000}, 3 * limits::http_append_bytes}}) {
    BOOST_TEST_CONTEXT(have << " and " << more) {
      std::string old(have, 'a'), body(more, 'b');
      for (std::size_t i = 0; i < body.size(); i += 97) body[i] = static_cast<char>(i);
      client.ask("PUT", "/files/f", {}, old);
      const auto field = "Content-Digest: " + digest_field(hash(body)) + "\r\n";
      BOOST_TEST(client.ask("POST", "/files/f?op=append", field, body).status == 204);
      BOOST_TEST((node.bytes_at("f") == old + body));
      const auto wrong = "Content-Digest: " + digest_field(hash("other")) + "\r\n";
      BOOST_TEST(code_of(client.ask("POST", "/files/f?op=append", wrong, body)) == "digest_mismatch");
      BOOST_TEST((node.bytes_at("f") == old + body));
    }
  }
  BOOST_TEST(node.largest_piece <= limits::chunk_bytes);
  BOOST_TEST(node.uploads_open == 0);
}

BOOST_AUTO_TEST_CASE(an_append_that_is_overtaken_is_tried_again_and_loses_nothing) {
  node.add_file("f", "0");
  raw_http client(port());
  int others = 3;
  node.before_write = [&] {
    if (others > 0) node.add_file("f", node.bytes_at("f") + std::to_string(others--));
  };
  BOOST_TEST(client.ask("POST", "/files/f?op=append", {}, "x").status == 204);
  BOOST_TEST(node.bytes_at("f") == "0321x");
  BOOST_TEST(node.reads == 3);  // linearizable, but for the first
  others = 100;
  auto lost = client.ask("POST", "/files/f?op=append", {}, "y");
  BOOST_TEST(lost.status == 409);
  BOOST_TEST(code_of(lost) == "busy");
  BOOST_TEST(others == 100 - static_cast<int>(limits::http_append_attempts));
  // What does not fit in memory is tried once.
  others = 1;
  BOOST_TEST(client.ask("POST", "/files/f?op=append", {}, std::string(limits::http_append_bytes + 1, 'z')).status ==
             409);
  BOOST_TEST(node.uploads_open == 0);
}

BOOST_AUTO_TEST_CASE(an_append_has_conditions_as_a_put_has) {
  const auto tag = node.add_file("f", "x").etag();
  raw_http client(port());
  BOOST_TEST(client.ask("POST", "/files/f?op=append", "If-Match: \"a\"\r\n", "y").status == 412);
  BOOST_TEST(client.ask("POST", "/files/f?op=append", "If-None-Match: *\r\n", "y").status == 412);
  BOOST_TEST(client.ask("POST", "/files/f?op=append", "If-Unmodified-Since: " + before + "\r\n", "y").status == 412);
  BOOST_TEST(client.ask("POST", "/files/none?op=append", "If-Match: *\r\n", "y").status == 412);
  BOOST_TEST(node.writes == 0);
  BOOST_TEST(client.ask("POST", "/files/f?op=append", "If-Match: " + tag + "\r\n", "y").status == 204);
  BOOST_TEST(client.ask("POST", "/files/none?op=append", "If-None-Match: *\r\n", "y").status == 201);
}

BOOST_AUTO_TEST_CASE(a_named_request_that_is_repeated_gives_the_first_answer) {
  raw_http client(port());
  const std::string name = "Idempotency-Key: \"8e03978e-40d5\"\r\n";
  auto first = client.ask("PUT", "/files/f", name, "x");
  BOOST_TEST(first.status == 201);
  client.ask("PUT", "/files/f", {}, "y");
  auto again = client.ask("PUT", "/files/f", name, "x");
  BOOST_TEST(again.status == 201);
  BOOST_TEST(again.header("Kaiku-Token") == first.header("Kaiku-Token"));
  BOOST_TEST(again.header("ETag") == first.header("ETag"));
  BOOST_TEST(node.bytes_at("f") == "y");
  for (auto [method, target, body] :
       {std::tuple{"PUT", "/files/f", "z"}, std::tuple{"PUT", "/files/g", "x"},
        std::tuple{"POST", "/files/f?op=append", "x"}, std::tuple{"DELETE", "/files/f", ""}}) {
    auto other = client.ask(method, target, name, body);
    BOOST_TEST(other.status == 422);
    BOOST_TEST(code_of(other) == "key_reused");
  }
  // Nor is it the same request when it says something else of the file.
  for (auto fields : {"Kaiku-Meta-A: 1\r\n", "Content-Type: text/css\r\n", "Kaiku-TTL: 5\r\n"})
    BOOST_TEST(client.ask("PUT", "/files/f", name + fields, "x").status == 422, fields);
  BOOST_TEST(client.ask("PUT", "/files/f", "Idempotency-Key: \r\n", "x").status == 400);
  BOOST_TEST(client.ask("PUT", "/files/f", "Idempotency-Key: " + std::string(256, 'k') + "\r\n", "x").status == 400);
}

BOOST_AUTO_TEST_CASE(every_change_can_be_named) {
  raw_http client(port());
  const std::string large(300'000, 'x');
  const auto twice = [&](const char* method, const std::string& target, const std::string& body,
                         const std::string& fields = {}) {
    static int number = 0;
    const auto name = "Idempotency-Key: k" + std::to_string(++number) + "\r\n" + fields;
    const auto first = client.ask(method, target, name, body), again = client.ask(method, target, name, body);
    BOOST_TEST_CONTEXT(method << " " << target) {
      BOOST_TEST(first.status < 300);
      BOOST_TEST(first.status == again.status);
      BOOST_TEST(first.header("Kaiku-Token") == again.header("Kaiku-Token"));
      BOOST_TEST(first.body == again.body);
    }
  };
  twice("PUT", "/files/large", large);
  twice("POST", "/files/log?op=append", "one");
  twice("POST", "/files/log?op=append", "two");
  BOOST_TEST(node.bytes_at("log") == "onetwo");
  const auto tag = client.ask("HEAD", "/files/log").header("ETag");
  twice("POST", "/files/log?op=append", "three", "If-Match: " + tag + "\r\n");
  twice("POST", "/files/large?op=append", std::string(2 * limits::http_append_bytes, 'y'));
  BOOST_TEST(node.bytes_at("large").size() == large.size() + 2 * limits::http_append_bytes);
  twice("POST", "/files/d/e?op=mkdir", "");
  twice("POST", "/files/d?op=move&to=m", "");
  twice("POST", "/files/m?op=copy&to=c", "");
  twice("PATCH", "/files/log", R"({"ttl":60})", patch_type);
  twice("DELETE", "/files/m?recursive=true", "");
  const std::string part = "--B\r\nContent-Disposition: form-data; name=f; filename=";
  twice("POST", "/files/form", part + "a\r\n\r\none\r\n" + part + "b\r\n\r\none\r\n--B--\r\n",
        "Content-Type: multipart/form-data; boundary=B\r\n");
  BOOST_TEST(node.has("form/b"));
}

BOOST_AUTO_TEST_CASE(listings_may_have_a_prefix_and_go_below) {
  for (auto name : {"d/a1", "d/a2/x", "d/b"}) node.add_file(name, "x");
  raw_http client(port());
  const auto names = [&](const std::string& query) {
    std::string out;
    const auto listing = json::parse(client.ask("GET", "/files/d?" + query).body);
    for (const auto& entry : listing["entries"]) out += entry["name"].get<std::string>() + " ";
    return out;
  };
  BOOST_TEST(names("prefix=a") == "a1 a2 ");
  BOOST_TEST(names("recursive=true") == "a1 a2 a2/x b ");
  BOOST_TEST(names("recursive=true&prefix=a2/") == "a2/x ");
  BOOST_TEST(names("recursive=true&limit=1&after=a2") == "a2/x ");
  BOOST_TEST(client.ask("GET", "/files/d?recursive=yes").status == 400);
  BOOST_TEST(client.ask("GET", "/files/d/b?prefix=a").status == 400);
}

BOOST_AUTO_TEST_SUITE_END()
