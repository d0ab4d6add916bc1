// What a multipart form is taken apart into, however its bytes are cut into pieces and in whatever sizes its parts are
// read: against a second reading of RFC 2046 that has all of it at hand. An input is a Content-Type, the end of a line,
// and the body. With clang this is a libFuzzer target: -fsanitize=fuzzer in place of support/fuzz_driver.cpp.

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>

#include "kaiku/core/limits.hpp"
#include "kaiku/http/api/form.hpp"

namespace {

using namespace kaiku;

void demand(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

struct whole_part {
  form_part says;
  std::string content;
};

bool operator==(const whole_part& a, const whole_part& b) {
  return a.says.name == b.says.name && a.says.filename == b.says.filename &&
         a.says.content_type == b.says.content_type && a.content == b.content;
}

struct reading {
  std::vector<whole_part> parts;  ///< that are complete
  bool good = false;              ///< to its last boundary
  friend bool operator==(const reading&, const reading&) = default;
};

// --- the second reading --------------------------------------------------------------------------------------------

/// What stands in front of `end`, which begins soon; moves `at` behind it. False: it does not.
bool cut(std::string_view text, std::size_t& at, std::string_view end, std::string_view& out) {
  const auto found = text.find(end, at);
  if (found == std::string_view::npos || found - at > limits::http_part_header_bytes) return false;
  out = text.substr(at, found - at);
  at = found + end.size();
  return true;
}

reading read_at_once(std::string_view body, const std::string& boundary) {
  reading out;
  const auto text = "\r\n" + std::string(body), delimiter = "\r\n--" + boundary;
  std::size_t at = 0;
  std::string_view passed, header;
  if (!cut(text, at, delimiter, passed)) return out;
  for (;;) {
    const auto behind = std::string_view(text).substr(at);
    if (behind.starts_with("--")) {
      out.good = true;
      return out;
    }
    if (!cut(text, at, "\r\n", passed) || passed.find_first_not_of(" \t") != std::string_view::npos) return out;
    if (!cut(text, at, "\r\n\r\n", header)) return out;
    auto says = parse_form_part(header);
    const auto end = text.find(delimiter, at);
    if (!says || end == std::string::npos) return out;
    out.parts.push_back({std::move(*says), text.substr(at, end - at)});
    at = end + delimiter.size();
  }
}

// --- the reading under test ----------------------------------------------------------------------------------------

/// A body that comes in pieces, and then ends or breaks off.
class pieces final : public request_body {
 public:
  pieces(std::string_view all, std::size_t piece, bool breaks_off) : left_(all), piece_(piece), breaks_(breaks_off) {}

  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  task<result<std::string>> read(std::size_t max) override {
    demand(max > 0 && max <= limits::chunk_bytes + 128, "more is read at once than a piece");
    if (left_.empty() && breaks_) co_return error{errc::body_incomplete, "cut off"};
    std::string out(left_.substr(0, std::min(max, piece_)));
    left_.remove_prefix(out.size());
    co_return out;
  }

 private:
  std::string_view left_;
  std::size_t piece_;
  bool breaks_;
};

/// `read_size` 0: parts are passed over unread, every second one.
task<void> take_apart(pieces& from, const std::string& boundary, std::size_t read_size, reading& out) {
  form_reader form(from, boundary);
  for (std::size_t number = 0;; ++number) {
    auto part = co_await form.next();
    if (!part) {
      const auto code = part.failure().code;
      demand(code == errc::body_incomplete || code == errc::bad_request, "a form is refused with another code");
      co_return;
    }
    if (!*part) {
      out.good = true;
      co_return;
    }
    whole_part one{std::move(**part), {}};
    const bool unread = read_size == 0 && number % 2 == 1;
    const auto most = read_size == 0 ? limits::chunk_bytes : read_size;
    while (!unread) {
      auto piece = co_await form.read(most);
      if (!piece) co_return;
      demand(piece->size() <= most, "more of a part than was asked for");
      if (piece->empty()) break;
      one.content += *piece;
    }
    out.parts.push_back(std::move(one));
  }
}

reading read_in_pieces(std::string_view body, const std::string& boundary, std::size_t piece, std::size_t read_size,
                       bool breaks_off) {
  static boost::asio::io_context context(1);
  pieces from(body, piece, breaks_off);
  reading out;
  std::exception_ptr failed;
  boost::asio::co_spawn(context.get_executor(), take_apart(from, boundary, read_size, out),
                        [&failed](std::exception_ptr thrown) { failed = std::move(thrown); });
  context.restart();
  context.run();
  if (failed) std::rethrow_exception(failed);
  return out;
}

void check(std::string_view body, const std::string& boundary) {
  const auto wanted = read_at_once(body, boundary);
  demand(read_in_pieces(body, boundary, limits::chunk_bytes, limits::chunk_bytes, false) == wanted,
         "a form is taken for another");
  // The input itself decides how it is cut: at every byte when it is short, else into some dozens of pieces.
  const std::size_t chance = body.empty() ? 0 : static_cast<unsigned char>(body[body.size() / 2]);
  const auto piece = 1 + body.size() / 64 + (body.size() < 64 ? 0 : chance % 16);
  switch (chance % 3) {
    case 0:
      demand(read_in_pieces(body, boundary, piece, 1 + (piece + chance) % 32, false) == wanted,
             "a form is taken for another when it comes in pieces");
      break;
    case 1:
      demand(read_in_pieces(body, boundary, piece, limits::chunk_bytes, true).parts == wanted.parts,
             "a form that breaks off has other parts in front of the break");
      break;
    default: {
      const auto passed = read_in_pieces(body, boundary, piece, 0, false);
      for (std::size_t i = 0; i < wanted.parts.size(); ++i) {
        demand(i < passed.parts.size(), "a part is lost when one in front of it is not read");
        demand(i % 2 == 1 || passed.parts[i] == wanted.parts[i],
               "a part is another when one in front of it is not read");
      }
    }
  }
}

void check_boundary(std::string_view type, const std::string& boundary) {
  demand(!boundary.empty() && boundary.size() <= 70, "a boundary of a length that is not allowed");
  for (char c : boundary) demand(c >= 0x20 && c < 0x7f, "a character in a boundary that is not allowed");
  demand(boundary.size() < type.size(), "a boundary from nowhere");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line = std::min(input.find("\r\n"), input.size());
  const auto body = input.substr(std::min(line + 2, input.size()));
  const auto named = form_boundary(input.substr(0, line));
  if (!named) {
    demand(named.failure().code == errc::bad_request, "a Content-Type is refused with another code");
  } else if (*named) {
    check_boundary(input.substr(0, line), **named);
    check(body, **named);
  }
  // Most mutations spoil a type: their bodies are for this boundary.
  if (!named || !*named) check(body, "b");
  return 0;
}
