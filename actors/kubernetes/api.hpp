#pragma once

/// Purpose: patches this node's pod through Kubernetes' API server, over HTTPS, as the pod's service account.
/// Owner: one libcurl multi handle with a kept connection. Lifecycle: one request at a time, from `begin` until `turn`
/// gives its answer; what is under way when it dies is given up. Thread: one; `wake` any.
///
/// The token is sent to nobody but a server with a certificate of the cluster's authority for the host of the address:
/// no proxy, no redirection. Nothing waits for longer than `limits::request_timeout_ms`; with libcurl before 7.87 and a
/// host that is a name, the end waits for the name server.

#include <memory>
#include <optional>

#include "kaiku/kubernetes/label.hpp"
#include "kaiku/kubernetes/settings.hpp"

namespace kaiku::kubernetes {

class api {
 public:
  explicit api(settings with);
  ~api();
  api(const api&) = delete;
  api& operator=(const api&) = delete;

  /// Begins to write the label.
  void begin(pod_role to);
  /// Looks at the network, for `most` at most, or until woken. Gives the answer once.
  std::optional<answer> turn(milliseconds most);
  /// Ends a `turn` that waits, or else the next one.
  void wake();

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace kaiku::kubernetes
