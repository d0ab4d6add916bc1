#pragma once

/// Purpose: a member in plain bytes: n1 as far as n2 knows, which dials n2, proves who it is, and then need not speak
/// CAF's protocol as CAF does. Thread: the test's.

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

#include "link_cluster.hpp"

namespace kaiku::test {

class raw_member {
 public:
  using message_type = caf::io::basp::message_type;

  /// With the secret that members usually have, and greeted by CAF.
  raw_member(caf::actor_system& system, const endpoint& at) : raw_member(system, at, {}, "swordfish") {
    send(proof());
    hear_proof();
    hear_greeting();
  }
  /// Over TLS when there is a context. Both have said hello; nothing is proved.
  raw_member(caf::actor_system& system, const endpoint& at, const tls_context& tls, std::string secret)
      : system_(system), secret_(std::move(secret)), to_(at, patience) {
    if (tls) to_.start_tls(tls, clock::now() + patience);
    auto mine = hello_as("n1");
    mine.has_secret = !secret_.empty();
    BOOST_REQUIRE(!caf::parse(mine.caf_node, self_));
    own_hello_ = encode(mine);
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
    std::uint16_t number = 0;
    std::string name = type;
    BOOST_REQUIRE(!out.begin_sequence(stages));
    BOOST_REQUIRE(!out.begin_object(number, name));
    return std::string{bytes.begin(), bytes.end()} + values;
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
    const auto bytes = receive(caf::io::basp::header_size);
    const std::vector<char> front{bytes.begin(), bytes.end()};
    caf::io::basp::header header;
    caf::binary_deserializer in{system_, front};
    BOOST_REQUIRE(!in(header));
    const auto rest = receive(header.payload_len);
    return {rest.begin(), rest.end()};
  }

  caf::actor_system& system_;
  std::string secret_;
  tcp_connection to_;
  std::string own_hello_, their_hello_;
  caf::node_id self_, peer_;
  std::uint64_t directory_ = 0;
};

}  // namespace kaiku::test
