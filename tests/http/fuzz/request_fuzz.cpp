// What a request is taken for, however its bytes are cut into pieces, and what a path is decoded to: against a second
// reading of RFC 9112 and RFC 3986 that is written for clarity alone. An input is the bytes of a connection.
// With clang this is a libFuzzer target: -fsanitize=fuzzer in place of support/fuzz_driver.cpp.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/limits.hpp"
#include "kaiku/core/path.hpp"
#include "kaiku/http/api/target.hpp"
#include "kaiku/http/server/exchange.hpp"
#include "kaiku/http/server/framing.hpp"
#include "kaiku/http/server/parser.hpp"

namespace {

using namespace kaiku;

constexpr std::size_t max_fields = 100;
constexpr std::uint64_t max_body = 1 << 20;
constexpr int most_requests = 4;  ///< of one input

void demand(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

/// One request as a session takes it off its connection; empty body when there is none.
struct taken {
  unsigned refused = 0;
  std::string method, target, body;
  int version = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  bool keep_alive = false;
  friend bool operator==(const taken&, const taken&) = default;
};

struct conversation {
  std::vector<taken> requests;
  bool ended = false;    ///< refused, cut off, or to be closed
  std::size_t rest = 0;  ///< behind the last request
  friend bool operator==(const conversation&, const conversation&) = default;
};

/// The bytes of a connection, of which more and more are there.
class arrivals {
 public:
  arrivals(std::string_view all, std::size_t piece) : all_(all), piece_(piece) { more(); }

  bool more() {
    if (there_ == all_.size()) return false;
    there_ = std::min(all_.size(), there_ + std::max<std::size_t>(piece_, 1));
    return true;
  }
  std::string_view view() const { return all_.substr(at_, there_ - at_); }
  void consume(std::size_t count) { at_ += count; }
  std::size_t left() const { return all_.size() - at_; }

 private:
  std::string_view all_;
  std::size_t piece_;
  std::size_t there_ = 0;
  std::size_t at_ = 0;
};

enum class step { done, incomplete, refused };

step read_header(arrivals& in, std::string& header, taken& out) {
  std::size_t scanned = 0;
  for (;;) {
    if (scanned == 0 && in.view().starts_with("\r\n")) {
      in.consume(2);
      continue;
    }
    header_scan scan;
    const bool may_be_an_empty_line = scanned == 0 && in.view() == "\r";
    if (!may_be_an_empty_line) {
      scan = find_header_end(in.view(), scanned);
      scanned = scan.size;
    }
    if (scan.now == header_scan::state::complete) {
      header = in.view().substr(0, scan.size);
      in.consume(scan.size);
      return step::done;
    }
    if (scan.now == header_scan::state::bad) {
      out.refused = 400;
      return step::refused;
    }
    if (!in.more()) return step::incomplete;
  }
}

step read_body(arrivals& in, message_parser& parser, const body_framing& framing, taken& out) {
  if (!framing.chunked) {
    while (in.view().size() < framing.length)
      if (!in.more()) return step::incomplete;
    out.body = in.view().substr(0, framing.length);
    in.consume(framing.length);
    return step::done;
  }
  for (;;) {
    if (!in.view().empty()) {
      const auto decoded = parser.decode_chunks(in.view(), limits::chunk_bytes, out.body);
      demand(decoded.consumed <= in.view().size(), "more was consumed than was there");
      in.consume(decoded.consumed);
      if (decoded.failed != errc::none) {
        out.refused = 400;  // or 413: of two faults the one that is met first
        return step::refused;
      }
      if (decoded.done) return step::done;
    }
    if (!in.more()) return step::incomplete;
  }
}

const char* verb_of(http_method method) {
  switch (method) {
    case http_method::get: return "GET";
    case http_method::head: return "HEAD";
    case http_method::put: return "PUT";
    case http_method::post: return "POST";
    case http_method::remove: return "DELETE";
    case http_method::options: return "OPTIONS";
    default: return "";
  }
}

// --- the second reading --------------------------------------------------------------------------------------------

bool is_token(std::string_view text) {
  auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), good);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// What an accepted header must say to anybody who reads it line by line.
void check_header(const std::string& header, const taken& got, http_method method, const body_framing& framing) {
  std::vector<std::string> lines;
  std::istringstream text(header);
  for (std::string line; std::getline(text, line);) {
    demand(line.ends_with('\r'), "a line feed alone in a header");
    line.pop_back();
    for (char c : line) demand(static_cast<unsigned char>(c) >= 0x20 || c == '\t', "a control character in a header");
    demand(line.find('\x7f') == std::string::npos, "a DEL in a header");
    lines.push_back(std::move(line));
  }
  demand(lines.size() >= 2 && lines.back().empty(), "a header without an end");
  lines.pop_back();
  std::istringstream first(lines.front());
  std::string verb, target, version, more;
  first >> verb >> target >> version;
  demand(lines.front() == verb + " " + target + " " + version, "a request line that is not of three parts");
  demand(is_token(verb), "a method that is no token");
  demand(version == (got.version == 10 ? "HTTP/1.0" : "HTTP/1.1"), "another version");
  demand(target == got.target, "another target");
  demand(method == http_method::other || verb == verb_of(method), "another method");

  std::vector<std::pair<std::string, std::string>> fields;
  int hosts = 0, lengths = 0, codings = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto colon = lines[i].find(':');
    demand(colon != std::string::npos && is_token(std::string_view(lines[i]).substr(0, colon)),
           "a field without a name");
    const auto name = lower(lines[i].substr(0, colon));
    const std::string value(trimmed(std::string_view(lines[i]).substr(colon + 1)));
    hosts += name == "host";
    lengths += name == "content-length";
    codings += name == "transfer-encoding";
    if (name == "content-length") {
      demand(!value.empty() && value.find_first_not_of("0123456789") == std::string::npos,
             "a length that is no number");
      demand(!framing.chunked && std::stoull(value) == framing.length, "another length");
    }
    if (name == "transfer-encoding") demand(lower(value) == "chunked", "another coding");
    auto known = std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
    if (known == fields.end()) {
      fields.emplace_back(name, value);
    } else {
      known->second += ", " + value;
    }
  }
  demand(hosts == 1 || (hosts == 0 && got.version == 10), "not one Host");
  demand(lengths + codings <= 1 && (codings == 1) == framing.chunked, "not one framing");
  demand(lengths == 1 || framing.length == 0, "a length from nowhere");
  auto seen = got.fields;
  for (auto& [name, value] : seen) name = lower(name);
  std::sort(seen.begin(), seen.end());
  std::sort(fields.begin(), fields.end());
  demand(seen == fields, "other fields");
}

// --- the conversation ----------------------------------------------------------------------------------------------

conversation serve(std::string_view bytes, std::size_t piece) {
  conversation out;
  arrivals in(bytes, piece);
  message_parser parser;
  while (out.requests.size() < most_requests && !out.ended) {
    taken one;
    std::string header;
    auto at = read_header(in, header, one);
    if (at == step::incomplete) break;
    request asked;
    body_framing framing;
    if (at == step::done) {
      auto refused = check_framing(header, max_fields, framing);
      if (!refused) refused = parser.parse(header, framing, max_body, asked);
      if (refused) {
        demand(refused->status == 400 || refused->status == 431 || refused->status == 501 || refused->status == 505,
               "a refusal of another status");
        one.refused = refused->status;
        at = step::refused;
      }
    }
    if (at == step::done) {
      one.method = verb_of(asked.method);
      one.target = asked.target;
      one.version = asked.version;
      one.keep_alive = parser.keep_alive();
      for (const auto& field : asked.fields) one.fields.emplace_back(field.name, field.value);
      check_header(header, one, asked.method, framing);
      if (framing.chunked || framing.length <= max_body) {
        at = read_body(in, parser, framing, one);
      } else {
        one.refused = 413;
        at = step::refused;
      }
    }
    // Whether a body is refused or is waited for in vain, and how much is made of it before, goes by how much of it was
    // there at once.
    if (at != step::done) {
      one.body.clear();
      one.refused = one.refused == 0 ? 400 : one.refused;
    }
    out.ended = at != step::done || !one.keep_alive;
    out.requests.push_back(std::move(one));
  }
  if (!out.ended) out.rest = in.left();
  return out;
}

/// RFC 3986, 2.1, and the rules of docs/http.md.
void check_path(std::string_view encoded) {
  const auto path = file_path::parse_percent_encoded(encoded);
  if (!path) {
    demand(path.failure().code == errc::invalid_path, "a path is refused with another code");
    return;
  }
  std::string decoded;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      decoded += encoded[i];
      continue;
    }
    demand(i + 2 < encoded.size(), "an escape that is cut off");
    const auto digits = std::string(encoded.substr(i + 1, 2));
    demand(digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos, "an escape of other digits");
    decoded += static_cast<char>(std::stoi(digits, nullptr, 16));
    demand(decoded.back() != '/', "an encoded slash");
    i += 2;
  }
  if (decoded.starts_with('/')) decoded.erase(0, 1);
  if (decoded.ends_with('/')) decoded.pop_back();
  demand(path->text() == decoded, "a path is decoded to something else");
  demand(decoded.size() <= 4096, "a path too long");
  demand(is_utf8(decoded), "a path that is not UTF-8");
  for (char c : decoded) demand(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a control character in a path");
  std::size_t names = 0;
  std::string joined;
  for (auto name : path->names()) {
    demand(!name.empty() && name.size() <= 255, "a name of a length that is not allowed");
    demand(name != "." && name != ".." && name.find('/') == std::string_view::npos, "a name that is not allowed");
    joined += (names++ == 0 ? "" : "/") + std::string(name);
  }
  demand(names <= 255, "too many names");
  demand(joined == decoded, "names that are not the path");
  const auto again = file_path::parse_percent_encoded(percent_encode_path(decoded));
  demand(again.ok() && again->text() == decoded, "a path that does not survive its encoding");
  const auto up = path->parent();
  demand(path->is_root() || decoded.starts_with(up.text()), "a parent somewhere else");
}

void check_target(std::string_view target) {
  const auto parts = split_target(target);
  if (!parts) return;
  demand(parts->path.starts_with('/'), "a path without its slash");
  demand(parts->path.find_first_of("?#") == std::string_view::npos, "a path with a query");
  if (!parts->query.empty()) demand(target.ends_with(parts->query), "a query from nowhere");
  const auto query = query_parameters::parse(parts->query, {"op", "limit", "after", "a"});
  if (query.ok()) demand(!query->get("b"), "a parameter that is not allowed");
  constexpr std::string_view files = "/files";
  if (parts->path.starts_with(files)) check_path(parts->path.substr(files.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = serve(bytes, size);
  // Cut at every byte, and somewhere that the input itself decides.
  const auto piece = size < 64 ? 1 : 1 + bytes[size / 2] % 64U;
  demand(serve(bytes, piece) == whole, "a request is taken for another when it comes in pieces");
  for (const auto& one : whole.requests) check_target(one.target);
  check_target(bytes);
  check_path(bytes);
  return 0;
}
