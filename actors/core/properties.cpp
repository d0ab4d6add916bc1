#include "kaiku/core/properties.hpp"

#include <algorithm>

#include "kaiku/core/limits.hpp"

namespace kaiku {
namespace {

/// RFC 9110, 5.6.2, in lower case: the name is part of a header's.
bool is_name(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~0123456789";
  const auto fits = [&](char c) { return (c >= 'a' && c <= 'z') || others.find(c) != std::string_view::npos; };
  return !text.empty() && text.size() <= limits::metadata_name_bytes && std::all_of(text.begin(), text.end(), fits);
}

/// The value of a header, or of a part of one.
bool is_value(std::string_view text) {
  const auto fits = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; };
  return std::all_of(text.begin(), text.end(), fits);
}

std::string_view text_of(const std::string& x) {
  return x;
}
std::string_view text_of(const std::optional<std::string>& x) {
  return x ? std::string_view{*x} : std::string_view{};
}

template <class Metadata>
status check_metadata(const Metadata& metadata) {
  if (metadata.size() > limits::metadata_names) {
    return {errc::bad_request, "a file has up to " + std::to_string(limits::metadata_names) + " metadata names"};
  }
  std::size_t bytes = 0;
  const std::string* before = nullptr;
  for (const auto& [name, value] : metadata) {
    if (!is_name(name)) return {errc::bad_request, "a metadata name is a short token in lower case"};
    if (before != nullptr && !(*before < name)) return {errc::bad_request, "metadata names come once, and in order"};
    if (!is_value(text_of(value))) {
      return {errc::bad_request, "the value of metadata " + name + " has control characters"};
    }
    bytes += name.size() + text_of(value).size();
    before = &name;
  }
  if (bytes <= limits::metadata_bytes) return success();
  return {errc::bad_request, "a file has up to " + std::to_string(limits::metadata_bytes) + " bytes of metadata"};
}

status check_header_values(std::string_view content_type, std::string_view content_encoding) {
  if (content_type.size() > limits::content_type_bytes || !is_value(content_type)) {
    return {errc::bad_request, "the content type is too long or has control characters"};
  }
  if (content_encoding.size() > limits::content_encoding_bytes || !is_value(content_encoding)) {
    return {errc::bad_request, "the content encoding is too long or has control characters"};
  }
  return success();
}

status check_expires(const std::optional<unix_time_ms>& x) {
  if (!x || x->value >= 0) return success();
  return {errc::bad_request, "a file can't expire before 1970"};
}

status check_ttl(const std::optional<milliseconds>& x) {
  const auto most = static_cast<std::int64_t>(limits::ttl_most_seconds) * 1000;
  if (!x || (x->count() > 0 && x->count() <= most)) return success();
  return {errc::bad_request, "a ttl is a number of seconds from 1 to " + std::to_string(limits::ttl_most_seconds)};
}

bool read_flag(decoder& in) {
  const auto byte = in.u8();
  if (byte > 1) in.fail();
  return byte == 1;
}

/// When it ends: never, at a time, or so long from when the leader dates it.
enum class ending : std::uint8_t { never = 0, at = 1, after = 2 };

void write_ending(encoder& out, const std::optional<unix_time_ms>& expires, const std::optional<milliseconds>& ttl) {
  const auto kind = ttl ? ending::after : expires ? ending::at : ending::never;
  out.u8(static_cast<std::uint8_t>(kind));
  if (ttl) out.u64(static_cast<std::uint64_t>(ttl->count()));
  if (!ttl && expires) out.u64(static_cast<std::uint64_t>(expires->value));
}

void read_ending(decoder& in, std::optional<unix_time_ms>& expires, std::optional<milliseconds>& ttl) {
  switch (static_cast<ending>(in.u8())) {
    case ending::never: return;
    case ending::at: expires = unix_time_ms{static_cast<std::int64_t>(in.u64())}; return;
    case ending::after: ttl = milliseconds{static_cast<std::int64_t>(in.u64())}; return;
  }
  in.fail();
}

void write(encoder& out, const std::optional<std::string>& x) {
  out.u8(x.has_value());
  if (x) out.text(*x);
}

std::optional<std::string> read_optional_text(decoder& in, std::size_t max) {
  if (!read_flag(in)) return std::nullopt;
  return std::string{in.text(max)};
}

/// How many names follow; bounded before anything is kept.
std::uint64_t read_count(decoder& in) {
  const auto count = in.varint();
  if (count > limits::metadata_names) in.fail();
  return in.ok() ? count : 0;
}

}  // namespace

status check(const file_properties& x) {
  if (auto fine = check_header_values(x.content_type, x.content_encoding); !fine) return fine;
  if (auto fine = check_metadata(x.metadata); !fine) return fine;
  if (auto fine = check_ttl(x.ttl); !fine) return fine;
  return check_expires(x.expires);
}

status check(const properties_patch& x) {
  if (auto fine = check_header_values(text_of(x.content_type), text_of(x.content_encoding)); !fine) return fine;
  if (auto fine = check_metadata(x.metadata); !fine) return fine;
  if (auto fine = check_ttl(x.ttl); !fine) return fine;
  return x.expires ? check_expires(*x.expires) : success();
}

result<file_properties> apply(const properties_patch& changes, file_properties x) {
  if (changes.content_type) x.content_type = *changes.content_type;
  if (changes.content_encoding) x.content_encoding = *changes.content_encoding;
  if (changes.expires) x.expires = *changes.expires;
  if (changes.no_metadata) x.metadata.clear();
  for (const auto& [name, value] : changes.metadata) {
    const auto by_name = [](const auto& one, const std::string& wanted) { return one.first < wanted; };
    const auto at = std::lower_bound(x.metadata.begin(), x.metadata.end(), name, by_name);
    const bool there = at != x.metadata.end() && at->first == name;
    if (there && value) at->second = *value;
    if (there && !value) x.metadata.erase(at);
    if (!there && value) x.metadata.insert(at, {name, *value});
  }
  if (auto fine = check(x); !fine) return fine.failure();
  return x;
}

void write(encoder& out, const file_properties& x) {
  out.text(x.content_type).text(x.content_encoding).varint(x.metadata.size());
  for (const auto& [name, value] : x.metadata) out.text(name).text(value);
  write_ending(out, x.expires, x.ttl);
}

void write(encoder& out, const properties_patch& x) {
  write(out, x.content_type);
  write(out, x.content_encoding);
  out.u8(x.no_metadata).varint(x.metadata.size());
  for (const auto& [name, value] : x.metadata) {
    out.text(name);
    write(out, value);
  }
  out.u8(x.expires || x.ttl);
  if (x.expires || x.ttl) write_ending(out, x.expires.value_or(std::nullopt), x.ttl);
}

file_properties read_properties(decoder& in) {
  file_properties x;
  x.content_type = in.text(limits::content_type_bytes);
  x.content_encoding = in.text(limits::content_encoding_bytes);
  for (auto left = read_count(in); left > 0; --left) {
    std::string name{in.text(limits::metadata_name_bytes)};
    x.metadata.emplace_back(std::move(name), in.text(limits::metadata_bytes));
  }
  read_ending(in, x.expires, x.ttl);
  if (!check(x)) in.fail();
  return x;
}

properties_patch read_properties_patch(decoder& in) {
  properties_patch x;
  x.content_type = read_optional_text(in, limits::content_type_bytes);
  x.content_encoding = read_optional_text(in, limits::content_encoding_bytes);
  x.no_metadata = read_flag(in);
  for (auto left = read_count(in); left > 0; --left) {
    std::string name{in.text(limits::metadata_name_bytes)};
    x.metadata.emplace_back(std::move(name), read_optional_text(in, limits::metadata_bytes));
  }
  if (read_flag(in)) {
    std::optional<unix_time_ms> expires;
    read_ending(in, expires, x.ttl);
    if (!x.ttl) x.expires = expires;
  }
  if (!check(x)) in.fail();
  return x;
}

}  // namespace kaiku
