// The corpus of requests by which a server and a proxy can be led astray, sent to a HAProxy in front of a node. Proxy
// and node must see the same requests: each that HAProxy counts as passed on is one that the node counts, with the same
// status, and nothing else is. What comes of each file is what comes of it without HAProxy, or stands, with the reason,
// in corpus/smuggling/verdicts_behind_haproxy.

#include <algorithm>
#include <memory>
#include <regex>

#include <boost/test/unit_test.hpp>

#include "http/corpus.hpp"
#include "support/command.hpp"
#include "support/haproxy.hpp"
#include "support/raw_http.hpp"
#include "support/test_cluster.hpp"

namespace {

using namespace kaiku::test;
using counts = std::map<int, int>;  ///< of requests, by status

const std::string content = "hello";

/// A node of its own: nobody else may be counted.
struct guarded_node {
  test_cluster cluster{{.nodes = 1}};
  haproxy proxy{cluster.node(0).http(), cluster.directory()};

  guarded_node() {
    const auto made = raw_http(proxy.port()).ask("PUT", "/files/s/hello", {}, content);
    if (made.status != 201) throw std::runtime_error("no file could be made through HAProxy");
  }
};
std::unique_ptr<guarded_node> guarded;

struct end_of_node {
  ~end_of_node() { guarded.reset(); }
};
BOOST_TEST_GLOBAL_FIXTURE(end_of_node);

boost::test_tools::assertion_result has_haproxy(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result out(!find_program("haproxy").empty());
  out.message() << "haproxy is not installed";
  return out;
}

/// Requests for files, and those that were none, since the node started.
counts seen_by_node() {
  static const std::regex of_files(
      "kaiku_http_requests_total\\{code=\"([0-9]+)\",method=\"[^\"]*\",route=\"(?:none|/files/\\{path\\})\"\\} "
      "([0-9]+)");
  const auto text = raw_http(guarded->cluster.node(0).http().port).ask("GET", "/metrics").body;
  counts out;
  for (std::sregex_iterator at(text.begin(), text.end(), of_files), end; at != end; ++at)
    out[std::stoi((*at)[1])] += std::stoi((*at)[2]);
  return out;
}

/// Likewise, by HAProxy's account.
counts passed_on() {
  counts out;
  for (const auto& one : guarded->proxy.requests())
    if (one.passed_on) ++out[one.status];
  return out;
}

std::string shown(const counts& x) {
  std::string out;
  for (const auto& [status, count] : x) out += std::to_string(count) + " of " + std::to_string(status) + ", ";
  return out;
}

/// All answers to the file's bytes. The client ends its side only when it has what it waits for: HAProxy gives up
/// requests whose client is gone.
std::vector<int> answers_to(const std::string& name, std::size_t wanted) {
  raw_http client(guarded->proxy.port());
  client.send(corpus_bytes(name));
  std::vector<int> out;
  for (;;) {
    if (out.size() == wanted) client.finish_sending();
    const auto got = client.read();
    if (got.status == 0) return out;
    out.push_back(got.status);
  }
}

void run_file(const std::string& name, const verdict& direct) {
  static const auto exceptions = read_verdicts("verdicts_behind_haproxy");
  if (!guarded) guarded = std::make_unique<guarded_node>();
  const auto known = exceptions.find(name);
  const auto& wanted = known == exceptions.end() ? direct : known->second;
  const auto before = guarded->proxy.requests().size();
  const auto statuses = answers_to(name, wanted.statuses.size());
  // What is refused may be refused by either, in its own words. Newer versions of HAProxy refuse more.
  const bool refused = direct.is_refusal() && (statuses == std::vector{400} || statuses == std::vector{501});
  if (!refused) BOOST_TEST(statuses == wanted.statuses, boost::test_tools::per_element());

  // On the connections that are kept to the node the next request gets its own answer.
  raw_http next(guarded->proxy.port());
  const auto hello = next.ask("GET", "/files/s/hello");
  BOOST_TEST(hello.status == 200);
  BOOST_TEST(hello.body == content);
  const bool written = std::count(statuses.begin(), statuses.end(), 201) > 0;
  BOOST_TEST(next.ask("DELETE", "/files/smuggled").status == (written ? 204 : 404));

  const auto ended = before + statuses.size() + 2;
  const bool logged = wait_until(milliseconds{5000}, [&] { return guarded->proxy.requests().size() >= ended; });
  BOOST_TEST(logged, "HAProxy does not log what it answered");
  const bool agreed = wait_until(milliseconds{5000}, [] { return seen_by_node() == passed_on(); });
  BOOST_TEST(agreed, "the node saw " << shown(seen_by_node()) << "HAProxy passed on " << shown(passed_on()));
  if (!agreed) guarded.reset();  // not to be held against the next file
}

BOOST_AUTO_TEST_SUITE(smuggling_behind_haproxy, *boost::unit_test::precondition(has_haproxy))

const corpus_cases files(run_file);

BOOST_AUTO_TEST_CASE(each_exception_is_one) {
  const auto direct = read_verdicts("verdicts");
  for (const auto& [name, other] : read_verdicts("verdicts_behind_haproxy")) {
    BOOST_TEST(direct.contains(name), name);
    BOOST_TEST((direct.at(name).statuses != other.statuses), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
