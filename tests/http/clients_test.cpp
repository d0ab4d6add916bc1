/// What people use against a web server: curl, aria2, wget, rclone. Each through a follower, and read back elsewhere.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "http/clients.hpp"
#include "support/bytes.hpp"
#include "support/command.hpp"

namespace {

using namespace kaiku::test;
namespace fs = std::filesystem;
namespace utf = boost::unit_test;

void write_file(const fs::path& where, const std::string& content) {
  fs::create_directories(where.parent_path());
  std::ofstream(where, std::ios::binary) << content;
}

/// Files below a directory, by their paths.
std::map<std::string, std::string> files_below(const fs::path& top) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(top))
    if (entry.is_regular_file()) out[fs::relative(entry.path(), top).string()] = read_file(entry.path());
  return out;
}

const std::map<std::string, std::string>& website() {
  static const std::map<std::string, std::string> all{
      {"first.txt", "first"},          {"a name with spaces & more.txt", "spaces"},
      {"\u00e4\u20ac.txt", "letters"}, {"sub/second.bin", generated_bytes{2, 100'000}.all()},
      {"sub/deeper/third.txt", ""},
  };
  return all;
}

void upload_website(const std::string& to) {
  for (const auto& [name, content] : website()) upload(to + "/" + name, content);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(clients)

BOOST_AUTO_TEST_CASE(curl_uploads_from_a_file_and_from_a_pipe, *utf::precondition(with<curl>)) {
  const auto large = generated_bytes{1, 5'000'000}.all();
  write_file(work() / "up", large);
  run_command({"curl", "-sSf", "-T", work() / "up", url("curl/file")});
  run_command({"sh", "-c", "cat '" + (work() / "up").string() + "' | curl -sSf -T - '" + url("curl/pipe") + "'"});
  BOOST_TEST((download("curl/file") == large));
  BOOST_TEST((download("curl/pipe") == large));
}

BOOST_AUTO_TEST_CASE(curl_resumes_a_download_that_was_cut_off, *utf::precondition(with<curl>)) {
  const auto content = generated_bytes{3, 3'000'000}.all();
  upload("curl/resume", content);
  write_file(work() / "resumed", content.substr(0, 1'234'567));
  const auto told = run_command(
      {"curl", "-sSf", "-C", "-", "-o", work() / "resumed", "-w", "%{http_code} %{size_download}", url("curl/resume")});
  BOOST_TEST(told == "206 " + std::to_string(3'000'000 - 1'234'567));
  BOOST_TEST((read_file(work() / "resumed") == content));
}

BOOST_AUTO_TEST_CASE(curl_downloads_one_range_and_several, *utf::precondition(with<curl>)) {
  upload("curl/ranges", "0123456789" + std::string(1000, '.') + "abcdefghij");
  BOOST_TEST(run_command({"curl", "-sSf", "-r", "2-5", url("curl/ranges")}) == "2345");
  BOOST_TEST(run_command({"curl", "-sSf", "-r", "-3", url("curl/ranges")}) == "hij");
  const auto several = run_command({"curl", "-sSfi", "-r", "0-2,1010-1012", url("curl/ranges")});
  BOOST_TEST(several.find("206 Partial Content") != std::string::npos);
  BOOST_TEST(several.find("multipart/byteranges") != std::string::npos);
  BOOST_TEST(several.find("\r\n\r\n012\r\n") != std::string::npos);
  BOOST_TEST(several.find("\r\n\r\nabc\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(curl_downloads_only_what_is_newer_or_another_version, *utf::precondition(with<curl>)) {
  upload("curl/condition", "one");
  const auto file = (work() / "condition").string(), etag = (work() / "condition.etag").string();
  const auto where = url("curl/condition");
  run_command({"curl", "-sSf", "-R", "-o", file, "--etag-save", etag, where});
  const auto code = [&](std::vector<std::string> how) {
    std::vector<std::string> all{"curl", "-sSf", "-o", file + ".again", "-w", "%{http_code}"};
    all.insert(all.end(), how.begin(), how.end());
    all.push_back(where);
    return run_command(all);
  };
  BOOST_TEST(code({"-z", file}) == "304");
  BOOST_TEST(code({"--etag-compare", etag}) == "304");
  BOOST_TEST(code({"-z", "Sun, 06 Nov 1994 08:49:37 GMT"}) == "200");
  upload("curl/condition", "two");
  BOOST_TEST(code({"--etag-compare", etag}) == "200");
  BOOST_TEST(read_file(file + ".again") == "two");
}

BOOST_AUTO_TEST_CASE(curl_uploads_files_as_a_form_does, *utf::precondition(with<curl>)) {
  const auto large = generated_bytes{4, 1'000'000}.all();
  write_file(work() / "one.txt", "one");
  write_file(work() / "t\u00e4 wo.bin", large);
  const auto told =
      run_command({"curl", "-sSf", "-w", "%{http_code}", "-F", "file=@" + (work() / "one.txt").string(), "-F",
                   "file=@" + (work() / "t\u00e4 wo.bin").string() + ";type=image/png", url("curl/form/")});
  BOOST_TEST(told.ends_with("201"));
  BOOST_TEST(download("curl/form/one.txt") == "one");
  BOOST_TEST((download("curl/form/t\u00e4 wo.bin") == large));
}

BOOST_AUTO_TEST_CASE(aria2_downloads_in_8_segments_from_all_nodes_at_once, *utf::precondition(with<aria2>)) {
  const generated_bytes content{5, 24'000'000};
  upload("aria2/large", content.all());
  run_command({"aria2c", "--quiet", "--split=8", "--max-connection-per-server=8", "--min-split-size=1M", "--no-conf",
               "--file-allocation=none", "--dir=" + work().string(), "--out=one", url("aria2/large")});
  BOOST_TEST(digest_of(read_file(work() / "one")) == content.digest());
  run_command({"aria2c", "--quiet", "--split=8", "--max-connection-per-server=4", "--min-split-size=1M", "--no-conf",
               "--file-allocation=none", "--dir=" + work().string(), "--out=all", url("aria2/large", 0),
               url("aria2/large", 1), url("aria2/large", 2)});
  BOOST_TEST(digest_of(read_file(work() / "all")) == content.digest());
}

BOOST_AUTO_TEST_CASE(wget_mirrors_a_directory_through_its_html_listing, *utf::precondition(with<wget>)) {
  upload_website("wget/site");
  const auto mirror = [] {
    return run_command({"wget", "--mirror", "--no-parent", "--no-host-directories", "--cut-dirs=3",
                        "--restrict-file-names=nocontrol", "--header=Accept: text/html", "--no-verbose",
                        "--directory-prefix=" + (work() / "wget").string(), url("wget/site/")});
  };
  mirror();
  auto there = files_below(work() / "wget");
  for (const auto& [name, content] : website()) BOOST_TEST((there[name] == content), name);
  // Another round brings what has changed: wget goes by dates, which have whole seconds.
  const auto now = [] {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  };
  BOOST_TEST(wait_until(milliseconds{5000}, [&, made = now()] { return now() > made; }));
  upload("wget/site/first.txt", "changed, and longer");
  const auto told = mirror();
  BOOST_TEST(told.find("sub/second.bin\" [1]") == std::string::npos);
  BOOST_TEST(read_file(work() / "wget/first.txt") == "changed, and longer");
}

BOOST_AUTO_TEST_CASE(rclone_copies_and_checks_a_directory_through_its_html_listing, *utf::precondition(with<rclone>)) {
  upload_website("rclone/site");
  const auto remote = [](std::vector<std::string> what) {
    std::vector<std::string> all{"rclone", "--config=", "--http-url=" + url("rclone/site/"),
                                 "--http-headers=Accept,text/html"};
    all.insert(all.end(), what.begin(), what.end());
    return run_command(all);
  };
  remote({"copy", ":http:", work() / "rclone"});
  BOOST_TEST((files_below(work() / "rclone") == website()));
  remote({"check", "--download", ":http:", work() / "rclone"});
  BOOST_TEST(remote({"cat", "--offset", "1", "--count", "3", ":http:first.txt"}) == "irs");
  std::istringstream listed(remote({"lsf", "--recursive", ":http:"}));
  std::size_t lines = 0;
  for (std::string line; std::getline(listed, line);) ++lines;
  BOOST_TEST(lines == website().size() + 2);
}

BOOST_AUTO_TEST_SUITE_END()
