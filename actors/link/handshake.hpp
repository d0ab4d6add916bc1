#pragma once

/// Purpose: how two nodes prove to each other who they are over one `link_session`: TLS when there are certificates,
/// then the hello of `hello.hpp`; who sends what when, and how a refusal gets through to the other side. Owner: nobody;
/// the session is the caller's. Thread: the link layer's.

#include <utility>

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "kaiku/link/hello.hpp"
#include "kaiku/link/session.hpp"

namespace kaiku {

/// How an exchange ended.
struct handshake_outcome {
  enum class kind : std::uint8_t {
    proven,       ///< on both sides; who came to ask was answered, or has its answer in `found`
    refused,      ///< by this node; the peer was told
    turned_away,  ///< by the peer
    broken,       ///< the connection ended or took too long
  };
  kind how = kind::broken;
  hello peer;  ///< as far as it came; legal but unproven unless `proven`
  bool said_hello = false;
  refusal why;    ///< unless `proven`
  welcome found;  ///< as a dialler that came to ask: the cluster
};

struct handshake_side {
  hello_rules rules;
  std::string secret;
  tls_context tls;  ///< empty: plain TCP
  /// Asked when the peer's proof held (acceptor) or its hello was fine (dialler): true once no link to it is left.
  /// Not asked when the dialler has not come for a link.
  std::function<boost::asio::awaitable<bool>(const hello&)> old_link_gone;
};

/// The arguments must live until the outcome is there.
boost::asio::awaitable<handshake_outcome> accept_handshake(const std::shared_ptr<link_session>& session,
                                                           const handshake_side& side);
boost::asio::awaitable<handshake_outcome> dial_handshake(const std::shared_ptr<link_session>& session,
                                                         const handshake_side& side);

}  // namespace kaiku
