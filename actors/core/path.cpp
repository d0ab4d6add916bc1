#include "kaiku/core/path.hpp"

#include <algorithm>
#include <cstdint>

#include "kaiku/core/limits.hpp"

namespace kaiku {
namespace {

constexpr char hex_digits[] = "0123456789ABCDEF";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// Length of the well-formed UTF-8 sequence that `text` begins with; 0 when there is none.
std::size_t utf8_sequence(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto tail = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1, 0x80, 0xbf) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
    return tail(1, low, high) && tail(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
    return tail(1, low, high) && tail(2, 0x80, 0xbf) && tail(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

error invalid(std::string why) {
  return {errc::invalid_path, std::move(why)};
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    auto size = utf8_sequence(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

result<std::string> percent_decode(std::string_view encoded) {
  std::string decoded;
  decoded.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      decoded.push_back(encoded[i]);
      continue;
    }
    int high = i + 2 < encoded.size() ? hex_value(encoded[i + 1]) : -1;
    int low = i + 2 < encoded.size() ? hex_value(encoded[i + 2]) : -1;
    if (high < 0 || low < 0) return {errc::bad_request, "a '%' is not followed by two hexadecimal digits"};
    decoded.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return decoded;
}

std::string percent_encode_path(std::string_view decoded) {
  std::string encoded;
  for (char c : decoded) {
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter_or_digit || std::string_view{"-._~/"}.find(c) != std::string_view::npos) {
      encoded.push_back(c);
    } else {
      encoded.push_back('%');
      encoded.push_back(hex_digits[static_cast<unsigned char>(c) >> 4]);
      encoded.push_back(hex_digits[static_cast<unsigned char>(c) & 15]);
    }
  }
  return encoded;
}

result<file_path> file_path::parse(std::string_view decoded) {
  auto path = parse_any_length(decoded);
  if (!path) return path;
  const auto& text = path->text_;
  if (text.size() > limits::path_bytes) return invalid("the path is longer than 4096 bytes");
  if (std::count(text.begin(), text.end(), '/') >= static_cast<std::ptrdiff_t>(limits::path_names))
    return invalid("the path has more than 255 names");
  return path;
}

result<file_path> file_path::parse_any_length(std::string_view decoded) {
  if (decoded.starts_with('/')) decoded.remove_prefix(1);
  if (decoded == "/") return invalid("the path holds an empty name");
  if (decoded.ends_with('/')) decoded.remove_suffix(1);
  if (std::any_of(decoded.begin(), decoded.end(), is_control)) return invalid("the path holds a control character");
  if (!is_utf8(decoded)) return invalid("the path is not UTF-8");
  file_path path;
  path.text_ = decoded;
  for (auto name : path.names()) {
    if (name.empty()) return invalid("the path holds an empty name");
    if (name == "." || name == "..") return invalid("the path holds a '.' or '..' segment");
    if (name.size() > limits::name_bytes) return invalid("a name in the path is longer than 255 bytes");
  }
  return path;
}

result<file_path> file_path::parse_percent_encoded(std::string_view encoded) {
  for (std::size_t i = 0; i + 2 < encoded.size(); ++i)
    if (encoded[i] == '%' && encoded[i + 1] == '2' && (encoded[i + 2] == 'f' || encoded[i + 2] == 'F'))
      return invalid("the path holds an encoded slash");
  auto decoded = percent_decode(encoded);
  if (!decoded) return invalid(decoded.failure().detail);
  return parse(*decoded);
}

std::vector<std::string_view> file_path::names() const {
  std::vector<std::string_view> names;
  std::string_view rest = text_;
  while (!text_.empty()) {
    auto slash = rest.find('/');
    names.push_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return names;
}

std::string_view file_path::name() const {
  std::string_view text = text_;
  auto slash = text.rfind('/');
  return slash == std::string_view::npos ? text : text.substr(slash + 1);
}

file_path file_path::parent() const {
  file_path up;
  auto slash = text_.rfind('/');
  if (slash != std::string::npos) up.text_ = text_.substr(0, slash);
  return up;
}

}  // namespace kaiku
