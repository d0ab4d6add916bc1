#include "chronicle.hpp"

#include <boost/test/unit_test.hpp>

#include "scenario.hpp"

namespace kaiku::test {

history& chronicle::begin() {
  auto& next = *chapters_.emplace_back(std::make_unique<chapter>());
  next.directory = "load/" + std::to_string(chapters_.size());
  return next.told;
}

std::string chronicle::directory() const {
  return chapters_.back()->directory;
}

void chronicle::check_last() {
  auto& last = *chapters_.back();
  const tree there = check_identical_trees(cluster_, last.directory);
  last.displaced = check_promises(cluster_, last.told, there, last.directory, displaced_);
  displaced_ += last.displaced;
}

void chronicle::remove_last() {
  auto& last = *chapters_.back();
  auto client = cluster_.node(cluster_.wait_for_leader()).client(milliseconds{30'000});
  const auto answer = client.remove(last.directory + "?recursive=true", {{"Kaiku-Durability", "majority"}});
  BOOST_TEST((answer.status == 204 || answer.status == 404), "answered " << answer);
  last.removed = true;
}

void chronicle::check_all() {
  const tree there = check_identical_trees(cluster_);
  for (const auto& one : chapters_) {
    if (one->removed) {
      BOOST_TEST(!there.contains(one->directory), "/" << one->directory << " was removed and is back");
      continue;
    }
    const verdict found = check(one->told, there, one->directory);
    for (const auto& line : found.violations) BOOST_ERROR("in the end: " + line);
    BOOST_TEST(found.displaced.size() == one->displaced);
  }
}

std::size_t chronicle::count(outcome told) const {
  std::size_t out = 0;
  for (const auto& one : chapters_) out += one->told.count(told);
  return out;
}

}  // namespace kaiku::test
