#pragma once

/// Purpose: the bounds of the `kaiku` command, each with its reason; those of a node are in `kaiku/core/limits.hpp`.
/// Thread: constants.

#include <cstddef>
#include <cstdint>

namespace kaiku::cli::limits {

/// Transfers at once unless told otherwise: enough to keep a link busy with small files, few enough for a phone's.
inline constexpr unsigned parallel = 8;
inline constexpr unsigned parallel_most = 64;
/// Addresses in KAIKU_URL: a cluster has at most as many members (`kaiku/core/limits.hpp`).
inline constexpr std::size_t addresses = 16;

/// A connection that does not come about by then is not coming: three tries of the kernel's SYN.
inline constexpr std::uint32_t connect_timeout_ms = 3500;
/// Not one byte for so long, either way: longer than any wait of a node, 10 s for durability and 30 s for a stalled
/// body.
inline constexpr std::uint32_t stall_s = 60;
/// The same of a request without a body: longer than a node waits for durability. A node reads no body then, and the
/// next one is asked sooner.
inline constexpr long stall_without_body_s = 15;
/// And of a question when the patience is nearly over: a node that is well answers within it.
inline constexpr long stall_least_s = 2;
/// The same of a stream: a node says every 10 s that it is there.
inline constexpr long stall_of_stream_s = 20;
/// A trace or a listing of a page stays far below it; a server that sends more is not ours.
inline constexpr std::size_t answer_bytes = std::size_t{64} << 20;
/// How long a request is tried again while nodes answer that they can't: several elections.
inline constexpr unsigned patience_s = 30;
inline constexpr unsigned patience_most_s = 3600;
/// From one round through the addresses to the next: about half an election timeout.
inline constexpr std::uint32_t round_delay_ms = 500;
/// A `Retry-After` above it is not waited for in one piece.
inline constexpr std::uint32_t retry_after_most_ms = 10'000;
/// Rounds through addresses of which none has ever answered: a node that restarts is back by then, a wrong address
/// never.
inline constexpr unsigned silent_rounds = 3;
/// Redirections of one request: a node that is not the leader any more names another once.
inline constexpr unsigned redirects = 4;

/// Files up to this are read into memory, hashed and sent from there; above it they are read twice.
inline constexpr std::size_t small_file_bytes = std::size_t{256} << 10;
/// Hashed between two looks at the network: some milliseconds.
inline constexpr std::size_t hash_slice_bytes = std::size_t{2} << 20;
/// Buffers of a connection: fewer calls for large files, and 64 transfers still take little memory.
inline constexpr long buffer_bytes = 256L << 10;
/// What a limited rate leaves unused for so long is made up for afterwards, and no more.
inline constexpr std::uint32_t rate_burst_ms = 250;
/// Pieces a second that a limited rate comes in: each of 64 transfers gets one every 4 s, long before anybody thinks
/// that it stalls.
inline constexpr double rate_turns = 16;
/// Files known and not begun: enough that no transfer waits for a listing, and a page of a listing more.
inline constexpr std::size_t files_ahead = 256;
/// What `kaiku tree` draws: it has to know all of it, and nobody reads more.
inline constexpr std::size_t tree_entries = 100'000;
/// Symbolic links and folders below each other: as many names as a path of the store may have.
inline constexpr std::size_t folder_depth = 255;

/// Paths of one command: more than any shell hands over with names of usual length.
inline constexpr int paths = 10'000;
/// Spans of a trace are drawn as far below each other: more than actors hand on to each other, and a circle ends.
inline constexpr std::size_t span_depth = 32;

/// Progress is drawn anew so often: smooth to the eye.
inline constexpr std::uint32_t redraw_ms = 100;
/// The rate is that of the last seconds: steady, and it follows a change.
inline constexpr std::uint32_t rate_window_ms = 5000;
/// A signal or a key is noticed after at most so long.
inline constexpr std::uint32_t look_up_ms = 250;

/// A trace is awaited for so long after its request: acknowledgements of followers come within an election timeout.
inline constexpr std::uint32_t trace_wait_ms = 5000;
inline constexpr std::uint32_t trace_poll_ms = 100;
/// A line of an event stream is one JSON document of at most the actors of all nodes.
inline constexpr std::size_t event_bytes = std::size_t{16} << 20;

}  // namespace kaiku::cli::limits
