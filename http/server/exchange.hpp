#pragma once

/// Purpose: one request and its answer, as the routes in `http/api` see them: no sockets, no Beast.
/// Owner: the session owns all of it; views of a request are good until its answer is given.
/// Thread: the session's.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/content.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/http/server/server.hpp"
#include "kaiku/http/server/task.hpp"
#include "kaiku/messages/trace.hpp"

namespace kaiku {

enum class http_method : std::uint8_t { get, head, put, post, remove, patch, options, other };
/// As in a start line; empty for `other`.
std::string_view name_of(http_method method);

struct header_field {
  std::string_view name;
  std::string_view value;
};

/// Compares as field names are: ASCII, case-insensitive.
bool same_token(std::string_view a, std::string_view b);
/// Less the spaces and tabs around it: OWS (RFC 9110, 5.6.3).
std::string_view without_space(std::string_view text);

struct request {
  http_method method = http_method::other;
  std::string_view target;           ///< as sent
  int version = 11;                  ///< 10 or 11
  std::vector<header_field> fields;  ///< a name stands here once: repeated fields are joined by ", " (RFC 9110, 5.3)

  std::optional<std::string_view> header(std::string_view name) const;
};

/// The body of a request, read by the handler piece by piece. What it leaves, the session drains or cuts off.
class request_body {
 public:
  virtual ~request_body() = default;
  /// Bytes in all, from Content-Length; 0 without a body; empty when chunked.
  virtual std::optional<std::uint64_t> length() const = 0;
  /// The next bytes, at most `max`: fewer when the client is slow or the end is near; none only behind the end. The
  /// first call answers `Expect: 100-continue`.
  /// Errors: `body_incomplete`, `bad_request` (chunks malformed), `body_too_large`. After one, no further call.
  virtual task<result<std::string>> read(std::size_t max) = 0;
};

/// A piece of stored content in an answer, behind a text of its own.
struct file_part {
  std::string head;  ///< a part's delimiter and header, or nothing
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< at least 1
};

/// A body whose end nobody knows yet. Thread: the session's.
class body_source {
 public:
  virtual ~body_source() = default;
  /// The next piece, as soon as there is one; empty: it is over. Uses the exchange.
  virtual task<std::string> next() = 0;
};

/// An answer. `Date`, `Content-Length`, `Connection` and the node's `Kaiku-*` fields are added by the session.
struct response {
  unsigned status = 200;
  std::string fields;  ///< complete lines, each ended by CRLF
  std::string body;
  std::unique_ptr<content_reader> file;  ///< when set, its `parts` come in front of `body`
  std::vector<file_part> parts;
  std::unique_ptr<body_source> stream;  ///< when set, the body: the connection ends with it
  std::optional<std::uint64_t> length;  ///< of the whole body, when it is not `body.size()`: with `file`, or for HEAD
  bool close = false;                   ///< end the connection after it

  void add(std::string_view name, std::string_view value);
  std::uint64_t body_length() const { return length ? *length : body.size(); }
};

/// A request that is followed through the actors.
struct traced_request {
  trace_context root;
  span_id parent;  ///< the caller's; 0: none
  std::uint64_t start_us = 0;
  trace_set_ptr of;  ///< the root alone
};

/// One of `most` that there may be of something at once; `all` counts them. Thread: any, and another may end it.
class counted_place {
 public:
  counted_place(std::atomic<std::size_t>& all, std::size_t most) : all_(all), has_(++all <= most) {}
  ~counted_place() { --all_; }
  counted_place(const counted_place&) = delete;
  counted_place& operator=(const counted_place&) = delete;
  bool has() const { return has_; }

 private:
  std::atomic<std::size_t>& all_;
  bool has_;
};

class request_meter;
struct identity;

/// Of the whole server, at this moment.
struct server_figures {
  std::size_t connections = 0;
  std::size_t open_requests = 0;
  std::uint64_t handshakes_failed = 0;  ///< of TLS, since the start
};

/// What a handler works with.
struct exchange {
  gateway& node;
  const http_settings& settings;
  const request& in;
  request_body& body;
  std::string_view path;                ///< of the target, still percent-encoded, from the first `/`
  std::string_view query;               ///< of the target, without `?`
  std::string kept_query;               ///< what `query` views when it is not what was sent
  std::string_view segment;             ///< of the path: what the name in braces of the route stands for
  std::unique_ptr<upload> sending;      ///< here, not in a coroutine, so that the server can drop it whatever happens
  std::shared_ptr<void> waiting;        ///< the coroutine that awaits an answer of `node`
  std::string_view client;              ///< its address
  bool crowded = false;                 ///< that address has as many requests under way as it may
  address_place& upload_place;          ///< of that address, for the large body that this request may have
  std::shared_ptr<const identity> who;  ///< who asks; empty without access control, and where nobody needs leave
  std::string_view route;               ///< the pattern of the route that was taken; empty: none
  const request_meter& meter;           ///< what was asked of this server so far
  server_figures server;
  bool audited = false;               ///< leaves a line in the audit log
  std::atomic<std::size_t>& streams;  ///< bodies without an end, of the whole server
  std::atomic<std::size_t>& backups;  ///< being written, likewise
  std::optional<traced_request> traced{};
  const bool& draining;   ///< the server stops: what has no end ends
  const bool& abandoned;  ///< the server is gone: nobody may speak to `node` any more
};

}  // namespace kaiku
