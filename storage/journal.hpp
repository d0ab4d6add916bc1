#pragma once

/// Purpose: the log of entries as keys of the database. Included by this folder only.
/// Owner: nobody, functions on a view or a batch. Thread: reading any, changing the writer's.

#include <optional>
#include <vector>

#include "kaiku/storage/changes.hpp"

namespace kaiku::journal {

std::optional<log_entry> entry_at(const view& state, log_index index);
/// Where the log begins.
log_extent extent(const view& state);
/// Position of the entry at `index`, also when it was compacted; {0, 0} for index 0; nothing if it is not there, or too
/// far behind the log's beginning.
std::optional<log_position> position_at(const view& state, log_index index);
/// Position of the last entry; {0, 0} before the first.
log_position last(const view& state);
/// As `store::read_log`.
std::vector<log_entry> read(const view& state, log_index from, std::size_t max_bytes);

/// Where a log that ends at `last` and does not hold `previous` may meet the leader's: below everything of the term
/// that stands there (paper, 5.3, end), but at most `limits::batch_entries` back: the term of a long-lived leader is
/// long, and all of it would be sent again.
log_index meeting_hint(const view& state, log_position previous, log_position last);

/// Logs an entry that says `what` and does `writes`, behind the one at `before`.
void append(changes& batch, log_position before, const log_entry& entry, const command& what,
            const std::vector<tree::state_write>& writes);
/// Takes the entries from `last` back to `first` out of log and state, into `set_aside`. How many.
std::size_t displace(changes& batch, log_index first, log_index last);
/// Drops an entry and its undo record for good; the state keeps what it did. From the first entry upwards only.
void forget(changes& batch, log_index index);
/// Remembers no more than `limits::term_starts` starts of terms in front of the log.
void prune_terms(changes& batch);

}  // namespace kaiku::journal
