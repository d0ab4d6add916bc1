#include "kaiku/http/server/reply_head.hpp"

#include <chrono>

#include "kaiku/http/api/http_date.hpp"

namespace kaiku {
namespace {

/// The `Date` field; made once a second.
const std::string& date_line() {
  thread_local std::int64_t made_for = -1;
  thread_local std::string line;
  auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  if (now != made_for) {
    line = "Date: " + format_http_date({now * 1000}) + "\r\n";
    made_for = now;
  }
  return line;
}

void field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void field(std::string& out, std::string_view name, std::uint64_t value) {
  field(out, name, std::to_string(value));
}

}  // namespace

std::string_view reason_phrase(unsigned code) {
  switch (code) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

void write_reply_head(const response& what, const node_view& node, int request_version, bool keep, std::string& out) {
  out.append("HTTP/1.1 ").append(std::to_string(what.status)).append(" ").append(reason_phrase(what.status));
  out.append("\r\n").append(date_line());
  field(out, "Kaiku-Node", node.self.name);
  field(out, "Kaiku-Term", node.in_term.value);
  field(out, "Kaiku-Applied", node.applied.value);
  field(out, "Kaiku-Committed", node.committed.value);
  if (node.leader_contact)
    field(out, "Kaiku-Leader-Contact-Ms", static_cast<std::uint64_t>(node.leader_contact->count()));
  out.append(what.fields);
  if (what.status != 204 && what.status != 304 && !what.stream) field(out, "Content-Length", what.body_length());
  if (!keep) {
    out.append("Connection: close\r\n");
  } else if (request_version == 10) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

}  // namespace kaiku
