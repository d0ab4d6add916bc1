#pragma once

/// Purpose: sockets for tests: a connection, plain or over TLS, on which every call has a deadline, and ports to listen
/// on.
/// Thread: a connection belongs to one thread at a time.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "kaiku/tls/session.hpp"
#include "support/wait.hpp"

namespace kaiku::test {

struct endpoint {
  std::string address = "127.0.0.1";  ///< numeric IPv4
  std::uint16_t port = 0;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};
std::string to_string(const endpoint& x);

/// What can go wrong on a connection.
class network_failure : public std::runtime_error {
 public:
  enum class kind { not_connected, timed_out, cut_off, malformed };

  network_failure(kind what, const std::string& detail) : std::runtime_error(detail), what_(what) {}
  kind which() const { return what_; }

 private:
  kind what_;
};

class tcp_connection {
 public:
  tcp_connection() = default;
  /// Throws network_failure `not_connected`.
  tcp_connection(const endpoint& to, milliseconds deadline);
  ~tcp_connection();
  tcp_connection(tcp_connection&& other) noexcept;
  tcp_connection& operator=(tcp_connection&& other) noexcept;
  tcp_connection(const tcp_connection&) = delete;
  tcp_connection& operator=(const tcp_connection&) = delete;

  /// From now on everything goes over TLS. Throws `cut_off` when the other side will not have it, `timed_out`.
  void start_tls(const tls_context& with, clock::time_point end);

  bool is_open() const { return fd_ >= 0; }
  void close();
  /// Nothing more follows from this side (FIN).
  void finish_sending();
  /// Ends the connection with a reset, as a killed process may.
  void reset();

  /// Sends as much as goes without waiting for longer than until `end`; at least one byte.
  /// Throws `timed_out`, or `cut_off` when the other side is gone.
  std::size_t send_some(std::string_view bytes, clock::time_point end);
  void send_all(std::string_view bytes, clock::time_point end);
  /// Whether something, an end included, can be received now.
  bool is_readable();
  /// Waits until something can be received or sent; true: received. Throws `timed_out`.
  bool wait_readable_or_writable(clock::time_point end);
  /// Up to `most` bytes; empty: the other side has ended. Throws `timed_out`, `cut_off` (reset).
  std::string receive(std::size_t most, clock::time_point end);
  /// True when the other side ends or resets the connection within `deadline`; what it sends before is thrown away.
  bool is_closed_within(milliseconds deadline);

 private:
  /// Waits for what TLS wants. False: it has ended or failed.
  bool wait_for(tls_session::step now, clock::time_point end) const;
  /// Reads what the socket has. True: bytes, or an end, and not only what TLS says for itself.
  bool pull();

  int fd_ = -1;
  std::unique_ptr<tls_session> tls_;
  std::string pulled_;  ///< received over TLS and not yet taken
};

/// A port of 127.0.0.1 that no other test of this machine takes while this object lives. It lies below the range from
/// which the system picks ports for clients, so that a stopped node finds it free again.
class reserved_port {
 public:
  reserved_port();
  ~reserved_port();
  reserved_port(reserved_port&& other) noexcept;
  reserved_port& operator=(reserved_port&&) = delete;
  reserved_port(const reserved_port&) = delete;
  reserved_port& operator=(const reserved_port&) = delete;

  std::uint16_t number() const { return number_; }

 private:
  std::uint16_t number_ = 0;
  int claim_ = -1;
};

/// A listening socket of the test's own, to stand in somebody's way or to answer as told.
class tcp_listener {
 public:
  /// Throws network_failure.
  explicit tcp_listener(std::uint16_t port);
  ~tcp_listener();
  tcp_listener(const tcp_listener&) = delete;
  tcp_listener& operator=(const tcp_listener&) = delete;

  int descriptor() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace kaiku::test
