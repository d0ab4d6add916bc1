// The corpus of requests by which a server and a proxy can be led astray, sent to the nodes themselves.
// corpus/smuggling/verdicts says what must come of each file.

#include <boost/test/unit_test.hpp>

#include "http/conformance.hpp"
#include "http/corpus.hpp"

namespace {

using namespace kaiku::test;

void check(const std::string& name, const verdict& wanted, std::uint16_t port) {
  raw_http client(port);
  client.send(corpus_bytes(name));
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

BOOST_AUTO_TEST_SUITE(smuggling)

const corpus_cases files(run_file);

BOOST_AUTO_TEST_CASE(each_file_of_the_corpus_has_a_verdict) {
  const auto known = read_verdicts("verdicts");
  const auto all = corpus_names();
  for (const auto& name : all) BOOST_TEST(known.contains(name), name);
  BOOST_TEST(all.size() == known.size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
