#include "kaiku/archive/tar.hpp"

#include <algorithm>
#include <charconv>

namespace kaiku::tar {
namespace {

/// Fields of a header block (POSIX.1-2008, pax, "ustar Interchange Format"): offset and length.
struct field {
  std::size_t at;
  std::size_t length;
};
constexpr field name_field{0, 100}, mode_field{100, 8}, owner_field{108, 8}, group_field{116, 8}, size_field{124, 12},
    time_field{136, 12}, sum_field{148, 8}, magic_field{257, 8};
constexpr std::size_t type_at = 156;
constexpr std::string_view magic{
    "ustar\0"
    "00",
    8};
/// What eleven octal digits can say.
constexpr std::uint64_t most_in_field = (std::uint64_t{1} << 33) - 1;

void put_text(std::string& block, field where, std::string_view text) {
  std::copy_n(text.begin(), std::min(text.size(), where.length), block.begin() + static_cast<std::ptrdiff_t>(where.at));
}

/// Octal digits with zeros in front, and a NUL.
void put_number(std::string& block, field where, std::uint64_t number) {
  for (std::size_t i = where.length - 1; i-- > 0; number /= 8)
    block[where.at + i] = static_cast<char>('0' + number % 8);
}

std::optional<std::uint64_t> number_in(std::string_view block, field where) {
  auto text = block.substr(where.at, where.length);
  text = text.substr(0, text.find('\0'));
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, 8);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Of all bytes, with the sum's own field as spaces.
std::uint64_t sum_of(std::string_view block) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= sum_field.at && i < sum_field.at + sum_field.length;
    sum += own ? static_cast<unsigned char>(' ') : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

std::string write_block(const member& x) {
  std::string block(block_bytes, '\0');
  put_text(block, name_field, x.name);
  put_number(block, mode_field, x.type == kind::directory ? 0755 : 0644);
  put_number(block, owner_field, 0);
  put_number(block, group_field, 0);
  put_number(block, size_field, x.size.value > most_in_field ? 0 : x.size.value);
  const auto seconds = std::max<std::int64_t>(x.modified.value, 0) / 1000;
  put_number(block, time_field, std::min<std::uint64_t>(static_cast<std::uint64_t>(seconds), most_in_field));
  block[type_at] = static_cast<char>(x.type);
  put_text(block, magic_field, magic);
  put_number(block, {sum_field.at, sum_field.length - 1}, sum_of(block));
  block[sum_field.at + sum_field.length - 1] = ' ';
  return block;
}

/// "LENGTH NAME=VALUE\n", where the length counts itself.
std::string write_record(std::string_view name, std::string_view value) {
  const auto rest = name.size() + value.size() + 3;
  auto length = rest + 1;
  while (std::to_string(length).size() + rest != length) length = std::to_string(length).size() + rest;
  std::string out = std::to_string(length);
  return out.append(" ").append(name).append("=").append(value).append("\n");
}

bool fits_name(std::string_view name) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != 0; };
  return name.size() <= name_field.length && std::all_of(name.begin(), name.end(), is_ascii);
}

}  // namespace

std::string write_head(const member& x) {
  std::string text;
  if (!fits_name(x.name)) text += write_record("path", x.name);
  if (x.size.value > most_in_field) text += write_record("size", std::to_string(x.size.value));
  for (const auto& [name, value] : x.extended) text += write_record(name, value);
  std::string out;
  if (!text.empty()) {
    out = write_block({kind::extended, "kaiku-records", {text.size()}, x.modified});
    out += text;
    out += padding({text.size()});
  }
  return out + write_block(x);
}

std::string padding(byte_count size) {
  const auto over = size.value % block_bytes;
  return std::string(over == 0 ? 0 : block_bytes - over, '\0');
}

std::string end_of_archive() {
  return std::string(2 * block_bytes, '\0');
}

result<std::optional<member>> parse_head(std::string_view block) {
  const error no_header{errc::corrupt, "what should be a header of a tar archive is none"};
  if (block.size() != block_bytes) return no_header;
  if (std::all_of(block.begin(), block.end(), [](char c) { return c == '\0'; })) return std::optional<member>{};
  const auto sum = number_in(block, sum_field), size = number_in(block, size_field),
             time = number_in(block, time_field);
  if (block.substr(magic_field.at, magic_field.length) != magic || sum != sum_of(block) || !size || !time)
    return no_header;
  const auto type = static_cast<kind>(block[type_at]);
  if (type != kind::file && type != kind::directory && type != kind::extended)
    return error{errc::corrupt, "a member of the archive is neither file nor directory"};
  const auto name = block.substr(name_field.at, name_field.length);
  member x{type, std::string{name.substr(0, name.find('\0'))}, {*size}, {static_cast<std::int64_t>(*time) * 1000}};
  return std::optional{std::move(x)};
}

result<records> parse_records(std::string_view bytes) {
  records out;
  while (!bytes.empty()) {
    std::size_t length = 0;
    const auto [digits_end, failed] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), length);
    const auto digits = static_cast<std::size_t>(digits_end - bytes.data());
    const bool sound = failed == std::errc{} && length <= bytes.size() && length > digits + 2 && bytes[digits] == ' ' &&
                       bytes[length - 1] == '\n';
    const auto text = sound ? bytes.substr(digits + 1, length - digits - 2) : std::string_view{};
    const auto equals = text.find('=');
    if (!sound || equals == std::string_view::npos || equals == 0)
      return {errc::corrupt, "an extended header of the archive does not decode"};
    out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    bytes.remove_prefix(length);
  }
  return out;
}

}  // namespace kaiku::tar
