#pragma once

/// Purpose: the bounds of what a node asks of Kubernetes, each with its reason; the others are in
/// `kaiku/core/limits.hpp`. Thread: constants.

#include <cstddef>
#include <cstdint>

namespace kaiku::kubernetes::limits {

/// Between the begins of two requests, however often the role changes: an election storm is no storm of requests.
inline constexpr std::uint32_t request_gap_ms = 200;
/// A label that stands is written again after this and up to a quarter more: somebody else may have changed it, or the
/// pod is a new object. The API server stores nothing when nothing changes.
inline constexpr std::uint32_t check_ms = 30'000;
/// A request whose outcome is not known may still arrive, behind the one that came after it: the label is written again
/// after this. What takes longer is mended by the next check.
inline constexpr std::uint32_t settle_ms = 5000;
/// Wait after the first failure, twice as long after each further one, half of it by chance.
inline constexpr std::uint32_t retry_least_ms = 250;
/// At most so long: the label follows soon when the API server is back, and three nodes ask nothing to speak of.
inline constexpr std::uint32_t retry_most_ms = 5000;
/// A `Retry-After` above it is not waited for.
inline constexpr std::uint32_t retry_after_most_ms = 30'000;

/// A leader that ends has handed over, and says so on its pod if that takes no longer: nobody is harmed if it does not.
inline constexpr std::uint32_t farewell_ms = 1000;

/// The API server is near: a SYN and one repetition.
inline constexpr std::uint32_t connect_timeout_ms = 1500;
/// Three times what Kubernetes promises of a change (99 of 100 within 1 s). What takes longer is tried anew.
inline constexpr std::uint32_t request_timeout_ms = 3000;
/// Of an answer only the reason of a failure is read. A longer one is good or bad by its status alone.
inline constexpr std::size_t answer_bytes = std::size_t{64} << 10;
/// Of that reason, in the log.
inline constexpr std::size_t words_bytes = 200;
/// A token is about 1 KiB; a line of a request's header has to hold it.
inline constexpr std::size_t token_bytes = std::size_t{16} << 10;
/// Certificates of authorities; a cluster has a handful.
inline constexpr std::size_t authority_bytes = std::size_t{1} << 20;
/// Kubernetes' own bounds of names: a label of DNS, and a name of DNS.
inline constexpr std::size_t namespace_bytes = 63;
inline constexpr std::size_t pod_bytes = 253;

}  // namespace kaiku::kubernetes::limits
