// Forms: multipart/form-data taken apart, and the files in it stored (RFC 7578).

#include <nlohmann/json.hpp>
#include <random>

#include "http_fixture.hpp"
#include "kaiku/http/api/form.hpp"

namespace {

using namespace kaiku;
using namespace kaiku::test;
using nlohmann::json;

const std::string form_type = "Content-Type: multipart/form-data; boundary=XyZ\r\n";

std::string part(const std::string& disposition, const std::string& bytes, const std::string& more = {}) {
  return "--XyZ\r\nContent-Disposition: form-data; " + disposition + "\r\n" + more + "\r\n" + bytes + "\r\n";
}
std::string file(const std::string& name, const std::string& bytes, const std::string& more = {}) {
  return part("name=\"file\"; filename=\"" + name + "\"", bytes, more);
}
const std::string last = "--XyZ--\r\n";

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string out(size, '\0');
  for (auto& c : out) c = "\r\n-XyZa"[random() % 8];  // all that a delimiter is made of
  return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_forms, http_fixture)

BOOST_AUTO_TEST_CASE(a_form_stores_each_of_its_files_and_lists_them) {
  raw_http client(port());
  auto got = client.ask("POST", "/files/in/box/", form_type,
                        part("name=note", "not a file") + file("a.txt", "one", "Content-Type: text/plain\r\n") +
                            file("", "") + file("b c.bin", "two\r\n") + last);
  BOOST_TEST(got.status == 201);
  auto files = json::parse(got.body)["files"];
  BOOST_REQUIRE(files.size() == 2U);
  BOOST_TEST(files[0]["path"] == "/in/box/a.txt");
  BOOST_TEST(files[0]["created"] == true);
  BOOST_TEST(files[0]["size"] == 3);
  BOOST_TEST(files[0]["token"] == "ab000000.3.101");
  BOOST_TEST(files[1]["path"] == "/in/box/b c.bin");
  BOOST_TEST(files[1]["replicas"] == "2/3");
  auto read = client.ask("GET", "/files/in/box/a.txt");
  BOOST_TEST(read.body == "one");
  BOOST_TEST(read.header("Content-Type") == "text/plain");
  BOOST_TEST(read.header("ETag") == files[0]["etag"].get<std::string>());
  BOOST_TEST(client.ask("GET", "/files/in/box/b%20c.bin").body == "two\r\n");
  BOOST_TEST(node.writes == 2);
  BOOST_TEST(client.ask("POST", "/files", form_type, file("root", "x") + last).status == 201);
  BOOST_TEST(node.has("root"));
}

BOOST_AUTO_TEST_CASE(a_browser_is_sent_back_to_the_listing) {
  raw_http client(port());
  const auto fields = form_type + "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n";
  auto got = client.ask("POST", "/files/a%20b", fields, file("f", "x") + last);
  BOOST_TEST(got.status == 303);
  // With the write's token: a follower may not have it yet.
  BOOST_TEST(got.header("Location") ==
             "/files/a%20b/?token=" + json::parse(got.body)["files"][0]["token"].get<std::string>());
  BOOST_TEST(got.header("Vary") == "Accept");
  BOOST_TEST(
      client.ask("POST", "/files/", fields, file("f", "x") + last).header("Location").starts_with("/files/?token="));
}

BOOST_AUTO_TEST_CASE(content_of_any_size_and_kind_comes_through_whole_however_it_is_cut) {
  const auto seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  raw_http client(port());
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{1000},
                           limits::small_content_bytes - 1, limits::small_content_bytes,
                           limits::small_content_bytes + 1, limits::chunk_bytes, 3 * limits::chunk_bytes + 5}) {
    BOOST_TEST_CONTEXT("seed " << seed << ", size " << size) {
      const auto first = noise(size, seed), second = noise(size / 2 + 1, seed + 1);
      if (first.find("\r\n--XyZ") != std::string::npos || second.find("\r\n--XyZ") != std::string::npos) continue;
      const auto body = "a preamble\r\n" + file("one", first) + file("two", second) + "--XyZ-- \r\nan epilogue";
      BOOST_TEST(client.ask("POST", "/files/d", form_type, body).status == 201);
      BOOST_TEST((node.bytes_at("d/one") == first));
      BOOST_TEST((node.bytes_at("d/two") == second));
      std::string chunked;
      for (std::size_t at = 0; at < body.size(); at += 50'021) {
        const auto piece = body.substr(at, 50'021);
        char head[16];
        chunked.append(head, static_cast<std::size_t>(std::snprintf(head, sizeof head, "%zx\r\n", piece.size())));
        chunked += piece + "\r\n";
      }
      client.send("POST /files/e HTTP/1.1\r\nHost: k\r\nTransfer-Encoding: chunked\r\n" + form_type + "\r\n" + chunked +
                  "0\r\n\r\n");
      auto got = client.read();
      BOOST_TEST(got.status == 201);
      BOOST_TEST(!got.closes());
      BOOST_TEST((node.bytes_at("e/one") == first));
      BOOST_TEST((node.bytes_at("e/two") == second));
    }
  }
  BOOST_TEST(node.largest_piece <= limits::chunk_bytes);
  BOOST_TEST(node.uploads_open == 0);
}

BOOST_AUTO_TEST_CASE(a_file_s_name_is_one_name_and_leads_nowhere) {
  raw_http client(port());
  for (auto name : {"../x", "a/b", "/etc/passwd", "..", ".", "C:\\\\dir\\\\f", "a\x01", "\xff", "dir/"}) {
    BOOST_TEST_CONTEXT(name) {
      auto got = client.ask("POST", "/files/d", form_type, file(name, "x") + last);
      BOOST_TEST(got.status == 400);
      BOOST_TEST(json::parse(got.body)["code"] == "invalid_path");
    }
  }
  BOOST_TEST(node.writes == 0);
  BOOST_TEST(client.ask("POST", "/files/d", form_type, file("say %22hi%22 \\\"now\\\"", "x") + last).status == 201);
  BOOST_TEST(node.has("d/say \"hi\" \"now\""));
  BOOST_TEST(client.ask("POST", "/files/d", form_type, part("filename=plain; name=x", "x") + last).status == 201);
  BOOST_TEST(node.has("d/plain"));
}

BOOST_AUTO_TEST_CASE(what_is_no_form_is_refused) {
  raw_http client(port());
  struct row {
    const char* what;
    std::string type, body;
  };
  const auto one = file("f", "x");
  for (const auto& it :
       {row{"another type", "Content-Type: text/plain\r\n", one + last}, row{"no type", "", one + last},
        row{"no boundary", "Content-Type: multipart/form-data\r\n", one + last},
        row{"an empty boundary", "Content-Type: multipart/form-data; boundary=\"\"\r\n", one + last},
        row{"a long boundary", "Content-Type: multipart/form-data; boundary=" + std::string(71, 'b') + "\r\n", one},
        row{"no file", form_type, part("name=a", "b") + last}, row{"only the end", form_type, last},
        row{"nothing", form_type, ""}, row{"another boundary", form_type, "--Other--\r\n"},
        row{"no end", form_type, part("name=a", "b")},
        row{"no disposition", form_type, "--XyZ\r\nX: y\r\n\r\nb\r\n" + last},
        row{"no header", form_type, "--XyZ\r\n\r\nb\r\n" + last},
        row{"no name", form_type, part("filename=f", "b") + last},
        row{"an attachment", form_type, "--XyZ\r\nContent-Disposition: attachment; name=f\r\n\r\nb\r\n" + last},
        row{"an open quote", form_type, part("name=\"f", "b") + last},
        row{"a long header", form_type, part("name=f", "b", "X: " + std::string(9000, 'x') + "\r\n") + last},
        row{"a long preamble", form_type, std::string(20'000, 'x') + "\r\n" + one + last},
        row{"a bad type", form_type, file("f", "x", "Content-Type: \x01\r\n") + last}}) {
    BOOST_TEST_CONTEXT(it.what) {
      auto got = client.ask("POST", "/files/d", it.type, it.body);
      BOOST_TEST(got.status == 400);
      BOOST_TEST(json::parse(got.body)["code"] == "bad_request");
    }
  }
  for (auto fields : {"If-Match: *\r\n", "If-None-Match: *\r\n"})
    BOOST_TEST(client.ask("POST", "/files/d", form_type + fields, one + last).status == 400);
  BOOST_TEST(client.ask("POST", "/files/d?x=1", form_type, one + last).status == 400);
  BOOST_TEST(node.writes == 0);
}

BOOST_AUTO_TEST_CASE(what_ends_a_form_in_its_middle_says_what_was_stored) {
  node.add_file("d/there", "old");
  raw_http client(port());
  auto got = client.ask("POST", "/files/d?overwrite=false", form_type,
                        file("new", "1") + file("there", "2") + file("never", "3") + last);
  BOOST_TEST(got.status == 412);
  auto said = json::parse(got.body);
  BOOST_TEST(said["code"] == "precondition_failed");
  BOOST_REQUIRE(said["stored"].size() == 1U);
  BOOST_TEST(said["stored"][0]["path"] == "/d/new");
  BOOST_TEST(node.bytes_at("d/there") == "old");
  BOOST_TEST(!node.has("d/never"));
  BOOST_TEST(client.ask("POST", "/files/d?overwrite=true", form_type, file("there", "2") + last).status == 201);
  BOOST_TEST(node.bytes_at("d/there") == "2");
  BOOST_TEST(client.ask("POST", "/files/x/y?parents=false", form_type, file("f", "2") + last).status == 409);
}

BOOST_AUTO_TEST_CASE(a_form_that_is_cut_off_keeps_only_the_files_that_were_complete) {
  const auto begun = file("whole", "1") + part("name=f; filename=half", std::string(200'000, 'x'));
  {
    raw_http client(port());
    client.send("POST /files/d HTTP/1.1\r\nHost: k\r\nContent-Length: 900000\r\n" + form_type + "\r\n" + begun +
                part("name=f; filename=cut", std::string(500'000, 'y')));
    client.finish_sending();
    auto got = client.read();
    BOOST_TEST(got.status == 400);
    auto said = json::parse(got.body);
    BOOST_TEST(said["code"] == "body_incomplete");
    BOOST_TEST(said["stored"].size() == 2U);
  }
  {
    raw_http client(port());
    client.send("POST /files/e HTTP/1.1\r\nHost: k\r\nContent-Length: 900000\r\n" + form_type + "\r\n" +
                begun.substr(0, begun.size() - 5));
    client.finish_sending();
    BOOST_TEST(json::parse(client.read().body)["stored"].size() == 1U);
  }
  // In one piece with what is missing, or with the mere begin of a boundary's line.
  for (const auto& cut : {part("name=f; filename=small", "half"), std::string("--XyZ")}) {
    const auto small = file("small-whole", "1") + cut;
    char size[16];
    std::snprintf(size, sizeof size, "%zx", small.size());
    for (const auto& sent : {"Content-Length: 900\r\n" + form_type + "\r\n" + small,
                             "Transfer-Encoding: chunked\r\n" + form_type + "\r\n" + size + "\r\n" + small}) {
      raw_http client(port());
      client.send("POST /files/f HTTP/1.1\r\nHost: k\r\n" + sent);
      client.finish_sending();
      auto got = client.read();
      BOOST_TEST(got.status == 400);
      BOOST_TEST(got.closes());
      BOOST_TEST(json::parse(got.body)["code"] == "body_incomplete");
      BOOST_TEST(json::parse(got.body)["stored"].size() == 1U);
    }
  }
  BOOST_TEST(node.has("f/small-whole"));
  BOOST_TEST(!node.has("f/small"));
  BOOST_TEST(!node.has("d/cut"));
  BOOST_TEST(node.has("e/whole"));
  BOOST_TEST(!node.has("e/half"));
  BOOST_TEST(node.uploads_open == 0);
}

BOOST_AUTO_TEST_CASE(a_part_s_header_has_one_bound_however_its_bytes_come) {
  const std::string line = "Content-Disposition: form-data; name=f; filename=a\r\nX: ";
  for (std::size_t size : {limits::http_part_header_bytes, limits::http_part_header_bytes + 1}) {
    const auto body = "--XyZ\r\n" + line + std::string(size - line.size(), 'x') + "\r\n\r\ncontent\r\n" + last;
    for (std::size_t piece : {std::size_t{1000}, body.size()}) {
      BOOST_TEST_CONTEXT(size << " bytes in pieces of " << piece) {
        std::string chunks;
        for (std::size_t at = 0; at < body.size(); at += piece) {
          const auto one = body.substr(at, piece);
          char head[16];
          chunks.append(head, static_cast<std::size_t>(std::snprintf(head, sizeof head, "%zx\r\n", one.size())));
          chunks += one + "\r\n";
        }
        raw_http client(port());
        client.send("POST /files/d HTTP/1.1\r\nHost: k\r\nTransfer-Encoding: chunked\r\n" + form_type + "\r\n" +
                    chunks + "0\r\n\r\n");
        BOOST_TEST(client.read().status == (size == limits::http_part_header_bytes ? 201 : 400));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(less_durability_than_asked_for_of_one_file_is_202) {
  node.achieved = durability::leader;
  raw_http client(port());
  auto got = client.ask("POST", "/files/d?durability=majority", form_type, file("f", "1") + last);
  BOOST_TEST(got.status == 202);
  BOOST_TEST(json::parse(got.body)["files"][0]["durability"] == "leader");
}

BOOST_AUTO_TEST_SUITE_END()
