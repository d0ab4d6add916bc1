// Peers that lie, message by message: told to the check alone, and over real links.

#include <boost/test/unit_test.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include "foreign_actor.hpp"
#include "kaiku/actors/peer_check.hpp"
#include "kaiku/messages/linked_peers.hpp"
#include "lies.hpp"
#include "link_cluster.hpp"

namespace kaiku::test {
namespace {

struct some_system {
  struct config : caf::actor_system_config {
    config() { add_message_types<caf::id_block::kaiku>(); }
  } settings;
  caf::actor_system system{settings};
  caf::scoped_actor self{system};

  introduction myself() {
    const auto me = caf::actor_cast<caf::strong_actor_ptr>(self);
    return {{"n1"},
            {},
            "n1:8080",
            {caf::actor_cast<election_handle>(me), caf::actor_cast<heartbeat_handle>(me),
             caf::actor_cast<replication_handle>(me), caf::actor_cast<content_handle>(me)}};
  }
  /// As an actor would find: the message's own flaw, or that it speaks for somebody else.
  std::string flaw(const caf::message& x) {
    auto wrong = flaw_in(*x.cvals(), caf::make_message_id(), system.node());
    const auto* says = speaker_of(*x.cvals());
    if (wrong.empty() && says != nullptr && says->name != "n1") wrong = "it speaks for " + says->name;
    return wrong;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(peer_checks, some_system)

BOOST_AUTO_TEST_CASE(let_every_honest_message_in) {
  for (const auto& one : honest_messages(myself())) BOOST_TEST(flaw(one.what) == "", to_string(one.what));
}

BOOST_AUTO_TEST_CASE(find_every_lie) {
  for (const auto& one : lies(myself())) BOOST_TEST(flaw(one.what) != "", one.name);
}

BOOST_AUTO_TEST_CASE(let_nothing_in_that_stays_on_its_node) {
  for (const auto& one :
       {caf::make_message(timer_due{}), caf::make_message(peer_down{}), caf::make_message(local_handles{}),
        caf::make_message(members_changed{}), caf::make_message(link_up{}), caf::make_message(std::string{"text"}),
        caf::make_message(1), caf::make_message(heartbeat{}, heartbeat{})})
    BOOST_TEST(flaw(one) != "");
  // An error is an answer, and nothing else.
  const auto failed = caf::make_message(caf::make_error(caf::sec::runtime_error));
  BOOST_TEST(flaw(failed) != "");
  BOOST_TEST(flaw_in(*failed.cvals(), caf::make_message_id(1).response_id(), system.node()) == "");
}

BOOST_AUTO_TEST_CASE(let_nobody_tell_of_the_end_of_another_nodes_actor) {
  caf::node_id other;
  BOOST_REQUIRE(!caf::parse(std::string(40, 'a') + "#4711", other));
  const auto down = caf::make_message(caf::down_msg{self->address(), {}});
  BOOST_TEST(flaw_in(*down.cvals(), caf::make_message_id(), system.node()) == "");
  BOOST_TEST(flaw_in(*down.cvals(), caf::make_message_id(), other) != "");
}

BOOST_AUTO_TEST_CASE(let_nobody_end_an_actor_in_the_name_of_another_node) {
  caf::node_id other;
  BOOST_REQUIRE(!caf::parse(std::string(40, 'a') + "#4711", other));
  const auto end = caf::make_message(caf::exit_msg{self->address(), caf::exit_reason::user_shutdown});
  BOOST_TEST(flaw_in(*end.cvals(), caf::make_message_id(), system.node()) == "");
  BOOST_TEST(flaw_in(*end.cvals(), caf::make_message_id(), other) != "");
}

BOOST_AUTO_TEST_CASE(let_nobody_announce_an_actor_of_another_node) {
  const auto foreign = foreign_actor::make(system);
  const auto refused = [&](const auto& what) {
    const auto x = caf::make_message(what);
    return flaw_in(*x.cvals(), caf::make_message_id(), system.node()).ends_with("not its own");
  };
  const auto own = myself();
  BOOST_TEST(!refused(own));
  auto x = own;
  x.actors.election = caf::actor_cast<election_handle>(foreign);
  BOOST_TEST(refused(x));
  x = own, x.actors.heartbeat = caf::actor_cast<heartbeat_handle>(foreign);
  BOOST_TEST(refused(x));
  x = own, x.actors.replication = caf::actor_cast<replication_handle>(foreign);
  BOOST_TEST(refused(x));
  x = own, x.actors.content = caf::actor_cast<content_handle>(foreign);
  BOOST_TEST(refused(x));

  BOOST_TEST(refused(inspector_here{caf::actor_cast<inspector_handle>(foreign)}));
  BOOST_TEST(refused(upload_opened{{}, caf::actor_cast<upload_handle>(foreign)}));
  upload_begun begun;
  begun.id.bytes.fill(1);
  begun.source = own.actors.content;
  begun.upload = caf::actor_cast<upload_handle>(caf::actor_cast<caf::strong_actor_ptr>(self));
  BOOST_TEST(!refused(begun));
  auto y = begun;
  y.upload = caf::actor_cast<upload_handle>(foreign);
  BOOST_TEST(refused(y));
  y = begun, y.source = caf::actor_cast<content_handle>(foreign);
  BOOST_TEST(refused(y));
}

/// Two nodes, one of which has a link to the other: not over a network, for what is still in a mailbox when it ends.
struct linked_systems {
  some_system here, there;
  std::vector<std::string> accused;

  linked_systems() {
    linked_peers::instance().enter(here.system.node(), there.system.node(), {"n1"},
                                   [this](const std::string& why) { accused.push_back(why); });
  }
  ~linked_systems() { unlink(); }
  void unlink() { linked_peers::instance().remove(here.system.node(), there.system.node()); }
  bool refuses(const caf::message& x) {
    const auto element =
        caf::make_mailbox_element(caf::actor_cast<caf::strong_actor_ptr>(there.self), caf::make_message_id(), {}, x);
    return is_refused(here.system.node(), "somebody", *element);
  }
  static caf::message acknowledgement_of(const std::string& name) {
    append_reply x;
    x.from = {name};
    x.in_term = {1};
    return caf::make_message(x);
  }
};

BOOST_AUTO_TEST_CASE(let_nobody_speak_for_another_behind_a_lie) {
  linked_systems two;
  BOOST_TEST(!two.refuses(linked_systems::acknowledgement_of("n1")));
  BOOST_TEST(two.refuses(linked_systems::acknowledgement_of("n3")));
  BOOST_TEST(two.accused.size() == 1u);
  BOOST_TEST(two.refuses(linked_systems::acknowledgement_of("n3")));
  BOOST_TEST(two.refuses(linked_systems::acknowledgement_of("n1")));
  BOOST_TEST(two.accused.size() == 1u, "a link is ended once");
}

BOOST_AUTO_TEST_CASE(let_nobody_speak_for_another_behind_the_end_of_its_link) {
  linked_systems two;
  two.unlink();
  BOOST_TEST(two.refuses(linked_systems::acknowledgement_of("n3")));
  // That the link has ended is heard only then.
  BOOST_TEST(!two.refuses(caf::make_message(caf::down_msg{two.there.self->address(), {}})));
}

/// Seven liars at a time, each with a lie of its own.
BOOST_AUTO_TEST_CASE(cut_off_a_member_that_lies_and_nobody_else) {
  const auto all = lies(myself());
  constexpr std::size_t at_once = 7;
  for (std::size_t begin = 0; begin < all.size(); begin += at_once) {
    cluster c{9};
    auto honest = c.start(8), victim = c.start(9);
    BOOST_REQUIRE(victim.says("up n8"));
    std::vector<peer_process> liars;
    const auto count = std::min(at_once, all.size() - begin);
    for (std::size_t i = 0; i < count; ++i)
      liars.push_back(c.start(static_cast<int>(i + 1), {{"lie", std::to_string(begin + i)}}));
    for (std::size_t i = 0; i < count; ++i) {
      const auto name = "n" + std::to_string(i + 1);
      BOOST_TEST(victim.says(name + " breaks the protocol, its link is closed: it sent"), all[begin + i].name
                                                                                              << "\n"
                                                                                              << victim.log());
      BOOST_TEST(victim.says("down " + name), all[begin + i].name);
    }
    BOOST_TEST(victim.process().is_running());
    BOOST_TEST(victim.count("breaks the protocol") == count, victim.log());
    BOOST_TEST(victim.count("down n8") == 0u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
