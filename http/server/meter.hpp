#pragma once

/// Purpose: counts what clients ask for and get, for `/metrics`. Names and units: docs/monitoring.md.
/// Owner: the server has one registry; each I/O thread a meter that writes to it. Lifecycle: the registry outlives the
/// meters. Thread: the registry any, a meter its own.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "kaiku/http/server/exchange.hpp"

namespace prometheus {
struct MetricFamily;
}

namespace kaiku {

/// One request and its answer, once it is over.
struct measured_request {
  std::string_view route{};  ///< the pattern it matched, alive for as long as the process; empty: none
  http_method method = http_method::other;
  unsigned status = 0;
  std::chrono::nanoseconds duration{};  ///< from the header's end until the last byte was handed to the system
  std::uint64_t received = 0;           ///< bytes of the body
  std::uint64_t sent = 0;               ///< bytes of the answer's body
};

class request_registry {
 public:
  request_registry();
  ~request_registry();
  request_registry(const request_registry&) = delete;
  request_registry& operator=(const request_registry&) = delete;

  std::vector<prometheus::MetricFamily> collect() const;

 private:
  friend class request_meter;
  struct impl;
  std::unique_ptr<impl> impl_;
};

class request_meter {
 public:
  explicit request_meter(std::shared_ptr<request_registry> registry);
  ~request_meter();
  request_meter(const request_meter&) = delete;
  request_meter& operator=(const request_meter&) = delete;

  void count(const measured_request& x);
  const request_registry& registry() const { return *registry_; }

 private:
  struct known;
  std::shared_ptr<request_registry> registry_;
  /// Looked up in the registry once for each route, method and status.
  std::unique_ptr<known> known_;
};

}  // namespace kaiku
