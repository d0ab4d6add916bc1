#include "support/history.hpp"

#include <algorithm>
#include <condition_variable>
#include <random>
#include <set>

namespace kaiku::test {

namespace {

/// Longer than a forwarded write may take, so that a client never gives up first.
constexpr milliseconds write_deadline{20'000};

/// What may stand at one path: a digest, or empty for nothing.
using possible = std::set<std::string>;

class path_checker {
 public:
  explicit path_checker(std::string path) : path_(std::move(path)) {}

  void add(const operation& op, verdict& out) {
    const std::string result = result_of(op);
    if (op.stood_before && !could_have(*op.stood_before))
      out.violations.push_back("/" + path_ + (*op.stood_before ? " stood" : " was missing") + " when it can't have; " +
                               op.answer + ", before: " + last_answer_);
    last_answer_ = op.answer;
    switch (op.told) {
      case outcome::refused: refused_.insert(result); return;
      case outcome::unknown: unknown_.insert(result); break;
      case outcome::majority:
        allowed_ = unknown_;
        since_majority_.clear();
        expected_ = result;
        break;
      case outcome::leader:
        since_majority_.push_back(op);
        expected_ = result;
        break;
    }
    allowed_.insert(result);
  }

  void judge(const tree& there, verdict& out) const {
    auto found = there.find(path_);
    const std::string stands = found == there.end() ? "" : found->second.digest;
    if (!allowed_.contains(stands)) {
      const char* what = stands.empty()              ? "is missing"
                         : refused_.contains(stands) ? "holds a refused write"
                                                     : "holds the wrong bytes";
      out.violations.push_back("/" + path_ + " " + what + "; last answer: " + last_answer_);
    } else if (stands != expected_ && !unknown_.contains(stands)) {
      auto kept = std::find_if(since_majority_.rbegin(), since_majority_.rend(),
                               [&](const operation& op) { return result_of(op) == stands; });
      out.displaced.insert(out.displaced.end(), kept.base(), since_majority_.end());
    }
  }

 private:
  static std::string result_of(const operation& op) { return op.content ? op.content->digest() : ""; }

  bool could_have(bool file) const {
    return std::any_of(allowed_.begin(), allowed_.end(), [&](const std::string& x) { return x.empty() != file; });
  }

  std::string path_;
  possible allowed_{""};
  possible unknown_;
  possible refused_;
  std::vector<operation> since_majority_;  ///< leader-acknowledged ones since then, in order
  std::string expected_;
  std::string last_answer_ = "none";
};

}  // namespace

outcome classify(const http_response& answer, bool asked_majority) {
  if (answer.status == 202) return outcome::leader;
  if (answer.is_success())
    return asked_majority || answer.header("Kaiku-Durability") == "majority" ? outcome::majority : outcome::leader;
  const std::string code = answer.problem_code();
  return code.empty() || code == "outcome_unknown" ? outcome::unknown : outcome::refused;
}

std::optional<bool> stood_before(const http_response& answer) {
  if (answer.status == 204) return true;
  if (answer.status == 201 || answer.problem_code() == "not_found") return false;
  return std::nullopt;
}

void history::add(operation what) {
  std::lock_guard lock(mutex_);
  operations_.push_back(std::move(what));
}

std::vector<operation> history::operations() const {
  std::lock_guard lock(mutex_);
  return operations_;
}

std::size_t history::count(outcome told) const {
  std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(operations_.begin(), operations_.end(), [&](const operation& x) { return x.told == told; }));
}

verdict check(const history& told, const tree& there, const std::string& directory) {
  verdict out;
  std::map<std::string, path_checker> paths;
  for (const auto& op : told.operations()) paths.try_emplace(op.path, op.path).first->second.add(op, out);
  for (const auto& [path, checker] : paths) checker.judge(there, out);
  for (const auto& [path, entry] : there)
    if (!entry.is_directory && path.starts_with(directory + "/") && !paths.contains(path))
      out.violations.push_back("/" + path + " stands, but nobody wrote it");
  return out;
}

load::load(history& told, std::vector<endpoint> nodes, load_options options)
    : told_(told), nodes_(std::move(nodes)), options_(std::move(options)) {
  for (std::size_t i = 0; i < options_.clients; ++i)
    clients_.emplace_back([this, i](const std::stop_token& stopped) { run(i, stopped); });
}

void load::stop() {
  for (auto& client : clients_) client.request_stop();
  clients_.clear();
}

void load::run(std::size_t client, const std::stop_token& stopped) {
  std::mt19937_64 random(options_.seed * 1000 + client);
  std::vector<http_client> connections;
  for (const auto& node : nodes_) connections.emplace_back(node, write_deadline);
  const auto interval = std::chrono::microseconds(1'000'000 / std::max<std::size_t>(options_.per_second, 1));
  auto next = clock::now();
  std::mutex mutex;
  std::condition_variable_any pace;

  std::uint64_t files = 0;
  for (std::uint64_t n = 1; !stopped.stop_requested(); ++n) {
    operation op;
    // Mostly new files: only they show a loss for certain, whatever follows.
    const bool again = files > 0 && random() % 5 == 0;
    const std::uint64_t file = again ? random() % files : files++;
    op.path = options_.directory + "/c" + std::to_string(client) + "/" + std::to_string(file % 16) + "/f" +
              std::to_string(file);
    const bool large = n % options_.large_every == 0;
    if (!again || random() % 3 != 0)
      op.content = generated_bytes{random(), large ? 66'000 + random() % 300'000 : random() % 6000};
    const bool never = client >= options_.clients - options_.leader_only;
    const bool majority = random() % 100 < options_.majority_percent && !never;
    auto& connection = connections[(options_.one_node_each ? client : random()) % connections.size()];
    const header_list headers = {{"Kaiku-Durability", majority ? "majority" : "leader"}};

    op.begin = clock::now();
    op.answer = to_string(connection.server()) + ": ";
    try {
      auto answer = op.content ? connection.put(op.path, *op.content, headers) : connection.remove(op.path, headers);
      op.told = classify(answer, majority);
      op.stood_before = stood_before(answer);
      op.token = answer.header("Kaiku-Token");
      op.answer += std::to_string(answer.status) + " " + answer.problem_code() + " token " + op.token;
    } catch (const network_failure& e) {
      op.told = e.which() == network_failure::kind::not_connected ? outcome::refused : outcome::unknown;
      op.answer += e.what();
      connection.disconnect();
    }
    op.end = clock::now();
    told_.add(std::move(op));

    next = std::max(next + interval, clock::now());
    std::unique_lock lock(mutex);
    pace.wait_until(lock, stopped, next, [] { return false; });
  }
}

}  // namespace kaiku::test
