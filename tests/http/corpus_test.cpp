// The corpus of requests by which a server and a proxy in front of it can be led to see different messages in the same
// bytes. Each file of corpus/smuggling is sent as it is; corpus/smuggling/verdicts says what must come of it.

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"

namespace {

using namespace kaiku::test;
namespace fs = std::filesystem;

struct verdict {
  std::vector<int> statuses;
  bool closed = false;
};

fs::path corpus() {
  return fs::path(KAIKU_HTTP_CORPUS) / "smuggling";
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Lines of: file, the status of each answer, `closed` or `open`.
std::map<std::string, verdict> verdicts() {
  std::map<std::string, verdict> out;
  std::istringstream lines(bytes_of(corpus() / "verdicts"));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name, word;
    words >> name;
    while (words >> word) {
      if (word == "closed") out[name].closed = true;
      if (word != "closed" && word != "open") out[name].statuses.push_back(std::stoi(word));
    }
  }
  return out;
}

void check(const std::string& name, const verdict& wanted, std::uint16_t port) {
  raw_http client(port);
  client.send(bytes_of(corpus() / name));
  client.finish_sending();
  std::vector<int> statuses;
  bool says_close = false;
  for (auto got = client.read(); got.status != 0; got = client.read()) {
    statuses.push_back(got.status);
    says_close = got.closes();
  }
  BOOST_TEST(statuses == wanted.statuses, boost::test_tools::per_element());
  BOOST_TEST(says_close == wanted.closed);
}

void run_file(const std::string& name, const verdict& wanted) {
  shared_cluster();
  for (auto port : {shared_leader_port(), shared_follower_port()}) {
    BOOST_TEST_CONTEXT(name << " on port " << port) {
      check(name, wanted, port);
      // What is smuggled in the corpus writes here.
      BOOST_TEST(raw_http(port).ask("GET", "/files/smuggled").status == 404);
    }
  }
}

std::vector<std::pair<std::string, verdict>> rows() {
  const auto all = verdicts();
  return {all.begin(), all.end()};
}

class file_generator : public boost::unit_test::test_unit_generator {
 public:
  boost::unit_test::test_unit* next() const override {
    if (at_ == rows_.size()) return nullptr;
    const auto& row = rows_[at_++];
    return new boost::unit_test::test_case(fs::path(row.first).stem().string(), __FILE__, __LINE__,
                                           [row] { run_file(row.first, row.second); });
  }

 private:
  std::vector<std::pair<std::string, verdict>> rows_ = rows();
  mutable std::size_t at_ = 0;
};

BOOST_AUTO_TEST_SUITE(smuggling)

const boost::unit_test::ut_detail::auto_test_unit_registrar files(file_generator(),
                                                                  boost::unit_test::decorator::collector_t::instance());

BOOST_AUTO_TEST_CASE(each_file_of_the_corpus_has_a_verdict) {
  const auto known = verdicts();
  std::size_t found = 0;
  for (const auto& entry : fs::directory_iterator(corpus())) {
    const auto name = entry.path().filename().string();
    if (name == "verdicts") continue;
    BOOST_TEST(known.contains(name), name);
    ++found;
  }
  BOOST_TEST(found == known.size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
