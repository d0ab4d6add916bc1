#include "kaiku/http/api/tracing.hpp"

#include <algorithm>
#include <array>

#include "kaiku/core/wall_clock.hpp"
#include "kaiku/http/api/actors_json.hpp"

namespace kaiku {
namespace {

constexpr std::size_t span_bytes = 8;

std::string request_line(const exchange& ex) {
  std::string out(name_of(ex.in.method));
  out.append(" ").append(ex.path);
  if (out.size() > limits::span_text_bytes) out.resize(limits::span_text_bytes);
  // The path as it was sent: whatever is no ASCII is somebody's own way to write it.
  for (auto& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

}  // namespace

std::optional<trace_context> parse_traceparent(std::string_view text) {
  // 00-<32 digits>-<16 digits>-<2 digits>
  constexpr std::size_t id_at = 3, span_at = 36, flags_at = 53, length = 55;
  if (text.size() != length || !text.starts_with("00-") || text[span_at - 1] != '-' || text[flags_at - 1] != '-')
    return std::nullopt;
  if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; })) return std::nullopt;  // 3.2.2
  trace_context out;
  std::array<std::uint8_t, span_bytes> span{};
  std::uint8_t flags = 0;
  if (!from_hex(text.substr(id_at, 32), out.id.bytes.data(), out.id.bytes.size()) ||
      !from_hex(text.substr(span_at, 16), span.data(), span.size()) || !from_hex(text.substr(flags_at, 2), &flags, 1))
    return std::nullopt;
  for (const auto byte : span) out.span.value = out.span.value << 8 | byte;
  if (!out.id.known() || out.span.value == 0 || (flags & 1) == 0) return std::nullopt;
  return out;
}

status begin_trace(exchange& ex) {
  const auto asked = ex.in.header("Kaiku-Trace");
  if (!asked || *asked == "0") return success();
  if (*asked != "1") return {errc::bad_request, "Kaiku-Trace is 0 or 1"};
  const auto field = ex.in.header("traceparent");
  const auto above = field ? parse_traceparent(*field) : std::nullopt;
  auto& traced = ex.traced.emplace();
  traced.root = {above ? above->id : new_trace(), new_span()};
  if (above) traced.parent = above->span;
  traced.start_us = wall_clock_us();
  traced.of = set_of(traced.root);
  trace_store::instance().begin(traced.root.id, request_line(ex));
  return success();
}

void end_trace(exchange& ex, response& answer) {
  if (!ex.traced) return;
  const auto& traced = *ex.traced;
  trace_span root;
  root.id = traced.root.span;
  root.parent = traced.parent;
  root.name = "session";
  root.what = request_line(ex);
  root.kind = span_kind::request;
  root.start_us = traced.start_us;
  const auto now = wall_clock_us();
  root.took_us = now > traced.start_us ? now - traced.start_us : 0;
  root.note = "answered with " + std::to_string(answer.status);
  trace_store::instance().end(traced.root.id, std::move(root));
  const auto id = to_string(traced.root.id);
  answer.add("Kaiku-Trace", id);
  answer.add("traceparent", "00-" + id + "-" + to_hex(traced.root.span) + "-01");
}

}  // namespace kaiku
