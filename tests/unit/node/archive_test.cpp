/// What a backup is made of: it gives back what was written, and nothing that was damaged.

#include <filesystem>
#include <fstream>

#include "../../support/temporary_directory.hpp"
#include "backup_fixture.hpp"
#include "support/command.hpp"

namespace kaiku::test {
namespace {

struct read_archive {
  backup_moment moment;
  std::vector<std::pair<backup_entry, std::string>> entries;
  backup_totals totals;
};

result<read_archive> read_all(std::string_view archive) {
  text_source source(archive);
  backup_reader reader(source);
  const auto moment = reader.begin();
  if (!moment) return moment.failure();
  read_archive out{*moment, {}, {}};
  for (;;) {
    auto next = reader.next();
    if (!next) return next.failure();
    if (!*next) break;
    std::string content;
    for (;;) {
      auto piece = reader.read_content();
      if (!piece) return piece.failure();
      if (piece->empty()) break;
      content += *piece;
    }
    out.entries.emplace_back(std::move(**next), std::move(content));
  }
  out.totals = reader.totals();
  return out;
}

/// The error of an archive that has nothing but one entry: the root directory with these records of ours.
error why_refused(const std::vector<std::pair<std::string, std::string>>& own) {
  tar::records all;
  for (const auto& [name, value] : own) all.emplace_back("SCHILY.xattr.user.kaiku." + name, value);
  const auto text = backup_writer(made_moment()).begin() +
                    tar::write_head({tar::kind::directory, "files/", {}, {}, std::move(all)}) + tar::end_of_archive();
  const auto read = read_all(text);
  return read.ok() ? error{} : read.failure();
}

const std::vector<made_entry>& few_entries() {
  static const std::vector<made_entry> all{made_directory(""), made_file("f", "content"), made_directory("x")};
  return all;
}

BOOST_AUTO_TEST_SUITE(archives)

BOOST_AUTO_TEST_CASE(gives_back_what_was_written) {
  const auto written = usual_entries();
  const auto read = read_all(write_archive(written));
  BOOST_REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.failure().detail));
  BOOST_TEST((read->moment == made_moment()));
  BOOST_TEST((read->totals == backup_totals{4, 6, {200'014}}));
  BOOST_REQUIRE(read->entries.size() == written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    const auto& [entry, content] = read->entries[i];
    BOOST_TEST((entry.path == written[i].what.path));
    BOOST_TEST((entry.info == written[i].what.info), entry.path.text());
    BOOST_TEST((content == written[i].content));
  }
}

BOOST_AUTO_TEST_CASE(is_refused_wherever_it_was_cut_off) {
  const auto whole = write_archive(few_entries());
  BOOST_REQUIRE(read_all(whole).ok());
  for (std::size_t size = 0; size < whole.size(); ++size)
    if (read_all(std::string_view{whole}.substr(0, size)).ok()) BOOST_ERROR("cut at " << size << " and taken");
}

BOOST_AUTO_TEST_CASE(is_refused_wherever_a_bit_was_flipped) {
  auto whole = write_archive(few_entries());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char bit : {'\x01', '\x40'}) {
      whole[at] = static_cast<char>(whole[at] ^ bit);
      if (read_all(whole).ok()) BOOST_ERROR("a bit flipped at " << at << " and taken");
      whole[at] = static_cast<char>(whole[at] ^ bit);
    }
  }
}

BOOST_AUTO_TEST_CASE(is_refused_when_something_is_missing_or_follows) {
  const auto whole = write_archive(few_entries());
  BOOST_TEST(!read_all(whole + '\0').ok());
  // A file, its header and content, taken out; the rest is sound in itself.
  const auto file = std::string_view{whole}.find("files/f");
  const auto next = std::string_view{whole}.find("kaiku-records", file);
  auto without = whole;
  const auto records = whole.rfind("kaiku-records", file);
  without.erase(records, next - records);
  const auto read = read_all(without);
  BOOST_REQUIRE(!read.ok());
  BOOST_TEST((read.failure().code == errc::corrupt));
}

BOOST_AUTO_TEST_CASE(content_that_does_not_match_is_named) {
  auto entries = few_entries();
  entries[1].content = "CONTENT";
  const auto read = read_all(write_archive(entries));
  BOOST_REQUIRE(!read.ok());
  BOOST_TEST(read.failure().detail.find("/f") != std::string::npos, read.failure().detail);
}

BOOST_AUTO_TEST_CASE(paths_that_moves_made_longer_than_any_that_can_be_named_come_back) {
  auto entries = few_entries();
  std::string path = "x";
  // More names than a path of a request, and more bytes.
  for (int i = 0; i < 400; ++i) entries.push_back(made_directory(path += "/" + std::string(200, 'y')));
  entries.push_back(made_file(path + "/f", "content"));
  const auto read = read_all(write_archive(entries));
  BOOST_REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.failure().detail));
  BOOST_REQUIRE(read->entries.size() == entries.size());
  BOOST_TEST((read->entries.back().first.path == entries.back().what.path));
  BOOST_TEST((read->entries.back().second == "content"));
}

BOOST_AUTO_TEST_CASE(an_entry_is_refused_when_a_part_of_its_description_is_missing_or_comes_twice) {
  const std::pair<std::string, std::string> version{"version", "2.7"}, created{"created", "1"},
      modified{"modified", "2"};
  BOOST_TEST(why_refused({version, created, modified}).detail.find("ends before all") != std::string::npos);
  for (const auto& records : {std::vector{version, created}, {version, modified}, {created, modified}})
    BOOST_TEST(why_refused(records).detail.find("lacks a part") != std::string::npos);
  for (const auto& records : {std::vector{version, version, modified}, {version, created, modified, created}})
    BOOST_TEST(why_refused(records).detail.find("comes twice") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_node_that_no_cluster_can_have_is_not_named) {
  auto moment = made_moment();
  for (const std::string& name : {std::string{}, std::string("\x1b[2J"), std::string("a b")}) {
    moment.node.name = name;
    const auto text = backup_writer(moment).begin();
    text_source source(text);
    const auto read = backup_reader(source).begin();
    BOOST_REQUIRE(!read.ok());
    BOOST_TEST((read.failure().code == errc::corrupt));
  }
}

BOOST_AUTO_TEST_CASE(other_archives_are_told_apart) {
  for (const std::string& other : {std::string{}, std::string("not an archive"), std::string(20'000, '\0'),
                                   tar::write_head({tar::kind::file, "a", {1}, {}}) + "a" + tar::padding({1})}) {
    const auto read = read_all(other);
    BOOST_REQUIRE(!read.ok());
    BOOST_TEST((read.failure().code == errc::bad_request), read.failure().detail);
  }
}

BOOST_AUTO_TEST_CASE(sizes_beyond_what_a_header_can_say_are_kept) {
  for (const std::uint64_t size :
       {std::uint64_t{8'589'934'591}, std::uint64_t{8'589'934'592}, std::uint64_t{1} << 45}) {
    const auto text = tar::write_head({tar::kind::file, "files/huge", {size}, {}});
    const bool extended = size > 8'589'934'591;
    const auto head = tar::parse_head(std::string_view{text}.substr(text.size() - tar::block_bytes));
    BOOST_REQUIRE(head.ok() && *head);
    if (!extended) BOOST_TEST((*head)->size.value == size);
    if (extended) BOOST_TEST(text.find("size=" + std::to_string(size) + "\n") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(records_that_do_not_decode_are_refused) {
  for (const char* text : {"x", "5 a=b", "6 a=b\nmore", "99 a=b\n", "0 a=b\n", "4 ab\n", "5 =ab\n", "-5 a=b\n"})
    BOOST_TEST(!tar::parse_records(text).ok(), text);
  const auto good = tar::parse_records("6 a=b\n13 long=er=c\n");
  BOOST_REQUIRE(good.ok());
  BOOST_TEST((*good == tar::records{{"a", "b"}, {"long", "er=c"}}));
}

BOOST_AUTO_TEST_CASE(tar_extracts_it) {
  const temporary_directory work;
  const auto entries = usual_entries();
  std::ofstream(work / "backup.tar", std::ios::binary) << write_archive(entries);
  run_command({"tar", "-xf", (work / "backup.tar").string(), "-C", work.path().string()});
  for (const auto& [what, content] : entries) {
    const auto extracted = work / "files" / what.path.text();
    BOOST_TEST(std::filesystem::is_directory(extracted) == what.info.is_directory(), extracted.string());
    if (!what.info.is_directory()) BOOST_TEST((content_of_file(extracted) == content), extracted.string());
  }
  BOOST_TEST(content_of_file(work / "kaiku-backup.json").find("\"index\": 40") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
