/// Every command line of `docs/http.md`, in order, against a real cluster: what is shown there works.

#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <sstream>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "http/clients.hpp"
#include "support/bytes.hpp"

namespace {

using namespace kaiku::test;
namespace fs = std::filesystem;
namespace utf = boost::unit_test;

struct example {
  std::size_t line = 0;  ///< in the document
  std::string command;
  std::string status;  ///< what the comment behind it promises; empty: any success
};

/// The indented lines that begin with a command.
std::vector<example> examples_of(const fs::path& document) {
  static const std::regex command("    ((curl|tar|date|wget|[A-Z]=).*)"), promise(" +# ([0-9]{3})\\b.*$"),
      remark(" +# .*$");
  std::vector<example> out;
  std::ifstream in(document);
  std::size_t number = 0;
  std::string given;
  for (std::string text; std::getline(in, text);) {
    ++number;
    std::smatch found;
    if (!std::regex_match(text, found, command)) continue;
    if (found[2] == "K=") continue;  // the test's own
    example one{number, given + found[1].str(), {}};
    given.clear();
    if (found[2].str().ends_with('=')) {  // for the next one
      given = one.command + "; ";
      continue;
    }
    if (std::regex_search(one.command, found, promise)) one.status = found[1];
    one.command = std::regex_replace(one.command, remark, "");
    out.push_back(one);
  }
  return out;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

/// What the document takes for granted: a cluster, the client's files, and some that are stored.
class setting {
 public:
  setting() : cluster_({.extra = {"--election-timeout-ms", "3000", "--cors-origin", "https://app.example"}}) {
    here_ = cluster_.directory() / "here";
    fs::create_directory(here_);
    for (const auto* name : {"report.pdf", "notes.txt", "new.txt", "draft.txt", "a.css.gz"})
      std::ofstream(here_ / name) << generated_bytes{7, 10'000}.all();
    displace();
  }

  /// The same tree in front of every line; a restore is shown into an empty one.
  void prepare(const std::string& command) {
    auto client = cluster_.node(cluster_.wait_for_leader()).client();
    const auto listing = client.request("GET", "/files/").json();
    for (const auto& entry : listing["entries"]) {
      const auto gone = client.request("DELETE", "/files/" + entry["name"].get<std::string>() + "?recursive=true");
      BOOST_REQUIRE_MESSAGE(gone.is_success(), "DELETE answered " << gone);
    }
    if (command.find("op=restore") != std::string::npos) return;
    for (const auto* path : {"report.pdf", "a.css", "2026/report.pdf", "2026/drafts/first.txt"}) {
      const auto put = client.put(path, generated_bytes{8, 10'000}.all(), {{"Kaiku-Durability", "all"}});
      BOOST_REQUIRE_MESSAGE(put.status == 201, "PUT " << path << " answered " << put);
      if (std::string(path) == "report.pdf") etag_ = put.header("ETag"), token_ = put.header("Kaiku-Token");
    }
  }

  /// Throws when it fails; the last answer's status.
  std::string run(const std::string& command) {
    const bool kept_aside = command.find("/set-aside") != std::string::npos;
    const auto asked = kept_aside ? keeper_ : cluster_.followers().front();
    auto line = replaced(command, "127.0.0.1:8002", to_string(cluster_.node(cluster_.followers().back()).http()));
    line = replaced(line, "\"3.17-2cf24dba5fb0a30e\"", etag_);
    line = replaced(line, kept_aside ? "5f3a9c01.2.40" : "5f3a9c01.3.42", kept_aside ? displaced_ : token_);
    run_command({"bash", "-c",
                 "set -euo pipefail; cd '" + here_.string() + "'; rm -f answer; K=http://" +
                     to_string(cluster_.node(asked).http()) +
                     "; curl() { command curl -sS --fail-with-body -D answer \"$@\"; }; " + line});
    if (!fs::exists(here_ / "answer")) return {};  // another program's
    std::string status;
    std::ifstream answer(here_ / "answer");
    for (std::string text; std::getline(answer, text);)
      if (text.starts_with("HTTP/1.1 ")) status = text.substr(9, 3);
    return status;
  }

 private:
  /// A write that the others never had; whoever took it keeps it aside.
  void displace() {
    keeper_ = cluster_.wait_for_leader();
    const auto others = cluster_.followers();
    for (const auto i : others) cluster_.node(i).kill();
    const auto put =
        cluster_.node(keeper_).client().put("2026/report.pdf", "displaced", {{"Kaiku-Durability", "leader"}});
    BOOST_REQUIRE_MESSAGE(put.is_success(), "answered " << put);
    displaced_ = put.header("Kaiku-Token");
    cluster_.node(keeper_).kill();
    for (const auto i : others) cluster_.node(i).start();
    auto client = cluster_.node(cluster_.wait_for_leader(milliseconds{20'000})).client();
    BOOST_REQUIRE(client.put("since", "x", {{"Kaiku-Durability", "majority"}}).is_success());
    cluster_.node(keeper_).start();
    cluster_.wait_until_ready();
    cluster_.wait_until_converged();
  }

  test_cluster cluster_;
  fs::path here_;
  std::size_t keeper_ = 0;
  std::string displaced_, etag_, token_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(examples)

BOOST_AUTO_TEST_CASE(every_command_of_the_http_guide_does_what_it_says,
                     *utf::precondition(with<curl>) * utf::precondition(with<wget>)) {
  const auto all = examples_of(KAIKU_HTTP_GUIDE);
  BOOST_TEST(all.size() > 40u);  // else the document is read wrongly
  setting guide;
  for (const auto& one : all) {
    BOOST_TEST_CONTEXT("line " << one.line << ": " << one.command) {
      guide.prepare(one.command);
      std::string status;
      BOOST_CHECK_NO_THROW(status = guide.run(one.command));
      if (!one.status.empty()) BOOST_TEST(status == one.status);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
