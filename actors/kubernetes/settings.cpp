#include "kaiku/kubernetes/settings.hpp"

#include <algorithm>
#include <string_view>

#include "kaiku/kubernetes/limits.hpp"
#include "kaiku/secrets/secret_file.hpp"

namespace kaiku::kubernetes {
namespace {

constexpr std::string_view scheme = "https://";

error usage(std::string detail) {
  return {errc::bad_request, std::move(detail)};
}

/// What names of Kubernetes' objects are made of; they go into a path as they are.
bool is_name(std::string_view text, std::size_t most, bool with_dots) {
  const auto is_good = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (with_dots && c == '.');
  };
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), is_good) &&
         text.front() != '.' && text.front() != '-';
}

}  // namespace

result<std::string> parse_api(const std::string& text) {
  const std::string_view whole(text);
  auto rest = whole;
  if (rest.starts_with(scheme)) rest.remove_prefix(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (!whole.starts_with(scheme) || rest.empty() || rest.find_first_of(" \t\r\n/?#@\"\\") != std::string_view::npos)
    return usage("\"" + text + "\" is not https://host:port");
  return std::string(scheme) + std::string(rest);
}

result<std::string> parse_pod(const std::string& text) {
  if (!is_name(text, limits::pod_bytes, true)) return usage("\"" + text + "\" is not the name of a pod");
  return text;
}

status complete(settings& x, const std::function<std::optional<std::string>(const std::string&)>& environment,
                const std::string& host_name) {
  if (x.api.empty()) {
    const auto host = environment("KUBERNETES_SERVICE_HOST");
    if (!host || host->empty())
      return usage("this is no pod, KUBERNETES_SERVICE_HOST is not set; give --kubernetes-api");
    const auto port = environment("KUBERNETES_SERVICE_PORT");
    const bool is_ipv6 = host->find(':') != std::string::npos;
    auto api = parse_api(std::string(scheme) + (is_ipv6 ? "[" + *host + "]" : *host) +
                         (port && !port->empty() ? ":" + *port : ""));
    if (!api) return usage("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: " + api.failure().detail);
    x.api = std::move(*api);
  }
  if (x.pod.empty()) {
    auto pod = parse_pod(host_name);
    if (!pod) return usage("the host name: " + pod.failure().detail + "; give --kubernetes-pod");
    x.pod = std::move(*pod);
  }
  const auto advice = "; the pod needs a service account whose token is mounted";
  auto name_space = read_whole((x.service_account / "namespace").string(), limits::namespace_bytes);
  if (!name_space) return usage(name_space.failure().detail + advice);
  if (!is_name(*name_space, limits::namespace_bytes, false))
    return usage((x.service_account / "namespace").string() + " names no namespace");
  x.name_space = std::move(*name_space);
  if (auto authority = read_whole(x.authority_file(), limits::authority_bytes); !authority)
    return usage(authority.failure().detail + advice);
  if (auto token = read_token(x); !token) return usage(token.failure().detail + advice);
  return success();
}

result<std::string> read_token(const settings& x) {
  auto token = read_whole(x.token_file(), limits::token_bytes);
  // It becomes a field of a header: nothing in it may end the line.
  const auto is_good = [](char c) { return c > ' ' && c < '\x7f'; };
  if (token && !std::all_of(token->begin(), token->end(), is_good)) return usage(x.token_file() + " holds no token");
  return token;
}

}  // namespace kaiku::kubernetes
