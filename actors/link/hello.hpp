#pragma once

/// Purpose: what two members say to each other before CAF sees a byte, as pure functions: frames to bytes and back, the
/// proof of the shared secret, and the rules by which a hello is refused. `handshake.hpp` sends and receives.
/// Owner: nobody, these are values. Thread: any.
///
///   dialler                          acceptor
///      | hello                          |   4-byte big-endian length, then a kind and its fields (`core/codec.hpp`)
///      |------------------------------->|   refused: the rules below
///      |                          hello |
///      |<-------------------------------|   refused: the rules below
///      | proof                          |
///      |------------------------------->|   refused: wrong secret, or the old link to this member is still up
///      |                          proof |
///      |<-------------------------------|   refused: wrong secret
///      | BASP                      BASP |   nothing of it is read here: frames are read exactly
///
/// A dialler that has not come for a link but to ask for its cluster (`hello_purpose`) gets a `welcome` after the
/// second proof, and the connection ends: CAF never meets it.
///
/// Instead of any frame either side may send a refusal, and closes. The acceptor proves itself second, so that it gives
/// a stranger nothing that the secret could be guessed from. With certificates all of it runs over TLS, which has
/// proved both sides to each other by then; the hello says which member the certificate must be for, and there is no
/// secret. With a secret it runs over plain TCP: whoever can change packets between members can take over a link after
/// its proof.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kaiku/core/command.hpp"
#include "kaiku/core/ids.hpp"

namespace kaiku {

/// Versions of the messages between nodes that this build speaks. A new one is needed when a field changes its place,
/// or there are new messages: a peer that does not know them takes them for a breach. 3: what inspectors ask each
/// other.
inline constexpr std::uint8_t protocol_version_min = 2;
inline constexpr std::uint8_t protocol_version_max = 3;

using link_nonce = std::array<std::uint8_t, 32>;
using link_mac = std::array<std::uint8_t, 32>;

/// What a dialler has come for. Part of the wire format.
enum class hello_purpose : std::uint8_t {
  link = 0,
  come_back = 1,  ///< a fresh disk asks whether there is a cluster already that knows it by its name
  join = 2,       ///< and if it is no member, it would like to become one
};

struct hello {
  std::uint8_t version_min = protocol_version_min;
  std::uint8_t version_max = protocol_version_max;
  cluster_id cluster;  ///< all zero: not yet known
  node_id name;
  incarnation disk;
  boot_id boot;
  std::string caf_node;  ///< as CAF writes its node ids
  bool has_secret = false;
  link_nonce nonce{};  ///< fresh for every connection
  // Since here, nodes may leave the fields out.
  hello_purpose purpose = hello_purpose::link;
  std::string peer_address{};  ///< host:port where members reach the sender
  log_index since{};           ///< the entry that named the members it knows; 0: it knows none

  friend bool operator==(const hello&, const hello&) = default;
};

/// Knowledge of the secret: HMAC-SHA256 over the role of its sender and both hellos, nonces included. Zero without one.
struct link_proof {
  link_mac mac{};
  friend bool operator==(const link_proof&, const link_proof&) = default;
};

/// The answer to who asks for the cluster.
struct welcome {
  cluster_id cluster;
  std::vector<member> members;  ///< voters and learners
  friend bool operator==(const welcome&, const welcome&) = default;
};

/// Part of the wire format: numbers are never reused.
enum class refusal_reason : std::uint8_t {
  not_kaiku = 1,        ///< not a frame of this protocol, or cut off
  version = 2,          ///< no version that both speak
  cluster = 3,          ///< another cluster
  unknown_name = 4,     ///< not a member here
  wrong_name = 5,       ///< not the member that was dialled
  wrong_direction = 6,  ///< the larger name dialled
  wrong_disk = 7,       ///< not the incarnation the cluster knows
  same_process = 8,     ///< connected to itself
  same_caf_node = 9,    ///< two members whose CAF node ids are equal
  secret = 10,          ///< one side has a secret and the other has none, or they differ
  old_link = 11,        ///< the link before this one has not ended yet
  too_many = 12,        ///< more unproven connections than are kept
  no_cluster = 13,      ///< this node belongs to no cluster, or does not know yet
  name_taken = 14,      ///< a node of that name and with another disk is here
  certificate = 15,     ///< the sender's certificate is not for the member that it says it is
};

struct refusal {
  refusal_reason reason = refusal_reason::not_kaiku;
  std::string text;  ///< for a person; printable ASCII only once decoded
  friend bool operator==(const refusal&, const refusal&) = default;
};

using link_frame = std::variant<hello, link_proof, refusal, welcome>;

/// Bytes of the length in front of a frame.
inline constexpr std::size_t frame_prefix_bytes = 4;

/// Length and payload, ready to send.
std::string encode(const link_frame& frame);
/// The payload's length from `frame_prefix_bytes` bytes; nothing when zero or above `limits::link_frame_bytes`.
std::optional<std::size_t> frame_length(std::string_view prefix);
/// Reads one payload. Errors: `corrupt`. Bytes after a hello's last field are left alone: later versions may add
/// fields.
result<link_frame> decode_frame(std::string_view payload);

enum class link_role : std::uint8_t { dialler, acceptor };

/// The proof that `role` gives. The payloads are the hellos as they went over the wire, without the length.
link_proof make_proof(std::string_view secret, link_role role, std::string_view dialler_hello,
                      std::string_view acceptor_hello);
/// Compares in constant time.
bool is_same_proof(const link_proof& a, const link_proof& b);

/// A member that has a link already.
struct linked_member {
  node_id name;
  std::string caf_node;
  incarnation disk;
};

/// How a node stands to its cluster.
enum class standing : std::uint8_t {
  asking,   ///< its disk is fresh: it asks whether there is a cluster that knows it; meanwhile it links with nobody
  joining,  ///< there is one, and it is to become a member: it links with those that know it already
  settled,  ///< it links with the members it knows
};

/// What a node knows when it judges a hello.
struct hello_rules {
  hello self;
  std::vector<member> members;
  link_role role = link_role::acceptor;  ///< ours
  node_id dialled;                       ///< as the dialler: whom
  std::vector<linked_member> linked;
  standing stands = standing::settled;
  /// The entry that names the members is not known committed: whoever is missing from them may yet stay, and may be the
  /// one that leads and says so.
  bool unsettled = false;
};

/// `theirs` is from a member of the same cluster that knows newer members of it.
bool knows_better(const hello& theirs, const hello& self);
/// `theirs` is of a node of the same cluster that the members do not name, or not yet for good.
bool may_stay(const hello& theirs, const hello& self, bool unsettled);
/// Why `theirs` is refused; nothing when it is welcome.
std::optional<refusal> judge(const hello& theirs, const hello_rules& rules);

}  // namespace kaiku
