#include "kaiku/http/server/framing.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "kaiku/http/server/exchange.hpp"

namespace kaiku {
namespace {

/// Counts of the fields that decide where a message ends and whom it is for.
struct seen_fields {
  std::size_t all = 0, hosts = 0, lengths = 0, codings = 0;
  std::string_view host, length, coding;
};

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

std::optional<request_refusal> check_line(std::string_view line, bool first, seen_fields& seen) {
  if (std::any_of(line.begin(), line.end(), is_control))
    return request_refusal{400, "a control character in the header"};
  if (first) return std::nullopt;
  if (line.size() > limits::http_field_bytes)
    return request_refusal{431, "a header field is longer than " + std::to_string(limits::http_field_bytes) + " bytes"};
  if (line.front() == ' ' || line.front() == '\t') return request_refusal{400, "a folded header line (RFC 9112, 5.2)"};
  auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return request_refusal{400, "a header line without a name"};
  auto name = line.substr(0, colon);
  if (name.find(' ') != std::string_view::npos || name.find('\t') != std::string_view::npos)
    return request_refusal{400, "white space in a header name"};
  auto value = without_space(line.substr(colon + 1));
  ++seen.all;
  if (same_token(name, "host")) {
    ++seen.hosts;
    seen.host = value;
  } else if (same_token(name, "content-length")) {
    ++seen.lengths;
    seen.length = value;
  } else if (same_token(name, "transfer-encoding")) {
    ++seen.codings;
    seen.coding = value;
  }
  return std::nullopt;
}

std::optional<request_refusal> check_host(const seen_fields& seen, bool http_1_0) {
  if (seen.hosts > 1) return request_refusal{400, "more than one Host"};
  if (seen.hosts == 0 && !http_1_0) return request_refusal{400, "no Host"};
  if (seen.host.find_first_of(" \t/@?#,\"<>\\^`{|}") != std::string_view::npos)
    return request_refusal{400, "a malformed Host"};
  return std::nullopt;
}

std::optional<request_refusal> check_length(const seen_fields& seen, bool http_1_0, body_framing& out) {
  if (seen.codings > 0) {
    if (seen.lengths > 0) return request_refusal{400, "Transfer-Encoding together with Content-Length"};
    if (seen.codings > 1) return request_refusal{400, "more than one Transfer-Encoding"};
    if (http_1_0) return request_refusal{400, "Transfer-Encoding in HTTP/1.0"};
    if (!same_token(seen.coding, "chunked")) return request_refusal{501, "a Transfer-Encoding other than chunked"};
    out.chunked = true;
    return std::nullopt;
  }
  if (seen.lengths == 0) return std::nullopt;
  if (seen.lengths > 1) return request_refusal{400, "more than one Content-Length"};
  const auto* end = seen.length.data() + seen.length.size();
  auto [stop, failed] = std::from_chars(seen.length.data(), end, out.length);
  if (seen.length.empty() || failed != std::errc{} || stop != end)
    return request_refusal{400, "a malformed Content-Length"};
  return std::nullopt;
}

}  // namespace

header_scan find_header_end(std::string_view input, std::size_t from) {
  while (from < input.size()) {
    const void* found = std::memchr(input.data() + from, '\n', input.size() - from);
    if (found == nullptr) break;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - input.data());
    if (at == 0 || input[at - 1] != '\r') return {header_scan::state::bad, at};
    if (at >= 3 && input[at - 2] == '\n') return {header_scan::state::complete, at + 1};
    from = at + 1;
  }
  return {header_scan::state::incomplete, input.size()};
}

std::optional<request_refusal> check_framing(std::string_view header, std::size_t max_fields, body_framing& out) {
  seen_fields seen;
  bool first = true, http_1_0 = false;
  while (!header.empty()) {
    auto end = header.find("\r\n");
    auto line = header.substr(0, end);
    header.remove_prefix(end + 2);
    if (line.empty() && !first) break;
    if (auto refused = check_line(line, first, seen)) return refused;
    if (first) http_1_0 = line.ends_with(" HTTP/1.0");
    first = false;
    if (seen.all > max_fields)
      return request_refusal{431, "more than " + std::to_string(max_fields) + " header fields"};
  }
  if (auto refused = check_host(seen, http_1_0)) return refused;
  return check_length(seen, http_1_0, out);
}

}  // namespace kaiku
