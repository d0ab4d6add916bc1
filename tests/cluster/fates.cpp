#include "fates.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <sstream>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

namespace kaiku::test {

namespace {

/// Nothing is tormented any more; but a machine may be busy.
constexpr milliseconds answer_deadline{30'000};
constexpr std::size_t askers = 4;

struct kept_write {
  std::size_t node = 0;
  nlohmann::json entry;
};

/// All that any node keeps, by token.
std::multimap<std::string, kept_write> everything_set_aside(test_cluster& cluster) {
  std::multimap<std::string, kept_write> out;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    if (!cluster.node(i).is_up()) continue;
    auto client = cluster.node(i).client(answer_deadline);
    std::string after;
    do {
      const auto answer = client.request("GET", "/set-aside?limit=1000" + (after.empty() ? "" : "&after=" + after));
      BOOST_REQUIRE_MESSAGE(answer.status == 200, "GET /set-aside answered " << answer);
      const auto page = answer.json();
      for (const auto& entry : page.at("entries")) out.emplace(entry.at("token"), kept_write{i, entry});
      after = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
    } while (!after.empty());
  }
  return out;
}

/// What GET /writes says of each, in their order: a status, or what was answered instead. Asked of all nodes in turn.
std::vector<std::string> ask_for_fates(test_cluster& cluster, const std::vector<operation>& ops) {
  std::vector<endpoint> nodes;
  for (std::size_t i = 0; i < cluster.size(); ++i)
    if (cluster.node(i).is_up()) nodes.push_back(cluster.node(i).http());
  std::vector<std::string> out(ops.size());
  std::atomic<std::size_t> next{0};
  auto ask_some = [&](std::size_t which) {
    http_client client(nodes[which % nodes.size()], answer_deadline);
    for (std::size_t i = next++; i < ops.size(); i = next++) {
      http_response answer;
      try {
        // A leader that a busy machine has held up does not know itself for a moment.
        wait_until(answer_deadline, [&] {
          answer = client.request("GET", "/writes/" + ops[i].token);
          return answer.status != 503;
        });
        out[i] = answer.status == 200 ? answer.json().at("status").get<std::string>()
                                      : std::to_string(answer.status) + " " + answer.problem_code();
      } catch (const network_failure& e) {
        out[i] = e.what();
      }
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < askers; ++i) threads.emplace_back(ask_some, i);
  threads.clear();
  return out;
}

/// Who led which term, from the nodes' logs.
std::map<std::string, std::set<std::string>> leaders_by_term(test_cluster& cluster) {
  static const std::string word = "role=leader term=";
  std::map<std::string, std::set<std::string>> out;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    std::istringstream log(cluster.node(i).log());
    for (std::string line; std::getline(log, line);)
      if (const auto at = line.find(word); at != std::string::npos) {
        const auto from = at + word.size();
        out[line.substr(from, line.find(' ', from) - from)].insert(cluster.node(i).name());
      }
  }
  return out;
}

/// The term in a token: cluster, term, index.
std::string term_of(const std::string& token) {
  const auto from = token.find('.') + 1;
  return token.substr(from, token.find('.', from) - from);
}

/// What is wrong with the way a node keeps the write; empty when it is right.
std::string find_fault(test_cluster& cluster, const operation& op, const kept_write& kept) {
  if (kept.entry.value("path", "") != "/" + op.path) return "under another path: " + kept.entry.dump();
  if (kept.entry.at("change") != (op.content ? "put" : "remove")) return "as another change: " + kept.entry.dump();
  if (!op.content) return {};
  auto client = cluster.node(kept.node).client(answer_deadline);
  const auto content = client.request("GET", kept.entry.at("content").get<std::string>());
  if (content.status != 200) return "but its content is answered " + std::to_string(content.status);
  return digest_of(content.body) == op.content->digest() ? "" : "with other bytes";
}

class judge {
 public:
  judge(test_cluster& cluster, const std::vector<lost_disk>& lost_disks)
      : cluster_(cluster), lost_disks_(lost_disks), set_aside_(everything_set_aside(cluster)) {}

  void look_for(const operation& op) {
    const auto [from, to] = set_aside_.equal_range(op.token);
    if (from == to) {
      if (went_with_a_disk(op))
        found.lost_with_disk.insert(op.token);
      else
        BOOST_ERROR("reported as set aside, but nobody keeps it: /" + op.path + "; " + op.answer);
      return;
    }
    for (auto i = from; i != to; ++i)
      if (const auto wrong = find_fault(cluster_, op, i->second); !wrong.empty())
        BOOST_ERROR("/" + op.path + " is kept by " + cluster_.node(i->second.node).name() + " " + wrong + "; " +
                    op.answer);
    found.kept.insert(op.token);
  }

  fates found;

 private:
  bool went_with_a_disk(const operation& op) {
    if (lost_disks_.empty()) return false;
    if (!leaders_) leaders_ = leaders_by_term(cluster_);
    const auto leader = leaders_->find(term_of(op.token));
    return leader != leaders_->end() && std::any_of(lost_disks_.begin(), lost_disks_.end(), [&](const auto& disk) {
             return leader->second.contains(disk.node) && disk.at >= op.begin;
           });
  }

  test_cluster& cluster_;
  const std::vector<lost_disk>& lost_disks_;
  std::multimap<std::string, kept_write> set_aside_;
  std::optional<std::map<std::string, std::set<std::string>>> leaders_;
};

}  // namespace

void check_one_leader_per_term(test_cluster& cluster) {
  const auto terms = leaders_by_term(cluster);
  BOOST_TEST(!terms.empty(), "the logs name no leader at all");
  for (const auto& [term, leaders] : terms)
    BOOST_TEST(leaders.size() == 1u,
               "term " << term << " was led by " << *leaders.begin() << " and " << *leaders.rbegin());
}

fates check_fates(test_cluster& cluster, const history& told, const std::vector<operation>& displaced,
                  const std::vector<lost_disk>& lost_disks) {
  auto ops = told.operations();
  std::erase_if(ops, [](const operation& x) {
    return x.token.empty() || (x.told != outcome::majority && x.told != outcome::leader);
  });
  const auto said = ask_for_fates(cluster, ops);
  std::set<std::string> gone;
  for (const auto& op : displaced) gone.insert(op.token);
  judge by(cluster, lost_disks);
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const auto& op = ops[i];
    const bool stands = said[i] == "majority" || said[i] == "all";
    if (!stands && (said[i] != "set_aside" || op.told == outcome::majority))
      BOOST_ERROR("GET /writes calls it " + said[i] + ": /" + op.path + "; " + op.answer +
                  (op.told == outcome::majority ? ", by a majority" : ", by the leader"));
    else if (stands && gone.contains(op.token))
      BOOST_ERROR("GET /writes calls it " + said[i] + ", but it is gone: /" + op.path + "; " + op.answer);
    else if (!stands)
      by.look_for(op);
  }
  return by.found;
}

}  // namespace kaiku::test
