#pragma once

/// Purpose: cases of HTTP, written as rows: what is sent, byte for byte, and what must come back. Each case is a Boost
/// test case of its own and runs twice against one cluster that all cases of the program share: on the leader and
/// through a follower, in a directory of its own each. Both must answer alike: status, body and every field but those
/// that name the node, the time or the freshness.
/// Lifecycle: the cluster starts with the first case and ends with the program. Thread: the main thread.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/raw_http.hpp"
#include "support/test_cluster.hpp"

namespace kaiku::test {

/// One answer and, unless an earlier step has sent it already, its request. An answer to HEAD is compared with the one
/// before it when that was to the same request with GET. In everything that is sent or expected these
/// stand for something:
///   {d}              a directory of the case's own, below /files
///   {a.etag}, {a.modified}, {a.token}   of the answer that was kept as `a`, and of the shared files (`shared_files`)
///   {hello.before}, {hello.after}, {hello.digest}   of a shared file: a second before and after it was modified, and
///                    what Repr-Digest says
///   {boundary}       between the parts of the answer at hand
struct step {
  std::string method = "GET";
  std::string bytes;
  int status = 0;
  std::string code;  ///< of the problem document
  std::vector<std::pair<std::string, std::string>> fields;
  std::optional<std::string> content;
  std::vector<std::string> parts;  ///< of the body
  std::string kept_as;
  bool closes = false;
  bool of_node = false;
  bool cut_off = false;
  bool on_a_new_connection = false;
  bool byte_by_byte = false;
  bool repeated = false;

  /// The status, and the `code` of errors.
  step& is(int wanted, std::string problem_code = {});
  /// A field of this value; `*` for any value, `~` in front of a regular expression.
  step& has(std::string name, std::string value = "*");
  step& lacks(std::string name);
  step& body(std::string exact);
  step& contains(std::string part);
  step& keep(std::string name);
  /// The answer says `Connection: close`, and so it is.
  step& ends();
  /// The body is about the node that answers, and its fields are not all the other's.
  step& differs();
  /// The client sends nothing more behind it (FIN).
  step& cut();
  /// On a connection of its own.
  step& anew();
  /// Sent again and again until the status is the wanted one, for a few seconds.
  step& eventually();
  /// One byte in each packet.
  step& slowly();
};

/// With Host, and Content-Length when there is a body (and for each PUT). `fields` are complete lines.
step ask(std::string method, const std::string& target, const std::string& fields = {}, const std::string& body = {});
step get(const std::string& target, const std::string& fields = {});
step head(const std::string& target, const std::string& fields = {});
step put(const std::string& target, const std::string& body, const std::string& fields = {});
step post(const std::string& target, const std::string& fields = {}, const std::string& body = {});
step removal(const std::string& target, const std::string& fields = {});
/// As it stands; the answer is one to `method`.
step raw(std::string bytes, std::string method = "GET");
/// The next answer, to what was sent before.
step next(std::string method = "GET");

/// A chunked body, one chunk for each piece.
std::string chunked(const std::vector<std::string>& pieces, const std::string& trailer = {});

struct http_case {
  std::string name;
  std::vector<step> steps;
};

/// Files that every case may read, below /files/s; held by all nodes.
struct shared_file {
  std::string name;
  std::string content;
  std::string type;
};
const std::vector<shared_file>& shared_files();
const std::string& shared_content(const std::string& name);

/// Adds one test case per row to the suite around it; an object at namespace scope.
class cases {
 public:
  explicit cases(std::vector<http_case> rows);
};

/// The cluster that all cases share, and who leads it, as of the last case.
test_cluster& shared_cluster();
std::uint16_t shared_leader_port();
std::uint16_t shared_follower_port();

}  // namespace kaiku::test
