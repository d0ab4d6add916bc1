// GET /cluster/backup: a whole archive, or an answer that has visibly no end.

#include <nlohmann/json.hpp>

#include "http_fixture.hpp"
#include "kaiku/archive/backup.hpp"
#include "kaiku/archive/limits.hpp"

namespace kaiku::test {
namespace {

class text_source final : public byte_source {
 public:
  explicit text_source(std::string text) : text_(std::move(text)) {}
  result<std::size_t> read(std::span<char> into) override {
    const auto count = text_.copy(into.data(), into.size(), at_);
    at_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

/// A body in chunks. `whole`: the last one came.
struct chunked_body {
  std::string bytes;
  bool whole = false;
};

chunked_body read_chunks(raw_http& from) {
  chunked_body out;
  while (const auto line = from.read_line()) {
    const auto size = std::stoull(*line, nullptr, 16);
    out.whole = size == 0;
    if (out.whole) break;
    // What a line feed ends is a line, whatever is in it.
    std::string piece;
    while (piece.size() < size + 2) {
      const auto more = from.read_line();
      if (!more) return out;
      piece += *more + "\n";
    }
    out.bytes += piece.substr(0, size);
  }
  return out;
}

/// What an archive holds: paths, with their contents.
std::map<std::string, std::string> read_entries(backup_reader& from) {
  std::map<std::string, std::string> out;
  for (auto next = from.next(); next.ok() && *next; next = from.next()) {
    auto& content = out["/" + (*next)->path.text()];
    if ((*next)->info.is_directory()) content = "(directory)";
    for (auto piece = from.read_content(); piece.ok() && !piece->empty(); piece = from.read_content())
      content += *piece;
  }
  return out;
}

struct backup_fixture : http_fixture {
  raw_answer begin(raw_http& client, const std::string& target = "/cluster/backup") {
    client.request("GET", target);
    return client.read();
  }
};

BOOST_FIXTURE_TEST_SUITE(http_backup, backup_fixture)

BOOST_AUTO_TEST_CASE(gives_every_file_and_directory_and_names_its_moment) {
  const std::string large(400'000, 'l');
  node.add_file("a/large", large);
  node.add_file("a/small", "small");
  node.add_directory("empty");
  raw_http client(port());
  const auto head = begin(client);
  BOOST_TEST(head.status == 200);
  BOOST_TEST(head.header("Content-Type") == "application/x-tar");
  BOOST_TEST(head.header("Transfer-Encoding") == "chunked");
  BOOST_TEST(head.header("Kaiku-Token") == "ab000000.3.40");
  BOOST_TEST((node.last_freshness.level == consistency::linearizable));
  const auto body = read_chunks(client);
  BOOST_TEST(body.whole);
  text_source source(body.bytes);
  backup_reader reader(source);
  const auto moment = reader.begin();
  BOOST_REQUIRE(moment.ok());
  BOOST_TEST((moment->at == log_position{{3}, {40}}));
  BOOST_TEST(moment->node.name == "node-0");
  const auto found = read_entries(reader);
  BOOST_TEST(reader.totals().files == 2u);
  BOOST_TEST((found == std::map<std::string, std::string>{{"/", "(directory)"},
                                                          {"/a", "(directory)"},
                                                          {"/a/large", large},
                                                          {"/a/small", "small"},
                                                          {"/empty", "(directory)"}}));
}

BOOST_AUTO_TEST_CASE(gives_what_a_move_took_deeper_than_can_be_named) {
  std::string deep = "d";
  for (int i = 0; i < 300; ++i) deep += "/" + std::string(20, 'n');
  node.add_file(deep, "content");
  raw_http client(port());
  BOOST_TEST(begin(client).status == 200);
  const auto body = read_chunks(client);
  BOOST_TEST(body.whole);
  text_source source(body.bytes);
  backup_reader reader(source);
  BOOST_REQUIRE(reader.begin().ok());
  auto found = read_entries(reader);
  BOOST_TEST(found.size() == 302u);
  BOOST_TEST(found["/" + deep] == "content");
}

BOOST_AUTO_TEST_CASE(a_path_that_no_archive_takes_ends_it_before_its_end) {
  std::string deep;
  while (deep.size() <= archive_limits::path_bytes) deep += std::string(255, 'n') + "/";
  node.replace(deep + "f", node.add_file("f", "content"));
  raw_http client(port());
  BOOST_TEST(begin(client).status == 200);
  BOOST_TEST(!read_chunks(client).whole);
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_CASE(damaged_content_ends_it_before_its_end) {
  node.add_file("damaged", std::string(1'000'000, 'd'));
  node.damaged_at = 900'000;
  raw_http client(port());
  BOOST_TEST(begin(client).status == 200);
  BOOST_TEST(!read_chunks(client).whole);
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_CASE(content_that_is_not_what_its_digest_says_ends_it_before_its_end) {
  const std::string large(400'000, 'l');
  for (const auto& [content, other] :
       {std::pair<std::string, std::string>{"content", "CONTENT"}, {large, large.substr(1) + "L"}}) {
    node.add_file("f", content);
    node.spoil("f", other);
    raw_http client(port());
    BOOST_TEST(begin(client).status == 200);
    BOOST_TEST(!read_chunks(client).whole);
  }
}

BOOST_AUTO_TEST_CASE(content_that_has_another_size_ends_it_before_its_end) {
  auto info = node.add_file("f", "content");
  node.add_file("g", "CONTENT");
  info.content.size = {9};
  node.replace("f", info);
  raw_http client(port());
  BOOST_TEST(begin(client).status == 200);
  BOOST_TEST(!read_chunks(client).whole);
}

BOOST_AUTO_TEST_CASE(takes_no_parameter_that_means_nothing_here) {
  raw_http client(port());
  for (const char* query : {"?consistency=bounded=5", "?consistency=nonsense", "?limit=5"})
    BOOST_TEST(client.ask("GET", std::string("/cluster/backup") + query).status == 400);
}

BOOST_AUTO_TEST_CASE(what_the_node_itself_knows_committed_has_to_be_asked_for) {
  for (const auto& [level, wanted] :
       {std::pair{"linearizable", consistency::linearizable}, {"committed", consistency::committed}}) {
    raw_http client(port());
    BOOST_TEST(begin(client, std::string("/cluster/backup?consistency=") + level).status == 200);
    BOOST_TEST((node.last_freshness.level == wanted));
  }
}

BOOST_AUTO_TEST_CASE(there_are_so_many_at_once_and_no_more) {
  node.add_file("large", std::string(60'000'000, 'l'));
  raw_http first(port(), 4096), second(port(), 4096), third(port());
  BOOST_TEST(begin(first).status == 200);
  BOOST_TEST(begin(second).status == 200);
  BOOST_TEST(begin(third).status == 503);
  second.reset();
  BOOST_TEST(eventually([&] {
    raw_http again(port(), 4096);
    return begin(again).status == 200;
  }));
}

BOOST_AUTO_TEST_CASE(head_gives_no_body) {
  node.add_file("f", "content");
  raw_http client(port());
  const auto head = client.ask("HEAD", "/cluster/backup");
  BOOST_TEST(head.status == 200);
  BOOST_TEST(head.header("Kaiku-Token") == "ab000000.3.40");
  BOOST_TEST(client.at_end());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
