#pragma once

/// Purpose: one node's disk: hard state, log, name space and content, kept as one. The fence of `docs/protocol.md`
/// stands here: `{term, vote, log}` change only in `decide_ballot`, `adopt_term`, `propose`, `append` and
/// `finish_install`, each one conditional durable step; `compact` moves the front of the log alone, in several.
///
/// Owner: the only writer of the data directory, which it locks. Owns the facts "hard state", "log", "name space".
/// Lifecycle: `open` recovers (nothing is replayed), the destructor closes. Nothing survives in memory that is not on
/// disk. Thread: what changes, from one thread (the storage actor's); everything const, and `content()`, from any. A
/// failed write or fsync is never retried: the `fatal` callback given to `open` is called and must not return.

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kaiku/core/command.hpp"
#include "kaiku/core/content.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/core/fence.hpp"
#include "kaiku/core/vote.hpp"
#include "kaiku/storage/change_feed.hpp"
#include "kaiku/storage/content_store.hpp"
#include "kaiku/storage/scrub.hpp"
#include "kaiku/storage/store_view.hpp"

namespace kaiku {

/// Counters since `open`, for tests and operators.
struct store_counters {
  std::uint64_t syncs = 0;       ///< synced RocksDB batches (each one fsync of the write-ahead log)
  std::uint64_t file_syncs = 0;  ///< fsyncs of blob files and directories
  std::uint64_t set_aside = 0;   ///< entries displaced
  std::uint64_t entries = 0;     ///< log entries written
};

/// An entry that another leader's log displaced. What it names stays until it is purged or expires.
struct set_aside_entry {
  log_position at;
  command what;
  unix_time_ms since;  ///< when it was set aside
};

class store {
 public:
  struct options {
    std::filesystem::path directory;
    std::uint64_t reserve_bytes = limits::disk_reserve_bytes;
    /// Called when a write or fsync failed or metadata can't be read, from the thread that saw it; must not return (the
    /// daemon ends the process).
    fatal_callback fatal;
    /// Dates what is set aside and what nothing names any more, and says to readers what has expired; the system's if
    /// empty.
    std::function<unix_time_ms()> clock = {};
    /// Told what changes in the name space; empty: nobody keeps a copy.
    std::shared_ptr<change_feed> feed = {};
  };

  /// Opens or makes a data directory. Errors: `in_use`, `corrupt`, `io_error`, `bad_request` (not a Kaiku directory).
  static result<std::unique_ptr<store>> open(options how);
  ~store();
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  // --- writer's thread ----------------------------------------------------------------------------------------------

  /// `decide` on the own hard state, persisted before it returns.
  vote_decision decide_ballot(const vote_request& ballot);
  /// Takes a higher term without a vote; a term not higher changes nothing. The state afterwards.
  hard_state adopt_term(term in_term);
  /// The entry that named the cluster is known committed: from now on `members().confirmed`, for good.
  hard_state confirm_cluster();
  /// This disk founds no cluster: from now on `members().latecomer`, for good.
  hard_state note_latecomer();
  /// Evaluates each command on the state that the ones before it leave, logs those that hold, in one synced batch. One
  /// whose request was logged before is not logged again, but gets the first outcome.
  /// Refused as a whole unless `in_term` is the current term.
  propose_outcome propose(term in_term, std::span<const proposal> proposals);
  /// Follows the leader's log, setting aside what differs, in one synced batch. Accepts entries it already has.
  /// Takes the leader's term if it is higher. On `content_missing`, `missing_content` says what to fetch.
  append_outcome append(const append_command& what);

  /// Drops the entries up to and including `upto` with their undo records, in synced batches of
  /// `limits::batch_entries`. The caller knows that they are committed and that nobody needs them; a step at a time
  /// lets others write in between.
  status compact(log_index upto);
  /// Reclaims what nothing leads to: content without a name, and what hung below removed directories. About `budget`
  /// keys, in one synced batch, and at most `limits::garbage_step_unlinks` files. Whether there is more to do at once.
  /// Content goes `limits::content_grace_ms` after its
  /// last name, and not while a view knows it by one.
  bool collect_garbage(std::size_t budget);

  /// Drops an entry that was set aside, for good. Errors: `not_found`.
  status purge_set_aside(log_position at);
  /// Drops those set aside before `older_than`, and then the lowest until the rest names no more than `keep_bytes` of
  /// content and commands. How many.
  std::size_t expire_set_aside(unix_time_ms older_than, byte_count keep_bytes);

  /// Begins to take over the state that another disk had when its log ended at `at`, which is known committed; goes on
  /// with it if it was begun before, also before a restart; gives up one of another position. Errors:
  /// `already_exists` (that entry is here), `busy` (what an earlier one left is still being cleared: ask again),
  /// `disk_full`.
  status begin_install(log_position at);
  /// Takes the piece behind `installing()->cursor`. Content that it names and that is not here: large content is to be
  /// staged and given to `provide_repaired`; small content is among it only if the sender's was damaged.
  /// Errors: `log_mismatch` (another piece is due), `corrupt` (nothing of it is stored; the install is given up if the
  /// piece contradicts those before it), `disk_full`, `io_error`.
  result<std::vector<content_ref>> install_piece(std::string_view bytes);
  /// Puts the installed state in place of the old one, in one synced batch: the log is empty and ends at `at`, entries
  /// that are not in the sender's history are set aside. Good also if the entry `at` came another way meanwhile.
  /// Takes the leader's term if it is higher. Errors: `stale_term`, `log_mismatch` (pieces are missing),
  /// `content_missing` (see `list_lacked`), `corrupt` (the install is given up).
  status finish_install(term leader_term, log_position at);
  /// Gives up what was begun; what it brought is reclaimed.
  void abandon_install();

  /// Takes content that was found damaged away: from now on it is not served, and missing. Errors: `not_found`,
  /// `io_error`.
  status quarantine(const content_ref& what);
  /// Takes content that is named and not here: large content that is staged complete, or the bytes of small content.
  /// For repair, and for an install. Errors: `not_found` (nothing names it), `content_missing`, `digest_mismatch`,
  /// `corrupt` (another size), `disk_full`, `io_error`.
  status provide_repaired(const content_ref& what, std::string_view small_content = {});

  /// Makes a new cluster of this disk and all that it has, committed or not: `members` are in force and confirmed, and
  /// the log begins anew at a position that no disk of another cluster has. One synced batch. Only where no node runs
  /// on the disk. Errors: `disk_full`.
  status found_anew(const set_members& members);

  // --- any thread
  // -------------------------------------------------------------------------------------------------------

  /// One moment of log and state. Holds the store's database open.
  /// `upto`: the state of that entry, or of the log's boundary if that lies behind it, instead of the log's end; it
  /// must be committed, so that the content which it names is still here.
  std::shared_ptr<const store_view> snapshot(const std::optional<log_index>& upto = {}) const;
  /// The end of the log, for who looks at names only: content that it names may go meanwhile.
  std::shared_ptr<const store_view> snapshot_of_names() const;

  hard_state state() const;
  membership members() const;
  incarnation disk() const;

  /// Errors: `not_found`, `not_a_directory` is never given here (a file on the way is `not_found`).
  result<file_info> stat(const file_path& path) const;
  /// Up to `limit` entries that follow `after` (empty, or `next` of a page before). Cost is by the page, not by the
  /// directory. Over all pages nothing comes twice, and what was there all the time comes, whatever changes meanwhile.
  /// Errors: `not_found`, `not_a_directory`.
  result<directory_page> list(const file_path& path, std::string_view after, std::size_t limit,
                              const list_filter& what = {}) const;
  /// When the next file expires, or has; a file in a removed directory counts. Empty: none does.
  std::optional<unix_time_ms> next_expiry() const;
  /// Errors: `not_found`, `content_missing` (named, but set apart because it was damaged, or not here yet), `corrupt`,
  /// `io_error`.
  result<opened_content> open_content(const content_ref& content) const;

  /// The first entry that is still in the log; behind the last if there is none.
  log_index first_index() const;
  /// Position of the entry at `index`, in the log or compacted; index 0 gives {0, 0}. Errors: `not_found`, also for
  /// entries more than `limits::term_starts` terms in front of the log.
  result<log_position> position(log_index index) const;
  /// What the log takes, about: entries, their undo records, and the small content they name.
  byte_count log_bytes() const;
  /// The last entry that may keep removed or replaced files on the disk until it is compacted; 0: there is none.
  log_index superseded() const;
  /// Whether these should go at once. Ends when `compact` has come to the last.
  bool is_short_of_space() const { return content_->is_short_of_space(); }
  /// Entries from `from`, at most `limits::batch_entries`, about `max_bytes` of encoded commands and small content, and
  /// `limits::append_large_bytes` of large content; but one at least.
  /// None if `from` was compacted.
  std::vector<log_entry> read_log(log_index from, std::size_t max_bytes) const;
  /// Bytes of every distinct small content that `entries` name. An error says in `lost` which one could not be read.
  result<std::vector<std::string>> small_contents(std::span<const log_entry> entries,
                                                  std::optional<content_ref>& lost) const;
  /// Large content that those of `entries` name which are not in the log, and that is neither here nor staged complete.
  /// Errors: `corrupt`.
  result<std::vector<content_ref>> missing_content(std::span<const log_entry> entries) const;
  /// Whether content is here for good, as the database says.
  bool holds(const content_ref& what) const;
  /// Entries that were set aside, by position, behind `after`.
  std::vector<set_aside_entry> set_aside(log_position after = {}, std::size_t limit = limits::listing_page) const;
  std::size_t set_aside_count() const;
  /// Errors: `not_found`.
  result<set_aside_entry> set_aside_at(log_position at) const;

  /// The state that is being installed, if any.
  std::optional<install_progress> installing() const;
  /// Content that the received part of it names and that is not here.
  std::vector<content_ref> list_lacked(std::size_t limit) const;

  /// Content that is here and named, small and large, by digest, behind `after`; to be walked through.
  std::vector<content_ref> list_content(const std::optional<digest>& after, std::size_t limit) const;
  /// Content that is named and not here: damaged, or of a state being installed.
  std::vector<content_ref> list_wanted(const std::optional<digest>& after, std::size_t limit) const;
  /// Hashes again what is on the disk, a piece at a time.
  content_check verify(const content_ref& what) const;

  content_store& content() { return *content_; }
  store_counters counters() const;
  /// RocksDB's own figures, over all column families.
  std::vector<std::pair<std::string, std::uint64_t>> database_figures() const;
  /// Bytes that may still be written before `disk_full`.
  byte_count free_space() const;

 private:
  struct impl;
  friend class store_view;
  friend class state_builder;
  store(std::unique_ptr<content_store> content, std::shared_ptr<impl> state);

  std::unique_ptr<content_store> content_;
  std::shared_ptr<impl> impl_;  ///< shared with the views
};

}  // namespace kaiku
