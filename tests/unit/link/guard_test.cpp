// A member with the secret that does not speak CAF's protocol as CAF does.

#include <functional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "kaiku/core/limits.hpp"
#include "kaiku/messages/messages.hpp"
#include "raw_member.hpp"

namespace kaiku::test {
namespace {

namespace basp = caf::io::basp;
using basp::message_type;

struct breach {
  const char* what;  ///< as the log says it
  std::function<void(raw_member&)> commit;
};

caf::node_id another_node() {
  caf::node_id x;
  BOOST_REQUIRE(!caf::parse(std::string(40, 'B') + "#2", x));
  return x;
}

std::vector<breach> breaches() {
  const auto greeted = [](auto act) {
    return [act](raw_member& m) {
      m.greet();
      act(m);
    };
  };
  const std::string heartbeat_type = "@<>+kaiku::heartbeat";
  return {
      {"a frame before its greeting", [](raw_member& m) { m.tell(m.message_of("@<>+kaiku::heartbeat")); }},
      {"a frame before its greeting",
       [](raw_member& m) { m.send(m.framed(message_type::server_handshake, m.payload(m.self()))); }},
      {"a frame in the name of",
       [](raw_member& m) { m.send(m.framed(message_type::client_handshake, m.payload(another_node()))); }},
      {"a frame without its payload", [](raw_member& m) { m.send(m.framed(message_type::client_handshake, "")); }},
      {"a frame without its payload", greeted([](raw_member& m) { m.tell(""); })},
      {"a frame that ends too early", [](raw_member& m) { m.send(m.framed(message_type::client_handshake, "x")); }},
      {"a frame of 4194305 bytes", greeted([](raw_member& m) {
         m.send(m.framed(message_type::direct_message, "", 7, m.directory(), 0, 0, limits::link_payload_bytes + 1));
       })},
      {"a frame of 4294967295 bytes", greeted([](raw_member& m) {
         m.send(m.framed(message_type::direct_message, "", 7, m.directory(), 0, 0, UINT32_MAX));
       })},
      {"another greeting", greeted([](raw_member& m) {
         m.greet();
         m.greet();
       })},
      {"a message on behalf of another node", greeted([](raw_member& m) {
         m.send(m.framed(message_type::routed_message,
                         m.payload(another_node(), m.peer()) + m.message_of("@<>+kaiku::heartbeat"), 7, m.directory()));
       })},
      {"a message with unknown flags", greeted([](raw_member& m) { m.tell(m.message_of("@<>"), 7, 0x80); })},
      {"a message of nobody", greeted([=](raw_member& m) { m.tell(m.message_of(heartbeat_type), 0); })},
      {"a message that goes by way of others",
       greeted([=](raw_member& m) { m.tell(m.message_of(heartbeat_type, "", 1)); })},
      {"a message that does not say what it is",
       greeted([](raw_member& m) { m.tell(std::string(1, '\0') + "\xff\xff\xff"); })},
      // With a default value in the place of every handle.
      {"a message of a type that does not cross nodes",
       greeted([](raw_member& m) { m.tell(m.message_of("@<>+kaiku::local_handles")); })},
      {"a message of a type that does not cross nodes",
       greeted([](raw_member& m) { m.tell(m.message_of("@<>+kaiku::timer_due")); })},
      {"a message of a type that does not cross nodes",
       greeted([=](raw_member& m) { m.tell(m.message_of(heartbeat_type + "+kaiku::heartbeat")); })},
      // A link of actors: CAF takes whatever actor it names for one of another node.
      {"a message of a type that does not cross nodes",
       greeted([](raw_member& m) { m.tell(m.message_of("@<>+@atom+@strong_actor_ptr")); })},
      {"a message of a type that does not cross nodes", greeted([](raw_member& m) { m.tell(m.message_of("@<>")); })},
      {"a frame in the name of", greeted([](raw_member& m) {
         m.send(m.framed(message_type::down_message, m.payload(another_node(), m.peer(), caf::error{}), 7, 0, 0, 0));
       })},
      {"an error that holds more than text", greeted([](raw_member& m) {
         const auto inner = m.error_with("@<>");
         m.send(m.framed(message_type::down_message, m.payload(m.self(), m.peer()) + m.error_with("@<>+@error", inner),
                         7, 0, 0, 0));
       })},
      // CAF would make room for 4 GiB before it looks for the bytes.
      {"an error that holds more than text", greeted([](raw_member& m) {
         const auto length = std::string{"\xff\xff\xff\xff\x0f"};
         m.tell(m.exit_of(7, m.self(), m.error_with("@<>+@charbuf", length)));
       })},
      {"an error that holds more than text", greeted([](raw_member& m) {
         m.tell(m.exit_of(7, m.self(), m.error_with("@<>+@str+@message", std::string(2, '\0'))));
       })},
      {"an error that ends too early", greeted([](raw_member& m) { m.tell(m.exit_of(7, m.self(), "")); })},
      {"an end in another's name",
       greeted([](raw_member& m) { m.tell(m.exit_of(m.directory(), m.peer(), m.error_with("@<>"))); })},
      {"an end in another's name", greeted([](raw_member& m) { m.tell(m.exit_of(0, m.self(), m.error_with("@<>"))); })},
      {"a frame for another node", greeted([](raw_member& m) {
         m.send(m.framed(message_type::monitor_message, m.payload(m.self(), another_node()), 0, m.directory(), 0, 0));
       })},
      {"a header that makes no sense",
       greeted([](raw_member& m) { m.send(m.framed(message_type::heartbeat, "", 7)); })},
      {"a frame of no known kind", greeted([](raw_member& m) { m.send(m.framed(static_cast<message_type>(9), "x")); })},
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guard)

BOOST_AUTO_TEST_CASE(cuts_off_a_member_that_does_not_keep_to_cafs_protocol) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  for (const auto& one : breaches()) {
    cluster c{3};
    auto honest = c.start(3), victim = c.start(2);
    BOOST_REQUIRE(victim.says("up n3"));
    raw_member liar{system, c.address(2)};
    one.commit(liar);
    BOOST_TEST(victim.says(std::string{"n1 breaks the protocol, its link is closed: it sent "} + one.what),
               one.what << "\n"
                        << victim.log());
    BOOST_TEST(liar.is_cut_off(), one.what);
    BOOST_TEST(victim.process().is_running(), one.what);
    BOOST_TEST(victim.count("down n3") == 0u, one.what);
  }
}

BOOST_AUTO_TEST_CASE(passes_over_greetings_by_name_and_answers_that_nobody_waits_for) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  cluster c{2};
  auto victim = c.start(2);
  BOOST_REQUIRE(victim.says("started"));
  raw_member peer{system, c.address(2)};
  peer.greet();
  peer.tell(peer.message_of("@<>+@atom+@atom+@str"), 7, basp::header::named_receiver_flag);
  for (std::uint64_t number : {1u, 2u, 3u, 100u})
    peer.tell(peer.message_of("@<>+@error"), 7, 0, caf::make_message_id(number).response_id().integer_value());
  peer.send(peer.heartbeat());
  BOOST_TEST(peer.is_linked());
  BOOST_TEST(victim.count("breaks the protocol") == 0u, victim.log());
  BOOST_TEST(victim.process().is_running());
}

BOOST_AUTO_TEST_CASE(takes_an_answer_only_from_the_node_that_was_asked) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  cluster c{3};
  auto victim = c.start(3, {{"rtt", "1"}});
  BOOST_REQUIRE(victim.says("started"));
  raw_member asked{system, c.address(3)}, other{system, c.address(3), "n2"};
  asked.greet();
  other.greet();
  asked.introduce_itself();
  const auto question = asked.receive_question();
  other.answer(question, other.message_of("@<>+@error", other.error_with("@<>")));
  // Its next word is its last: whatever it said before has arrived by then.
  other.tell(other.message_of("@<>"));
  BOOST_REQUIRE(victim.says("n2 breaks the protocol"));
  asked.answer(question, asked.message_of("@<>+kaiku::content_range", asked.payload(content_range{})));
  BOOST_TEST(victim.says("rtt p50"), victim.log());
  BOOST_TEST(victim.count("no answer") == 0u, victim.log());
}

BOOST_AUTO_TEST_CASE(lets_who_waits_for_an_answer_that_is_a_lie_know_that_there_is_none) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  cluster c{2};
  auto victim = c.start(2, {{"rtt", "1"}});
  BOOST_REQUIRE(victim.says("started"));
  raw_member peer{system, c.address(2)};
  peer.greet();
  peer.introduce_itself();
  const auto question = peer.receive_question();
  content_range lie;
  lie.failure.code = static_cast<errc>(200);
  peer.answer(question, peer.message_of("@<>+kaiku::content_range", peer.payload(lie)));
  BOOST_TEST(victim.says("n1 breaks the protocol"), victim.log());
  // It is told at once: the time that it would have waited for an answer has not passed.
  BOOST_TEST(victim.says("no answer", 1, milliseconds{1500}), victim.log());
}

BOOST_AUTO_TEST_CASE(gives_a_member_that_broke_the_protocol_no_link_for_a_while) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  cluster c{3};
  auto victim = c.start(3);
  BOOST_REQUIRE(victim.says("started"));
  {
    raw_member liar{system, c.address(3)};
    liar.tell("");
    BOOST_REQUIRE(victim.says("n1 breaks the protocol"));
  }
  raw_member again{system, c.address(3), tls_context{}, "swordfish"};
  again.send(again.proof());
  again.hear_proof();
  BOOST_TEST(again.is_cut_off());
  raw_member other{system, c.address(3), "n2"};
  BOOST_TEST(other.is_linked());
}

BOOST_AUTO_TEST_CASE(takes_an_error_for_an_answer_with_text_in_it_and_no_more) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  for (const bool honest : {true, false}) {
    cluster c{2};
    auto victim = c.start(2, {{"rtt", "1"}});
    BOOST_REQUIRE(victim.says("started"));
    raw_member peer{system, c.address(2)};
    peer.greet();
    peer.introduce_itself();
    const auto question = peer.receive_question();
    const auto error = honest ? peer.error_with("@<>+@str", peer.payload(std::string{"why"}))
                              : peer.error_with("@<>+@error", peer.error_with("@<>"));
    peer.answer(question, peer.message_of("@<>+@error", error));
    BOOST_TEST(victim.says(honest ? "no answer" : "it sent an error that holds more than text"), victim.log());
    BOOST_TEST(peer.is_linked() == honest);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace kaiku::test
