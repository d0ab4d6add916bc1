#pragma once

/// Purpose: serves HTTP/1.1 on one address, plain or over TLS, on several I/O threads. Each session lives on one of
/// them and speaks to that thread's gateway only. Owner: owns the listening socket and the sessions. The io_contexts
/// and gateways belong to the node and must outlive it. Lifecycle: `start` binds and accepts; `announce_end` lets
/// gateways know; `drain` stops accepting and closes idle connections, requests in flight go on; the destructor closes
/// what is left. Thread: all but the destructor from any; that from any but with every io_context either still run by
/// its thread or stopped for good.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kaiku/http/server/settings.hpp"
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

class http_server {
 public:
  /// Errors: `in_use` (the address is taken), `bad_request` (it can't be resolved or bound).
  static result<std::unique_ptr<http_server>> start(http_settings settings, std::vector<http_worker> workers);
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  std::uint16_t port() const;
  /// Readiness, leader and replica probes answer 503, and every answer ends its connection; all else goes on.
  void announce_end();
  /// No new connections; idle ones are closed, busy ones after their answer (`Connection: close`).
  void drain();
  /// Requests whose header is complete and whose answer is not yet handed to the system.
  std::size_t open_requests() const;
  std::size_t connections() const;
  /// Somebody is connected, or was a moment ago: a gateway may have a connection for each request.
  bool is_in_use() const;

 private:
  struct impl;
  explicit http_server(std::shared_ptr<impl> state);
  std::shared_ptr<impl> impl_;
};

}  // namespace kaiku
