#include "support/test_node.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace kaiku::test {

namespace {

/// Long enough for a busy machine, short enough that a poll is one.
constexpr milliseconds question_deadline{1000};

}  // namespace

std::string kaikud_program() {
  const char* named = std::getenv("KAIKU_KAIKUD");
  return named == nullptr || *named == '\0' ? KAIKU_KAIKUD_BUILT : named;
}

test_node::test_node(node_options options) : options_(std::move(options)) {}

void test_node::start(const std::vector<std::string>& under) {
  std::vector<std::pair<std::string, std::string>> usual = {
      {"--name", options_.name},
      {"--data", options_.data.string()},
      {"--http", to_string(options_.http)},
      {"--peers", to_string(options_.peers)},
      {"--election-timeout-ms", std::to_string(election_timeout.count())},
      {"--heartbeat-ms", "150"},
      {"--log-format", "text"}};
  if (!options_.cluster.empty()) usual.emplace_back("--cluster", options_.cluster);
  if (!options_.join.empty()) usual.emplace_back("--join", options_.join);
  const auto& extra = options_.extra;
  std::vector<std::string> arguments = options_.run_in;
  arguments.insert(arguments.end(), under.begin(), under.end());
  arguments.push_back(kaikud_program());
  for (const auto& [name, value] : usual)
    if (std::find(extra.begin(), extra.end(), name) == extra.end()) arguments.insert(arguments.end(), {name, value});
  arguments.insert(arguments.end(), extra.begin(), extra.end());
  process_.reset();
  process_ = std::make_unique<child_process>(std::move(arguments), options_.log);
}

void test_node::wait_until_ready(milliseconds deadline) {
  bool ready = wait_until(deadline, [this] { return !process_->is_running() || is_ready(); });
  if (ready && process_->is_running()) return;
  throw std::runtime_error(options_.name + (ready ? " ended" : " was not ready within its deadline") + "; its log:\n" +
                           log_tail());
}

void test_node::kill() {
  process_->kill();
}

void test_node::wipe() {
  kill();
  // What is in it, not itself: it may be where a disk is mounted.
  for (const auto& entry : std::filesystem::directory_iterator(options_.data)) std::filesystem::remove_all(entry);
  const int directory = ::open(options_.data.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = directory >= 0 && ::syncfs(directory) == 0;
  if (directory >= 0) ::close(directory);
  if (!synced) throw std::runtime_error("syncfs of " + options_.data.string() + ": " + std::strerror(errno));
}

void test_node::join_by(const std::string& addresses) {
  options_.cluster.clear();
  options_.join = addresses;
}

std::optional<int> test_node::terminate(milliseconds deadline) {
  process_->send_signal(SIGTERM);
  return process_->wait_for_exit(deadline);
}

bool test_node::is_ready() const try {
  return client(question_deadline).request("GET", "/healthz/ready").status == 200;
} catch (const network_failure&) {
  return false;
}

std::optional<node_status> test_node::status() const try {
  auto answer = client(question_deadline).request("GET", "/healthz/leader");
  const bool contact = answer.has_header("Kaiku-Leader-Contact-Ms");
  return node_status{answer.status == 200, answer.number_header("Kaiku-Term"), answer.number_header("Kaiku-Applied"),
                     answer.number_header("Kaiku-Committed"),
                     milliseconds(contact ? answer.number_header("Kaiku-Leader-Contact-Ms") : 0)};
} catch (const network_failure&) {
  return std::nullopt;
}

nlohmann::json test_node::cluster_document() const {
  return client(question_deadline).request("GET", "/cluster").json();
}

}  // namespace kaiku::test
