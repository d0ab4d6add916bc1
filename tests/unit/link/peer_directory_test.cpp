#include <boost/test/unit_test.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include "foreign_actor.hpp"
#include "kaiku/actors/peer_directory.hpp"

namespace kaiku {
namespace {

constexpr std::chrono::seconds patience{10};

struct test_config : caf::actor_system_config {
  test_config() {
    add_message_types<caf::id_block::kaiku>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{2});
  }
};

/// A directory on this node; `self` is its election, heartbeat, replication and content, and hears of ended links.
struct fixture {
  test_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  directory_handle directory;

  peer_handles handles_of(const caf::strong_actor_ptr& x) {
    return {caf::actor_cast<election_handle>(x), caf::actor_cast<heartbeat_handle>(x),
            caf::actor_cast<replication_handle>(x), caf::actor_cast<content_handle>(x)};
  }
  caf::strong_actor_ptr me() { return caf::actor_cast<caf::strong_actor_ptr>(self); }

  explicit fixture(milliseconds introduction_timeout = patience, bool inspects = false) {
    directory_settings settings;
    settings.self = {{"n2"}, {}, "n2:8080", handles_of(me())};
    settings.on_link_down = [to = caf::actor_cast<caf::actor>(self)](const node_id& id, link_serial link) {
      caf::anon_send(to, "link ended: " + id.name + " " + to_string(link));
    };
    settings.set_members = [to = caf::actor_cast<caf::actor>(self)](const membership& now) {
      caf::anon_send(
          to, std::to_string(now.voters.size()) + " voters " + std::to_string(now.learners.size()) + " learners");
    };
    if (inspects) settings.inspector = caf::actor_cast<inspector_handle>(me());
    settings.introduction_timeout = introduction_timeout;
    directory = system.spawn<peer_directory>(std::move(settings));
  }
  ~fixture() { self->send_exit(directory, caf::exit_reason::user_shutdown); }

  link_up accepted_link(std::uint64_t serial) { return {{"n1"}, {}, {}, {serial}, system.node(), nullptr}; }
  introduction introduction_of_n1() { return {{"n1"}, {}, "n1:8080", handles_of(me())}; }

  /// The next message that says something, as text: the same one to all subscribers counts once.
  std::string next() {
    std::string got;
    auto copies = [&](const char* what, const node_id& id, int others) {
      got = what + id.name;
      for (int i = 0; i < others; ++i)
        self->receive([](const peer_up&) {}, [](const peer_down&) {}, caf::after(patience) >> [&] { got = "too few"; });
    };
    self->receive([&](const peer_up& x) { copies("up ", x.id, 3); },
                  [&](const peer_down& x) { copies("down ", x.id, 3); },
                  [&](const member_seen& x) { got = "seen " + x.id.name; }, [&](const std::string& x) { got = x; },
                  caf::after(patience) >> [&] { got = "nothing"; });
    return got;
  }

  /// What the directory answers to an introduction: the name it gives, or "refused".
  std::string introduce(const introduction& x) {
    std::string got;
    self->request(directory, patience, x)
        .receive([&](const introduction& theirs) { got = theirs.id.name; },
                 [&](const caf::error&) { got = "refused"; });
    return got;
  }
};

BOOST_AUTO_TEST_SUITE(directory)

BOOST_AUTO_TEST_CASE(a_peer_that_introduces_itself_on_a_new_link_is_up) {
  fixture f;
  f.self->send(f.directory, f.accepted_link(1));
  BOOST_TEST(f.introduce(f.introduction_of_n1()) == "n2");
  BOOST_TEST(f.next() == "up n1");
  BOOST_TEST(f.next() == "seen n1");
}

BOOST_AUTO_TEST_CASE(an_introduction_without_a_link_is_refused) {
  fixture f;
  BOOST_TEST(f.introduce(f.introduction_of_n1()) == "refused");
}

BOOST_AUTO_TEST_CASE(an_introduction_from_another_node_than_the_link_authenticated_is_refused) {
  fixture f;
  auto link = f.accepted_link(1);
  BOOST_REQUIRE(!caf::parse(std::string(40, 'a') + "#4711", link.caf_node));
  f.self->send(f.directory, link);
  auto x = f.introduction_of_n1();
  x.actors = f.handles_of(test::foreign_actor::make(f.system));  // those of the node that has the link
  BOOST_TEST(f.introduce(x) == "refused");
  BOOST_TEST(f.introduce(f.introduction_of_n1()) == "refused");
}

BOOST_AUTO_TEST_CASE(an_introduction_that_does_not_fit_its_link_ends_the_link) {
  for (int wrong = 0; wrong < 3; ++wrong) {
    fixture f;
    f.self->send(f.directory, f.accepted_link(7));
    auto x = f.introduction_of_n1();
    if (wrong == 0) x.boot.bytes[0] = 1;
    if (wrong == 1) x.actors.content = content_handle{};
    if (wrong == 2) x.http_address = std::string(1000, 'x');
    BOOST_TEST(f.introduce(x) == "refused");
    BOOST_TEST(f.next() == "link ended: n1 7");
  }
}

BOOST_AUTO_TEST_CASE(an_introduction_with_an_actor_of_another_node_ends_the_link) {
  for (int which = 0; which < 4; ++which) {
    fixture f;
    const auto foreign = f.handles_of(test::foreign_actor::make(f.system));
    f.self->send(f.directory, f.accepted_link(7));
    auto x = f.introduction_of_n1();
    if (which == 0) x.actors.election = foreign.election;
    if (which == 1) x.actors.heartbeat = foreign.heartbeat;
    if (which == 2) x.actors.replication = foreign.replication;
    if (which == 3) x.actors.content = foreign.content;
    BOOST_TEST(f.introduce(x) == "refused", which);
    BOOST_TEST(f.next() == "link ended: n1 7", which);
  }
}

BOOST_AUTO_TEST_CASE(a_second_introduction_on_one_link_is_refused) {
  fixture f;
  f.self->send(f.directory, f.accepted_link(1));
  BOOST_TEST(f.introduce(f.introduction_of_n1()) == "n2");
  BOOST_TEST(f.introduce(f.introduction_of_n1()) == "refused");
}

BOOST_AUTO_TEST_CASE(a_link_without_an_introduction_is_ended) {
  fixture f{milliseconds{20}};
  f.self->send(f.directory, f.accepted_link(3));
  BOOST_TEST(f.next() == "link ended: n1 3");
}

/// Keeps what it gets.
class mute_peer : public caf::event_based_actor {
 public:
  explicit mute_peer(caf::actor_config& cfg) : event_based_actor(cfg) { set_default_handler(caf::skip); }
  caf::behavior make_behavior() override {
    return {[](int) {}};
  }
};

BOOST_AUTO_TEST_CASE(a_link_to_a_peer_that_does_not_answer_is_ended) {
  fixture f{milliseconds{20}};
  auto mute = f.system.spawn<mute_peer>();
  auto link = f.accepted_link(4);
  link.remote = caf::actor_cast<caf::strong_actor_ptr>(mute);
  f.self->send(f.directory, link);
  BOOST_TEST(f.next() == "link ended: n1 4");
  f.self->send_exit(mute, caf::exit_reason::user_shutdown);
}

/// A peer's directory; ends when told.
class answering_peer : public caf::event_based_actor {
 public:
  answering_peer(caf::actor_config& cfg, introduction answer) : event_based_actor(cfg), answer_(std::move(answer)) {}
  caf::behavior make_behavior() override {
    return {[this](const introduction&) { return answer_; }};
  }

 private:
  introduction answer_;
};

/// n1 was dialled, and proved that it is n1.
BOOST_AUTO_TEST_CASE(a_peer_that_answers_with_the_introduction_of_another_is_not_up_and_its_link_ended) {
  for (int wrong = 0; wrong < 3; ++wrong) {
    fixture f;
    auto x = f.introduction_of_n1();
    if (wrong == 0) x.id = {"n9"};
    if (wrong == 1) x.boot.bytes[0] = 1;
    if (wrong == 2) x.actors.replication = f.handles_of(test::foreign_actor::make(f.system)).replication;
    auto peer = f.system.spawn<answering_peer>(x);
    auto link = f.accepted_link(6);
    link.remote = caf::actor_cast<caf::strong_actor_ptr>(peer);
    f.self->send(f.directory, link);
    BOOST_TEST(f.next() == "link ended: n1 6", wrong);
    f.self->send_exit(peer, caf::exit_reason::user_shutdown);
  }
}

BOOST_AUTO_TEST_CASE(only_the_peer_itself_tells_of_its_inspector) {
  fixture f{patience, true};
  caf::scoped_actor other{f.system};
  f.self->send(f.directory, f.accepted_link(1));
  BOOST_TEST(f.introduce(f.introduction_of_n1()) == "n2");
  BOOST_TEST(f.next() == "up n1");
  BOOST_TEST(f.next() == "seen n1");
  const auto inspector_of = [](const caf::scoped_actor& x) {
    return caf::actor_cast<inspector_handle>(caf::actor_cast<caf::strong_actor_ptr>(x));
  };
  other->send(f.directory, inspector_here{inspector_of(other)});
  f.self->send(f.directory, inspector_here{inspector_of(f.self)});
  inspector_handle told;
  f.self->receive([&](const peer_inspector& x) { told = x.inspector; }, caf::after(patience) >> [] {});
  BOOST_TEST((told == inspector_of(f.self)));
}

BOOST_AUTO_TEST_CASE(a_peer_whose_link_dies_is_down_and_its_link_ended) {
  fixture f;
  auto peer = f.system.spawn<answering_peer>(f.introduction_of_n1());
  auto link = f.accepted_link(5);
  link.remote = caf::actor_cast<caf::strong_actor_ptr>(peer);
  f.self->send(f.directory, link);
  BOOST_TEST(f.next() == "up n1");
  BOOST_TEST(f.next() == "seen n1");
  f.self->send_exit(peer, caf::exit_reason::kill);
  BOOST_TEST(f.next() == "down n1");
  BOOST_TEST(f.next() == "link ended: n1 5");
}

BOOST_AUTO_TEST_CASE(a_new_link_takes_the_old_one_down_first) {
  fixture f;
  f.self->send(f.directory, f.accepted_link(1));
  BOOST_TEST(f.introduce(f.introduction_of_n1()) == "n2");
  BOOST_TEST(f.next() == "up n1");
  BOOST_TEST(f.next() == "seen n1");
  f.self->send(f.directory, f.accepted_link(2));
  BOOST_TEST(f.introduce(f.introduction_of_n1()) == "n2");
  BOOST_TEST(f.next() == "down n1");
  BOOST_TEST(f.next() == "link ended: n1 1");
  BOOST_TEST(f.next() == "up n1");
}

BOOST_AUTO_TEST_CASE(an_error_that_somebody_sends_does_not_end_the_directory) {
  fixture f;
  caf::anon_send(caf::actor_cast<caf::actor>(caf::actor_cast<caf::strong_actor_ptr>(f.directory)),
                 caf::make_error(caf::sec::unexpected_message));
  f.self->send(f.directory, f.accepted_link(1));
  BOOST_TEST(f.introduce(f.introduction_of_n1()) == "n2");
}

BOOST_AUTO_TEST_CASE(a_new_membership_reaches_the_link_layer) {
  fixture f;
  f.self->send(f.directory, members_changed{{{}, {{{"n1"}, {}, ""}, {{"n2"}, {}, ""}}, {{{"n3"}, {}, ""}}, {}}});
  BOOST_TEST(f.next() == "2 voters 1 learners");
}

BOOST_AUTO_TEST_CASE(replication_is_asked_to_take_in_who_wants_to_be_a_member) {
  fixture f;
  f.self->send(f.directory, join_wanted{{{"n9"}, {}, "n9:9000"}});
  std::string got;
  f.self->receive(
      [&](const change_members& x) {
        got = x.what.id.name + " at " + x.what.peer_address;
        return change_members_reply{};
      },
      caf::after(patience) >> [&] { got = "nothing"; });
  BOOST_TEST(got == "n9 at n9:9000");
}

BOOST_AUTO_TEST_CASE(replication_is_told_that_this_node_must_not_found_a_cluster) {
  fixture f;
  f.self->send(f.directory, forget_bootstrap{false});
  bool told = false;
  f.self->receive([&](const forget_bootstrap& x) { told = !x.latecomer; }, caf::after(patience) >> [] {});
  BOOST_TEST(told);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace kaiku
