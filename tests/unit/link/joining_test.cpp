#include <boost/test/unit_test.hpp>

#include "link_cluster.hpp"

namespace kaiku::test {
namespace {

BOOST_AUTO_TEST_SUITE(joining)

/// Arguments of a node that knows nothing but where to ask.
std::map<std::string, std::string> newcomer(const std::string& ask_at, const std::string& log) {
  return {{"cluster", "0"}, {"members", ""}, {"wants_in", "1"}, {"ask_at", ask_at}, {"log", log}};
}

BOOST_AUTO_TEST_CASE(a_node_that_asks_to_join_is_told_the_members_and_links_once_it_is_one) {
  cluster c{3};
  auto all = c.members();
  auto old = all.substr(0, all.find(",n3"));
  // The second is the larger of the two: it dials the others as soon as it was told of them.
  for (int fresh : {3, 1}) {
    BOOST_TEST_CONTEXT("n" << fresh << " joins") {
      const std::string known = fresh == 3 ? old : all.substr(all.find("n2"));
      const int asked = 2, other = fresh == 3 ? 1 : 3;
      const std::string name = "n" + std::to_string(fresh);
      auto joins = c.start(fresh, newcomer(to_string(c.address(asked)), all));
      BOOST_REQUIRE(joins.says("can't be reached"));
      auto first = c.start(asked, {{"members", known}, {"takes_in", "1"}});
      BOOST_TEST(first.says("to be taken in: " + name + " at " + to_string(c.address(fresh)) + " disk 0000"),
                 first.log());
      BOOST_TEST(joins.says("up n2"), joins.log());
      BOOST_TEST(first.says("up " + name), first.log());
      BOOST_TEST(joins.says(name + " is a member now"), joins.log());
      // It knows the other from the welcome, and is a stranger there until that one's log names it.
      auto second = c.start(other, {{"members", known}});
      BOOST_TEST(second.says("up n2"), second.log());
      if (fresh < other) BOOST_TEST(second.says("refused " + name), second.log());
      BOOST_TEST(second.count("up " + name) == 0u, second.log());
      BOOST_TEST(first.count("founds nothing") + joins.count("founds nothing") == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_node_that_asks_with_a_wrong_secret_is_told_nothing) {
  cluster c{3};
  auto n2 = c.start(2, {{"takes_in", "1"}});
  auto settings = newcomer(to_string(c.address(2)), "");
  settings["secret"] = "guess";
  settings["name"] = "n9";
  auto stranger = c.start(1, settings);
  BOOST_TEST(stranger.says("the shared secrets of n9 and n2 differ"), stranger.log());
  BOOST_TEST(n2.says("the shared secrets of n9 and n2 differ"), n2.log());
  BOOST_TEST(n2.count("to be taken in") == 0u, n2.log());
}

BOOST_AUTO_TEST_CASE(two_nodes_that_both_want_to_join_tell_each_other_nothing) {
  cluster c{2};
  auto n1 = c.start(1, newcomer(to_string(c.address(2)), "")), n2 = c.start(2, newcomer(to_string(c.address(1)), ""));
  BOOST_TEST(n1.says("n2 does not belong to a cluster yet"), n1.log());
  BOOST_TEST(n2.says("n1 does not belong to a cluster yet"), n2.log());
}

/// Arguments of a member of a new cluster: it knows the names of the others, and no disk.
std::map<std::string, std::string> founder(const cluster& c, int i) {
  std::string members, ask_at;
  for (int j = 1; j <= static_cast<int>(c.ports.size()); ++j) {
    members += (j == 1 ? "n" : ",n") + std::to_string(j) + "@" + to_string(c.address(j)) + "@0";
    if (j != i) ask_at += (ask_at.empty() ? "" : ",") + to_string(c.address(j));
  }
  return {{"cluster", "0"}, {"members", members}, {"ask_at", ask_at}};
}

/// The members, as one knows them who has not heard of the last one's disk.
std::string before_the_last_was_seen(const cluster& c) {
  auto members = c.members();
  members.back() = '0';
  return members;
}

BOOST_AUTO_TEST_CASE(founders_of_a_cluster_link_at_once) {
  cluster c{3};
  auto n1 = c.start(1, founder(c, 1)), n2 = c.start(2, founder(c, 2)), n3 = c.start(3, founder(c, 3));
  BOOST_TEST((n1.says("up n2") && n1.says("up n3")), n1.log());
  BOOST_TEST(n2.says("up n3"), n2.log());
  for (auto* x : {&n1, &n2, &n3}) BOOST_TEST(x->count("founds nothing") == 0u, x->log());
  BOOST_TEST_MESSAGE("three founders linked after " << (n2.said_at("up n3") - n1.said_at("started")) * 1000 << " ms");
}

BOOST_AUTO_TEST_CASE(a_voter_that_was_never_seen_links_with_a_cluster_that_began_without_it) {
  cluster c{3};
  const auto unseen = before_the_last_was_seen(c);
  auto n1 = c.start(1, {{"members", unseen}}), n2 = c.start(2, {{"members", unseen}});
  auto n3 = c.start(3, founder(c, 3));
  BOOST_TEST(n1.says("up n3"), n1.log());
  BOOST_TEST((n3.says("up n1") && n3.says("up n2")), n3.log());
  BOOST_TEST(n1.count("to be taken in") + n3.count("founds nothing") == 0u);
}

/// n2 may have been away when the others first saw it. It voted then, and must not vote again with an empty log.
BOOST_AUTO_TEST_CASE(a_fresh_voter_does_not_take_one_members_word_that_it_was_never_seen) {
  for (const bool was_wiped : {true, false}) {
    cluster c{3};
    BOOST_TEST_CONTEXT((was_wiped ? "wiped" : "new")) {
      const auto unseen = before_the_last_was_seen(c);
      auto n2 = c.start(2, {{"members", unseen}});
      auto settings = founder(c, 3);
      settings["disk"] = "9";
      auto n3 = c.start(3, settings);
      BOOST_TEST(n3.says("votes in no cluster before all the others say that they never saw a disk of it; " +
                         to_string(c.address(1)) + " does not: can't be reached"),
                 n3.log());
      BOOST_TEST(n3.count("up n") + n2.count("up n3") == 0u, n3.log());
      auto n1 = c.start(1, {{"members", was_wiped ? c.members() : unseen}, {"takes_in", "1"}});
      if (was_wiped) BOOST_TEST(n1.says("to be taken in: n3"), n1.log() + n3.log());
      if (was_wiped) BOOST_TEST(n3.says("founds nothing"), n3.log());
      if (!was_wiped) BOOST_TEST(n3.says("up n1"), n3.log());
      BOOST_TEST((n3.count("founds nothing") != 0) == was_wiped, n3.log());
    }
  }
}

/// The cluster has grown: a member that `--cluster` does not name may be the one that saw its disk.
BOOST_AUTO_TEST_CASE(a_fresh_voter_also_asks_the_members_that_it_was_not_started_with) {
  cluster c{3};
  const auto unseen = before_the_last_was_seen(c);
  auto n2 = c.start(2, {{"members", unseen}});
  auto settings = founder(c, 3);
  settings["members"] = settings["members"].substr(settings["members"].find("n2"));
  settings["ask_at"] = to_string(c.address(2));
  settings["disk"] = "9";
  auto n3 = c.start(3, settings);
  BOOST_TEST(n3.says("say that they never saw a disk of it; " + to_string(c.address(1)) + " does not"), n3.log());
  BOOST_TEST(n3.count("up n2") + n2.count("up n3") == 0u, n3.log());
  auto n1 = c.start(1, {{"takes_in", "1"}});
  BOOST_TEST(n1.says("to be taken in: n3"), n1.log() + n3.log());
  BOOST_TEST(n3.says("founds nothing"), n3.log());
}

BOOST_AUTO_TEST_CASE(a_fresh_voter_does_not_wait_for_a_member_that_is_removed_meanwhile) {
  cluster c{3};
  const auto unseen = before_the_last_was_seen(c);
  auto settings = founder(c, 3);
  settings["members"] = settings["members"].substr(settings["members"].find("n2"));
  settings["ask_at"] = to_string(c.address(2));
  auto n3 = c.start(3, settings);
  {
    auto n2 = c.start(2, {{"members", unseen}});
    BOOST_TEST(n3.says("say that they never saw a disk of it; " + to_string(c.address(1)) + " does not"), n3.log());
  }
  auto n2 = c.start(2, {{"members", unseen.substr(unseen.find("n2"))}});
  BOOST_TEST(n3.says("up n2"), n3.log());
}

/// Its log names the lost disk by an entry that is not known committed: that disk has voted for it.
BOOST_AUTO_TEST_CASE(a_wiped_founder_founds_nothing_beside_one_that_has_just_begun_with_its_lost_disk) {
  cluster c{3};
  auto begun = c.start(1, {{"cluster", "0"}}), away = c.start(2, newcomer("127.0.0.1:1", ""));
  auto settings = founder(c, 3);
  settings["disk"] = "9";
  auto n3 = c.start(3, settings);
  BOOST_TEST(n3.says("n1 knows n3 by another disk, and no cluster for certain yet"), n3.log());
  BOOST_TEST(n3.count("up n") == 0u, n3.log());
}

BOOST_AUTO_TEST_CASE(one_member_does_not_answer_for_another) {
  cluster c{3};
  const auto unseen = before_the_last_was_seen(c);
  auto n2 = c.start(2, {{"members", unseen}});
  auto settings = founder(c, 3);
  settings["members"] =
      "n1@" + to_string(c.address(2)) + "@0" + settings["members"].substr(settings["members"].find(",n3"));
  settings["ask_at"] = to_string(c.address(2));
  auto n3 = c.start(3, settings);
  BOOST_TEST(n3.says("n2 answers there instead of n1: check the addresses"), n3.log());
  BOOST_TEST(n3.count("up n2") == 0u, n3.log());
}

/// It was wiped and taken in, and ends before its log is any the wiser: what it was started with names other members.
BOOST_AUTO_TEST_CASE(a_member_that_was_taken_in_and_restarts_with_an_empty_log_learns_who_the_members_are) {
  for (const bool heard_at_once : {true, false}) {
    cluster c{3};
    BOOST_TEST_CONTEXT((heard_at_once ? "heard at once" : "heard later")) {
      auto founders = founder(c, 1);
      founders["members"] = founders["members"].substr(0, founders["members"].find(",n3"));
      founders["ask_at"] = to_string(c.address(2));
      std::vector<peer_process> others;
      const auto start_others = [&] {
        for (int i : {2, 3}) others.push_back(c.start(i, {{"since", "7"}}));
        for (auto& x : others) BOOST_REQUIRE(x.says("started"));
      };
      if (heard_at_once) start_others();
      auto n1 = c.start(1, founders);
      if (!heard_at_once) {
        BOOST_REQUIRE(n1.says("founds no cluster"));
        start_others();
      }
      BOOST_TEST(n1.says("founds nothing"), n1.log());
      BOOST_TEST(n1.count("comes late") == 0u, n1.log());  // its vote may be needed
      BOOST_TEST((n1.says("up n2") && n1.says("up n3")), n1.log());
    }
  }
}

/// The leader that took it in with its new disk is gone, and so is the entry: only the log of the one taken in has it.
/// The others know members of before that entry, or of another one since.
BOOST_AUTO_TEST_CASE(a_member_that_was_taken_in_by_an_entry_that_is_gone_asks_again) {
  for (const int lost : {1, 3})
    for (const char* since : {"6", "8"}) {
      cluster c{3};
      BOOST_TEST_CONTEXT("n" << lost << " was taken in by entry 7, and the others know members of " << since) {
        auto settings = founder(c, lost);
        settings["disk"] = "9";
        settings["log"] = c.members();
        const auto own = "@" + std::to_string(lost);
        const auto at = lost == 1 ? settings["log"].find(own + ",") : settings["log"].rfind(own);
        settings["log"].replace(at, own.size(), "@9");
        settings["log_since"] = "7";
        auto leader = c.start(2, {{"since", "6"}, {"takes_in", "1"}});
        BOOST_REQUIRE(leader.says("started"));
        auto one = c.start(lost, settings);
        BOOST_REQUIRE(one.says("is a member now"));
        leader.process().kill();
        auto survivor = c.start(2, {{"since", since}, {"takes_in", "1"}});
        BOOST_TEST(survivor.says("to be taken in: n" + std::to_string(lost)), survivor.log() + one.log());
        BOOST_TEST(one.says("up n2", 2), one.log());
      }
    }
}

/// Two of three are wiped and find each other and a survivor: they may link, and vote, with nobody.
BOOST_AUTO_TEST_CASE(wiped_members_found_nothing_beside_a_survivor_and_ask_to_be_taken_in) {
  for (int survivor : {1, 3}) {
    cluster c{3};
    BOOST_TEST_CONTEXT("n" << survivor << " survives") {
      auto old = c.start(survivor);
      BOOST_REQUIRE(old.says("started"));
      std::vector<peer_process> wiped;
      for (int i = 1; i <= 3; ++i) {
        if (i == survivor) continue;
        auto settings = founder(c, i);
        settings["disk"] = std::to_string(10 + i);
        wiped.push_back(c.start(i, settings));
      }
      for (auto& x : wiped) {
        BOOST_TEST(x.says("know"), x.log());
        BOOST_TEST(x.says("founds nothing, comes late"), x.log());
        BOOST_TEST(x.count("up n") == 0u, x.log());
      }
      for (int i = 1; i <= 3; ++i)
        if (i != survivor)
          BOOST_TEST(old.says("to be taken in: n" + std::to_string(i) + " at " + to_string(c.address(i)) + " disk " +
                              (i == 1   ? "0000000000000000000000000000000b"
                               : i == 2 ? "0000000000000000000000000000000c"
                                        : "0000000000000000000000000000000d")),
                     old.log());
      BOOST_TEST(old.count("up n") == 0u, old.log());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_majority_founds_nothing_while_it_can_not_hear_whether_the_others_have_a_cluster) {
  for (const bool has_files : {false, true}) {
    cluster c{3};
    BOOST_TEST_CONTEXT("n2 comes later, " << (has_files ? "with" : "without") << " a cluster") {
      auto n1 = c.start(1, founder(c, 1)), n3 = c.start(3, founder(c, 3));
      for (auto* x : {&n1, &n3}) {
        BOOST_TEST(x->says("founds no cluster before all of --cluster say that they know of none; " +
                           to_string(c.address(2)) + " does not: can't be reached"),
                   x->log());
        BOOST_TEST(x->count("up n") == 0u, x->log());
      }
      auto settings = founder(c, 2);
      if (has_files) settings = {{"takes_in", "1"}};
      auto n2 = c.start(2, settings);
      for (auto* x : {&n1, &n3}) {
        BOOST_TEST(x->says(has_files ? "founds nothing" : "up n2"), x->log());
        BOOST_TEST((x->count("founds nothing") != 0) == has_files, x->log());
      }
    }
  }
}

/// Those who said that they know of none may be in one by now, and need this node for a majority.
BOOST_AUTO_TEST_CASE(a_founder_that_can_not_hear_one_still_learns_that_the_others_have_begun) {
  cluster c{3};
  auto settings = founder(c, 1);
  auto n1 = c.start(1, settings);
  {
    auto n2 = c.start(2, newcomer("127.0.0.1:1", ""));
    BOOST_TEST(n1.says("founds no cluster before all"), n1.log());
  }
  auto unseen = c.members();
  unseen.replace(unseen.find("@1,"), 3, "@0,");
  auto n2 = c.start(2, {{"members", unseen}}), n3 = c.start(3, {{"members", unseen}});
  BOOST_TEST((n1.says("up n2") && n1.says("up n3")), n1.log());
  BOOST_TEST(n1.count("founds nothing") == 0u, n1.log());
}

/// Whether a member answers the hello of another whose disk it does not know: it does not while it asks for a cluster.
bool takes_links(const endpoint& at, const std::string& from) {
  tcp_connection there{at, patience};
  auto greeting = hello_as(from);
  greeting.cluster = {};
  there.send_all(encode(greeting), clock::now() + patience);
  return std::holds_alternative<hello>(receive_frame(there));
}

/// The others know of no cluster when it asks, and are members of one when they come again.
BOOST_AUTO_TEST_CASE(a_wiped_member_that_is_refused_later_founds_nothing_either) {
  for (int fresh : {1, 3}) {
    cluster c{3};
    BOOST_TEST_CONTEXT("n" << fresh << " was wiped") {
      auto settings = founder(c, fresh);
      settings["disk"] = "9";
      settings["log"] = c.members();  // not yet with its new disk
      auto wiped = c.start(fresh, settings);
      BOOST_REQUIRE(wiped.says("started"));
      {
        std::vector<peer_process> others;
        for (int i = 1; i <= 3; ++i)
          if (i != fresh) others.push_back(c.start(i, newcomer("127.0.0.1:1", "")));
        if (fresh == 1) BOOST_REQUIRE_MESSAGE(wiped.says("no link to n2"), wiped.log());
        if (fresh == 3) BOOST_REQUIRE(wait_until(patience, [&] { return takes_links(c.address(3), "n1"); }));
      }
      auto n2 = c.start(2, {{"takes_in", "1"}});
      BOOST_TEST(wiped.says("founds nothing"), wiped.log());
      BOOST_TEST(n2.says("to be taken in: n" + std::to_string(fresh)), n2.log());
      BOOST_TEST(wiped.says("up n2"), wiped.log());
      BOOST_TEST(wiped.count("is a member now") == 0u, wiped.log());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_fresh_node_that_its_cluster_does_not_name_waits_and_is_not_taken_in) {
  cluster c{3};
  auto without = c.members().substr(c.members().find("n2"));
  auto n2 = c.start(2, {{"members", without}});
  BOOST_REQUIRE(n2.says("started"));
  auto n1 = c.start(1, founder(c, 1));
  BOOST_TEST(n1.says("has no member n1"), n1.log());
  BOOST_TEST(n1.says("founds nothing"), n1.log());
  BOOST_TEST(n1.says("up n2", 1, milliseconds{500}) == false);
  BOOST_TEST(n1.count("has no member n1") == 1u, n1.log());
  BOOST_TEST(n2.count("to be taken in") == 0u, n2.log());
}

BOOST_AUTO_TEST_CASE(nobody_takes_the_place_of_a_member_that_is_there) {
  cluster c{2};
  auto n1 = c.start(1), n2 = c.start(2, {{"takes_in", "1"}});
  BOOST_REQUIRE(n1.says("up n2") && n2.says("up n1"));
  reserved_port other;
  auto settings = newcomer(to_string(c.address(2)), "");
  settings["disk"] = "9";
  settings["port"] = std::to_string(other.number());
  auto twin = c.start(1, settings);
  BOOST_TEST(twin.says("another node called n1 is here"), twin.log());
  BOOST_TEST(n2.count("to be taken in") == 0u, n2.log());
  // Once the other has ended, this is its successor.
  n1.process().kill();
  BOOST_TEST(n2.says("to be taken in: n1 at 127.0.0.1:" + std::to_string(other.number())), n2.log());
}

BOOST_AUTO_TEST_CASE(a_member_with_a_cluster_that_the_others_refuse_says_once_what_to_do) {
  for (bool replaced : {true, false}) {
    cluster c{2};
    auto members = c.members();
    auto seen_by_2 = replaced ? "n1@" + to_string(c.address(1)) + "@9," + members.substr(members.find("n2"))
                              : members.substr(members.find("n2"));
    auto n2 = c.start(2, {{"members", seen_by_2}});
    auto n1 = c.start(1);
    BOOST_TEST(n1.says("start it with --join"), n1.log());
    BOOST_TEST(n2.says("refused n1", 3), n2.log());
    BOOST_TEST(n1.count("start it with --join") == 1u, n1.log());
    BOOST_TEST(n1.count("founds nothing") == 0u, n1.log());
  }
}

BOOST_AUTO_TEST_CASE(the_link_of_a_member_whose_disk_was_replaced_ends) {
  cluster c{3};
  auto n1 = c.start(1);
  // n3's log names n1 by another disk after its first link.
  auto replaced = "n1@" + to_string(c.address(1)) + "@9," + c.members().substr(c.members().find("n2"));
  auto n3 = c.start(3, {{"log", replaced}});
  BOOST_TEST(n3.says("n1 is a member with another disk by now"), n3.log());
  BOOST_TEST(n3.says("down n1"), n3.log());
  BOOST_TEST(n1.says("this disk is not the one the cluster knows as n1"), n1.log());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku::test
