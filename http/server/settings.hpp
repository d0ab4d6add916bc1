#pragma once

/// Purpose: what the HTTP server was told: where to listen, and its bounds. Thread: a value.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kaiku/core/ids.hpp"
#include "kaiku/core/limits.hpp"
#include "kaiku/http/server/client_address.hpp"
#include "kaiku/messages/gateway.hpp"

namespace kaiku {

class tls_credentials;
class access_control;
namespace kubernetes {
class label_publisher;
}

/// What a node that does not lead does with a change of files.
enum class follower_writes : std::uint8_t { forward, redirect };

/// The one field in which trusted proxies say whom they ask for. The other may be the client's own.
enum class forwarded_field : std::uint8_t { x_forwarded_for, forwarded };

struct http_settings {
  std::string address = "127.0.0.1";                         ///< numeric, or a name that resolves
  std::uint16_t port = 8000;                                 ///< 0: any free one
  std::shared_ptr<tls_credentials> tls;                      ///< empty: plain HTTP; else nothing but HTTPS
  std::shared_ptr<const tls_credentials> peer_tls;           ///< of the other port, for `/metrics`; empty: it has none
  std::shared_ptr<const kubernetes::label_publisher> label;  ///< likewise
  std::uint64_t max_body_bytes = limits::http_body_bytes;
  std::size_t max_connections = limits::http_connections;
  std::size_t max_requests = limits::http_requests;        ///< under way, of all connections
  std::size_t max_connections_each = 0;                    ///< of one address; 0: as many as in all
  std::size_t max_requests_each = 0;                       ///< likewise
  std::size_t max_uploads_each = limits::uploads_of_peer;  ///< large bodies of one address, as of one peer
  forwarded_field forwarded = forwarded_field::x_forwarded_for;
  std::vector<network> trusted_proxies;  ///< believed about whom they ask for
  std::size_t max_header_bytes = limits::http_header_bytes;
  std::size_t max_header_fields = limits::http_header_fields;
  std::size_t max_ranges = limits::http_ranges;
  std::size_t max_listing_page = limits::listing_page;
  std::uint64_t min_body_rate = limits::http_body_rate_bytes;  ///< bytes a second, either way
  follower_writes writes = follower_writes::forward;
  std::shared_ptr<const access_control> access;  ///< empty: everybody may everything
  std::shared_ptr<request_figures> figures = std::make_shared<request_figures>();
  std::vector<std::string> cors_origins;  ///< as browsers send them, or `*`; none: no CORS
  milliseconds header_timeout{limits::http_header_timeout_ms};
  milliseconds idle_timeout{limits::http_idle_timeout_ms};
  milliseconds body_stall_timeout{limits::http_body_stall_timeout_ms};
  /// After an answer that ends a connection while the client still sends: how long its bytes are read and dropped, so
  /// that a reset does not take the answer away from it (RFC 9112, 9.6).
  milliseconds linger_timeout{limits::http_linger_timeout_ms};
  /// For a first request to come when the server stops: it follows its connection at once.
  milliseconds first_request_wait{200};
};

}  // namespace kaiku
