#include "kaiku/core/endpoint.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace kaiku {
namespace {

error malformed(std::string detail) {
  return {errc::bad_request, std::move(detail)};
}

bool is_ipv4(const std::string& host) {
  in_addr parsed{};
  return inet_pton(AF_INET, host.c_str(), &parsed) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr parsed{};
  return inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

/// RFC 1123 names, and `_` because container networks use it.
bool is_host_name(const std::string& host) {
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  };
  bool digits_only = host.find_first_not_of("0123456789.") == std::string::npos;  // then it was meant as IPv4
  return !host.empty() && host.size() <= 253 && !digits_only && std::all_of(host.begin(), host.end(), allowed);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

std::string to_string(const endpoint& x) {
  bool brackets = x.host.find(':') != std::string::npos;
  return (brackets ? "[" + x.host + "]" : x.host) + ":" + std::to_string(x.port);
}

result<endpoint> parse_endpoint(std::string_view text) {
  std::string shown = "\"" + std::string(text) + "\"";
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return malformed(shown + " is not address:port");
  std::string host(text.substr(0, colon));
  bool brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  if (brackets && !is_ipv6(host)) return malformed(shown + ": " + host + " is not an IPv6 address");
  if (!brackets && host.find(':') != std::string::npos)
    return malformed(shown + ": write an IPv6 address as [::1]:8000");
  if (!brackets && !is_ipv4(host) && !is_host_name(host)) return malformed(shown + " does not begin with an address");
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return malformed(shown + " does not end in a port from 1 to 65535");
  return endpoint{std::move(host), *port};
}

bool is_loopback(const endpoint& x) {
  in_addr v4{};
  if (inet_pton(AF_INET, x.host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, x.host.c_str(), &v6) == 1) {
    return std::memcmp(&v6, &in6addr_loopback, sizeof v6) == 0;
  }
  return x.host == "localhost";
}

bool is_any_address(const endpoint& x) {
  in6_addr parsed{};
  return x.host == "0.0.0.0" ||
         (inet_pton(AF_INET6, x.host.c_str(), &parsed) == 1 && std::memcmp(&parsed, &in6addr_any, sizeof parsed) == 0);
}

}  // namespace kaiku
