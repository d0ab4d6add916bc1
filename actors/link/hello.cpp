#include "kaiku/link/hello.hpp"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "kaiku/core/codec.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/core/membership.hpp"

namespace kaiku {
namespace {

constexpr std::string_view magic = "kaiku-link";

enum class frame_kind : std::uint8_t { hello = 1, proof = 2, refusal = 3, welcome = 4 };

/// A CAF node id is 40 hexadecimal digits, `#` and a process id.
constexpr std::size_t caf_node_bytes = 64;
constexpr std::size_t node_name_bytes = 63;
constexpr std::size_t refusal_text_bytes = 300;
std::string encode_payload(const hello& x) {
  encoder out;
  out.u8(static_cast<std::uint8_t>(frame_kind::hello)).raw(magic).u8(x.version_min).u8(x.version_max);
  out.bytes(x.cluster.bytes).text(x.name.name).bytes(x.disk.bytes).bytes(x.boot.bytes).text(x.caf_node);
  out.u8(x.has_secret ? 1 : 0).bytes(x.nonce);
  return out.u8(static_cast<std::uint8_t>(x.purpose)).text(x.peer_address).u64(x.since.value).take();
}

std::string encode_payload(const link_proof& x) {
  return encoder{}.u8(static_cast<std::uint8_t>(frame_kind::proof)).bytes(x.mac).take();
}

std::string encode_payload(const refusal& x) {
  encoder out;
  out.u8(static_cast<std::uint8_t>(frame_kind::refusal)).u8(static_cast<std::uint8_t>(x.reason));
  return out.text(std::string_view{x.text}.substr(0, refusal_text_bytes)).take();
}

std::string encode_payload(const welcome& x) {
  encoder out;
  out.u8(static_cast<std::uint8_t>(frame_kind::welcome)).bytes(x.cluster.bytes).varint(x.members.size());
  for (const auto& one : x.members) out.text(one.id.name).bytes(one.disk.bytes).text(one.peer_address);
  return out.take();
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

result<link_frame> decode_hello(decoder& in) {
  if (in.raw(magic.size()) != magic) return {errc::corrupt, "not a Kaiku hello"};
  hello x;
  x.version_min = in.u8();
  x.version_max = in.u8();
  in.bytes(x.cluster.bytes);
  x.name.name = in.text(node_name_bytes);
  in.bytes(x.disk.bytes);
  in.bytes(x.boot.bytes);
  x.caf_node = in.text(caf_node_bytes);
  auto has_secret = in.u8();
  in.bytes(x.nonce);
  if (!in.done()) {
    const auto purpose = in.u8();
    x.purpose = static_cast<hello_purpose>(purpose);
    x.peer_address = in.text(limits::address_bytes);
    x.since.value = in.u64();
    const bool asks = x.purpose != hello_purpose::link;
    if (purpose > static_cast<std::uint8_t>(hello_purpose::join) || !is_printable(x.peer_address) ||
        (asks && x.peer_address.empty()))
      in.fail();
  }
  if (!in.ok() || has_secret > 1 || x.version_min > x.version_max || !is_valid_node_name(x.name.name))
    return {errc::corrupt, "a Kaiku hello with illegal fields"};
  auto legal = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f') || c == '#';
  };
  if (x.caf_node.empty() || !std::all_of(x.caf_node.begin(), x.caf_node.end(), legal))
    return {errc::corrupt, "a Kaiku hello with an illegal CAF node id"};
  x.has_secret = has_secret == 1;
  return link_frame{std::move(x)};
}

result<link_frame> decode_proof(decoder& in) {
  link_proof x;
  in.bytes(x.mac);
  if (!in.done()) return {errc::corrupt, "a proof of the wrong length"};
  return link_frame{x};
}

result<link_frame> decode_refusal(decoder& in) {
  refusal x;
  x.reason = static_cast<refusal_reason>(in.u8());
  x.text = in.text(refusal_text_bytes);
  if (!in.done()) return {errc::corrupt, "an illegal refusal"};
  for (char& c : x.text)
    if (c < ' ' || c > '~') c = '?';
  return link_frame{std::move(x)};
}

result<link_frame> decode_welcome(decoder& in) {
  welcome x;
  in.bytes(x.cluster.bytes);
  const auto count = in.varint();
  if (count > limits::members) in.fail();
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    member one;
    one.id.name = in.text(node_name_bytes);
    in.bytes(one.disk.bytes);
    one.peer_address = in.text(limits::address_bytes);
    if (!is_valid_node_name(one.id.name) || !is_printable(one.peer_address)) in.fail();
    x.members.push_back(std::move(one));
  }
  if (!in.done() || !x.cluster.known() || x.members.empty()) return {errc::corrupt, "an illegal welcome"};
  return link_frame{std::move(x)};
}

std::string versions(const hello& x) {
  return std::to_string(x.version_min) + " to " + std::to_string(x.version_max);
}

/// One that asks need not be a member; whom it asks must belong to a cluster for sure.
std::optional<refusal> judge_question(const hello& theirs, const hello_rules& rules) {
  if (rules.role == link_role::dialler) return std::nullopt;
  const auto& self = rules.self;
  const auto* known = find_member(rules.members, theirs.name);
  // Its founding is not known to be over, but that disk may have taken part in it.
  if (!self.cluster.known() && known != nullptr && is_another_disk(*known, theirs.disk))
    return refusal{refusal_reason::wrong_disk,
                   self.name.name + " knows " + theirs.name.name + " by another disk, and no cluster for certain yet"};
  if (rules.stands != standing::settled || !self.cluster.known())
    return refusal{refusal_reason::no_cluster, self.name.name + " does not belong to a cluster yet"};
  if (theirs.name == self.name) return refusal{refusal_reason::name_taken, "two nodes are called " + self.name.name};
  for (const auto& other : rules.linked)
    if (other.name == theirs.name && other.disk != theirs.disk)
      return refusal{refusal_reason::name_taken, "another node called " + theirs.name.name +
                                                     " is here: end it first, " + "or give this one a name of its own"};
  return std::nullopt;
}

std::optional<refusal> judge_identity(const hello& theirs, const hello_rules& rules) {
  const auto& self = rules.self;
  if (rules.stands == standing::asking)
    return refusal{refusal_reason::no_cluster, self.name.name + " still asks around for a cluster that knows it"};
  if (rules.role == link_role::dialler && theirs.name != rules.dialled)
    return refusal{refusal_reason::wrong_name, "dialled " + rules.dialled.name + " and reached " + theirs.name.name +
                                                   ": check the addresses in the list of members"};
  if (theirs.name == self.name) return refusal{refusal_reason::unknown_name, "two nodes are called " + self.name.name};
  // Whoever has newer members of the same cluster knows better who belongs to it; this node's log has yet to say so.
  if (knows_better(theirs, self)) return std::nullopt;
  auto known =
      std::find_if(rules.members.begin(), rules.members.end(), [&](const member& x) { return x.id == theirs.name; });
  if (known == rules.members.end() && may_stay(theirs, self, rules.unsettled)) return std::nullopt;
  if (known == rules.members.end() && rules.stands == standing::joining)
    return refusal{refusal_reason::no_cluster, self.name.name + " has not been told the members yet"};
  if (known == rules.members.end())
    return refusal{refusal_reason::unknown_name,
                   theirs.name.name + " is not a member of " + self.name.name + "'s cluster"};
  if (rules.role == link_role::acceptor && theirs.name > self.name)
    return refusal{refusal_reason::wrong_direction,
                   theirs.name.name + " must not dial " + self.name.name + ": the smaller name does"};
  if (is_another_disk(*known, theirs.disk))
    return refusal{refusal_reason::wrong_disk, "this disk is not the one the cluster knows as " + theirs.name.name};
  return std::nullopt;
}

std::optional<refusal> judge_caf_node(const hello& theirs, const hello_rules& rules) {
  auto text = [&](const node_id& other) {
    return theirs.name.name + " and " + other.name + " have the same CAF node id " + theirs.caf_node +
           ": same network addresses, root disk and process id, as of two containers on one host network";
  };
  if (theirs.caf_node == rules.self.caf_node) return refusal{refusal_reason::same_caf_node, text(rules.self.name)};
  for (const auto& other : rules.linked)
    if (other.name != theirs.name && other.caf_node == theirs.caf_node)
      return refusal{refusal_reason::same_caf_node, text(other.name)};
  return std::nullopt;
}

}  // namespace

std::string encode(const link_frame& frame) {
  auto payload = std::visit([](const auto& x) { return encode_payload(x); }, frame);
  encoder out;
  for (int shift = 24; shift >= 0; shift -= 8) out.u8(static_cast<std::uint8_t>(payload.size() >> shift));
  return out.raw(payload).take();
}

std::optional<std::size_t> frame_length(std::string_view prefix) {
  decoder in{prefix};
  std::size_t length = 0;
  for (std::size_t i = 0; i < frame_prefix_bytes; ++i) length = length << 8 | in.u8();
  if (!in.done() || length == 0 || length > limits::link_frame_bytes) return std::nullopt;
  return length;
}

result<link_frame> decode_frame(std::string_view payload) {
  decoder in{payload};
  switch (static_cast<frame_kind>(in.u8())) {
    case frame_kind::hello: return decode_hello(in);
    case frame_kind::proof: return decode_proof(in);
    case frame_kind::refusal: return decode_refusal(in);
    case frame_kind::welcome: return decode_welcome(in);
  }
  return {errc::corrupt, "not a frame of a Kaiku hello"};
}

link_proof make_proof(std::string_view secret, link_role role, std::string_view dialler_hello,
                      std::string_view acceptor_hello) {
  link_proof out;
  if (secret.empty()) return out;
  auto signed_bytes = encoder{}
                          .text(role == link_role::dialler ? "kaiku-link dialler" : "kaiku-link acceptor")
                          .text(dialler_hello)
                          .text(acceptor_hello)
                          .take();
  unsigned size = 0;
  auto* done =
      HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(signed_bytes.data()), signed_bytes.size(), out.mac.data(), &size);
  INVARIANT(done != nullptr && size == out.mac.size(), "HMAC-SHA256 gives 32 bytes");
  return out;
}

bool is_same_proof(const link_proof& a, const link_proof& b) {
  return CRYPTO_memcmp(a.mac.data(), b.mac.data(), a.mac.size()) == 0;
}

bool knows_better(const hello& theirs, const hello& self) {
  return self.cluster.known() && theirs.cluster == self.cluster && theirs.since > self.since;
}

bool may_stay(const hello& theirs, const hello& self, bool unsettled) {
  return unsettled && self.cluster.known() && theirs.cluster == self.cluster;
}

std::optional<refusal> judge(const hello& theirs, const hello_rules& rules) {
  const auto& self = rules.self;
  if (theirs.version_min > self.version_max || self.version_min > theirs.version_max)
    return refusal{refusal_reason::version, theirs.name.name + " speaks protocol versions " + versions(theirs) + ", " +
                                                self.name.name + " speaks " + versions(self)};
  if (theirs.cluster.known() && self.cluster.known() && theirs.cluster != self.cluster)
    return refusal{refusal_reason::cluster, theirs.name.name + " belongs to cluster " + to_string(theirs.cluster) +
                                                ", " + self.name.name + " to " + to_string(self.cluster)};
  if (theirs.boot == self.boot)
    return refusal{refusal_reason::same_process,
                   self.name.name + " reached itself: an address in the list of members leads to the wrong node"};
  const auto& dialler = rules.role == link_role::dialler ? self : theirs;
  const bool asks = dialler.purpose != hello_purpose::link;
  if (auto no = asks ? judge_question(theirs, rules) : judge_identity(theirs, rules)) return no;
  if (theirs.has_secret != self.has_secret)
    return refusal{refusal_reason::secret, (theirs.has_secret ? theirs : self).name.name + " has a shared secret and " +
                                               (theirs.has_secret ? self : theirs).name.name + " has none"};
  if (asks) return std::nullopt;
  return judge_caf_node(theirs, rules);
}

}  // namespace kaiku
