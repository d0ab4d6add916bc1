#pragma once

/// Purpose: a request to the cluster and its answer, and what an answer means for the person who asked.
/// Thread: values.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "kaiku/cli/outcome.hpp"

namespace kaiku::cli {

using json = nlohmann::ordered_json;
using field_list = std::vector<std::pair<std::string, std::string>>;

/// What a request brings along and does not hold in memory.
class body_source {
 public:
  virtual ~body_source() = default;
  /// In bytes; empty: not known before its end.
  virtual std::optional<std::uint64_t> size() const = 0;
  /// Up to `most` bytes; 0 at the end; -1: it can't be read, and `trouble` says why.
  virtual std::ptrdiff_t read(char* into, std::size_t most) = 0;
  /// To the first byte again; false: what was read is gone.
  virtual bool rewind() = 0;
  virtual std::string trouble() const = 0;
};

struct answer {
  int code = 0;           ///< 0: there was none, or not all of it
  std::string address;    ///< whom it came from, or who was asked last
  field_list fields;      ///< names in lower case
  std::string body;       ///< what no `sink` took
  std::string transport;  ///< why there is none; empty: there is one
  bool reached = false;   ///< a connection stood: something may have been sent
  bool cut_off = false;   ///< header and a part of the content came
  bool stopped = false;   ///< `sink` or the body's source wanted no more
  std::string method;     ///< of the request
  /// A change reached a node, now or in an attempt before, and what came of that is not known.
  bool may_stand = false;

  bool good() const { return code >= 200 && code < 300; }
  /// No node says so: a gateway does, when the node behind it gave no answer.
  bool is_of_gateway() const { return code == 502 || code == 504; }
  /// By name in lower case; empty when it is not there.
  std::string field(std::string_view name) const;
  /// The `code` of a problem document; empty when it is none.
  std::string problem() const;
  /// Discarded (`is_discarded()`) when it is not JSON.
  json document() const { return json::parse(body, nullptr, false); }
};

struct request {
  std::string method = "GET";
  std::string target;  ///< path and query, percent-encoded
  field_list fields = {};
  std::string body = {};
  std::shared_ptr<body_source> source = {};  ///< instead of `body`
  /// A change that may be sent again, since the cluster knows it by its key (`with_key`).
  bool keyed = false;
  /// An endless answer, of which something comes every few seconds: it is never asked for again.
  bool streamed = false;
  /// About the node that is asked: of the first address, and never again.
  bool asked_once = false;
  /// Takes the content of a 2xx answer as it comes; false: no more of it. `so_far` has its header.
  std::function<bool(const answer& so_far, std::string_view piece)> sink = {};
  /// Called before the request is sent once more, to change it; false: it can't be.
  std::function<bool(request&)> again = {};
  /// Called with the count of bytes that were taken from body or source.
  std::function<void(std::uint64_t)> on_sent = {};

  bool changes_nothing() const { return method == "GET" || method == "HEAD"; }
};

/// Members of what should be an object of a server's making: empty, or `otherwise`, when it is not, or not of that
/// kind.
std::string text_in(const json& object, const char* name);
std::uint64_t number_in(const json& object, const char* name, std::uint64_t otherwise = 0);
bool flag_in(const json& object, const char* name);

/// The same with an `Idempotency-Key` of its own.
request with_key(request from);
/// Path and query below `/files`, of a decoded path; the query as it stands.
std::string files_target(std::string_view path, std::string_view query = {});
/// Percent-encoded, for the value of a query's parameter.
std::string query_value(std::string_view decoded);

/// Why `to` was not a success, about `subject` (a path or what was wanted). `to.good()` is false.
failure explain(const answer& to, const std::string& subject);
/// A success without the name that a node gives each write: whatever answered keeps no files. Empty when it has one.
std::optional<failure> no_token(const answer& to, const std::string& subject);

}  // namespace kaiku::cli
