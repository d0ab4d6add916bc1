#include "torment.hpp"

#include <algorithm>
#include <csignal>

#include <boost/test/unit_test.hpp>

#include "scenario.hpp"

namespace kaiku::test {

torment::torment(test_cluster& cluster, population& people, std::uint64_t seed)
    : cluster_(cluster), people_(people), random_(seed) {
  auto& network = cluster_.network();
  const auto is_settled = [this] { return people_.is_settled(); };
  of_processes_ = {
      {"kill -9", 4, [this] { kill({people_.somebody()}); }},
      {"kill -9 of several", 1, [this] { kill(some()); }},
      {"freeze", 4, [this] { freeze(people_.somebody()); }},
      {"SIGTERM", 2, [this] { stop(people_.somebody()); }},
      {"power cut", 3, [this] { cut_power(some()); }},
      {"disk wiped", 4, [this] { people_.wipe(people_.somebody()); }, is_settled},
  };
  of_packets_ = {
      {"node cut off", 2,
       [this, &network] {
         network.isolate(people_.somebody());
         hold_cut();
       }},
      {"node cut off, then its disk wiped", 1,
       [this, &network] {
         const auto node = people_.somebody();
         network.isolate(node);
         hold();
         people_.wipe(node);
         hold_cut();
       },
       is_settled},
      {"some cut off", 2,
       [this, &network] {
         const auto away = some();
         for (auto node : away)
           for (auto other : people_.members())
             if (std::find(away.begin(), away.end(), other) == away.end()) network.cut_both_ways(node, other);
         hold_cut();
       }},
      {"node not heard", 2,
       [this, &network] {
         const auto node = people_.somebody();
         for (auto other : people_.members())
           if (other != node) network.cut(node, other);
         hold_cut();
       }},
      {"node does not hear", 2,
       [this, &network] {
         const auto node = people_.somebody();
         for (auto other : people_.members())
           if (other != node) network.cut(other, node);
         hold_cut();
       }},
      {"link cut", 2,
       [this, &network] {
         const auto node = people_.somebody();
         network.cut_both_ways(node, people_.somebody_but(node));
         hold_cut();
       }},
      {"link cut one way", 2,
       [this, &network] {
         const auto node = people_.somebody();
         network.cut(node, people_.somebody_but(node));
         hold_cut();
       }},
  };
  of_members_ = {
      {"join", 2, [this] { people_.join(); }, [this] { return people_.may_join(); }},
      {"leave", 2, [this] { people_.leave(); }, [this] { return people_.may_leave(); }},
      {"handover", 3, [this] { people_.hand_over(); }},
  };
}

std::string torment::strike() {
  const auto kind = random_() % 5;
  return strike(kind < 2 ? of_processes_ : kind < 4 ? of_packets_ : of_members_);
}

std::string torment::strike(std::vector<fault>& among) {
  std::vector<double> weights;
  for (const auto& x : among) weights.push_back(x.is_possible() ? x.weight : 0);
  auto& drawn = among[std::discrete_distribution<std::size_t>(weights.begin(), weights.end())(random_)];
  ++drawn.count;
  drawn.strike();
  return drawn.name;
}

std::string torment::counts() const {
  std::string out;
  for (const auto* faults : {&of_processes_, &of_packets_, &of_members_})
    for (const auto& x : *faults) out += "  " + x.name + ": " + std::to_string(x.count) + "\n";
  return out;
}

void torment::hold() {
  const milliseconds time(20 + random_() % static_cast<std::uint64_t>(4 * election_timeout.count()));
  wait_until(time, [] { return false; });
}

void torment::hold_cut() {
  hold();
  if (random_() % 3 == 0) strike(of_processes_);
  cluster_.network().heal();
}

torment::nodes torment::some() {
  nodes out = people_.members();
  std::shuffle(out.begin(), out.end(), random_);
  out.resize(1 + random_() % out.size());
  return out;
}

void torment::kill(const nodes& which) {
  for (auto i : which) cluster_.node(i).process().send_signal(SIGKILL);
  for (auto i : which) cluster_.node(i).kill();
  if (random_() % 2 == 0) hold();
  for (auto i : which) cluster_.node(i).start();
}

void torment::freeze(std::size_t node) {
  cluster_.node(node).freeze();
  hold();
  cluster_.node(node).thaw();
}

void torment::stop(std::size_t node) {
  const auto code = cluster_.node(node).terminate(milliseconds{20'000});
  BOOST_TEST(code.value_or(-1) == 0, cluster_.node(node).name() << " ended with " << code.value_or(-1));
  cluster_.node(node).start();
}

void torment::cut_power(const nodes& which) {
  const bool runs_on = random_() % 2 == 0;
  cluster_.cut_power(which, runs_on);
  if (runs_on) hold();
  for (auto i : which) cluster_.node(i).kill();
  for (auto i : which) cluster_.disk(i).restore();
  for (auto i : which) cluster_.node(i).start();
}

}  // namespace kaiku::test
