#pragma once

/// Purpose: serves HTTP/1.1 on one address, over several I/O threads. Each session lives on one of them and speaks to
/// that thread's gateway only.
/// Owner: owns the listening socket and the sessions. The io_contexts and gateways belong to the node and must outlive
/// it. Lifecycle: `start` binds and accepts; `drain` stops accepting and closes idle connections, requests in flight go
/// on; the destructor closes what is left. Thread: `start`, `drain`, `open_requests` from any. The destructor from any
/// but with every io_context either still run by its thread or stopped for good.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kaiku/core/limits.hpp"
#include "kaiku/messages/gateway.hpp"

namespace boost::asio {
class io_context;
}

namespace kaiku {

/// One I/O thread: exactly one thread runs `io`, and `node` lives on it.
struct http_worker {
  boost::asio::io_context* io = nullptr;
  gateway* node = nullptr;
};

struct http_settings {
  std::string address = "127.0.0.1";  ///< numeric, or a name that resolves
  std::uint16_t port = 8000;          ///< 0: any free one
  std::uint64_t max_body_bytes = limits::http_body_bytes;
  std::size_t max_connections = limits::http_connections;
  std::size_t max_requests = limits::http_requests;  ///< under way, of all connections
  std::size_t max_header_bytes = limits::http_header_bytes;
  std::size_t max_header_fields = limits::http_header_fields;
  std::size_t max_ranges = limits::http_ranges;
  std::size_t max_listing_page = limits::listing_page;
  std::uint64_t min_body_rate = limits::http_body_rate_bytes;  ///< bytes a second, either way
  std::vector<std::string> cors_origins;                       ///< as browsers send them, or `*`; none: no CORS
  milliseconds header_timeout{limits::http_header_timeout_ms};
  milliseconds idle_timeout{limits::http_idle_timeout_ms};
  milliseconds body_stall_timeout{limits::http_body_stall_timeout_ms};
  /// After an answer that ends a connection while the client still sends: how long its bytes are read and dropped, so
  /// that a reset does not take the answer away from it (RFC 9112, 9.6).
  milliseconds linger_timeout{2000};
};

class http_server {
 public:
  /// Errors: `in_use` (the address is taken), `bad_request` (it can't be resolved or bound).
  static result<std::unique_ptr<http_server>> start(http_settings settings, std::vector<http_worker> workers);
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  std::uint16_t port() const;
  /// No new connections; idle ones are closed, busy ones after their answer (`Connection: close`).
  void drain();
  /// Requests whose header is complete and whose answer is not yet handed to the system.
  std::size_t open_requests() const;

 private:
  struct impl;
  explicit http_server(std::shared_ptr<impl> state);
  std::shared_ptr<impl> impl_;
};

}  // namespace kaiku
