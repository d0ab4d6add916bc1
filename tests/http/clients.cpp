#include "http/clients.hpp"

#include <stdexcept>

#include "support/bytes.hpp"

namespace kaiku::test {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<test_cluster> cluster;

struct end_of_cluster {
  ~end_of_cluster() { cluster.reset(); }
};
BOOST_TEST_GLOBAL_FIXTURE(end_of_cluster);

}  // namespace

test_cluster& client_cluster() {
  if (!cluster) cluster = std::make_unique<test_cluster>();
  return *cluster;
}

fs::path work() {
  const auto here =
      client_cluster().directory() / "work" / boost::unit_test::framework::current_test_case().p_name.get();
  fs::create_directories(here);
  return here;
}

std::string url(const std::string& path, std::optional<std::size_t> node) {
  const auto which = node ? *node : client_cluster().followers().front();
  return "http://" + to_string(client_cluster().node(which).http()) + "/files/" + percent_encode(path);
}

void upload(const std::string& path, const std::string& content) {
  auto client = client_cluster().node(client_cluster().wait_for_leader()).client();
  const auto answer = client.put(percent_encode(path), content, {{"Kaiku-Durability", "all"}});
  if (answer.status != 201 && answer.status != 204) throw std::runtime_error("could not upload " + path);
}

std::string download(const std::string& path) {
  auto client = client_cluster().node(client_cluster().followers().back()).client();
  // Whatever the client was told is done stands on the leader; its log's end is awaited here.
  const auto done = client_cluster().node(client_cluster().wait_for_leader()).status();
  client_cluster().wait_for("the follower shows all writes", milliseconds{10'000}, [&] {
    return client.request("GET", "/healthz/live").number_header("Kaiku-Applied") >= done.value().applied;
  });
  return client.get(percent_encode(path)).body;
}

boost::test_tools::assertion_result has_program(const char* name) {
  boost::test_tools::assertion_result out(!find_program(name).empty());
  out.message() << name << " is not installed";
  return out;
}

}  // namespace kaiku::test
