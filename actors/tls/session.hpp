#pragma once

/// Purpose: TLS over one connected socket, without waiting: each call goes as far as the socket lets it, and says what
/// to wait for. HTTP and the hello wait with Asio, links that CAF has with CAF's multiplexer, on the same object.
/// Owner: whoever made it; the socket stays its owner's, must outlive it and must not block.
/// Lifecycle: `handshake` until it is done, then `read` and `write`; after `failed` all of them fail again. Why not
/// Asio's own stream: ADR 8. Thread: one at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "kaiku/core/limits.hpp"
#include "kaiku/tls/context.hpp"

struct ssl_st;

namespace kaiku {

/// Most that one record carries (RFC 8446, 5.1).
inline constexpr std::size_t tls_record_bytes = 16 * 1024;

enum class tls_role : std::uint8_t { server, client };

class tls_session {
 public:
  enum class step : std::uint8_t {
    done,         ///< `bytes` have moved, or the handshake is complete
    wants_read,   ///< the same again, once the socket can be read
    wants_write,  ///< the same again, once it can be written
    ended,        ///< the other side sends no more
    failed,       ///< `failure` says why
  };
  struct outcome {
    step now = step::done;
    std::size_t bytes = 0;
  };

  /// With TLS 1.3, other keys are used after so many records of its own (RFC 8446, 5.5).
  tls_session(const tls_context& with, tls_role role, int socket,
              std::uint64_t records_each_key = limits::tls_records_each_key);
  ~tls_session();
  tls_session(const tls_session&) = delete;
  tls_session& operator=(const tls_session&) = delete;

  outcome handshake();
  /// At least one byte when `done`.
  outcome read(char* to, std::size_t most);
  /// At most one record; what has to be repeated must begin with the same bytes.
  outcome write(const char* from, std::size_t size);
  /// Tells the other side that nothing follows, if the socket takes it.
  void finish();

  /// Bytes that `read` would give at once: the socket does not announce them again.
  std::size_t pending() const;
  /// What the other side did wrong, or what it says that this one did; for a log.
  const std::string& failure() const { return failure_; }
  /// It failed for another reason than that its socket did.
  bool broke_protocol() const { return is_broken_ && !lost_socket_; }
  /// It failed since the first bytes that came were a request in plain HTTP.
  bool was_plain_http() const { return was_plain_http_; }

  /// Has the other side shown a certificate for this name or address? It chains to the authority: else the handshake
  /// had failed.
  bool is_peer(const std::string& name) const;
  /// Whom its certificate is for, for a person.
  std::string peer_names() const;

 private:
  struct ssl_deleter {
    void operator()(ssl_st* x) const;
  };
  struct socket_end {
    int descriptor;
    bool ended = false;  ///< the other side has closed
    int problem = 0;     ///< the system's last error
  };
  friend struct socket_bio;

  outcome judge(int returned);
  void renew_key();
  void explain();

  socket_end end_;
  std::unique_ptr<ssl_st, ssl_deleter> ssl_;
  std::string failure_;
  const std::uint64_t records_each_key_;
  std::uint64_t records_ = 0;  ///< written with the key at hand
  bool is_broken_ = false, lost_socket_ = false;
  bool was_plain_http_ = false;
};

}  // namespace kaiku
