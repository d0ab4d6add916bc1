/// Starting: a node of its own, and every way in which a start can be refused.

#include <algorithm>
#include <fstream>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "scenario.hpp"

namespace {

using namespace kaiku::test;

constexpr milliseconds start_deadline{3000};

/// Directory, ports and options for nodes that are started by hand.
class workshop {
 public:
  workshop() : directory_(make_test_directory()) {}
  ~workshop() {
    if (!has_test_failed()) std::filesystem::remove_all(directory_);
  }
  workshop(const workshop&) = delete;
  workshop& operator=(const workshop&) = delete;

  std::filesystem::path file(const std::string& name) const { return directory_ / name; }
  node_options options(const std::string& name) {
    ports_.emplace_back();
    ports_.emplace_back();
    node_options out;
    out.name = name;
    out.data = file(name);
    out.log = file(name + ".log");
    out.http.port = ports_[ports_.size() - 2].number();
    out.peers.port = ports_.back().number();
    return out;
  }

 private:
  std::filesystem::path directory_;
  std::vector<reserved_port> ports_;
};

/// Starts a node that must not come up: it ends with `code` (any failure when 0) and one line that names `named`.
void check_refused(const node_options& options, const std::string& named, int code = 0) {
  test_node node(options);
  node.start();
  const auto exit = node.process().wait_for_exit(milliseconds{10'000});
  const std::string log = node.log();
  BOOST_TEST_CONTEXT("it printed:\n" << log) {
    BOOST_REQUIRE(exit.has_value());
    if (code == 0) BOOST_TEST((*exit > 0 && *exit < 126));
    if (code != 0) BOOST_TEST(*exit == code);
    std::size_t lines = 0;
    std::istringstream in(log);
    for (std::string line; std::getline(in, line);)
      if (line.find(named) != std::string::npos) ++lines;
    BOOST_TEST(lines == 1u, "lines that name " << named << ": " << lines);
    BOOST_TEST(std::count(log.begin(), log.end(), '\n') <= 3);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(startup)

BOOST_AUTO_TEST_CASE(a_node_of_its_own_is_ready_soon_and_keeps_its_files) {
  workshop shop;
  test_node node(shop.options("alone"));
  std::uint64_t term = 0;
  for (int run = 0; run < 3; ++run) {
    node.start();
    node.wait_until_ready(start_deadline);
    BOOST_TEST(node.status().value().leads);
    BOOST_TEST(node.status().value().term > term);
    term = node.status().value().term;
    if (run == 0) {
      put_or_fail(node, "a/small", {1, 1000});
      put_or_fail(node, "a/large", {2, 1'000'000}, {{"Kaiku-Durability", "majority"}});
    }
    BOOST_TEST(node.client().get_digest("a/small").body_digest == (generated_bytes{1, 1000}.digest()));
    BOOST_TEST(node.client().get_digest("a/large").body_digest == (generated_bytes{2, 1'000'000}.digest()));
    if (run == 0) node.kill();
    if (run == 1) BOOST_TEST(node.terminate(milliseconds{10'000}).value_or(-1) == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_taken_port_is_named) {
  workshop shop;
  auto http = shop.options("http");
  tcp_listener first(http.http.port);
  check_refused(http, to_string(http.http));
  auto peers = shop.options("peers");
  tcp_listener second(peers.peers.port);
  check_refused(peers, to_string(peers.peers));
}

BOOST_AUTO_TEST_CASE(a_data_directory_belongs_to_one_running_node) {
  workshop shop;
  test_node node(shop.options("n1"));
  node.start();
  node.wait_until_ready(start_deadline);
  auto second = shop.options("n2");
  second.data = node.data();
  check_refused(second, node.data().string());
  BOOST_TEST(node.is_ready());
}

BOOST_AUTO_TEST_CASE(a_directory_of_something_else_is_left_alone) {
  workshop shop;
  auto documents = shop.options("documents");
  std::filesystem::create_directory(documents.data);
  std::ofstream(documents.data / "letter.txt") << "Dear reader";
  check_refused(documents, documents.data.string());
  BOOST_TEST(read_file(documents.data / "letter.txt") == "Dear reader");
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(documents.data), {}) == 1);

  auto file = shop.options("file");
  std::ofstream(file.data) << "a file";
  check_refused(file, file.data.string());
  auto nowhere = shop.options("nowhere");
  nowhere.data = "/proc/nowhere";
  check_refused(nowhere, "/proc/nowhere");
}

BOOST_AUTO_TEST_CASE(a_freshly_formatted_volume_is_taken_as_empty) {
  workshop shop;
  test_node node(shop.options("volume"));
  std::filesystem::create_directories(node.data() / "lost+found");
  node.start();
  node.wait_until_ready(start_deadline);
  put_or_fail(node, "file", {1, 1000});
  BOOST_TEST(node.terminate(milliseconds{10'000}).value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_usage_error_is_one_line_and_exit_2) {
  workshop shop;
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"--no-such-option"}, "--no-such-option"},
      {{"--http", "127.0.0.1:99999"}, "--http"},
      {{"--election-timeout-ms", "soon"}, "--election-timeout-ms"},
      {{"--heartbeat-ms", "5000"}, "--heartbeat-ms"},
      {{"--durability", "eternal"}, "--durability"},
      {{"--cluster", "other=127.0.0.1:9000"}, "--cluster"},
      {{"--cluster", "n1"}, "--cluster"},
      {{"--name", "No Name!"}, "--name"},
      {{"--config", "/nonexistent.toml"}, "/nonexistent.toml"},
      {{"--http", "0.0.0.0:8000"}, "--insecure"},
  };
  for (const auto& [extra, named] : wrong) {
    auto options = shop.options("n1");
    options.log = shop.file(std::to_string(options.http.port) + ".log");
    options.extra = extra;
    check_refused(options, named, 2);
    BOOST_TEST(!std::filesystem::exists(options.data));
  }
}

BOOST_AUTO_TEST_SUITE_END()
