#include "cli/command_line.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace kaiku::test {
namespace {

std::unique_ptr<test_cluster> cluster;

struct end_of_cluster {
  ~end_of_cluster() { cluster.reset(); }
};
BOOST_TEST_GLOBAL_FIXTURE(end_of_cluster);

fs::path streams() {
  static const fs::path where = make_test_directory();
  static const struct remover {
    ~remover() {
      std::error_code ignored;
      fs::remove_all(where, ignored);
    }
  } at_the_end;
  return where;
}

}  // namespace

std::string kaiku_program() {
  const char* other = std::getenv("KAIKU_KAIKU");
  return other != nullptr ? other : KAIKU_KAIKU_BUILT;
}

test_cluster& cli_cluster() {
  // What `tests/run cli --large` copies is too much for the memory.
  const bool is_small = std::getenv("KAIKU_TEST_MIB") == nullptr;
  if (!cluster) cluster = std::make_unique<test_cluster>(cluster_options{.in_memory = is_small});
  return *cluster;
}

fs::path cli_work() {
  const auto here = streams() / boost::unit_test::framework::current_test_case().p_name.get();
  fs::create_directories(here);
  return here;
}

std::string url_of(const std::vector<std::size_t>& nodes) {
  std::string out;
  for (std::size_t i = 0; i < (nodes.empty() ? cli_cluster().size() : nodes.size()); ++i)
    out += (out.empty() ? "http://" : ",http://") + to_string(cli_cluster().node(nodes.empty() ? i : nodes[i]).http());
  return out;
}

std::string url_of_port(std::uint16_t port) {
  return "http://127.0.0.1:" + std::to_string(port);
}

std::vector<nlohmann::json> ran::documents() const {
  std::vector<nlohmann::json> all;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

std::ostream& operator<<(std::ostream& out, const ran& x) {
  return out << "exit " << x.code << "\n" << x.out << x.err;
}

ran running::said() const {
  return {-1, read_file(streams.string() + ".out"), read_file(streams.string() + ".err")};
}

std::vector<std::string> clean_environment() {
  std::vector<std::string> all{"/usr/bin/env"};
  for (const char* name : {"KAIKU_URL", "KAIKU_TOKEN", "KAIKU_TOKEN_FILE", "KAIKU_CACERT", "http_proxy", "https_proxy",
                           "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"})
    all.insert(all.end(), {"-u", name});
  return all;
}

running begin_kaiku(const std::vector<std::string>& arguments, const environment& with, const std::string& input) {
  static std::size_t count = 0;
  auto all = clean_environment();
  auto set = with;
  if (!set.contains("KAIKU_URL")) set["KAIKU_URL"] = url_of();
  for (const auto& [name, value] : set) all.push_back(name + "=" + value);
  const auto base = streams() / std::to_string(++count);
  const std::string script = "exec \"$@\" >'" + base.string() + ".out' 2>'" + base.string() + ".err' <'" + input + "'";
  all.insert(all.end(), {"sh", "-c", script, "sh", kaiku_program()});
  all.insert(all.end(), arguments.begin(), arguments.end());
  return {std::make_unique<child_process>(all, base.string() + ".log"), base};
}

ran run_kaiku(const std::vector<std::string>& arguments, const environment& with, const std::string& input) {
  const auto one = begin_kaiku(arguments, with, input);
  const auto code = one.process->wait_for_exit(milliseconds{300'000});
  auto out = one.said();
  out.code = code.value_or(-1);
  return out;
}

void write_file(const fs::path& where, const std::string& content) {
  fs::create_directories(where.parent_path());
  std::ofstream(where, std::ios::binary) << content;
}

}  // namespace kaiku::test
