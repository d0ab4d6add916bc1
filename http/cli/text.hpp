#pragma once

/// Purpose: how names, sizes and times are written for people. Thread: pure functions.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace kaiku::cli {

/// The text with everything escaped that would move the cursor, change the terminal or reverse what is read: control
/// characters, bytes that are not UTF-8, line separators and marks of direction. The rest stays.
std::string printable(std::string_view text);
/// Columns of a terminal: two for a character of a wide script, none for one that is drawn over the one before.
std::size_t columns_of(std::string_view text);
/// Cut to `columns`, with an ellipsis for what is missing in front: a path's end says more.
std::string fitted(std::string_view text, std::size_t columns);
/// Cut to `columns` at its end.
std::string cut(std::string_view text, std::size_t columns);
/// Filled up with spaces, behind or in front.
std::string padded(std::string text, std::size_t columns);
std::string right(std::string text, std::size_t columns);

/// `512 B`, `1.5 MiB`.
std::string in_bytes(std::uint64_t count);
/// `1,234,567`.
std::string with_commas(std::uint64_t count);
/// `0:07`, `1:02:03`.
std::string as_clock(std::chrono::seconds time);
/// `2026-11-22T13:40:01.000Z`, as listings have dates, of a date of HTTP (RFC 9110, 5.6.7); empty when it is none.
std::string iso_date(const std::string& http_date);
/// `0.120 ms`, for figures in a column.
std::string as_ms(std::uint64_t microseconds);
/// `1 file`, `2 files`.
std::string counted(std::uint64_t count, std::string_view what);

}  // namespace kaiku::cli
