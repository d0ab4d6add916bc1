#pragma once

/// Purpose: an HTTPS server that behaves as Kubernetes' API server does to who patches a pod's labels (status codes,
/// Status objects, tokens that run out, merge patches), and that can be told to fail in the ways in which that fails.
/// Lifecycle: serves from `start` to `stop` or the destructor, on the same port each time. Thread: any.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/certificates.hpp"
#include "support/tcp.hpp"

namespace kaiku::test {

/// A request as it came.
struct pod_request {
  std::string method, target, head, body;
  std::string pod;    ///< the last part of the target
  std::string token;  ///< what it showed
  unsigned answered = 0;
  clock::time_point at;
};

/// What becomes of requests with a good token.
struct api_mood {
  unsigned code = 0;           ///< 0: what is asked is done
  std::string fields = {};     ///< of the header, each with CRLF
  milliseconds delay{};        ///< before anything is done
  bool silent = false;         ///< no answer until the mood changes; what was asked is done then
  unsigned times = 0;          ///< for so many requests, then all is well again; 0: until told otherwise
  std::size_t body_bytes = 0;  ///< of an answer of 200, more than the object has
};

class kubernetes_api {
 public:
  /// `shown` is its certificate. Pods of namespace `files` are there when `add_pod` has said so.
  explicit kubernetes_api(certificate_files shown);
  ~kubernetes_api();
  kubernetes_api(const kubernetes_api&) = delete;
  kubernetes_api& operator=(const kubernetes_api&) = delete;

  void start();
  /// Connections end with it.
  void stop();
  /// From the next `start` on.
  void show(certificate_files other) { shown_ = std::move(other); }
  std::string url(const std::string& host = "127.0.0.1") const;

  /// The only good one from now on.
  void accept_token(const std::string& token);
  void add_pod(const std::string& name);
  /// As somebody else does. Empty: no label.
  void set_label(const std::string& pod, const std::string& role);
  /// `kaiku.io/role`; empty: the pod has none.
  std::string label(const std::string& pod) const;
  void be(api_mood mood);

  std::vector<pod_request> requests() const;
  /// Taken since the last `start`.
  std::size_t connections() const;
  /// Connections that TLS was begun on and not ended.
  std::size_t failed_handshakes() const { return failed_handshakes_; }

 private:
  struct connection;
  struct reply {
    unsigned code = 200;
    std::string fields, body;
  };
  void serve(int listener);
  void serve_one(connection& on);
  bool answer_one(connection& on);
  reply handle(pod_request& one);
  reply apply(const pod_request& one);

  certificate_files shown_;
  reserved_port port_;
  std::thread acceptor_;
  std::atomic<std::size_t> failed_handshakes_{0};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = true;
  std::list<std::unique_ptr<connection>> connections_;
  std::uint64_t moods_ = 0;  ///< how often it changed
  api_mood mood_;
  std::string token_;
  std::map<std::string, std::string> labels_;
  std::vector<pod_request> requests_;
};

}  // namespace kaiku::test
