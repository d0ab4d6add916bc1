#include "support/http_client.hpp"

#include <algorithm>
#include <charconv>
#include <ostream>

#include <nlohmann/json.hpp>

#include "support/wait.hpp"

namespace kaiku::test {

namespace {

using kind = network_failure::kind;

constexpr std::size_t piece_bytes = 256 * 1024;
constexpr std::size_t receive_bytes = 64 * 1024;

bool same_name(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::uint64_t parse_number(std::string_view text, int base) {
  std::uint64_t out = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (failure != std::errc{} || end != text.data() + text.size())
    throw network_failure(kind::malformed, "not a number: " + std::string(text));
  return out;
}

}  // namespace

std::string http_response::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (same_name(key, name)) return value;
  return {};
}

bool http_response::has_header(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& x) { return same_name(x.first, name); });
}

std::uint64_t http_response::number_header(std::string_view name) const {
  return parse_number(header(name), 10);
}

std::string http_response::problem_code() const {
  if (!header("Content-Type").starts_with("application/problem+json")) return {};
  auto document = nlohmann::json::parse(body, nullptr, false);
  if (!document.is_object() || document.value("status", 0) != status) return {};
  for (const char* field : {"type", "title", "detail"})
    if (!document.contains(field) || !document[field].is_string()) return {};
  return document.value("code", "");
}

nlohmann::json http_response::json() const {
  return nlohmann::json::parse(body);
}

std::ostream& operator<<(std::ostream& out, const http_response& x) {
  return out << x.status << " " << x.problem_code() << " " << x.body.substr(0, 300);
}

http_client::http_client(endpoint server, milliseconds deadline, tls_context tls)
    : server_(std::move(server)), deadline_(deadline), tls_(std::move(tls)), request_end_(clock::now() + deadline) {}

http_response http_client::request(std::string_view method, std::string_view target, const header_list& headers,
                                   std::string_view body) {
  bool has_body = !body.empty() || method == "PUT" || method == "POST" || method == "PATCH";
  auto piece = [&](std::uint64_t at) { return std::string(body.substr(static_cast<std::size_t>(at), piece_bytes)); };
  std::optional<std::uint64_t> length;
  if (has_body) length = body.size();
  std::string kept;
  auto out = exchange(method, target, headers, length, piece, [&](std::string_view bytes) { kept.append(bytes); });
  out.body = std::move(kept);
  return out;
}

http_response http_client::put(std::string_view path, std::string_view body, const header_list& headers) {
  return request("PUT", "/files/" + std::string(path), headers, body);
}

http_response http_client::put(std::string_view path, const generated_bytes& body, const header_list& headers) {
  std::string kept;
  auto out = exchange(
      "PUT", "/files/" + std::string(path), headers, body.size,
      [&](std::uint64_t at) { return body.piece(at, piece_bytes); },
      [&](std::string_view bytes) { kept.append(bytes); });
  out.body = std::move(kept);
  return out;
}

http_response http_client::get(std::string_view path, const header_list& headers) {
  return request("GET", "/files/" + std::string(path), headers);
}

http_response http_client::get_digest(std::string_view path, const header_list& headers) {
  digest_sum sum;
  auto out = exchange("GET", "/files/" + std::string(path), headers, std::nullopt, {},
                      [&](std::string_view bytes) { sum.update(bytes); });
  out.body_digest = sum.finish();
  return out;
}

http_response http_client::head(std::string_view path, const header_list& headers) {
  return request("HEAD", "/files/" + std::string(path), headers);
}

http_response http_client::remove(std::string_view path, const header_list& headers) {
  return request("DELETE", "/files/" + std::string(path), headers);
}

http_response http_client::exchange(std::string_view method, std::string_view target, const header_list& headers,
                                    std::optional<std::uint64_t> length,
                                    const std::function<std::string(std::uint64_t)>& make, const sink& take) {
  send_head(method, target, headers, length);
  for (std::uint64_t at = 0; at < length.value_or(0);) {
    std::string piece = make(at);
    at += piece.size();
    if (!send_body(piece)) break;
  }
  auto out = read_head(method);
  read_body(out, take);
  return out;
}

void http_client::connect() {
  connection_ = tcp_connection(server_, deadline_);
  if (tls_) connection_.start_tls(tls_, request_end_);
  buffer_.clear();
  close_after_ = false;
  framing_ = framing::none;
}

void http_client::send_head(std::string_view method, std::string_view target, const header_list& headers,
                            std::optional<std::uint64_t> content_length) {
  request_end_ = clock::now() + deadline_;
  // A kept connection with something to read before a request was sent has been closed by the server.
  if (!connection_.is_open() || close_after_ || !buffer_.empty() || connection_.is_readable()) connect();
  std::string head;
  head.append(method)
      .append(" ")
      .append(target)
      .append(" HTTP/1.1\r\nHost: ")
      .append(to_string(server_))
      .append("\r\n");
  for (const auto& [name, value] : headers) head.append(name).append(": ").append(value).append("\r\n");
  if (content_length) head.append("Content-Length: ").append(std::to_string(*content_length)).append("\r\n");
  head.append("\r\n");
  connection_.send_all(head, request_end_);
}

bool http_client::send_body(std::string_view bytes) {
  try {
    while (!bytes.empty()) {
      if (connection_.wait_readable_or_writable(request_end_)) {
        close_after_ = true;  // the answer came before the body was read: the two sides no longer agree on what follows
        return false;
      }
      bytes.remove_prefix(connection_.send_some(bytes, request_end_));
    }
    return true;
  } catch (const network_failure& e) {
    if (e.which() != kind::cut_off) throw;
    close_after_ = true;
    return false;
  }
}

void http_client::send_raw(std::string_view bytes) {
  request_end_ = clock::now() + deadline_;
  if (!connection_.is_open()) connect();
  connection_.send_all(bytes, request_end_);
}

http_response http_client::read_head(std::string_view method) {
  http_response out;
  try {
    do {
      out = {};
      parse_head(out);
    } while (out.status < 200);
  } catch (const network_failure&) {
    disconnect();
    throw;
  }
  if (same_name(out.header("Connection"), "close")) close_after_ = true;
  framing_ = framing::until_close;
  if (method == "HEAD" || out.status == 204 || out.status == 304) {
    framing_ = framing::none;
  } else if (same_name(out.header("Transfer-Encoding"), "chunked")) {
    framing_ = framing::chunked;
    body_left_ = 0;
  } else if (out.has_header("Content-Length")) {
    framing_ = framing::length;
    body_left_ = out.number_header("Content-Length");
  } else {
    close_after_ = true;
  }
  return out;
}

std::string http_client::read_body_piece() {
  try {
    switch (framing_) {
      case framing::none: return {};
      case framing::until_close:
        return buffer_.empty() ? connection_.receive(receive_bytes, request_end_) : take_buffered(receive_bytes);
      case framing::chunked:
        if (body_left_ == 0) {
          auto line = read_line();
          body_left_ = parse_number(line.substr(0, line.find(';')), 16);
          if (body_left_ == 0) {
            while (!read_line().empty()) {
            }
            framing_ = framing::none;
            return {};
          }
        }
        break;
      case framing::length:
        if (body_left_ == 0) return {};
        break;
    }
    if (buffer_.empty()) receive_more();
    auto piece = take_buffered(body_left_);
    body_left_ -= piece.size();
    if (framing_ == framing::chunked && body_left_ == 0 && !read_line().empty())
      throw network_failure(kind::malformed, "a chunk is longer than it says");
    return piece;
  } catch (const network_failure&) {
    disconnect();
    throw;
  }
}

http_response http_client::read_response(std::string_view method) {
  auto out = read_head(method);
  std::string kept;
  read_body(out, [&](std::string_view bytes) { kept.append(bytes); });
  out.body = std::move(kept);
  return out;
}

void http_client::read_body(http_response& into, const sink& take) {
  for (auto piece = read_body_piece(); !piece.empty(); piece = read_body_piece()) {
    into.body_bytes += piece.size();
    take(piece);
  }
  if (close_after_) disconnect();
}

std::string http_client::take_buffered(std::uint64_t most) {
  if (buffer_.size() <= most) return std::exchange(buffer_, {});
  std::string out = buffer_.substr(0, static_cast<std::size_t>(most));
  buffer_.erase(0, out.size());
  return out;
}

void http_client::receive_more() {
  auto piece = connection_.receive(receive_bytes, request_end_);
  if (piece.empty()) throw network_failure(kind::cut_off, to_string(server_) + " ended the connection mid-answer");
  buffer_ += piece;
}

std::string http_client::read_line() {
  std::size_t end_of_line = buffer_.find("\r\n");
  while (end_of_line == std::string::npos) {
    receive_more();
    end_of_line = buffer_.find("\r\n");
  }
  std::string line = buffer_.substr(0, end_of_line);
  buffer_.erase(0, end_of_line + 2);
  return line;
}

void http_client::parse_head(http_response& into) {
  auto line = read_line();
  if (!line.starts_with("HTTP/1.1 ") || line.size() < 12)
    throw network_failure(kind::malformed, "not an HTTP/1.1 answer: " + line.substr(0, 80));
  into.status = static_cast<int>(parse_number(std::string_view(line).substr(9, 3), 10));
  for (line = read_line(); !line.empty(); line = read_line()) {
    auto colon = line.find(':');
    if (colon == std::string::npos) throw network_failure(kind::malformed, "header without a colon: " + line);
    auto value = line.find_first_not_of(" \t", colon + 1);
    into.headers.emplace_back(line.substr(0, colon), value == std::string::npos ? "" : line.substr(value));
  }
}

std::vector<listed_entry> list_directory(http_client& client, const std::string& path, std::size_t page) {
  std::vector<listed_entry> out;
  std::string query = "?limit=" + std::to_string(page);
  for (std::string after;;) {
    auto answer = client.get(path + query + (after.empty() ? "" : "&after=" + percent_encode(after)));
    if (answer.status != 200)
      throw std::runtime_error("listing of /" + path + " answered " + std::to_string(answer.status) + ": " +
                               answer.body);
    auto document = answer.json();
    for (const auto& entry : document.at("entries")) {
      bool directory = entry.at("type") == "directory";
      out.push_back({entry.at("name"), directory, entry.value("size", std::uint64_t{0}), entry.value("etag", "")});
    }
    auto next = document.find("next");
    if (next == document.end() || !next->is_string() || *next == after) return out;
    after = *next;
    if (after.empty()) return out;
  }
}

std::string percent_encode(std::string_view decoded) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (char c : decoded) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return out;
}

}  // namespace kaiku::test
