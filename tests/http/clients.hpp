#pragma once

/// Purpose: one cluster for the tests with other people's programs, and a place for their files.
/// Lifecycle: from the first of these tests to the end of the program. Thread: the main thread.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <boost/test/unit_test.hpp>

#include "support/command.hpp"
#include "support/test_cluster.hpp"

namespace kaiku::test {

test_cluster& client_cluster();
/// A directory for the test case at hand, empty at its beginning.
std::filesystem::path work();
/// Of a path below /files, as it reads, on a node; without a number on a follower.
std::string url(const std::string& path, std::optional<std::size_t> node = std::nullopt);
/// Through the leader; on all nodes when it returns.
void upload(const std::string& path, const std::string& content);
/// From another node than `url` names; no staler than what anybody was told is done.
std::string download(const std::string& path);

/// Precondition of a test: the program is there.
boost::test_tools::assertion_result has_program(const char* name);
template <const char* name>
boost::test_tools::assertion_result with(boost::unit_test::test_unit_id) {
  return has_program(name);
}
inline constexpr char curl[] = "curl", aria2[] = "aria2c", wget[] = "wget", rclone[] = "rclone",
                      chromium[] = "chromedriver";

}  // namespace kaiku::test
