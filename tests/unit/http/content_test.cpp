// What is stored, and what comes back: PUT, GET, HEAD, DELETE, mkdir, listings, ranges, conditionals, digests.

#include <nlohmann/json.hpp>

#include "http_fixture.hpp"

namespace {

using namespace kaiku;
using namespace kaiku::test;

const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT";  // what the fake node says

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_content, http_fixture)

BOOST_AUTO_TEST_CASE(a_put_is_201_when_new_and_204_when_replaced_and_is_read_back) {
  raw_http client(port());
  auto made = client.ask("PUT", "/files/a/b.txt", "Content-Type: text/plain; charset=utf-8\r\n", "hello");
  BOOST_TEST(made.status == 201);
  BOOST_TEST(made.header("Kaiku-Token") == "ab000000.3.101");
  BOOST_TEST(made.header("Kaiku-Durability") == "majority");
  BOOST_TEST(made.header("Kaiku-Replicas") == "2/3");
  BOOST_TEST(client.ask("PUT", "/files/a/b.txt", {}, "hello again").status == 204);
  auto got = client.ask("GET", "/files/a/b.txt");
  BOOST_TEST(got.status == 200);
  BOOST_TEST(got.body == "hello again");
  BOOST_TEST(got.header("Content-Type") == "application/octet-stream");
}

BOOST_AUTO_TEST_CASE(content_carries_its_validators_its_digest_and_the_browser_s_leash) {
  auto info = node.add_file("a/sävy \"1\".html", "hello", "text/html");
  raw_http client(port());
  auto got = client.ask("GET", "/files/a/s%C3%A4vy%20%221%22.html");
  BOOST_TEST(got.status == 200);
  BOOST_TEST(got.header("ETag") == info.etag());
  BOOST_TEST(got.header("Last-Modified") == date);
  BOOST_TEST(got.header("Accept-Ranges") == "bytes");
  BOOST_TEST(got.header("Content-Type") == "text/html");
  BOOST_TEST(got.header("Repr-Digest") == "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:");
  BOOST_TEST(got.header("X-Content-Type-Options") == "nosniff");
  BOOST_TEST(got.header("Content-Security-Policy").starts_with("sandbox; default-src 'none'"));
  BOOST_TEST(got.header("Content-Disposition") == "inline; filename*=UTF-8''s%C3%A4vy%20%221%22.html");
}

BOOST_AUTO_TEST_CASE(every_answer_says_which_node_gave_it_and_how_far_that_node_is) {
  raw_http client(port());
  for (auto target : {"/files/", "/files/none", "/healthz/live", "/nowhere"}) {
    auto got = client.ask("GET", target);
    BOOST_TEST(got.header("Kaiku-Node") == "node-0");
    BOOST_TEST(got.header("Kaiku-Term") == "3");
    BOOST_TEST(got.header("Kaiku-Applied") == "41");
    BOOST_TEST(got.header("Kaiku-Committed") == "40");
    BOOST_TEST(got.header("Kaiku-Leader-Contact-Ms") == "7");
    BOOST_TEST(!got.header("Date").empty());
  }
}

BOOST_AUTO_TEST_CASE(head_is_get_without_the_body) {
  node.add_file("small", "hello");
  node.add_file("large", std::string(200'000, 'x'));
  raw_http client(port());
  for (auto target : {"/files/small", "/files/large", "/files/", "/files/none"}) {
    auto head = client.ask("HEAD", target), get = client.ask("GET", target);
    BOOST_TEST(head.status == get.status);
    BOOST_TEST(head.header("Content-Length") == get.header("Content-Length"));
    BOOST_TEST(head.header("ETag") == get.header("ETag"));
  }
}

BOOST_AUTO_TEST_CASE(large_content_is_sent_whole_and_in_ranges_that_begin_anywhere) {
  std::string bytes;
  for (std::size_t i = 0; i < 1'000'000; ++i) bytes.push_back(static_cast<char>(i * 7 % 253));
  node.add_file("large", bytes);
  raw_http client(port());
  BOOST_TEST((client.ask("GET", "/files/large").body == bytes));
  BOOST_TEST(
      (client.ask("GET", "/files/large", "Range: bytes=300001-900000\r\n").body == bytes.substr(300'001, 600'000)));
  BOOST_TEST((client.ask("GET", "/files/large", "Range: bytes=-1\r\n").body == bytes.substr(999'999)));
}

BOOST_AUTO_TEST_CASE(damage_that_is_met_at_once_is_an_error_and_later_ends_the_connection_before_the_content_does) {
  node.add_file("large", std::string(1'000'000, 'x'));
  node.damaged_at = 10;
  raw_http client(port());
  auto refused = client.ask("GET", "/files/large");
  BOOST_TEST(refused.status == 500);
  BOOST_TEST(nlohmann::json::parse(refused.body)["code"] == "corrupt");
  BOOST_TEST(refused.header("ETag") == "");
  BOOST_TEST(client.ask("GET", "/files/large", "Range: bytes=500000-\r\n").body_size == 500'000u);
  node.damaged_at = 600'000;
  client.request("GET", "/files/large");
  BOOST_CHECK_EXCEPTION(client.read(), std::runtime_error, [](const auto& why) {
    return std::string_view{why.what()} == "the answer's body was cut off";
  });
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_CASE(delete_is_204_and_a_full_directory_needs_recursive) {
  node.add_file("d/e/f", "x");
  raw_http client(port());
  BOOST_TEST(client.ask("DELETE", "/files/d").status == 409);
  BOOST_TEST(client.ask("DELETE", "/files/d?recursive=yes").status == 400);
  BOOST_TEST(client.ask("DELETE", "/files/d/?recursive=true").status == 204);
  BOOST_TEST(client.ask("GET", "/files/d/e/f").status == 404);
  BOOST_TEST(client.ask("DELETE", "/files/d").status == 404);
}

BOOST_AUTO_TEST_CASE(parents_false_reaches_the_node) {
  raw_http client(port());
  auto refused = client.ask("PUT", "/files/x/y?parents=false", {}, "z");
  BOOST_TEST(refused.status == 409);
  BOOST_TEST(nlohmann::json::parse(refused.body)["code"] == "parent_missing");
}

BOOST_AUTO_TEST_CASE(mkdir_is_201_and_409_on_what_is_there) {
  raw_http client(port());
  BOOST_TEST(client.ask("POST", "/files/m/n?op=mkdir").status == 201);
  BOOST_TEST(client.ask("POST", "/files/m/n/?op=mkdir").status == 409);
  BOOST_TEST(client.ask("POST", "/files/?op=mkdir").status == 409);
  BOOST_TEST(client.ask("POST", "/files/q").status == 400);
}

BOOST_AUTO_TEST_CASE(a_trailing_slash_means_a_directory) {
  node.add_file("f", "x");
  node.add_directory("d");
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "/files/f/").status == 404);
  // Whether it is one, the leader knows: what stands here may be old.
  BOOST_TEST(client.ask("DELETE", "/files/f/").status == 404);
  BOOST_TEST(std::get<remove_path>(node.last_write.what).directory_only);
  BOOST_TEST(node.has("f"));
  BOOST_TEST(client.ask("DELETE", "/files/f").status == 204);
  BOOST_TEST(!std::get<remove_path>(node.last_write.what).directory_only);
  BOOST_TEST(client.ask("GET", "/files/d/").status == 200);
  const int writes = node.writes;
  auto refused = client.ask("PUT", "/files/g/", {}, "x");
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(nlohmann::json::parse(refused.body)["code"] == "invalid_path");
  BOOST_TEST(node.writes == writes);
}

BOOST_AUTO_TEST_CASE(a_listing_is_paged_by_name) {
  for (auto name : {"d/b", "d/a", "d/c/x", "d/a b+c"}) node.add_file(name, "12345", "text/css");
  raw_http client(port());
  auto first = nlohmann::json::parse(client.ask("GET", "/files/d?limit=2").body);
  BOOST_TEST(first["path"] == "/d");
  BOOST_TEST(first["entries"].size() == 2U);
  BOOST_TEST(first["entries"][0]["name"] == "a");
  BOOST_TEST(first["entries"][0]["type"] == "file");
  BOOST_TEST(first["entries"][0]["size"] == 5);
  BOOST_TEST(first["entries"][0]["content_type"] == "text/css");
  BOOST_TEST(first["entries"][0]["modified"] == "1994-11-06T08:49:37.000Z");
  BOOST_TEST(first["next"] == "a b+c");
  auto second = nlohmann::json::parse(client.ask("GET", "/files/d/?limit=2&after=a+b%2Bc").body);
  BOOST_TEST(second["entries"][0]["name"] == "b");
  BOOST_TEST(second["entries"][1]["name"] == "c");
  BOOST_TEST(second["entries"][1]["type"] == "directory");
  BOOST_TEST(second["next"].is_null());
  BOOST_TEST(nlohmann::json::parse(client.ask("GET", "/files").body)["path"] == "/");
  for (auto query : {"limit=0", "limit=1001", "limit=x", "limit=-1", "limit=1&limit=2"})
    BOOST_TEST(client.ask("GET", std::string("/files/d?") + query).status == 400, query);
}

BOOST_AUTO_TEST_CASE(a_single_range_is_206_and_one_outside_is_416) {
  node.add_file("small", "0123456789");
  std::string large(200'000, 'x');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i % 26);
  node.add_file("large", large);
  raw_http client(port());
  struct row {
    const char* range;
    int status;
    const char* body;
    const char* content_range;
  };
  for (const auto& one :
       {row{"bytes=2-4", 206, "234", "bytes 2-4/10"}, row{"bytes=7-", 206, "789", "bytes 7-9/10"},
        row{"bytes=-3", 206, "789", "bytes 7-9/10"}, row{"bytes=8-99", 206, "89", "bytes 8-9/10"},
        row{"bytes=-99", 206, "0123456789", "bytes 0-9/10"}, row{"BYTES=0-0", 206, "0", "bytes 0-0/10"},
        row{"bytes=10-", 416, nullptr, "bytes */10"}, row{"bytes=-0", 416, nullptr, "bytes */10"},
        row{"bytes=99999999999999999999999-", 416, nullptr, "bytes */10"}, row{"bytes=4-2", 200, "0123456789", ""},
        row{"lines=1-2", 200, "0123456789", ""}, row{"bytes=a-b", 200, "0123456789", ""}}) {
    BOOST_TEST_CONTEXT(one.range) {
      auto got = client.ask("GET", "/files/small", std::string("Range: ") + one.range + "\r\n");
      BOOST_TEST(got.status == one.status);
      if (one.body != nullptr) BOOST_TEST(got.body == one.body);
      BOOST_TEST(got.header("Content-Range") == one.content_range);
    }
  }
  auto part = client.ask("GET", "/files/large", "Range: bytes=100000-150000\r\n");
  BOOST_TEST(part.status == 206);
  BOOST_TEST((part.body == large.substr(100'000, 50'001)));
  BOOST_TEST(client.ask("HEAD", "/files/small", "Range: bytes=2-4\r\n").header("Content-Length") == "10");
}

BOOST_AUTO_TEST_CASE(if_range_gives_the_part_of_that_version_only) {
  auto tag = node.add_file("f", "0123456789").etag();
  raw_http client(port());
  auto with = [&](const std::string& value) {
    return client.ask("GET", "/files/f", "Range: bytes=0-1\r\nIf-Range: " + value + "\r\n").status;
  };
  BOOST_TEST(with(tag) == 206);
  BOOST_TEST(with("W/" + tag) == 200);
  BOOST_TEST(with("\"other\"") == 200);
  BOOST_TEST(with(date) == 206);
  BOOST_TEST(with("Sun, 06 Nov 1994 08:49:38 GMT") == 200);
}

BOOST_AUTO_TEST_CASE(conditional_reads_follow_the_order_of_rfc_9110) {
  auto tag = node.add_file("f", "x").etag();
  raw_http client(port());
  struct row {
    std::string fields;
    int status;
  };
  const std::string before = "Sun, 06 Nov 1994 08:49:36 GMT", after = "Sunday, 06-Nov-94 08:49:38 GMT";
  for (const auto& one : {row{"If-None-Match: " + tag, 304},
                          row{"If-None-Match: W/" + tag, 304},
                          row{"If-None-Match: *", 304},
                          row{"If-None-Match: \"a\", " + tag, 304},
                          row{"If-None-Match: \"a\"\r\nIf-None-Match: " + tag, 304},
                          row{"If-None-Match: \"a\"", 200},
                          row{"If-Modified-Since: " + date, 304},
                          row{"If-Modified-Since: " + after, 304},
                          row{"If-Modified-Since: " + before, 200},
                          row{"If-Modified-Since: yesterday", 200},
                          row{"If-None-Match: \"a\"\r\nIf-Modified-Since: " + after, 200},
                          row{"If-Match: " + tag, 200},
                          row{"If-Match: *", 200},
                          row{"If-Match: W/" + tag, 412},
                          row{"If-Match: \"a\"", 412},
                          row{"If-Unmodified-Since: " + before, 412},
                          row{"If-Unmodified-Since: " + date, 200},
                          row{"If-Match: " + tag + "\r\nIf-Unmodified-Since: " + before, 200},
                          row{"If-Match: \"a\"\r\nIf-None-Match: " + tag, 412},
                          row{"If-Match: a", 400},
                          row{"If-None-Match: \"a", 400}}) {
    BOOST_TEST_CONTEXT(one.fields) {
      auto got = client.ask("GET", "/files/f", one.fields + "\r\n");
      BOOST_TEST(got.status == one.status);
      if (got.status == 304) BOOST_TEST(got.header("ETag") == tag);
      if (got.status == 304) BOOST_TEST(got.body.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_listing_has_a_weak_tag_and_no_date) {
  node.add_file("d/f", "x");
  raw_http client(port());
  const auto tag = client.ask("GET", "/files/d/").header("ETag");
  BOOST_TEST(tag.starts_with("W/\""));
  const std::string later = "Sun, 06 Nov 2044 08:49:37 GMT", before = "Sun, 06 Nov 1984 08:49:37 GMT";
  struct row {
    std::string fields;
    int status;
  };
  for (const auto& one :
       {row{"If-None-Match: " + tag, 304}, row{"If-None-Match: " + tag.substr(2), 304},
        row{"If-None-Match: \"a\"", 200}, row{"If-None-Match: *", 304}, row{"If-Modified-Since: " + later, 200},
        row{"If-None-Match: \"a\"\r\nIf-Modified-Since: " + later, 200}, row{"If-Unmodified-Since: " + before, 200},
        row{"If-Match: *", 200}, row{"If-Match: " + tag, 412}, row{"If-Match: " + tag.substr(2), 412},
        row{"If-None-Match: a", 400}}) {
    BOOST_TEST_CONTEXT(one.fields) {
      auto got = client.ask("GET", "/files/d/", one.fields + "\r\n");
      BOOST_TEST(got.status == one.status);
      if (got.status == 304) BOOST_TEST(got.header("ETag") == tag);
    }
  }
  BOOST_TEST(client.ask("PUT", "/files/d/g", {}, "y").status == 201);
  BOOST_TEST(client.ask("GET", "/files/d/", "If-None-Match: " + tag + "\r\n").status == 200);
}

BOOST_AUTO_TEST_CASE(conditions_of_a_change_travel_to_the_leader) {
  auto tag = node.add_file("f", "x").etag();
  raw_http client(port());
  BOOST_TEST(client.ask("PUT", "/files/f", "If-None-Match: *\r\n", "y").status == 412);
  BOOST_TEST(client.ask("PUT", "/files/f", "If-Match: \"a\"\r\n", "y").status == 412);
  BOOST_TEST(client.ask("PUT", "/files/f", "If-Match: W/" + tag + "\r\n", "y").status == 412);
  BOOST_TEST(client.ask("DELETE", "/files/f", "If-Match: \"a\"\r\n").status == 412);
  BOOST_TEST(client.ask("POST", "/files/f?op=mkdir", "If-None-Match: *\r\n").status == 412);
  BOOST_TEST(node.writes == 5);
  auto done = client.ask("PUT", "/files/f", "If-Match: \"a\", " + tag + "\r\nIf-None-Match: W/\"b\"\r\n", "y");
  BOOST_TEST(done.status == 204);
  BOOST_TEST((node.last_write.when.if_none_match == std::vector<std::string>{"\"b\""}));
  BOOST_TEST(client.ask("PUT", "/files/new", "If-None-Match: *\r\n", "y").status == 201);
}

BOOST_AUTO_TEST_CASE(a_promised_digest_is_verified_before_anything_is_kept) {
  raw_http client(port());
  const std::string good = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";  // of "hello"
  const std::string bad = "sha-256=:AAJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";
  for (std::string name : {"Repr-Digest: ", "Content-Digest: "}) {
    auto refused = client.ask("PUT", "/files/f", name + bad + "\r\n", "hello");
    BOOST_TEST(refused.status == 400);
    BOOST_TEST(nlohmann::json::parse(refused.body)["code"] == "digest_mismatch");
    BOOST_TEST(client.ask("PUT", "/files/f", name + "sha-256=:short=:\r\n", "hello").status == 400);
  }
  BOOST_TEST(node.writes == 0);
  BOOST_TEST(client.ask("PUT", "/files/f", "Repr-Digest: sha-512=:AAAA:, " + good + "\r\n", "hello").status == 201);
  // Large: known only when the upload is finished, and still before the write.
  const std::string large(300'000, 'x');
  auto refused = client.ask("PUT", "/files/large", "Repr-Digest: " + good + "\r\n", large);
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(node.writes == 1);
  BOOST_TEST(node.uploads_open == 0);
  auto right = client.ask("PUT", "/files/large", {}, large);
  auto field = client.ask("HEAD", "/files/large").header("Repr-Digest");
  BOOST_TEST(client.ask("PUT", "/files/large", "Content-Digest: " + field + "\r\n", large).status == 204);
}

BOOST_AUTO_TEST_CASE(less_durability_than_asked_for_is_202_with_what_is_known) {
  node.achieved = durability::leader;
  raw_http client(port());
  for (auto how : {0, 1}) {
    auto got = how == 0 ? client.ask("PUT", "/files/f", "Kaiku-Durability: majority\r\n", "x")
                        : client.ask("PUT", "/files/f?durability=majority", {}, "x");
    BOOST_TEST(got.status == 202);
    BOOST_TEST(got.header("Kaiku-Durability") == "leader");
    auto said = nlohmann::json::parse(got.body);
    BOOST_TEST(said["token"] == got.header("Kaiku-Token"));
    BOOST_TEST(said["asked"] == "majority");
    BOOST_TEST(said["holders"] == 1);
  }
  BOOST_TEST(client.ask("PUT", "/files/f", "Kaiku-Durability: leader\r\n", "x").status == 204);
  BOOST_TEST(client.ask("DELETE", "/files/f?durability=majority").status == 202);
}

BOOST_AUTO_TEST_CASE(every_size_around_the_borders_comes_back_as_it_was_sent) {
  raw_http client(port());
  for (std::size_t size :
       {std::size_t{0}, std::size_t{1}, limits::small_content_bytes - 1, limits::small_content_bytes,
        limits::small_content_bytes + 1, limits::chunk_bytes, limits::chunk_bytes + 1, 3 * limits::chunk_bytes}) {
    BOOST_TEST_CONTEXT(size) {
      std::string bytes(size, '\0');
      for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
      BOOST_TEST(client.ask("PUT", "/files/sized", {}, bytes).status < 300);
      BOOST_TEST((client.ask("GET", "/files/sized").body == bytes));
      // The same in chunks of an odd size, with an extension and a trailer.
      std::string chunked;
      for (std::size_t at = 0; at < size; at += 70'001) {
        auto part = bytes.substr(at, 70'001);
        char head[32];
        chunked.append(head,
                       static_cast<std::size_t>(std::snprintf(head, sizeof head, "%zX;a=\"b\"\r\n", part.size())));
        chunked += part + "\r\n";
      }
      client.send("PUT /files/chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked +
                  "0\r\nX-Trailer: y\r\n\r\n");
      BOOST_TEST(client.read().status < 300);
      BOOST_TEST((client.ask("GET", "/files/chunked").body == bytes));
    }
  }
  BOOST_TEST(node.largest_piece <= limits::chunk_bytes);
  BOOST_TEST(node.uploads_open == 0);
}

BOOST_AUTO_TEST_SUITE_END()
