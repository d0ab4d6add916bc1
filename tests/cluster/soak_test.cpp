/// Faults of every kind, one after the other, for as long as one likes, under clients that record every answer.

#include <iostream>

#include <boost/test/unit_test.hpp>

#include "chronicle.hpp"
#include "scenario.hpp"
#include "torment.hpp"

namespace {

using namespace kaiku::test;

/// Faults between two checks.
constexpr int chapter_faults = 8;
/// Of so many chapters one stays until the end; all of them would be more than one wants to read at every check.
constexpr std::size_t kept_every = 10;
/// After a fault everybody must be back within this.
constexpr milliseconds recovery_deadline{60'000};

boost::test_tools::assertion_result may_torment(boost::unit_test::test_unit_id id) {
  auto out = may_partition(id);
  return out ? may_cut_power(id) : out;
}

/// From the environment; half a minute when not told.
milliseconds duration() {
  const auto minutes = number_from_environment("KAIKU_TEST_MINUTES", 0);
  return minutes == 0 ? milliseconds{30'000} : milliseconds{minutes * 60'000};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(soak, *boost::unit_test::precondition(may_torment))

BOOST_AUTO_TEST_CASE(no_fault_loses_a_majority_write_or_any_write_without_a_report) {
  const auto seed = announce_seed("soak");
  test_cluster cluster({.networked = true, .disks = true});
  chronicle told(cluster);
  population people(cluster, seed);
  torment faults(cluster, people, seed);
  const auto start = clock::now();
  while (since(start) < duration()) {
    history& now = told.begin();
    load clients(now, people.endpoints(),
                 {.directory = told.directory(),
                  .seed = seed + told.chapters(),
                  .clients = 2 * people.members().size(),
                  .per_second = 30,
                  .leader_only = people.members().size(),
                  .one_node_each = true});
    for (int i = 0; i < chapter_faults && since(start) < duration(); ++i) {
      wait_for_writes(cluster, now, 10, recovery_deadline);
      const auto began = since(start);
      const auto name = faults.strike();
      people.ask_for_losses();
      std::cout << "    " << began.count() << " ms: " << name << std::endl;
    }
    people.settle();
    wait_for_writes(cluster, now, 10, recovery_deadline);
    clients.stop();
    told.check_last(people.lost_disks());
    if (told.chapters() % kept_every != 1) told.remove_last();
  }
  told.check_all(people.lost_disks());
  check_one_leader_per_term(cluster);
  std::cout << faults.counts() << "  in " << since(start).count() / 1000 << " s: " << told.count(outcome::majority)
            << " writes acknowledged by a majority, " << told.count(outcome::leader) << " by the leader ("
            << told.gone().kept.size() << " of them displaced and set aside, " << told.gone().lost_with_disk.size()
            << " lost with a wiped disk, of which a leader's possibly_lost named "
            << people.count_named(told.gone().lost_with_disk) << "), " << told.count(outcome::refused) << " refused, "
            << told.count(outcome::unknown) << " without an answer" << std::endl;
}

BOOST_AUTO_TEST_SUITE_END()
