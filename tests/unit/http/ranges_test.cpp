// Parts of content: several ranges, how they are joined, and what is said of them (RFC 9110, 14; RFC 9530).

#include <random>

#include "http_fixture.hpp"
#include "kaiku/http/api/digest_field.hpp"
#include "kaiku/http/api/range.hpp"

namespace {

using namespace kaiku;
using namespace kaiku::test;

std::string pattern(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(i * 7 % 253));
  return out;
}

struct received_part {
  std::string type, range, bytes;
};

/// Takes a `multipart/byteranges` body apart; fails the test when it is not exactly one.
std::vector<received_part> parts_of(const raw_answer& answer) {
  const std::string prefix = "multipart/byteranges; boundary=";
  const auto type = answer.header("Content-Type");
  BOOST_REQUIRE_MESSAGE(type.starts_with(prefix), type);
  const auto delimiter = "\r\n--" + type.substr(prefix.size());
  const auto body = "\r\n" + answer.body;
  std::vector<received_part> out;
  std::size_t at = 0;
  for (;;) {
    BOOST_REQUIRE(body.compare(at, delimiter.size(), delimiter) == 0);
    at += delimiter.size();
    if (body.substr(at) == "--\r\n") return out;
    const auto head_end = body.find("\r\n\r\n", at);
    const auto end = body.find(delimiter, head_end);
    BOOST_REQUIRE(end != std::string::npos);
    const auto head = body.substr(at, head_end + 2 - at);
    const auto value = [&](const std::string& name) {
      const auto from = head.find("\r\n" + name + ": ") + name.size() + 4;
      return head.substr(from, head.find("\r\n", from) - from);
    };
    out.push_back({value("Content-Type"), value("Content-Range"), body.substr(head_end + 4, end - head_end - 4)});
    at = end;
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_ranges, http_fixture)

BOOST_AUTO_TEST_CASE(several_ranges_come_as_multipart_byteranges_in_the_order_asked_for) {
  const auto large = pattern(1'000'000), small = pattern(5000);
  const auto info = node.add_file("large", large, "text/css");
  node.add_file("small", small, "text/css");
  raw_http client(port());
  for (const auto& [path, bytes] : {std::pair{"/files/large", large}, std::pair{"/files/small", small}}) {
    auto got = client.ask("GET", path, "Range: bytes=3000-3999, 0-9,,1000-1000 ,-5\r\n");
    BOOST_TEST(got.status == 206);
    BOOST_TEST(got.header("Content-Range") == "");
    BOOST_TEST(got.header("Accept-Ranges") == "bytes");
    BOOST_TEST(got.header("X-Content-Type-Options") == "nosniff");
    auto parts = parts_of(got);
    BOOST_REQUIRE(parts.size() == 4U);
    const auto size = std::to_string(bytes.size());
    BOOST_TEST(parts[0].range == "bytes 3000-3999/" + size);
    BOOST_TEST(parts[1].range == "bytes 0-9/" + size);
    BOOST_TEST(parts[2].range == "bytes 1000-1000/" + size);
    BOOST_TEST(parts[0].type == "text/css");
    BOOST_TEST((parts[0].bytes == bytes.substr(3000, 1000)));
    BOOST_TEST((parts[1].bytes == bytes.substr(0, 10)));
    BOOST_TEST((parts[2].bytes == bytes.substr(1000, 1)));
    BOOST_TEST((parts[3].bytes == bytes.substr(bytes.size() - 5)));
  }
  // Over the pieces that content is read in.
  auto parts = parts_of(client.ask("GET", "/files/large", "Range: bytes=100-400000,500000-999999\r\n"));
  BOOST_REQUIRE(parts.size() == 2U);
  BOOST_TEST((parts[0].bytes == large.substr(100, 399'901)));
  BOOST_TEST((parts[1].bytes == large.substr(500'000)));
  BOOST_TEST(client.ask("GET", "/healthz/live").status == 200);
}

BOOST_AUTO_TEST_CASE(ranges_that_overlap_or_nearly_touch_are_sent_once) {
  node.add_file("f", pattern(10'000));
  raw_http client(port());
  struct row {
    const char* asked;
    const char* content_range;
  };
  for (const auto& one : {row{"0-99,50-199", "bytes 0-199/10000"}, row{"100-199,0-99", "bytes 0-199/10000"},
                          row{"0-9,20-29", "bytes 0-29/10000"}, row{"0-0,0-0,0-0", "bytes 0-0/10000"},
                          row{"0-,5-,-1", "bytes 0-9999/10000"}, row{"0-9,90000-", "bytes 0-9/10000"},
                          row{"0-9,1000-1009,0-5000", "bytes 0-5000/10000"}}) {
    BOOST_TEST_CONTEXT(one.asked) {
      auto got = client.ask("GET", "/files/f", std::string("Range: bytes=") + one.asked + "\r\n");
      BOOST_TEST(got.status == 206);
      BOOST_TEST(got.header("Content-Range") == one.content_range);
    }
  }
  BOOST_TEST(client.ask("GET", "/files/f", "Range: bytes=10000-,-0\r\n").status == 416);
}

BOOST_AUTO_TEST_CASE(more_ranges_than_the_bound_and_malformed_sets_give_the_whole) {
  settings.max_ranges = 3;
  node.add_file("f", pattern(10'000));
  raw_http client(port());
  BOOST_TEST(client.ask("GET", "/files/f", "Range: bytes=0-0,1000-1000,2000-2000\r\n").status == 206);
  for (auto asked : {"bytes=0-0,1000-1000,2000-2000,3000-3000", "bytes=0-0,0-0,0-0,0-0", "bytes=0-1,x", "bytes=,",
                     "bytes=0-1,5-2", "bytes=", "bytes=0 - 1", "lines=0-1,4-5"}) {
    BOOST_TEST_CONTEXT(asked) {
      auto got = client.ask("GET", "/files/f", std::string("Range: ") + asked + "\r\n");
      BOOST_TEST(got.status == 200);
      BOOST_TEST(got.body.size() == 10'000U);
    }
  }
}

BOOST_AUTO_TEST_CASE(if_range_and_head_rule_several_ranges_as_one) {
  const auto tag = node.add_file("f", pattern(10'000)).etag();
  raw_http client(port());
  const std::string several = "Range: bytes=0-0,5000-5000\r\n";
  BOOST_TEST(client.ask("GET", "/files/f", several + "If-Range: " + tag + "\r\n").status == 206);
  BOOST_TEST(client.ask("GET", "/files/f", several + "If-Range: \"x\"\r\n").status == 200);
  BOOST_TEST(client.ask("GET", "/files/f", several + "If-None-Match: " + tag + "\r\n").status == 304);
  BOOST_TEST(client.ask("HEAD", "/files/f", several).header("Content-Length") == "10000");
}

BOOST_AUTO_TEST_CASE(random_ranges_cover_exactly_what_was_asked_for_and_little_more) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t size = 1 + random() % 5000;
    std::vector<bool> wanted(size), given(size);
    std::string text = "bytes=";
    for (auto left = 1 + random() % 8; left > 0; --left) {
      const auto first = random() % size, last = first + random() % 600;
      text += std::to_string(first) + "-" + std::to_string(last) + (left > 1 ? "," : "");
      for (auto i = first; i <= last && i < size; ++i) wanted[i] = true;
    }
    BOOST_TEST_CONTEXT("seed " << seed << ", " << text << " of " << size) {
      const auto set = parse_ranges(text, size, 64);
      BOOST_REQUIRE((set.which == range_set::kind::parts));
      std::uint64_t sent = 0;
      for (const auto& part : set.parts) {
        BOOST_REQUIRE(part.length > 0);
        BOOST_REQUIRE(part.first + part.length <= size);
        for (auto i = part.first; i < part.first + part.length; ++i) {
          BOOST_REQUIRE(!given[i]);
          given[i] = true;
        }
        sent += part.length;
      }
      std::uint64_t needed = 0;
      for (std::uint64_t i = 0; i < size; ++i) {
        if (wanted[i]) BOOST_REQUIRE(given[i]);
        needed += wanted[i] ? 1 : 0;
      }
      BOOST_REQUIRE(sent <= needed + 7 * 128);
    }
  }
}

BOOST_AUTO_TEST_CASE(damage_in_a_later_part_ends_the_connection_before_the_content_does) {
  node.add_file("large", pattern(1'000'000));
  node.damaged_at = 900'000;
  raw_http client(port());
  client.request("GET", "/files/large", "Range: bytes=0-9,899990-900010\r\n");
  BOOST_CHECK_THROW(client.read(), std::runtime_error);
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_CASE(digests_are_given_as_they_are_wanted) {
  const auto bytes = pattern(10'000), large = pattern(100'000);
  const auto whole = digest_field(node.add_file("f", bytes).content.sha256);
  const auto whole_large = digest_field(node.add_file("large", large).content.sha256);
  raw_http client(port());
  const auto fields = [&](const std::string& asked, const char* path = "/files/f") {
    auto got = client.ask("GET", path, asked + "\r\n");
    return std::pair{got.header("Repr-Digest"), got.header("Content-Digest")};
  };
  const auto none = std::string{};
  BOOST_TEST((fields("X: y") == std::pair{whole, none}));
  BOOST_TEST((fields("Want-Repr-Digest: sha-256=10, sha-512=3") == std::pair{whole, none}));
  BOOST_TEST((fields("Want-Repr-Digest: sha-256=0") == std::pair{none, none}));
  BOOST_TEST((fields("Want-Repr-Digest: sha-512=3") == std::pair{whole, none}));
  BOOST_TEST((fields("Want-Repr-Digest: sha-256=zero") == std::pair{whole, none}));
  BOOST_TEST((fields("Want-Content-Digest: sha-256=1") == std::pair{whole, whole}));
  BOOST_TEST((fields("Want-Content-Digest: sha-256=0") == std::pair{whole, none}));
  BOOST_TEST((fields("Want-Content-Digest: sha-512=5") == std::pair{whole, none}));
  BOOST_TEST((fields("Want-Content-Digest: sha-256=1\r\nRange: bytes=1-9") ==
              std::pair{whole, digest_field(hash(bytes.substr(1, 9)))}));
  BOOST_TEST((fields("Want-Content-Digest: sha-256=1", "/files/large") == std::pair{whole_large, whole_large}));
  BOOST_TEST(
      (fields("Want-Content-Digest: sha-256=1\r\nRange: bytes=1-9", "/files/large") == std::pair{whole_large, none}));
  BOOST_TEST(client.ask("HEAD", "/files/f", "Want-Content-Digest: sha-256=1\r\n").header("Content-Digest") == whole);
  BOOST_TEST(client.ask("PUT", "/files/g", "Content-MD5: AAAA\r\n", "x").status == 201);
}

BOOST_AUTO_TEST_SUITE_END()
