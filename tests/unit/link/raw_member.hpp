#pragma once

/// Purpose: a member in plain bytes, with a smaller name than the one that it dials: proves who it is, and then need
/// not speak CAF's protocol as CAF does. Thread: the test's.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <caf/actor_system.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/io/basp/header.hpp>

#include "kaiku/messages/messages.hpp"
#include "link_cluster.hpp"

namespace kaiku::test {

class raw_member {
 public:
  using message_type = caf::io::basp::message_type;

  /// With the secret that members usually have, and greeted by CAF.
  /// `shut_out`: it proves itself, and gets no link.
  raw_member(caf::actor_system& system, const endpoint& at, const std::string& name = "n1", bool shut_out = false)
      : raw_member(system, at, {}, "swordfish", name) {
    send(proof());
    hear_proof();
    if (!shut_out) hear_greeting();
  }
  /// Over TLS when there is a context. Both have said hello; nothing is proved.
  raw_member(caf::actor_system& system, const endpoint& at, const tls_context& tls, std::string secret,
             const std::string& name = "n1")
      : system_(system), secret_(std::move(secret)), to_(at, patience) {
    if (tls) to_.start_tls(tls, clock::now() + patience);
    said_ = hello_as(name);
    said_.has_secret = !secret_.empty();
    said_.caf_node = std::string(40, 'A') + "#" + name.back();
    BOOST_REQUIRE(!caf::parse(said_.caf_node, self_));
    own_hello_ = encode(said_);
    send(own_hello_);
    their_hello_ = receive_payload();
  }

  /// What it says to prove itself; nothing is sent.
  std::string proof() const {
    return encode(
        make_proof(secret_, link_role::dialler, std::string_view(own_hello_).substr(frame_prefix_bytes), their_hello_));
  }
  void hear_proof() { BOOST_REQUIRE(decode_frame(receive_payload()).ok()); }
  /// CAF greets first: its node, and the actor it offers.
  void hear_greeting() {
    const auto greeting = receive_frame();
    caf::binary_deserializer in{system_, greeting};
    std::vector<std::string> application;
    BOOST_REQUIRE(!in(peer_, application, directory_));
  }

  const caf::node_id& self() const { return self_; }
  const caf::node_id& peer() const { return peer_; }
  std::uint64_t directory() const { return directory_; }

  template <class... Ts>
  std::string payload(const Ts&... xs) const {
    std::vector<char> bytes;
    caf::binary_serializer out{system_, bytes};
    BOOST_REQUIRE(!out(const_cast<Ts&>(xs)...));
    return {bytes.begin(), bytes.end()};
  }
  /// A message as CAF writes one: no stages, the names of the values' types, the values.
  std::string message_of(const std::string& type, const std::string& values = {}, std::size_t stages = 0) const {
    std::vector<char> bytes;
    caf::binary_serializer out{system_, bytes};
    BOOST_REQUIRE(!out.begin_sequence(stages));
    return std::string{bytes.begin(), bytes.end()} + object_of(type, values);
  }
  std::string object_of(const std::string& type, const std::string& values) const {
    std::vector<char> bytes;
    caf::binary_serializer out{system_, bytes};
    std::uint16_t number = 0;
    std::string name = type;
    BOOST_REQUIRE(!out.begin_object(number, name));
    return std::string{bytes.begin(), bytes.end()} + values;
  }
  /// What CAF would read to its end, whatever it holds.
  std::string error_with(const std::string& type, const std::string& values = {}) const {
    return payload(std::uint8_t{1}, caf::atom("system")) + object_of(type, values);
  }
  std::string exit_of(std::uint64_t who, const caf::node_id& node, const std::string& reason) const {
    return message_of("@<>+@exit", payload(who, node) + reason);
  }
  /// The length is the payload's unless told otherwise.
  std::string framed(message_type what, const std::string& payload, std::uint64_t source = 0, std::uint64_t to = 0,
                     std::uint8_t flags = 0, std::uint64_t id = caf::message_id{}.integer_value(),
                     std::optional<std::uint32_t> length = std::nullopt) const {
    caf::io::basp::header header{what, flags,  length.value_or(static_cast<std::uint32_t>(payload.size())),
                                 id,   source, to};
    return this->payload(header) + payload;
  }
  std::string greeting() const { return framed(message_type::client_handshake, payload(self_)); }
  std::string heartbeat() const { return framed(message_type::heartbeat, "", 0, 0, 0, 0); }

  /// All at once: over TLS in one record, if it is not larger than one.
  void send(std::string_view bytes) { to_.send_all(bytes, clock::now() + patience); }
  void greet() { send(greeting()); }
  void tell(const std::string& message, std::uint64_t source = 7, std::uint8_t flags = 0,
            std::uint64_t id = caf::message_id{}.integer_value()) {
    send(framed(message_type::direct_message, message, source, directory_, flags, id));
  }
  /// As its directory: all its actors are one.
  void introduce_itself() {
    auto values = payload(said_.name, said_.boot, std::string{"somewhere:8080"});
    for (int actor = 0; actor < 4; ++actor) values += payload(actor_, self_);
    tell(message_of("@<>+kaiku::introduction", values), actor_, 0, caf::make_message_id(1).integer_value());
  }
  /// The header of the next question to its actors.
  caf::io::basp::header receive_question() {
    for (;;) {
      caf::io::basp::header header;
      receive_frame(header);
      const bool asks = caf::make_message_id(header.operation_data).is_request();
      if (header.operation == message_type::direct_message && header.dest_actor == actor_ && asks) return header;
    }
  }
  void answer(const caf::io::basp::header& question, const std::string& message) {
    const auto id = caf::make_message_id(question.operation_data).response_id();
    send(framed(message_type::direct_message, message, actor_, question.source_actor, 0, id.integer_value()));
  }
  bool is_cut_off() { return to_.is_closed_within(patience); }
  bool is_linked() { return !to_.is_closed_within(milliseconds{300}); }

 private:
  std::string receive(std::size_t size) {
    std::string out;
    while (out.size() < size) {
      auto more = to_.receive(size - out.size(), clock::now() + patience);
      BOOST_REQUIRE(!more.empty());
      out += more;
    }
    return out;
  }
  std::string receive_payload() {
    const auto length = frame_length(receive(frame_prefix_bytes));
    BOOST_REQUIRE(length.has_value());
    return receive(*length);
  }
  std::vector<char> receive_frame() {
    caf::io::basp::header header;
    return receive_frame(header);
  }
  std::vector<char> receive_frame(caf::io::basp::header& header) {
    const auto bytes = receive(caf::io::basp::header_size);
    const std::vector<char> front{bytes.begin(), bytes.end()};
    caf::binary_deserializer in{system_, front};
    BOOST_REQUIRE(!in(header));
    const auto rest = receive(header.payload_len);
    return {rest.begin(), rest.end()};
  }

  caf::actor_system& system_;
  std::string secret_;
  tcp_connection to_;
  hello said_;
  std::string own_hello_, their_hello_;
  caf::node_id self_, peer_;
  const std::uint64_t actor_ = 9;
  std::uint64_t directory_ = 0;
};

}  // namespace kaiku::test
