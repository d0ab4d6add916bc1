#include "kaiku/http/api/form.hpp"

#include <algorithm>

#include "kaiku/http/server/bridge.hpp"

namespace kaiku {
namespace {

/// RFC 2046, 5.1.1.
constexpr std::size_t longest_boundary = 70;

error not_a_form(std::string detail) {
  return {errc::bad_request, "the form is malformed: " + std::move(detail)};
}

void trim(std::string_view& text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
}

/// A quoted string at the front of `text`. Browsers leave a backslash as it is and write a quote as %22
/// (WHATWG, 4.10.22.8); others put a backslash in front of a quote and of a backslash.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return out;
    }
    const bool escape = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    if (escape) {
      out.push_back(text[++i]);
    } else if (text.substr(i).starts_with("%22")) {
      out.push_back('"');
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return std::nullopt;
}

struct parameter {
  std::string_view name;
  std::string value;
};

/// The next of `; name=value ...`. Nothing at the end. Errors: `bad_request`.
result<std::optional<parameter>> take_parameter(std::string_view& text) {
  trim(text);
  if (text.empty()) return std::optional<parameter>{};
  if (text.front() != ';') return not_a_form("a parameter is not set off by ';'");
  text.remove_prefix(1);
  trim(text);
  if (text.empty()) return std::optional<parameter>{};
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return not_a_form("a parameter without a value");
  parameter out;
  out.name = text.substr(0, equals);
  trim(out.name);
  text.remove_prefix(equals + 1);
  trim(text);
  if (text.starts_with('"')) {
    auto value = take_quoted(text);
    if (!value) return not_a_form("a quote that does not end");
    out.value = std::move(*value);
  } else {
    const auto end = std::min(text.find_first_of("; \t"), text.size());
    out.value = text.substr(0, end);
    text.remove_prefix(end);
  }
  return std::optional<parameter>(std::move(out));
}

status read_disposition(std::string_view value, form_part& out) {
  const auto end = std::min(value.find(';'), value.size());
  auto kind = value.substr(0, end);
  trim(kind);
  if (!same_token(kind, "form-data")) return not_a_form("a part's Content-Disposition is not form-data");
  value.remove_prefix(end);
  bool named = false;
  for (;;) {
    auto next = take_parameter(value);
    if (!next) return next.failure();
    if (!*next) break;
    // `filename*` is not for forms (RFC 7578, 4.2).
    if (same_token((*next)->name, "name")) {
      out.name = std::move((*next)->value);
      named = true;
    } else if (same_token((*next)->name, "filename")) {
      out.filename = std::move((*next)->value);
    }
  }
  if (!named) return not_a_form("a part without a name");
  return success();
}

}  // namespace

result<std::optional<std::string>> form_boundary(std::string_view content_type) {
  const auto end = std::min(content_type.find(';'), content_type.size());
  auto kind = content_type.substr(0, end);
  trim(kind);
  if (!same_token(kind, "multipart/form-data")) return std::optional<std::string>{};
  content_type.remove_prefix(end);
  for (;;) {
    auto next = take_parameter(content_type);
    if (!next) return next.failure();
    if (!*next) return not_a_form("its Content-Type names no boundary");
    if (!same_token((*next)->name, "boundary")) continue;
    const auto& value = (*next)->value;
    const bool printable = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
    if (value.empty() || value.size() > longest_boundary || !printable || value.back() == ' ')
      return not_a_form("its boundary is not 1 to 70 printable characters");
    return std::optional<std::string>(value);
  }
}

result<form_part> parse_form_part(std::string_view header) {
  form_part out;
  bool disposed = false;
  while (!header.empty()) {
    const auto end = std::min(header.find("\r\n"), header.size());
    const auto line = header.substr(0, end);
    header.remove_prefix(std::min(end + 2, header.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return not_a_form("a header line without a name");
    auto value = line.substr(colon + 1);
    trim(value);
    if (same_token(line.substr(0, colon), "content-disposition")) {
      if (disposed) return not_a_form("a part with two dispositions");
      auto read = read_disposition(value, out);
      if (!read) return read.failure();
      disposed = true;
    } else if (same_token(line.substr(0, colon), "content-type")) {
      out.content_type = value;
    }
  }
  if (!disposed) return not_a_form("a part without Content-Disposition");
  return out;
}

// The first delimiter may stand at the very front: a line's end is put there, so that it looks as all others do.
form_reader::form_reader(request_body& from, std::string_view boundary)
    : from_(from), delimiter_("\r\n--" + std::string(boundary)), input_("\r\n") {}

task<result<bool>> form_reader::fill(std::size_t max) {
  auto more = co_await from_.read(max);
  if (!more) co_return more.failure();
  input_ += *more;
  co_return !more->empty();
}

task<result<std::string>> form_reader::take_until(std::string_view end) {
  for (;;) {
    const auto at = input_.find(end);
    if (at <= limits::http_part_header_bytes) {
      std::string out = input_.substr(0, at);
      input_.erase(0, at + end.size());
      co_return out;
    }
    // However much came at once, what is too long is so by its own length.
    if (at != std::string::npos || input_.size() >= limits::http_part_header_bytes + end.size())
      co_return not_a_form("a part's header is too long, or there is no boundary");
    auto more = co_await fill(limits::http_part_header_bytes);
    if (!more) co_return more.failure();
    if (!*more) co_return not_a_form("it ends before its last boundary");
  }
}

task<result<bool>> form_reader::is_last() {
  while (input_.size() < 2) {
    auto more = co_await fill(limits::http_part_header_bytes);
    if (!more) co_return more.failure();
    if (!*more) co_return not_a_form("it ends before its last boundary");
  }
  if (!input_.starts_with("--")) co_return false;
  for (std::size_t passed = 0; passed < limits::http_epilogue_bytes;) {
    auto more = co_await from_.read(limits::http_epilogue_bytes);
    if (!more) co_return more.failure();
    if (more->empty()) break;
    passed += more->size();
  }
  co_return true;
}

task<result<std::optional<form_part>>> form_reader::next() {
  if (!started_) {
    auto preamble = co_await take_until(delimiter_);
    if (!preamble) co_return preamble.failure();
    started_ = true;
  }
  while (!part_done_) {
    auto dropped = co_await read(limits::chunk_bytes);
    if (!dropped) co_return dropped.failure();
  }
  auto last = co_await is_last();
  if (!last) co_return last.failure();
  if (*last) co_return std::optional<form_part>{};
  auto rest = co_await take_until("\r\n");
  if (!rest) co_return rest.failure();
  if (rest->find_first_not_of(" \t") != std::string::npos) co_return not_a_form("a boundary is not alone on its line");
  auto header = co_await take_until("\r\n\r\n");
  if (!header) co_return header.failure();
  auto part = parse_form_part(*header);
  if (!part) co_return part.failure();
  part_done_ = false;
  co_return std::optional<form_part>(std::move(*part));
}

task<result<std::string>> form_reader::read(std::size_t max) {
  std::string out;
  if (part_done_) co_return out;
  // As much as may be a delimiter's begin stays until more has come.
  const auto held_back = delimiter_.size() - 1;
  for (bool filled = false;;) {
    const auto at = input_.find(delimiter_);
    const auto ready = at != std::string::npos ? at : input_.size() - std::min(input_.size(), held_back);
    const bool enough = at != std::string::npos || ready >= max || (filled && ready > 0);
    if (enough) {
      const auto count = std::min(ready, max);
      out = input_.substr(0, count);
      part_done_ = count == at;
      input_.erase(0, count + (part_done_ ? delimiter_.size() : 0));
      co_return out;
    }
    auto more = co_await fill(max + held_back - input_.size());
    if (!more) co_return more.failure();
    if (!*more) co_return not_a_form("it ends before its last boundary");
    filled = true;
  }
}

}  // namespace kaiku
