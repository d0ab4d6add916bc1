#pragma once

/// Purpose: the strong types that every other folder speaks: terms, indexes, names, sizes, digests.
/// Owner: nobody, they are values. Thread: any.
/// No bare std::uint64_t crosses an interface of Kaiku; it travels in one of these.

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kaiku {

/// An unsigned number that only compares with its own kind.
template <class Tag>
struct counter {
  std::uint64_t value = 0;

  constexpr counter next() const { return {value + 1}; }
  constexpr counter previous() const { return {value == 0 ? 0 : value - 1}; }
  friend constexpr auto operator<=>(counter, counter) = default;
};

/// Raft term (paper, section 5.1). 0 means "before the first election".
using term = counter<struct term_tag>;
/// Position in the log. The first entry has index 1; 0 means "before the first entry".
using log_index = counter<struct log_index_tag>;
/// A file or a directory, unique for the life of a cluster. The root directory is inode 1.
using inode_id = counter<struct inode_tag>;
/// A length in bytes.
using byte_count = counter<struct byte_count_tag>;
/// Which setting of a timer fired; a timer with an old epoch is dropped.
using timer_epoch = counter<struct timer_epoch_tag>;

/// An entry's coordinates. Ordered as logs are compared in an election: by term, then by index (paper, 5.4.1).
struct log_position {
  term in_term;
  log_index index;
  friend constexpr auto operator<=>(const log_position&, const log_position&) = default;
};

/// A member's name: 1 to 63 characters of `a-z 0-9 - .` beginning with a letter or a digit (a DNS label or pod name).
struct node_id {
  std::string name;
  friend auto operator<=>(const node_id&, const node_id&) = default;
};

/// True when `name` is a legal member name.
bool is_valid_node_name(std::string_view name);

/// 128 random bits with a kind of their own. All zero means "not known".
template <class Tag>
struct random_id {
  std::array<std::uint8_t, 16> bytes{};

  bool known() const { return bytes != std::array<std::uint8_t, 16>{}; }
  friend auto operator<=>(const random_id&, const random_id&) = default;
};

/// One cluster, fixed by its first log entry.
using cluster_id = random_id<struct cluster_id_tag>;
/// One life of one data directory: a wiped disk is a new incarnation.
using incarnation = random_id<struct incarnation_tag>;
/// One run of one process.
using boot_id = random_id<struct boot_id_tag>;

/// One body on its way to a leader's disk.
using upload_id = random_id<struct upload_id_tag>;

/// SHA-256 of a file's content: the content's name.
struct digest {
  std::array<std::uint8_t, 32> bytes{};
  friend auto operator<=>(const digest&, const digest&) = default;
};

/// Lower-case hexadecimal, two characters a byte.
std::string to_hex(const std::uint8_t* bytes, std::size_t size);
/// Reads what `to_hex` wrote. False (and `bytes` unspecified) unless `text` is exactly `2 * size` hexadecimal digits.
bool from_hex(std::string_view text, std::uint8_t* bytes, std::size_t size);

template <class Tag>
std::string to_string(const random_id<Tag>& x) {
  return to_hex(x.bytes.data(), x.bytes.size());
}
inline std::string to_string(const digest& x) {
  return to_hex(x.bytes.data(), x.bytes.size());
}
template <class Tag>
std::string to_string(counter<Tag> x) {
  return std::to_string(x.value);
}
inline const std::string& to_string(const node_id& x) {
  return x.name;
}

/// Monotonic time as pure logic receives it; never read from a clock inside `actors/core`.
using instant = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;
using std::chrono::milliseconds;

/// Wall clock, milliseconds since 1970-01-01T00:00:00Z. Only for people to read: no rule depends on it.
struct unix_time_ms {
  std::int64_t value = 0;
  friend auto operator<=>(const unix_time_ms&, const unix_time_ms&) = default;
};

}  // namespace kaiku
