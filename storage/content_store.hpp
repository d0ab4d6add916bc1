#pragma once

/// Purpose: large content on disk: staging while it is received, `blobs/ab/cd/<digest>` once an entry names it.
/// Owner: owns `staging/`, `blobs/` and `damaged/`. Thread: any; a `staged_file` belongs to one thread at a time.
///
/// Life of a blob: `begin` -> `write`... -> `finish` (hashed, fsynced, in staging under `<digest>.<id>`, found by
/// digest)
/// -> `adopt` (linked into `blobs/` and its directory fsynced, by the store, in front of the batch that names it) ->
/// staging name dropped. A staged file that is dropped before it was adopted leaves nothing behind, and what a crash
/// leaves in staging is removed at the next start together with its blob if no entry names it.
/// An fsync that fails stops the node, and so does any change that the disk does not take for a reason of its own (EIO,
/// a file system that became read-only): the `fatal` callback is called, from the thread that saw it.

#include <atomic>
#include <bitset>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kaiku/core/command.hpp"
#include "kaiku/core/content.hpp"
#include "kaiku/core/error.hpp"
#include "kaiku/storage/blob_file.hpp"
#include "kaiku/storage/files.hpp"
#include "kaiku/storage/held_directory.hpp"

namespace kaiku {

/// Computes SHA-256 piece by piece (FIPS 180-4, by OpenSSL).
class sha256_hasher {
 public:
  sha256_hasher();
  ~sha256_hasher();
  sha256_hasher(sha256_hasher&&) noexcept;
  sha256_hasher& operator=(sha256_hasher&&) noexcept;

  void update(std::string_view bytes);
  /// Ends the computation; no other call may follow.
  digest finish();

 private:
  struct context;
  std::unique_ptr<context> context_;
};

digest sha256(std::string_view bytes);

class content_store;

/// Who has content stored.
enum class origin : std::uint8_t { client, leader };

/// Content being received. Dropping it removes the file unless an entry has adopted it.
class staged_file {
 public:
  ~staged_file();
  staged_file(const staged_file&) = delete;
  staged_file& operator=(const staged_file&) = delete;

  /// Appends. Blocks on the disk. Errors: `disk_full`, `io_error`; then only destruction may follow.
  status write(std::string_view bytes);
  /// Says what was written; nothing may be written after it. Not durable yet.
  content_ref seal();
  /// Up to `most` of the bytes written so far, from `offset` on. Errors: `io_error`.
  result<std::string> read(byte_count offset, std::size_t most) const;
  /// Seals, fsyncs; from now on the store finds it under its digest for as long as this object lives. Blocks on the
  /// disk. Errors: as `write`.
  result<content_ref> finish();
  byte_count size() const { return size_; }

 private:
  friend class content_store;
  staged_file(content_store& owner, std::uint64_t id, std::uint64_t reserve, std::filesystem::path path,
              unique_fd file);
  void end_sync();

  content_store& owner_;
  std::uint64_t id_;
  std::uint64_t reserve_;  ///< bytes that it leaves free
  std::filesystem::path path_;
  unique_fd file_;  ///< until it is finished
  sha256_hasher hasher_;
  block_sums sums_;
  byte_count size_;
  byte_count flushed_;         ///< bytes that were synced, or are by `syncing_`
  std::future<void> syncing_;  ///< uses `file_` and `path_`
  std::optional<content_ref> sealed_;
  std::optional<digest> finished_;
};

class content_store {
 public:
  /// `files`: of the data directory, already locked by the store, with `staging/`, `blobs/` and `damaged/` in it.
  content_store(std::shared_ptr<const held_directory> files, std::uint64_t reserve_bytes, fatal_callback fatal);

  /// A new staging file. `expected` bytes (0: not known) are checked against the free space; what the cluster has
  /// taken already may leave `reserve_of_taken`, as the entries that name it. Errors: `disk_full`, `io_error`,
  /// `overloaded`.
  result<std::unique_ptr<staged_file>> begin(byte_count expected, origin from = origin::client);
  /// Free bytes beyond the reserve, saturating at 0.
  byte_count free_space() const { return free_space_above(reserve_bytes_); }
  byte_count free_space_above(std::uint64_t reserve) const;
  std::uint64_t reserve() const { return reserve_bytes_; }
  /// What the cluster has taken already may leave less, but room for a compaction of RocksDB; and what elects a leader
  /// or frees space may leave half.
  std::uint64_t reserve_of_taken() const { return reserve_bytes_ / 4 * 3; }
  std::uint64_t reserve_of_freeing() const { return reserve_bytes_ / 2; }
  /// Something was refused for want of space.
  void note_refusal() { refused_ = true; }
  /// Little space is left, or something was refused since `forget_refusals`: what can be freed should be.
  bool is_short_of_space() const;
  void forget_refusals() { refused_ = false; }

  bool is_staged(const digest& what) const;
  /// Links staged content into `blobs/`; durable once `sync_adopted` has returned. Writer's thread only; for content
  /// that the database does not call here: a file that stands there nevertheless is replaced. Errors:
  /// `content_missing`, `corrupt` (staged with another size), `disk_full`, `io_error`.
  status adopt(const content_ref& what);
  /// Fsyncs the directories of what was adopted: to be called in front of the batch that names it. One for many costs
  /// little more than one for one: the first fsync commits the file system's journal. Writer's thread only.
  void sync_adopted();
  /// Removes blobs, durably; one that is not there is none to remove. Writer's thread only. Errors: `io_error`.
  status remove(std::span<const digest> blobs);
  /// Moves a damaged blob, which the database does not call here any more, to `damaged/`; if `limits::damaged_blobs`
  /// are there, it stays where it is until good content replaces it or nothing names it. Writer's thread only. Errors:
  /// `io_error`.
  status set_apart(const digest& what);
  /// Opens a blob for reading. Errors: `not_found`, `io_error`, `corrupt` (the size on disk is not the one named).
  result<std::unique_ptr<blob_reader>> open(const content_ref& what) const;
  /// At start: removes everything in staging, with blobs that `is_named` does not know.
  /// Errors: `io_error`.
  status remove_leftovers(const std::function<bool(const digest&)>& is_named);

  std::uint64_t file_syncs() const { return file_syncs_; }

 private:
  friend class staged_file;
  // All paths are names in `files_`.
  static std::filesystem::path blob_path(const digest& what);
  status check_size(const std::filesystem::path& path, const content_ref& what) const;
  /// The error of a system call without which nothing can be changed; stops the node if the disk is to blame.
  error failed_change(int code, const std::string& doing, const std::filesystem::path& path) const;
  void sync_file(int file, const std::filesystem::path& path);
  void sync_names(const std::filesystem::path& directory);
  /// `blobs/ab/cd`, durable with the next `sync_adopted`.
  status make_blob_directory(const digest& what);
  status link_blob(const content_ref& what);

  std::shared_ptr<const held_directory> files_;
  std::uint64_t reserve_bytes_;
  fatal_callback fatal_;
  mutable std::mutex mutex_;
  std::multimap<digest, std::filesystem::path> staged_;  ///< finished, by digest; guarded by mutex_
  std::bitset<65536> made_;  ///< blob directories known to be durable, by the digest's first two bytes; writer's thread
  std::set<std::filesystem::path> unsynced_;  ///< directories with names that are not durable yet; writer's thread
  std::vector<std::size_t> being_made_;       ///< of `made_`, once `unsynced_` are synced
  std::atomic<std::uint64_t> next_id_{0};
  std::atomic<std::uint64_t> file_syncs_{0};
  std::atomic<bool> refused_{false};
};

}  // namespace kaiku
