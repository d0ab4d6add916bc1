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

void chronicle::check_last(const std::vector<lost_disk>& lost_disks) {
  auto& last = *chapters_.back();
  const tree there = check_identical_trees(cluster_, last.directory);
  auto gone = check_promises(cluster_, last.told, there, last.directory, lost_disks);
  gone_.kept.merge(gone.kept);
  gone_.lost_with_disk.merge(gone.lost_with_disk);
}

void chronicle::remove_last() {
  auto& last = *chapters_.back();
  const auto target = last.directory + "?recursive=true";
  // Again, should a busy machine hold up the leader; what was done without an answer is 404 then.
  cluster_.wait_for("/" + last.directory + " is removed", milliseconds{60'000}, [&] {
    auto client = cluster_.node(cluster_.wait_for_leader()).client(milliseconds{30'000});
    const auto answer = client.remove(target, {{"Kaiku-Durability", "majority"}});
    BOOST_TEST((answer.is_success() || answer.status == 404 || answer.status == 503), "answered " << answer);
    return answer.status == 204 || answer.status == 404;
  });
  last.removed = true;
}

void chronicle::check_all(const std::vector<lost_disk>& lost_disks) {
  const tree there = check_identical_trees(cluster_);
  for (const auto& one : chapters_) {
    if (one->removed) {
      BOOST_TEST(!there.contains(one->directory), "/" << one->directory << " was removed and is back");
      continue;
    }
    const verdict found = check(one->told, there, one->directory);
    for (const auto& line : found.violations) BOOST_ERROR("in the end: " + line);
    const auto gone = check_fates(cluster_, one->told, found.displaced, lost_disks);
    for (const auto& token : gone.kept) BOOST_TEST(gone_.kept.contains(token), token << " was lost without a fault");
    for (const auto& token : gone.lost_with_disk)
      BOOST_TEST((gone_.kept.contains(token) || gone_.lost_with_disk.contains(token)),
                 token << " was lost without a fault");
  }
}

std::size_t chronicle::count(outcome told) const {
  std::size_t out = 0;
  for (const auto& one : chapters_) out += one->told.count(told);
  return out;
}

}  // namespace kaiku::test
