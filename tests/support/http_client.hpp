#pragma once

/// Purpose: an HTTP/1.1 client for tests, plain or over TLS: keep-alive, bodies that are made or hashed on the way, and
/// a deadline on everything. It also does what a well-behaved client does not: stop in the middle of a body, or send
/// raw bytes. Thread: one at a time.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "support/bytes.hpp"
#include "support/tcp.hpp"

namespace kaiku::test {

using header_list = std::vector<std::pair<std::string, std::string>>;

struct http_response {
  int status = 0;
  header_list headers;
  std::string body;              ///< empty when it was streamed elsewhere
  std::uint64_t body_bytes = 0;  ///< its length, also when streamed
  std::string body_digest;       ///< as `digest_of`, when asked for

  /// By name, whatever its case; empty when it is not there.
  std::string header(std::string_view name) const;
  bool has_header(std::string_view name) const;
  std::uint64_t number_header(std::string_view name) const;
  /// 2xx.
  bool is_success() const { return status >= 200 && status < 300; }
  /// The `code` of a problem document (RFC 9457); empty when the body is not one, or its status differs.
  std::string problem_code() const;
  nlohmann::json json() const;
};

/// Status, problem code and the start of the body: for messages.
std::ostream& operator<<(std::ostream& out, const http_response& x);

class http_client {
 public:
  /// `deadline` is for each request as a whole, and can be changed at any time. With a context: HTTPS.
  explicit http_client(endpoint server, milliseconds deadline = milliseconds{10'000}, tls_context tls = {});

  void set_deadline(milliseconds deadline) { deadline_ = deadline; }
  const endpoint& server() const { return server_; }

  /// All of these throw network_failure when there is no complete answer. A kept connection that the server has closed
  /// meanwhile is opened anew; a request that was sent is never repeated.
  http_response request(std::string_view method, std::string_view target, const header_list& headers = {},
                        std::string_view body = {});

  /// `path` as it stands behind `/files/`, percent-encoded where need be.
  http_response put(std::string_view path, std::string_view body, const header_list& headers = {});
  /// Made and sent piece by piece.
  http_response put(std::string_view path, const generated_bytes& body, const header_list& headers = {});
  http_response get(std::string_view path, const header_list& headers = {});
  /// Hashed piece by piece and thrown away.
  http_response get_digest(std::string_view path, const header_list& headers = {});
  http_response head(std::string_view path, const header_list& headers = {});
  http_response remove(std::string_view path, const header_list& headers = {});

  // --- step by step ------------------------------------------------------------------------------------------------

  /// The header of a request whose body of `content_length` bytes follows through `send_body`; without one, no
  /// Content-Length is sent.
  void send_head(std::string_view method, std::string_view target, const header_list& headers,
                 std::optional<std::uint64_t> content_length = std::nullopt);
  /// False when the server has begun to answer (or has gone) before all of it was sent.
  bool send_body(std::string_view bytes);
  /// Bytes as they are.
  void send_raw(std::string_view bytes);
  /// Status line and header of the answer to `method`; interim ones (1xx) are passed over.
  http_response read_head(std::string_view method);
  /// The next piece of the body of the answer begun by `read_head`; empty at its end.
  std::string read_body_piece();
  /// The rest of an answer, body included.
  http_response read_response(std::string_view method);

  void connect();
  void disconnect() { connection_.close(); }
  tcp_connection& connection() { return connection_; }

 private:
  using sink = std::function<void(std::string_view)>;

  clock::time_point end() const { return clock::now() + deadline_; }
  http_response exchange(std::string_view method, std::string_view target, const header_list& headers,
                         std::optional<std::uint64_t> length, const std::function<std::string(std::uint64_t)>& make,
                         const sink& take);
  void read_body(http_response& into, const sink& take);
  std::string read_line();
  std::string take_buffered(std::uint64_t most);
  void receive_more();
  void parse_head(http_response& into);

  enum class framing { none, length, chunked, until_close };

  endpoint server_;
  milliseconds deadline_;
  tls_context tls_;
  tcp_connection connection_;
  clock::time_point request_end_;
  std::string buffer_;  ///< received and not yet taken
  framing framing_ = framing::none;
  std::uint64_t body_left_ = 0;
  bool close_after_ = false;
};

/// One entry of a directory listing.
struct listed_entry {
  std::string name;
  bool is_directory = false;
  std::uint64_t size = 0;
  std::string etag;
};

/// All pages of a directory's listing; `path` as in `http_client::get`. Throws std::runtime_error when it is refused.
std::vector<listed_entry> list_directory(http_client& client, const std::string& path, std::size_t page = 1000);

/// Percent-encodes all but unreserved characters and `/` (RFC 3986, 2.3).
std::string percent_encode(std::string_view decoded);

}  // namespace kaiku::test
