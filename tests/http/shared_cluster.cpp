#include "http/shared_cluster.hpp"

#include <cstdlib>
#include <ctime>
#include <memory>
#include <stdexcept>

#include <boost/test/unit_test.hpp>

#include "support/bytes.hpp"

namespace kaiku::test {
namespace {

std::unique_ptr<shared_state> state;

/// What the nodes' Redis have answered.
double answered_by_redis(test_cluster& cluster) {
  const std::string name = "kaiku_redis_reads_total{outcome=\"redis\"} ";
  double all = 0;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto text = cluster.node(i).client().request("GET", "/metrics").body;
    if (const auto at = text.find(name); at != std::string::npos) all += std::stod(text.substr(at + name.size()));
  }
  return all;
}

struct end_of_cluster {
  void teardown() {
    // With a Redis beside each node the suite means something only if they were asked.
    if (state && std::getenv("KAIKU_TEST_REDIS") != nullptr) BOOST_TEST(answered_by_redis(state->cluster) > 100);
    state.reset();
  }
};
BOOST_TEST_GLOBAL_FIXTURE(end_of_cluster);

std::string moved(const std::string& date, int seconds) {
  std::tm read{};
  ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &read);
  const std::time_t at = ::timegm(&read) + seconds;
  ::gmtime_r(&at, &read);
  char text[64];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &read);
  return text;
}

}  // namespace

shared_state::shared_state() {
  look();
  for (const auto& file : shared_files()) make(file);
  make_many();
  cluster.wait_until_converged();
  // A date is a strong validator once its second is over (RFC 9110, 8.8.2.2).
  cluster.wait_for("a second is over", milliseconds{5000}, [this] {
    const auto now = cluster.node(leader).client().request("GET", "/healthz/live").header("Date");
    return now != known.at(shared_files().back().name + ".modified");
  });
}

void shared_state::look() {
  leader = cluster.wait_for_leader();
  follower = cluster.followers().front();
  term = cluster.node(leader).status().value_or(node_status{}).term;
}

/// One entry more than a page holds.
void shared_state::make_many() {
  raw_http client(cluster.node(leader).http().port);
  for (int i = 0; i <= 1000; ++i) client.request("POST", "/files/s/many/" + std::to_string(1000 + i) + "?op=mkdir");
  for (int i = 0; i <= 1000; ++i)
    if (client.read().status != 201) throw std::runtime_error("a shared directory could not be made");
}

void shared_state::make(const shared_file& file) {
  http_client client = cluster.node(leader).client();
  const auto path = "s/" + percent_encode(file.name);
  auto put = client.put(path, file.content, {{"Content-Type", file.type}, {"Kaiku-Durability", "all"}});
  if (put.status != 201) throw std::runtime_error("a shared file could not be made");
  const auto modified = put.header("Last-Modified");
  known[file.name + ".etag"] = put.header("ETag");
  known[file.name + ".token"] = put.header("Kaiku-Token");
  known[file.name + ".modified"] = modified;
  known[file.name + ".before"] = moved(modified, -1);
  known[file.name + ".after"] = moved(modified, 1);
  known[file.name + ".digest"] = digest_of(file.content);
}

shared_state& shared() {
  if (!state) state = std::make_unique<shared_state>();
  return *state;
}

test_cluster& shared_cluster() {
  return shared().cluster;
}
std::uint16_t shared_leader_port() {
  return shared().cluster.node(shared().leader).http().port;
}
std::uint16_t shared_follower_port() {
  return shared().cluster.node(shared().follower).http().port;
}

}  // namespace kaiku::test
