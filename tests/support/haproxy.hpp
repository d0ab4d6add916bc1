#pragma once

/// Purpose: a HAProxy in front of one server, on loopback, in HTTP mode: it takes messages apart and writes them anew,
/// and keeps connections to the server that requests of all its clients share.
/// Lifecycle: it answers when the constructor returns; the destructor ends it. Thread: the main thread.

#include <filesystem>
#include <string>
#include <vector>

#include "support/child_process.hpp"
#include "support/tcp.hpp"

namespace kaiku::test {

/// A request that was answered, as HAProxy took it.
struct proxied_request {
  bool passed_on = false;  ///< to the server; else HAProxy answered it itself
  int status = 0;          ///< 0: without an answer of HTTP/1
  std::string line;        ///< its first
};

class haproxy {
 public:
  /// `directory`: for its configuration and log. Throws std::runtime_error with its log when it does not listen.
  haproxy(const endpoint& server, const std::filesystem::path& directory);

  std::uint16_t port() const { return port_.number(); }
  /// All requests so far, in the order in which they ended.
  std::vector<proxied_request> requests() const;

 private:
  reserved_port port_;
  std::filesystem::path log_;
  child_process process_;
};

}  // namespace kaiku::test
