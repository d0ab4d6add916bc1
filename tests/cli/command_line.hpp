#pragma once

/// Purpose: the `kaiku` command as a person or a script runs it, against one cluster for the whole program.
/// Lifecycle: the cluster from the first call to the end of the program. Thread: the main thread.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "support/child_process.hpp"
#include "support/test_cluster.hpp"

namespace kaiku::test {

namespace fs = std::filesystem;

/// The program under test: `KAIKU_KAIKU` from the environment, else the one this build made.
std::string kaiku_program();

test_cluster& cli_cluster();
/// A directory for the test case at hand, empty at its beginning.
fs::path cli_work();
/// `http://...` of these nodes, with commas between; none given: all.
std::string url_of(const std::vector<std::size_t>& nodes = {});
/// Of a server of the test's own.
std::string url_of_port(std::uint16_t port);

struct ran {
  int code = -1;
  std::string out, err;

  /// Documents of standard output, one a line.
  std::vector<nlohmann::json> documents() const;
  /// The last one's `summary`.
  nlohmann::json summary() const { return documents().back().at("summary"); }
};
std::ostream& operator<<(std::ostream& out, const ran& x);

using environment = std::map<std::string, std::string>;

/// One that runs. The destructor kills it.
struct running {
  std::unique_ptr<child_process> process;
  fs::path streams;

  /// What it has said so far, without its exit code.
  ran said() const;
};
/// Begun and not awaited. KAIKU_URL is that of all nodes unless `with` has another; nothing else of the test's
/// environment that `kaiku` would read.
running begin_kaiku(const std::vector<std::string>& arguments, const environment& with = {},
                    const std::string& input = "/dev/null");
/// Run to its end, within five minutes.
ran run_kaiku(const std::vector<std::string>& arguments, const environment& with = {},
              const std::string& input = "/dev/null");

/// `env` and what takes everything out of the environment that `kaiku` would read; assignments and a program follow.
std::vector<std::string> clean_environment();

void write_file(const fs::path& where, const std::string& content);

}  // namespace kaiku::test
