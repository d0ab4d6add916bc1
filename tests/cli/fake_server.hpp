#pragma once

/// Purpose: a server that answers as a test wants it to: a hostile one, a broken one, or one that says what a node
/// would. Lifecycle: serves from the constructor to the destructor. Thread: the handler is called on threads of its
/// own, one request at a time.

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace kaiku::test {

struct fake_request {
  std::string method, target, head, body;
};

class fake_server {
 public:
  /// Gives all bytes of the answer; the connection ends behind them, unless it lacks `Connection: close`: then it is
  /// held, in silence. Empty: it ends without one.
  using handler = std::function<std::string(const fake_request&)>;

  explicit fake_server(handler answers);
  ~fake_server();
  fake_server(const fake_server&) = delete;
  fake_server& operator=(const fake_server&) = delete;

  std::uint16_t port() const { return port_; }
  /// Everything that was asked so far.
  std::vector<fake_request> asked();

 private:
  void serve();
  void serve_one(int socket);
  void hold(int socket);

  handler answers_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> ends_{false};
  std::mutex mutex_;
  std::vector<fake_request> asked_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

/// An answer with its length; `fields` end in CRLF each.
std::string fake_answer(int code, const std::string& fields, const std::string& body);
std::string fake_json(const std::string& body);

}  // namespace kaiku::test
