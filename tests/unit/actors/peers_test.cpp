// What peers send is checked before it is used: nonsense changes nothing and kills nobody.

#include <caf/all.hpp>

#include "fixture.hpp"
#include "kaiku/actors/supervisor.hpp"
#include "kaiku/messages/linked_peers.hpp"

namespace kaiku::test {

BOOST_AUTO_TEST_SUITE(peers)

namespace {

struct suspicious_cluster : checked_cluster {
  suspicious_cluster() {
    std::map<caf::actor_addr, std::string> names;
    for (std::size_t i = 0; i < size(); ++i)
      for (const auto& one : node(i).spawned)
        names.emplace(one.address(), node(i).id.name + "'s actor " + std::to_string(one.id()));
    watcher = system().spawn<supervisor>(std::move(names), [](const std::string& why) { BOOST_ERROR(why); });
    first = elect();
    run_for(milliseconds{1000});
    follower = others(first)[0];
    led = node(first).seen->role;
    log = whole_log(disk(first));
  }
  ~suspicious_cluster() {
    caf::anon_send(watcher, stand_down{});
    settle();
  }

  /// `what` comes to `to`'s replication from a peer.
  template <class Message>
  void from_peer(std::size_t to, const Message& what) {
    const auto from = others(to)[0];
    caf::anon_send(network().link(node(from).id, node(to).id, node(to).actors.replication), what);
    run_for(milliseconds{20});
  }

  void check_nothing_changed() {
    run_for(milliseconds{2000});
    BOOST_CHECK(node(first).seen->role == led);
    for (std::size_t i = 0; i < size(); ++i) BOOST_TEST((whole_log(disk(i)) == log));
    auto written = put(first, "after", "x", durability::majority);
    BOOST_REQUIRE(run_until([&] { return recorded(written); }, milliseconds{1000}));
    BOOST_REQUIRE(run_until([&] { return all_equal(*this); }, milliseconds{1000}));
  }

  /// What the leader would send next.
  append_entries next_append() const {
    append_entries x;
    x.leader = led.leader;
    x.in_term = led.in_term;
    x.previous = log.back().at;
    x.entries.push_back({{led.in_term, log.back().at.index.next()}, encode(no_operation{})});
    return x;
  }

  supervisor_handle watcher;
  std::size_t first = 0;
  std::size_t follower = 0;
  role_change led;
  std::vector<log_entry> log;
};

/// Whose link is ended, and why. All nodes are one of CAF's here.
struct convictions {
  explicit convictions(const caf::actor_system& system) : node(system.node()) {
    linked_peers::instance().enter(node, node, {"a peer"}, [this](const std::string& why) { all.push_back(why); });
  }
  ~convictions() { linked_peers::instance().remove(node, node); }

  caf::node_id node;
  std::vector<std::string> all;
};

}  // namespace

BOOST_AUTO_TEST_CASE(appends_that_no_leader_can_have_sent_are_dropped) {
  suspicious_cluster nodes;
  auto send = [&](const std::function<void(append_entries&)>& spoil) {
    auto x = nodes.next_append();
    spoil(x);
    nodes.from_peer(nodes.follower, x);
  };
  send([](auto& x) { x.entries[0].at.index.value += 1; });
  send([](auto& x) { x.entries[0].at.index.value = 0; });
  send([](auto& x) { x.entries[0].at.in_term.value += 7; });
  send([](auto& x) { x.entries[0].at.in_term.value = 0; });
  send([](auto& x) { x.entries[0].encoded_command = "\xff nonsense"; });
  send([](auto& x) { x.entries[0].encoded_command.clear(); });
  send([](auto& x) { x.entries[0].encoded_command = std::string(limits::entry_bytes + 1, 'x'); });
  send([](auto& x) { x.small_contents.emplace_back("named by nobody"); });
  send([](auto& x) { x.small_contents.assign(10, chunk{"more than entries"}); });
  send([](auto& x) { x.previous.in_term.value += 1; });
  send([](auto& x) { x.previous.in_term.value = 0; });
  send([](auto& x) { x.previous.index.value += 100; });
  send([](auto& x) { x.previous.index.value = std::numeric_limits<std::uint64_t>::max(); });
  send([](auto& x) { x.entries.assign(limits::batch_entries + 1, x.entries[0]); });
  send([](auto& x) { x.leader = {"stranger"}; });
  send([](auto& x) {
    const content_ref missing{sha256("x"), {5}};  // small, and not sent along
    x.entries[0].encoded_command = encode(put_file{*file_path::parse("a"), missing, {}, {}, true});
  });
  nodes.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE(an_append_of_an_earlier_term_is_refused) {
  suspicious_cluster nodes;
  auto x = nodes.next_append();
  x.in_term = {};
  nodes.from_peer(nodes.follower, x);
  nodes.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE(nobody_else_can_lead_the_leaders_term) {
  suspicious_cluster nodes;
  auto x = nodes.next_append();
  x.leader = nodes.node(nodes.others(nodes.first)[0]).id;
  nodes.from_peer(nodes.first, x);
  heartbeat beat{x.leader, nodes.led.in_term, 1, {}};
  caf::anon_send(nodes.node(nodes.first).actors.heartbeat, beat);
  nodes.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE(who_claims_to_lead_the_leaders_term_loses_its_link) {
  suspicious_cluster nodes;
  caf::scoped_actor liar{nodes.system()};
  const auto& leader = nodes.node(nodes.first).actors;
  auto append = nodes.next_append();
  append.leader = nodes.node(nodes.follower).id;
  const auto check = [&](const auto& tell) {
    convictions made{nodes.system()};
    tell();
    nodes.settle();
    BOOST_REQUIRE(made.all.size() == 1u);
    BOOST_TEST(made.all[0] == "it claims to lead a term that this node leads");
  };
  check([&] { liar->send(leader.replication, append); });
  check([&] { liar->send(leader.replication, install_snapshot{append.leader, append.in_term, append.previous}); });
  check([&] { liar->send(leader.heartbeat, heartbeat{append.leader, append.in_term, 1, {}}); });
  nodes.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE(who_leads_without_what_is_committed_loses_its_link) {
  suspicious_cluster nodes;
  caf::scoped_actor liar{nodes.system()};
  const auto check = [&](const auto& what) {
    convictions made{nodes.system()};
    liar->send(nodes.node(nodes.follower).actors.replication, what);
    nodes.settle();
    BOOST_REQUIRE(made.all.size() == 1u);
    BOOST_TEST(made.all[0].find("lacks what is committed") != std::string::npos);
  };
  auto x = nodes.next_append();
  x.in_term = x.in_term.next();
  x.previous = {x.in_term, nodes.log.back().at.index};
  x.entries.clear();
  check(x);
  x.previous = nodes.log[nodes.log.size() - 2].at;
  x.entries.push_back({{x.in_term, nodes.log.back().at.index}, encode(no_operation{})});
  check(x);
  check(install_snapshot{x.leader, x.in_term, x.entries[0].at});
  nodes.check_nothing_changed();
}

// It had not heard of the newer one when it sent that, and nor had this node.
BOOST_AUTO_TEST_CASE(an_older_leader_whose_append_is_late_is_told_and_not_accused) {
  for (const bool is_held_probe : {false, true}) {
    BOOST_TEST_CONTEXT((is_held_probe ? "a probe that waited" : "an append that waited")) {
      suspicious_cluster nodes;
      convictions made{nodes.system()};
      const auto& victim = nodes.node(nodes.follower).actors.replication;
      auto older = nodes.next_append();
      older.in_term = older.in_term.next();
      older.entries[0].at.in_term = older.in_term;
      auto newer = nodes.next_append();
      newer.in_term = older.in_term.next();
      newer.leader = nodes.node(nodes.others(nodes.first)[1]).id;
      newer.entries[0].at.in_term = newer.in_term;
      newer.commit = newer.entries[0].at.index;
      if (is_held_probe) {
        auto fails = older;
        const content_ref missing{sha256("x"), {limits::small_content_bytes + 1}};
        fails.entries[0].encoded_command = encode(put_file{*file_path::parse("a"), missing, {}, {}, true});
        caf::anon_send(victim, fails);
        nodes.run_for(milliseconds{20});
        older.previous = older.entries[0].at;
        older.entries.clear();
        caf::anon_send(victim, older);
        nodes.settle();
        caf::anon_send(victim, newer);
        nodes.run_for(milliseconds(limits::append_retry_ms + 150));
      } else {
        caf::anon_send(victim, newer);
        caf::anon_send(victim, older);
        nodes.settle();
      }
      BOOST_TEST(made.all.empty());
      BOOST_CHECK(nodes.disk(nodes.follower).position(newer.commit).ok());
      BOOST_CHECK(*nodes.disk(nodes.follower).position(newer.commit) == newer.entries[0].at);
    }
  }
}

// Each goes with what is committed when it comes, but not with what the one before it makes so.
BOOST_AUTO_TEST_CASE(two_appends_of_one_leader_that_contradict_each_other_end_its_link_and_no_process) {
  for (const bool commits : {true, false}) {
    suspicious_cluster nodes;
    convictions made{nodes.system()};
    auto one = nodes.next_append();
    one.in_term = one.in_term.next();
    if (commits) one.commit = one.entries[0].at.index;
    auto other = one;
    other.entries[0].at.in_term = other.in_term;
    const auto& victim = nodes.node(nodes.follower).actors.replication;
    caf::anon_send(victim, one);
    caf::anon_send(victim, other);
    nodes.settle();
    BOOST_REQUIRE(made.all.size() == 1u);
    BOOST_TEST(made.all[0].find("lacks what is committed") != std::string::npos);
    BOOST_TEST((whole_log(nodes.disk(nodes.follower)).back().at == one.entries[0].at));
  }
}

// The commit index is another actor's to bring, while the append is with storage.
BOOST_AUTO_TEST_CASE(an_older_leaders_commit_settles_nothing_that_a_newer_one_may_be_about_to_displace) {
  suspicious_cluster nodes;
  auto older = nodes.next_append();
  older.in_term = older.in_term.next();
  auto newer = older;
  newer.in_term = older.in_term.next();
  newer.entries[0].at.in_term = newer.in_term;
  const auto& victim = nodes.node(nodes.follower).actors.replication;
  caf::anon_send(victim, older);
  nodes.settle();
  BOOST_REQUIRE((whole_log(nodes.disk(nodes.follower)).back().at == older.entries[0].at));
  caf::anon_send(victim, newer);
  caf::anon_send(victim, leader_contact{older.leader, older.in_term, older.entries[0].at.index, {}});
  nodes.settle();
  BOOST_TEST((whole_log(nodes.disk(nodes.follower)).back().at == newer.entries[0].at));
}

// No ballot could be above it, and it would stand on the disks.
BOOST_AUTO_TEST_CASE(the_last_term_there_is_gets_nobody_there) {
  suspicious_cluster nodes;
  const term last{limits::peer_counter};
  const auto liar = nodes.node(nodes.others(nodes.first)[1]).id;
  const auto at = nodes.log.back().at;
  auto append = nodes.next_append();
  append.leader = liar;
  append.in_term = last;
  const std::uint64_t messages = 8;
  for (auto i : {nodes.first, nodes.follower}) {
    const auto& actors = nodes.node(i).actors;
    caf::anon_send(actors.election, vote_request{liar, last, at, false, true});
    caf::anon_send(actors.election, vote_reply{liar, nodes.led.in_term, last, false, false});
    caf::anon_send(actors.heartbeat, heartbeat{liar, last, 1, {}});
    caf::anon_send(actors.heartbeat, heartbeat_reply{liar, last, 1});
    caf::anon_send(actors.replication, append);
    caf::anon_send(actors.replication, append_reply{liar, last, false, {}, {}, false});
    caf::anon_send(actors.replication, install_snapshot{liar, last, {at.in_term, at.index.next()}});
    nodes.run_for(milliseconds{20});
  }
  BOOST_REQUIRE(nodes.run_until([&] { return nodes.leader().has_value(); }));
  auto written = nodes.put(nodes.elect(), "after", "x", durability::majority);
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  for (std::size_t i = 0; i < nodes.size(); ++i)
    BOOST_TEST(nodes.disk(i).state().current.value < 2 * messages * limits::term_leap);
}

BOOST_AUTO_TEST_CASE(only_the_leader_hands_over) {
  suspicious_cluster nodes;
  const auto liar = nodes.node(nodes.others(nodes.first)[1]).id;
  caf::anon_send(nodes.node(nodes.follower).actors.election, timeout_now{liar, nodes.led.in_term});
  nodes.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE(an_error_that_comes_back_ends_no_actor) {
  suspicious_cluster nodes;
  for (auto i : {nodes.first, nodes.follower}) {
    const auto& actors = nodes.node(i).actors;
    const auto spoil = [](const auto& handle) {
      caf::anon_send(caf::actor_cast<caf::actor>(handle), caf::make_error(caf::sec::unexpected_message));
    };
    spoil(actors.storage), spoil(actors.election), spoil(actors.heartbeat), spoil(actors.replication);
    spoil(actors.content), spoil(actors.fetch);
  }
  nodes.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE(answers_that_claim_too_much_commit_nothing) {
  suspicious_cluster nodes;
  nodes.cut_off(nodes.first);
  auto written = nodes.put(nodes.first, "lonely", "x", durability::majority);
  nodes.settle();
  const auto end = nodes.disk(nodes.first).state().last.index;
  auto claim = [&](const node_id& from, term in_term, log_index match) {
    caf::anon_send(nodes.node(nodes.first).actors.replication, append_reply{from, in_term, true, match, {}, false});
    nodes.settle();
    BOOST_TEST(!written->reply);
  };
  const auto& peer = nodes.node(nodes.follower).id;
  claim({"stranger"}, nodes.led.in_term, end);
  claim(nodes.node(nodes.first).id, nodes.led.in_term, end);
  claim(peer, nodes.led.in_term, {end.value + 1});
  claim(peer, {nodes.led.in_term.value - 1}, end);
  nodes.heal();
  BOOST_REQUIRE(nodes.run_until([&] { return recorded(written); }));
  nodes.log = whole_log(nodes.disk(nodes.first));
  nodes.check_nothing_changed();
}

BOOST_AUTO_TEST_CASE(write_requests_that_no_front_can_have_sent_are_refused_and_log_nothing) {
  suspicious_cluster nodes;
  auto send = [&](const write_request& x) {
    auto written = nodes.write(nodes.first, x);
    nodes.settle();
    BOOST_REQUIRE(written->reply);
    BOOST_TEST(written->reply->failure.code != errc::none);
    nodes.from_peer(nodes.first, x);
  };
  const auto good = put_request("a", "hello");
  auto spoiled = [&](const std::function<void(write_request&)>& spoil) {
    auto x = good;
    spoil(x);
    send(x);
  };
  spoiled([](auto& x) { x.encoded_command.clear(); });
  spoiled([](auto& x) { x.encoded_command = "\xff nonsense"; });
  spoiled([](auto& x) { x.encoded_command += "more"; });
  spoiled([](auto& x) { x.encoded_command.pop_back(); });
  spoiled([](auto& x) { x.encoded_command = std::string(limits::entry_bytes + 1, 'x'); });
  spoiled([](auto& x) { x.encoded_command = encode(no_operation{}); });
  spoiled([](auto& x) { x.encoded_command = encode(set_members{{}, {{{"z"}, {}, "z:1"}}}); });
  spoiled([](auto& x) { x.small_content = chunk{"other bytes"}; });
  spoiled([](auto& x) { x.small_content = chunk{"HELLO"}; });
  spoiled([](auto& x) { x.small_content = {}; });
  spoiled([](auto& x) {
    x.encoded_command = encode(make_directory{*file_path::parse("d"), {}, true});  // names no content
  });
  nodes.check_nothing_changed();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
