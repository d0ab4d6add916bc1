#include "population.hpp"

#include <algorithm>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

namespace kaiku::test {

namespace {

constexpr std::size_t fewest_members = 3;
constexpr std::size_t most_members = 5;
/// Whoever was wiped or joins must be a voter within this, also on a busy machine.
constexpr milliseconds settle_deadline{180'000};

/// What a node's document says of a member; null when it does not know it.
nlohmann::json find_member(const nlohmann::json& document, const std::string& name) {
  if (document.is_null()) return nullptr;
  for (const auto& member : document.at("members"))
    if (member.at("id") == name) return member;
  return nullptr;
}

bool says_voter(const nlohmann::json& document, const std::string& name) {
  const auto member = find_member(document, name);
  return !member.is_null() && member.at("voter") == true;
}

}  // namespace

nlohmann::json document_of(test_node& node) try { return node.cluster_document(); } catch (const network_failure&) {
  return nullptr;
}

bool is_full_voter(test_cluster& cluster, std::size_t i) {
  auto& node = cluster.node(i);
  if (!node.is_up() || !node.is_ready() || !says_voter(document_of(node), node.name())) return false;
  const auto leader = cluster.leader();
  if (!leader) return false;
  const auto theirs = document_of(cluster.node(*leader));
  return says_voter(theirs, node.name()) && (*leader == i || find_member(theirs, node.name()).at("connected") == true);
}

void wait_until_full_voter(test_cluster& cluster, std::size_t i, milliseconds deadline) {
  cluster.wait_for(cluster.node(i).name() + " is a connected voter", deadline,
                   [&] { return is_full_voter(cluster, i); });
}

void remove_member(test_cluster& cluster, std::size_t through, std::size_t who, milliseconds deadline) {
  const auto target = "/cluster/members/" + cluster.node(who).name();
  cluster.wait_for(cluster.node(who).name() + " is removed", deadline, [&] {
    try {
      const auto answer = cluster.node(through).client(milliseconds{20'000}).request("DELETE", target);
      return answer.is_success() || answer.status == 404;
    } catch (const network_failure&) {
      return false;
    }
  });
}

population::population(test_cluster& cluster, std::uint64_t seed)
    : cluster_(cluster), random_(seed), founders_(cluster.size()) {
  for (std::size_t i = 0; i < cluster.size(); ++i) members_.push_back(i);
}

std::size_t population::somebody() {
  const auto leader = cluster_.leader();
  return leader && random_() % 2 == 0 ? *leader : members_[random_() % members_.size()];
}

std::size_t population::somebody_but(std::size_t node) {
  std::vector<std::size_t> others;
  std::copy_if(members_.begin(), members_.end(), std::back_inserter(others), [&](auto x) { return x != node; });
  return others[random_() % others.size()];
}

std::vector<endpoint> population::endpoints() const {
  std::vector<endpoint> out;
  for (auto i : members_) out.push_back(cluster_.node(i).http());
  return out;
}

bool population::is_member(std::size_t node) const {
  return std::find(members_.begin(), members_.end(), node) != members_.end();
}

bool population::is_settled() const {
  return std::all_of(members_.begin(), members_.end(), [&](auto i) { return is_full_voter(cluster_, i); });
}

void population::settle() {
  cluster_.wait_for("every member is a full voter", settle_deadline, [&] { return is_settled(); });
}

void population::wipe(std::size_t node) {
  cluster_.node(node).wipe();
  lost_disks_.push_back({cluster_.node(node).name(), clock::now()});
  cluster_.node(node).start();
}

bool population::may_join() const {
  return members_.size() < most_members;
}

void population::join() {
  settle();
  std::size_t fresh = 0;
  while (fresh < cluster_.size() && is_member(fresh)) ++fresh;
  if (fresh == cluster_.size()) {
    cluster_.add_node(members_);
  } else {
    cluster_.let_join(fresh, members_);
    cluster_.node(fresh).start();
  }
  members_.push_back(fresh);
}

bool population::may_leave() const {
  return members_.size() > fewest_members;
}

void population::leave() {
  settle();
  // A wiped founder looks for its cluster at the other founders: one of them has to be there.
  const auto founders_left =
      static_cast<std::size_t>(std::count_if(members_.begin(), members_.end(), [&](auto x) { return x < founders_; }));
  std::vector<std::size_t> free;
  std::copy_if(members_.begin(), members_.end(), std::back_inserter(free),
               [&](auto x) { return x >= founders_ || founders_left == founders_; });
  const auto leader = cluster_.leader();
  const bool is_leader_free = leader && std::find(free.begin(), free.end(), *leader) != free.end();
  const auto gone = is_leader_free && random_() % 3 == 0 ? *leader : free[random_() % free.size()];
  remove_member(cluster_, somebody_but(gone), gone, milliseconds{60'000});
  std::erase(members_, gone);
  cluster_.node(gone).wipe();
  lost_disks_.push_back({cluster_.node(gone).name(), clock::now()});
}

void population::hand_over() try {
  const auto through = members_[random_() % members_.size()];
  const auto body = random_() % 3 == 0 ? nlohmann::json::object()
                                       : nlohmann::json{{"id", cluster_.node(somebody_but(through)).name()}};
  const auto answer = cluster_.node(through)
                          .client(milliseconds{20'000})
                          .request("POST", "/cluster/leader", {{"Content-Type", "application/json"}}, body.dump());
  // 404: not a voter yet.
  const bool right = answer.status == 200 || answer.status == 404 || answer.status == 409 || answer.status == 503;
  BOOST_TEST(right, "a handover was answered " << answer);
} catch (const network_failure& e) {
  // A node that has just been started does not listen yet.
  BOOST_TEST((e.which() == network_failure::kind::not_connected), "a handover was not answered: " << e.what());
}

void population::ask_for_losses() {
  const auto leader = cluster_.leader();
  const auto document = leader ? document_of(cluster_.node(*leader)) : nlohmann::json();
  if (document.is_null() || document.at("possibly_lost").is_null()) return;
  const auto& lost = document.at("possibly_lost");
  const named_loss named{lost.at("term"), lost.at("first"), lost.at("last")};
  if (std::find(named_.begin(), named_.end(), named) == named_.end()) named_.push_back(named);
}

std::size_t population::count_named(const std::set<std::string>& tokens) const {
  return static_cast<std::size_t>(std::count_if(tokens.begin(), tokens.end(), [&](const std::string& token) {
    const auto dot = token.find('.');
    const auto term = std::stoull(token.substr(dot + 1)), index = std::stoull(token.substr(token.rfind('.') + 1));
    return std::any_of(named_.begin(), named_.end(),
                       [&](const named_loss& x) { return x.term == term && x.first <= index && index <= x.last; });
  }));
}

}  // namespace kaiku::test
