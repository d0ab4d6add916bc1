#pragma once

/// Purpose: where the API server is, which pod this is, and with what the node shows who it is.
/// Thread: values and functions of the start; any.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "kaiku/core/error.hpp"

namespace kaiku::kubernetes {

struct settings {
  std::string api;         ///< `https://host` or `https://host:port`
  std::string name_space;  ///< of the pod, as the service account says
  std::string pod;         ///< its name
  /// As Kubernetes mounts it: `token`, `ca.crt`, `namespace`.
  std::filesystem::path service_account = "/var/run/secrets/kubernetes.io/serviceaccount";

  std::string token_file() const { return (service_account / "token").string(); }
  std::string authority_file() const { return (service_account / "ca.crt").string(); }
};

/// An address without a path. Errors: `bad_request`.
result<std::string> parse_api(const std::string& text);
/// Errors: `bad_request`: not the name of a pod.
result<std::string> parse_pod(const std::string& text);

/// Fills in what was left empty: the API server from the environment of a pod, the pod from the host name, and the
/// namespace. Errors: `bad_request`: this is no pod, or it has no service account that could be used.
status complete(settings& x, const std::function<std::optional<std::string>(const std::string&)>& environment,
                const std::string& host_name);

/// Read anew for each request, since Kubernetes replaces it while it is good. Errors: `bad_request`: it can't be read,
/// or is none.
result<std::string> read_token(const settings& x);

}  // namespace kaiku::kubernetes
