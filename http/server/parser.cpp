#include "kaiku/http/server/parser.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <deque>
#include <limits>

namespace kaiku {
namespace {

namespace beast_http = boost::beast::http;

/// "0", and two line ends.
constexpr std::size_t shortest_chunks = 5;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// Beast looks for CRLF alone and would wait for it behind any number of line feeds.
bool has_bare_line_feed(std::string_view text) {
  for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
    if (at == 0 || text[at - 1] != '\r') return true;
  return false;
}

/// Beast unfolds trailer fields (RFC 9112, 5.2).
bool has_folded_line(std::string_view text) {
  return text.find("\r\n ") != std::string_view::npos || text.find("\r\n\t") != std::string_view::npos;
}

/// A request line of three parts, of which the last is a version (RFC 9112, 2.3).
bool names_a_version(std::string_view line) {
  constexpr std::string_view mark = " HTTP/";
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (std::count(line.begin(), line.end(), ' ') != 2) return false;
  const auto version = line.substr(line.rfind(' '));
  return version.size() == mark.size() + 3 && version.starts_with(mark) && digit(version[mark.size()]) &&
         version[mark.size() + 1] == '.' && digit(version.back());
}

http_method to_method(beast_http::verb verb) {
  switch (verb) {
    case beast_http::verb::get: return http_method::get;
    case beast_http::verb::head: return http_method::head;
    case beast_http::verb::put: return http_method::put;
    case beast_http::verb::post: return http_method::post;
    case beast_http::verb::delete_: return http_method::remove;
    case beast_http::verb::patch: return http_method::patch;
    case beast_http::verb::options: return http_method::options;
    default: return http_method::other;
  }
}

}  // namespace

struct message_parser::impl {
  using parser_type = beast_http::request_parser<beast_http::buffer_body>;

  std::optional<parser_type> parser;
  std::deque<std::string> joined;  ///< values of repeated fields
  bool bad_extension = false;
  /// Beast lets anything stand in a quoted chunk extension, line feeds included, where others see the line's end.
  std::function<void(std::uint64_t, boost::beast::string_view, boost::beast::error_code&)> on_chunk =
      [](std::uint64_t, boost::beast::string_view extension, boost::beast::error_code& failed) {
        auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; };
        if (std::any_of(extension.begin(), extension.end(), control)) failed = beast_http::error::bad_chunk_extension;
      };

  void copy_fields(request& out) {
    const auto& header = parser->get().base();
    out.fields.clear();
    joined.clear();
    for (const auto& field : header) {
      auto name = view(field.name_string()), value = view(field.value());
      auto same = std::find_if(out.fields.begin(), out.fields.end(),
                               [&](const header_field& known) { return same_token(known.name, name); });
      if (same == out.fields.end()) {
        out.fields.push_back({name, value});
      } else {
        joined.push_back(std::string(same->value) + ", " + std::string(value));
        same->value = joined.back();
      }
    }
  }
};

message_parser::message_parser() : impl_(std::make_unique<impl>()) {}
message_parser::~message_parser() = default;

std::optional<request_refusal> message_parser::parse(std::string_view header, const body_framing& framing,
                                                     std::uint64_t max_body, request& out) {
  auto& parser = impl_->parser.emplace();
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());
  // The limit holds for chunks; a Content-Length above it is answered by the session.
  parser.body_limit(framing.chunked ? max_body : std::numeric_limits<std::uint64_t>::max());
  boost::beast::error_code failed;
  auto used = parser.put(boost::asio::buffer(header.data(), header.size()), failed);
  if (failed == beast_http::error::bad_version && names_a_version(header.substr(0, header.find('\r'))))
    return request_refusal{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  if (failed) return request_refusal{400, "the header is malformed: " + failed.message()};
  if (!parser.is_header_done() || used != header.size() || parser.chunked() != framing.chunked)
    return request_refusal{400, "the header is malformed"};
  if (framing.chunked) parser.on_chunk_header(impl_->on_chunk);
  const auto& message = parser.get();
  out.method = to_method(message.method());
  out.target = view(message.target());
  out.version = static_cast<int>(message.version());
  impl_->copy_fields(out);
  return std::nullopt;
}

bool message_parser::keep_alive() const {
  return impl_->parser->keep_alive();
}

message_parser::decoded message_parser::decode_chunks(std::string_view input, std::size_t room, std::string& out) {
  // A last chunk that comes first, in pieces, is more than Beast 1.74 expects (its own assertion says so): it has to be
  // there whole. No body ends sooner, so waiting loses nothing.
  if (input.size() < shortest_chunks) return {};
  auto& parser = *impl_->parser;
  auto& body = parser.get().body();
  const auto before = out.size();
  decoded result;
  out.resize(before + std::min(room, input.size()));
  body.data = out.data() + before;
  body.size = out.size() - before;
  boost::beast::error_code failed;
  std::string_view last;  ///< what the last step looked at
  while (!parser.is_done() && result.consumed < input.size()) {
    last = input.substr(result.consumed);
    const auto used = parser.put(boost::asio::buffer(last.data(), last.size()), failed);
    result.consumed += used;
    if (parser.is_done()) last = last.substr(0, used);
    if (failed) break;
  }
  // A chunk's header or the trailer, complete or not.
  if ((failed == beast_http::error::need_more && has_bare_line_feed(last)) ||
      (parser.is_done() && has_folded_line(last)))
    result.failed = errc::bad_request;
  out.resize(out.size() - body.size);
  result.done = parser.is_done();
  if (failed == beast_http::error::body_limit) {
    result.failed = errc::body_too_large;
  } else if (failed && failed != beast_http::error::need_more && failed != beast_http::error::need_buffer) {
    result.failed = errc::bad_request;
  }
  return result;
}

}  // namespace kaiku
