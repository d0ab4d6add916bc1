#pragma once

/// Purpose: members of a cluster as processes of their own (`link_peer.cpp`), for tests of links between them.
/// Thread: the test's.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "kaiku/link/hello.hpp"
#include "support/child_process.hpp"
#include "support/tcp.hpp"
#include "support/wait.hpp"

namespace kaiku::test {

inline constexpr milliseconds patience{10'000};

/// One `link_peer` and what it prints.
class peer_process {
 public:
  peer_process(std::vector<std::string> arguments, std::filesystem::path log)
      : log_(std::move(log)), process_(std::make_unique<child_process>(std::move(arguments), log_)) {}

  child_process& process() { return *process_; }
  std::string log() const { return read_file(log_); }
  std::size_t count(const std::string& what) const {
    std::size_t n = 0;
    auto all = log();
    for (auto at = all.find(what); at != std::string::npos; at = all.find(what, at + 1)) ++n;
    return n;
  }
  bool says(const std::string& what, std::size_t times = 1, milliseconds deadline = patience) const {
    return wait_until(deadline, [&] { return count(what) >= times; });
  }
  /// When it said so for the `nth` time (from 1), in seconds of the lines' own clock, which is that of all processes.
  double said_at(const std::string& what, int nth = 1) const {
    auto all = log();
    auto at = all.find(what);
    for (int i = 1; i < nth; ++i) at = all.find(what, at + 1);
    auto begin = all.rfind('\n', at);
    return std::stod(all.substr(begin == std::string::npos ? 0 : begin + 1));
  }

 private:
  std::filesystem::path log_;
  std::unique_ptr<child_process> process_;
};

/// Members n1, n2, ... with a port each; all with the same settings unless a test says otherwise.
struct cluster {
  std::filesystem::path directory;
  std::vector<std::unique_ptr<reserved_port>> ports;
  int started = 0;

  explicit cluster(int size) {
    static int number = 0;
    directory = std::filesystem::temp_directory_path() /
                ("kaiku-link-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
    std::filesystem::create_directory(directory);
    for (int i = 0; i < size; ++i) ports.push_back(std::make_unique<reserved_port>());
  }
  ~cluster() { std::filesystem::remove_all(directory); }

  std::uint16_t port(int i) const { return ports.at(static_cast<std::size_t>(i - 1))->number(); }
  endpoint address(int i) const { return {"127.0.0.1", port(i)}; }
  /// The disk of member i is known to be i.
  std::string members() const {
    std::string out;
    for (int i = 1; i <= static_cast<int>(ports.size()); ++i)
      out += (i == 1 ? "" : ",") + ("n" + std::to_string(i) + "@" + to_string(address(i)) + "@" + std::to_string(i));
    return out;
  }
  /// `changes` win over the common settings. `wrapper` runs the program.
  peer_process start(int i, std::map<std::string, std::string> changes = {}, std::vector<std::string> wrapper = {}) {
    std::map<std::string, std::string> all{{"name", "n" + std::to_string(i)}, {"port", std::to_string(port(i))},
                                           {"disk", std::to_string(i)},       {"cluster", "1"},
                                           {"secret", "swordfish"},           {"members", members()}};
    for (auto& [key, value] : changes) all[key] = value;
    auto arguments = std::move(wrapper);
    arguments.emplace_back(KAIKU_LINK_PEER);
    for (auto& [key, value] : all) arguments.push_back(key + "=" + value);
    return {arguments, directory / ("n" + std::to_string(i) + "." + std::to_string(++started) + ".log")};
  }
};

/// What a member that has the secret says of itself.
inline hello hello_as(const std::string& name) {
  hello x;
  x.cluster.bytes.back() = 1;
  x.name = {name};
  x.disk.bytes.back() = static_cast<std::uint8_t>(name.back() - '0');
  x.boot.bytes.fill(99);
  x.caf_node = std::string(40, 'A') + "#1";
  x.has_secret = true;
  return x;
}

inline link_frame receive_frame(tcp_connection& from) {
  auto end = clock::now() + patience;
  auto exactly = [&](std::size_t size) {
    std::string out;
    while (out.size() < size) {
      auto more = from.receive(size - out.size(), end);
      BOOST_REQUIRE(!more.empty());
      out += more;
    }
    return out;
  };
  auto length = frame_length(exactly(frame_prefix_bytes));
  BOOST_REQUIRE(length);
  auto frame = decode_frame(exactly(*length));
  BOOST_REQUIRE(frame.ok());
  return *frame;
}

}  // namespace kaiku::test
